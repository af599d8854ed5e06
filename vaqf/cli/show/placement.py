"""The tables of a placed project."""

from typing import Any

from vaqf.cli.show.tables import Json, console, number, table
from vaqf.cli.words import count

ENDS_SHOWN = 6


def _clocks(doc: Json) -> str:
    """The routed clock, beside the known core's."""
    other = doc["reference"]
    beside = f"; {other['name']} {other['clock_mhz']:.1f} MHz" if other else ""
    return f"{doc['clock_mhz']:.1f} MHz{beside}"


def _where(place: Json) -> str:
    """The declaration of a signal."""
    return f"{place['file']}:{place['line']}" if place["line"] else place["file"]


def _path(doc: Json) -> Any:
    """The critical path, one line each place."""
    path = doc["critical_path"]
    places = path["places"]
    last = len(places) - 1
    words = ["from", *["via"] * (last - 1), "to"]
    rows = [(word, place["name"], _where(place)) for word, place in zip(words, places, strict=True)]
    return table("Longest path", ("", "", "declared in"), rows)


def _ends(doc: Json) -> Any:
    """Registers at which the longest paths end."""
    rows = [(number(end["ns"], 2), end["name"], _where(end)) for end in doc["slowest"][:ENDS_SHOWN]]
    return table("Registers reached last (all: --json)", (">ns", "", "declared in"), rows)


def _resources(doc: Json) -> Any:
    """What the accelerator takes of the device."""
    rows = [
        (name, number(used), number(doc["available"][name]), number(100 * used / of))
        for name, used in doc["resources"].items()
        for of in (doc["available"][name],)
    ]
    return table("Resources", ("", ">used", ">available", ">%"), rows)


def placement(doc: Json, quiet: bool) -> None:
    """The clock that was routed, what it takes, and which registers limit it."""
    out = console()
    out.print(
        f"{doc['model']} on {doc['device']}, {doc['tools']}, routed: {_clocks(doc)}", style="bold"
    )
    if board := doc.get("board"):
        images, size = count(board["simulated"], "image"), number(board["bitstream_bytes"])
        out.print(
            f"{board['name']} at {board['clock_mhz']:g} MHz: {images} simulated over its serial"
            f" line, as golden; bitstream of {size} bytes, not run on the board"
        )
    if quiet:
        return
    out.print(_resources(doc))
    out.print()
    out.print(_path(doc))
    path = doc["critical_path"]
    wires = f"{path['routing_ns']:.2f} of it on wires"
    out.print(f"{path['ns']:.2f} ns, {wires}, {path['levels']} levels")
    out.print()
    out.print(_ends(doc))
