"""Tables of models, boards and tools."""

from collections.abc import Sequence

from vaqf.cli.show.tables import Json, console, number, table
from vaqf.files.fields import AUTO


def models(rows: Sequence[Json]) -> None:
    """The model zoo."""
    columns = ("model", ">image", ">patch", ">tokens", ">dim", ">depth", ">heads", ">GMAC")
    keys = ("image_size", "patch_size", "tokens", "dim", "depth", "heads")
    lines = [(r["name"], *(number(r[k]) for k in keys), number(r["macs"] / 1e9, 3)) for r in rows]
    console().print(table("", columns, lines))


def boards(rows: Sequence[Json]) -> None:
    """The boards; what a line of 80 columns has no room for is in --json."""
    keys = ("lut", "lutram", "dsp", "bram36", "dram_gbytes_per_s", "clock_mhz")
    columns = ("board", "part", ">lut", ">lutram", ">dsp", ">bram36", ">GB/s", ">MHz")
    lines = [
        (r["name"], r["part"], *(r[k] if r[k] == AUTO else number(r[k]) for k in keys))
        for r in rows
    ]
    out = console()
    out.print(table("", columns, lines))
    out.print("GB/s: DRAM peak. MHz: the clock; auto: what a design meets (vaqf estimate).")
    out.print("FF, URAM, dies and each number's source: --json")


def tools(rows: Sequence[Json]) -> None:
    """The outside tools."""
    lines = [(r["name"], r["version"] or "missing", r["needed_for"], r["without_it"]) for r in rows]
    console().print(table("", ("tool", "version", "needed for", "without it"), lines))
