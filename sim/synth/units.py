"""A design cut into units: what Yosys synthesizes once, however often it is there.

A unit is a module with everything below it that is no unit itself. Constants, unused and equal
signals go through the boundaries of units before they are cut, as they would without them.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vaqf.sim.synth import yosys

# small, wires alone or without registers at their ports: they belong to the units that use them
INLINE = (
    "attention_walk",
    "axi_bursts",
    "byte_digits",
    "conductor",
    "cursor",
    "datapath",
    "delay",
    "delay_flag",
    "divided",
    "dsp48",
    "dsp_add",
    "dsp_pair",
    "fifo",
    "gearbox",
    "loads",
    "lutram",
    "memory",
    "memory_row",
    "multiply_add",
    "norm_beats",
    "normalize",
    "octave",
    "passes",
    "records",
    "requantize",
    "rotate",
    "run_address",
    "scale_by",
    "ternary_add",
    "third",
    "walk",
)
# each instance of these is a unit of its own kind: they are used in different ways
UNIQUE = ("diagonal",)


@dataclass(frozen=True)
class Unit:
    """A module as RTLIL, and how often it has which other unit inside."""

    name: str
    module: str  # the name of its source
    text: str
    instances: Mapping[str, str]  # cell -> unit
    sources: Mapping[str, tuple[str, int]]  # wire -> (file, line) where it is declared


def cut(sources: Sequence[tuple[str, str]], top: str, whole: bool = False) -> dict[str, Unit]:
    """The units of a design by name, `top` among them; with `whole` it is the only one.

    `sources`: (name for messages, text) in the order in which tools read them. ToolFailed for
    sources that Yosys does not take.
    """
    with tempfile.TemporaryDirectory(prefix="vaqf-yosys-") as name:
        folder = Path(name)
        lines = list(yosys.CELLS)
        for index, (source, text) in enumerate(sources):
            file = f"{index}_{re.sub('[^A-Za-z0-9_.]', '_', source)}"
            (folder / file).write_text(text, encoding="utf-8")
            lines.append(f"read_verilog -sv {file}")
        inline = " ".join(f"{module} A:hdlname={module}" for module in INLINE)
        lines += [f"hierarchy -top {top}", "proc"]
        # registers that are copies on purpose: Yosys itself heeds the attribute at cells alone
        lines.append("setattr -set keep 1 a:keep %ci1:+$dff[Q]")
        if not whole:
            lines += [
                "setattr -mod -set keep_hierarchy 1 *",
                f"setattr -mod -unset keep_hierarchy {inline}",
            ]
            lines.append("setattr -mod -set unique 1 *")
            lines += [f"uniquify */t:*{module}*" for module in UNIQUE]
        lines += ["flatten", "check", "opt_expr", "opt_clean"]
        # a boundary lets through what the boundary behind it has let through before
        lines += [] if whole else 3 * ["opt_hier", "opt_expr", "opt_merge", "opt_clean"]
        lines.append("write_rtlil -selected places.il")
        lines += [f"setattr -unset {name} *" for name in ("src", "hdlname")]
        lines.append("write_rtlil -selected units.il")
        yosys.run("\n".join(lines), folder)
        places = _places((folder / "places.il").read_text(encoding="utf-8"))
        return dict(_units((folder / "units.il").read_text(encoding="utf-8"), places))


def _places(text: str) -> dict[str, dict[str, tuple[str, int]]]:
    """Module -> wire -> (file, line) of an RTLIL file with sources."""
    found: dict[str, dict[str, tuple[str, int]]] = {}
    module, place = "", ("", 0)
    for line in text.splitlines():
        words = line.split()
        if line.startswith("module "):
            module = words[1]
            found[module] = {}
        elif match := re.match(r'  attribute \\src "\d+_([\w.]+):(\d+)\.', line):
            place = match[1], int(match[2])
        elif line.startswith("  wire ") and words[-1].startswith("\\") and place[0]:
            found[module][words[-1][1:]] = place
        elif not line.startswith("  attribute "):
            place = ("", 0)
    return found


def _units(
    text: str, places: Mapping[str, Mapping[str, tuple[str, int]]]
) -> Iterator[tuple[str, Unit]]:
    """Every module of an RTLIL file, with the attributes in front of it."""
    found = re.findall(r"^((?:attribute [^\n]*\n)*)module (\S+)$(.*?)^end$", text, re.M | re.S)
    names = {name for _, name, _ in found}
    for attributes, name, body in found:
        source = re.search(r'^attribute \\hdlname "(\w+)"$', attributes, re.M)
        cells = re.findall(r"^  cell (\S+) (\S+)$", body, re.M)
        instances = {cell.removeprefix("\\"): kind for kind, cell in cells if kind in names}
        module = source[1] if source else name.removeprefix("\\")
        yield name, Unit(name, module, body, instances, places.get(name, {}))


def instances(tree: Mapping[str, Unit], top: str) -> dict[str, int]:
    """How often every unit is there in all, the ones that use it first."""
    order: list[str] = []

    def visit(name: str) -> None:
        for inside in tree[name].instances.values():
            if inside not in order:
                visit(inside)
        order.append(name)

    visit(top)
    count = dict.fromkeys(reversed(order), 0) | {top: 1}
    for name in count:
        for inside in tree[name].instances.values():
            count[inside] += count[name]
    return count


def with_cells(text: str, other: Mapping[str, str]) -> str:
    """A unit's text with other names for the kinds of its cells."""
    return re.sub(r"^  cell (\S+)", lambda m: f"  cell {other.get(m[1], m[1])}", text, flags=re.M)


def ports(unit: Unit) -> str:
    """The wires of a unit that others see, as RTLIL."""
    return "".join(re.findall(r"^  wire .*(?:input|output) .*\n", unit.text, re.M))
