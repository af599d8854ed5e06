"""The tables of a synthesized project."""

from typing import Any

from vaqf.cli.show.tables import Json, console, number, table

MODULES_SHOWN, PATHS_SHOWN = 12, 5


def _worst(doc: Json) -> str:
    """Of both scenarios, beside the clock."""
    least, most = (one["worst_ns"] for one in doc["timing"].values())
    clock = doc["clock_ns"]
    expected = doc["estimated_path"]["ns"]
    missed = "" if doc["met"] else ", NOT met with nets as in a device in use"
    return (
        f"paths of {least:.2f} ns (nets at best) to {most:.2f} ns (estimated: {expected:.2f}),"
        f" clock {clock:.2f} ns, {doc['uncertainty_ns']} of them for skew and jitter{missed}"
    )


def _paths(doc: Json) -> Any:
    """The longest paths of the realistic scenario, one line each place."""
    rows = []
    for path in doc["timing"]["realistic"]["paths"][:PATHS_SHOWN]:
        places = path["places"]
        for index, place in enumerate((places[0], places[-1]) if len(places) > 1 else places):
            where = f"{place['file']}:{place['line']}" if place["line"] else place["file"]
            first = index == 0
            rows.append(
                (
                    number(path["ns"], 2) if first else "",
                    number(path["levels"]) if first else "",
                    f"{'from' if first else 'to'} {place['name']}",
                    where,
                )
            )
    title = "Longest paths, nets as in a device in use (all: --json)"
    return table(title, (">ns", ">levels", "", "declared in"), rows)


def synthesis(doc: Json, quiet: bool) -> None:
    """What a design takes beside its estimate, and which modules take it."""
    out = console()
    out.print(
        f"{doc['model']} on {doc['board']}, {doc['tool']}, before placement: {_worst(doc)}",
        style="bold",
    )
    columns = ("", ">estimate", ">synthesized", ">ratio", ">available", ">%")
    rows = [
        (
            name,
            number(r["estimate"]),
            number(r["synthesized"]),
            number(r["ratio"], 2),
            number(r["available"]),
            number(100 * r["synthesized"] / r["available"]) if r["available"] else "-",
        )
        for name, r in doc["resources"].items()
    ]
    out.print(table("Resources", columns, rows))
    if quiet:
        return
    out.print()
    out.print(_paths(doc))
    keys = ("kinds", "instances", "lut", "lutram", "ff", "dsp", "bram36", "carry")
    largest = doc["modules"][:MODULES_SHOWN]
    out.print()
    out.print(
        table(
            "Modules with the most LUTs (all: --json)",
            ("module", *(f">{key}" for key in keys)),
            [(m["module"], *(number(m[key]) for key in keys)) for m in largest],
        )
    )
