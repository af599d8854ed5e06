"""Units mapped to the primitives of a family, each kind of them once."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from pathlib import Path

from vaqf.hardware.family import Family
from vaqf.reporting import Report, silent
from vaqf.sim import processes
from vaqf.sim.synth import cache, netlist, yosys
from vaqf.sim.synth.netlist import Json
from vaqf.sim.synth.units import Unit, ports, with_cells

# units of one run: starting it takes seconds, and passes are slower with more of them
BATCH_BYTES, BATCH_UNITS = 100_000, 10
BATCH, BOX = "vaqf_batch", "vaqf_box_"  # names of what is added to units


def synthesize(
    tree: Mapping[str, Unit],
    family: Family,
    kept: Path | None,
    jobs: int = 1,
    report: Report = silent,
) -> dict[str, Json]:
    """Every unit's netlist, from `kept` or from Yosys in `jobs` processes at most."""
    key = cache.keys(tree, family)
    kinds = {key[name]: unit for name, unit in tree.items()}  # one of each kind
    found = {kind: cache.read(kept, kind) for kind in kinds}
    missing = [kinds[kind] for kind, known in found.items() if known is None]
    done = len(kinds) - len(missing)
    report("synthesizing", done, len(kinds))
    with processes.pool(jobs) as pool:
        runs = [pool.submit(_synthesize, tree, batch, family) for batch in _batches(missing)]
        for batch in as_completed(runs):
            for name, made in batch.result().items():
                found[key[name]] = made
                cache.write(kept, key[name], made)
            done += len(batch.result())
            report("synthesizing", done, len(kinds))
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


def _synthesize(tree: Mapping[str, Unit], batch: Sequence[Unit], family: Family) -> dict[str, Json]:
    """All units of a batch in one run: Yosys needs seconds to start."""
    with tempfile.TemporaryDirectory(prefix="vaqf-yosys-") as name:
        folder = Path(name)
        inside = dict.fromkeys(kind for unit in batch for kind in unit.instances.values())
        # a unit is a box in those that use it, though it may be synthesized beside them
        box = {kind: f"\\{BOX}{index}" for index, kind in enumerate(inside)}
        parts = [
            f"attribute \\blackbox 1\nmodule {box[kind]}\n{ports(tree[kind])}end\n"
            for kind in inside
        ]
        for unit in batch:
            text = with_cells(unit.text, box)
            parts.append(f"module {unit.name}\n{text}end\n")
        cells = "".join(
            f"  attribute \\keep 1\n  cell {unit.name} \\u{index}\n  end\n"
            for index, unit in enumerate(batch)
        )
        parts.append(f"module \\{BATCH}\n{cells}end\n")
        (folder / "units.il").write_text("".join(parts), encoding="utf-8")
        lines = [
            *yosys.CELLS,
            "read_rtlil units.il",
            f"hierarchy -check -top {BATCH}",
            f"scratchpad -set abc9.D {yosys.DELAY_PS}",
            f"synth_xilinx -family {family.yosys} -top {BATCH} {yosys.FLAGS}",
            "write_json -selected units.json",
        ]
        yosys.run("\n".join(lines), folder)
        modules = json.loads((folder / "units.json").read_text(encoding="utf-8"))["modules"]
        boxes = frozenset(kind.removeprefix("\\") for kind in box.values())
        return {
            unit.name: netlist.compact(modules[unit.name.removeprefix("\\")], boxes)
            for unit in batch
        }
