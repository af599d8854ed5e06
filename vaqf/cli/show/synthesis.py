"""The tables of a synthesized project."""

from vaqf.cli.show.tables import Json, console, number, table
from vaqf.cli.words import count

MODULES_SHOWN = 12


def synthesis(doc: Json, quiet: bool) -> None:
    """What a design takes beside its estimate, and which modules take it."""
    out = console()
    out.print(
        f"{doc['model']} on {doc['board']}, {doc['tool']}, before placement;"
        f" {count(doc['levels'], 'LUT')} at most between registers",
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
