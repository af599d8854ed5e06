"""routed.tsv: what rtl/vivado.tcl writes down of its run, in words that no version changes.

One entry a line, its fields between tabs: name and value; the worst paths; `end`, without which a
record is not whole.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaqf.errors import InputError
from vaqf.files import smallfile
from vaqf.files.fields import number, shown, whole
from vaqf.project.vivado import PATH_PROPERTIES, PATHS, SCHEMA, TIMING, UTILIZATION

MAX_RECORD_BYTES = 2**16
_AGAIN = "run rtl/vivado.tcl again"
_VALUES = {  # what a value looks like, by name, in the order of the file
    "vaqf": str(SCHEMA),
    "version": r"\d{4}\.\d[\w.]{0,20}",
    "top": r"\w{1,100}",
    "part": r"[\w-]{1,64}",
    "clock_ns": r"\d{1,6}(\.\d{1,12})?",
    "routed": "[01]",
    "sources": "[0-9a-f]{8}",
    UTILIZATION: "[0-9a-f]{8}",
    TIMING: "[0-9a-f]{8}",
}


@dataclass(frozen=True)
class RoutedPath:
    """One of the worst paths, from the clock pin of a register to a pin of another."""

    slack_ns: float
    ns: float  # of the data
    logic_ns: float  # of those, in cells; nets have the rest
    levels: int
    start: str
    end: str

    def to_json(self) -> dict[str, Any]:
        """One entry of paths[]."""
        return vars(self)


@dataclass(frozen=True)
class Record:
    """What a run of Vivado implemented."""

    version: str
    top: str
    part: str
    clock_ns: float
    routed: bool  # every net, without an error
    sources: str  # digests, as vaqf.project.vivado has them
    utilization: str
    timing: str
    paths: tuple[RoutedPath, ...]  # the least slack first


def read(path: Path) -> Record:
    """The record of a whole run; InputError for anything else."""
    content = smallfile.read(path, MAX_RECORD_BYTES, "the record of rtl/vivado.tcl")
    lines = content.decode(errors="replace").split("\n")
    if lines[-2:] != ["end", ""]:
        raise InputError(f"{path} does not end with the line end: it is cut short; {_AGAIN}")
    head, paths = lines[: len(_VALUES)], lines[len(_VALUES) : -2]
    values = {}
    for line, (name, pattern) in zip(head, _VALUES.items(), strict=False):
        value = line.removeprefix(f"{name}\t")
        if value == line or not re.fullmatch(pattern, value, re.ASCII):
            raise InputError(f"{path} has no good {name}; {_AGAIN}")
        values[name] = value
    if len(values) < len(_VALUES) or not 1 <= len(paths) <= PATHS:
        raise InputError(f"{path} must have {len(_VALUES)} values and 1 to {PATHS} paths; {_AGAIN}")
    return Record(
        version=values["version"],
        top=values["top"],
        part=values["part"],
        clock_ns=float(values["clock_ns"]),
        routed=values["routed"] == "1",
        sources=values["sources"],
        utilization=values[UTILIZATION],
        timing=values[TIMING],
        paths=tuple(_path(line, path) for line in paths),
    )


def _path(line: str, path: Path) -> RoutedPath:
    kind, *cells = line.split("\t")
    if kind == "path" and len(cells) == len(PATH_PROPERTIES):
        lengths = [number(cell) for cell in cells[:3]]
        levels, names = whole(cells[3]), cells[4:]
        known = [ns for ns in lengths if ns is not None and math.isfinite(ns)]
        if (
            len(known) == len(lengths)
            and levels is not None
            and levels >= 0
            and all(map(_is_name, names))
        ):
            return RoutedPath(known[0], known[1], known[2], levels, names[0], names[1])
    raise InputError(f"{path} has a path that is none: {shown(line)}; {_AGAIN}")


def _is_name(name: str) -> bool:
    """Whether a terminal may see it."""
    return 0 < len(name) <= 1000 and name.isprintable()
