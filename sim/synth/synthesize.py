"""A whole accelerator synthesized by Yosys: its units, times their instances, added up."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vaqf.hardware import speed
from vaqf.hardware.family import Family
from vaqf.hardware.speed import Speed
from vaqf.reporting import Report, silent
from vaqf.sim.synth import mapping, netlist, units, yosys
from vaqf.sim.synth.netlist import Counts
from vaqf.sim.synth.timing import delays
from vaqf.sim.synth.timing.analysis import Hierarchy, Timing
from vaqf.sim.synth.timing.analysis import Part as TimedPart
from vaqf.sim.synth.timing.delays import Delays

JOBS = 4  # processes of up to 4 GiB each


@dataclass(frozen=True)
class Part:
    """All instances of one source module, without the units inside them."""

    module: str
    kinds: int  # of parameters
    instances: int
    counts: Counts  # of all instances

    def to_json(self) -> dict[str, Any]:
        """One entry of modules[]."""
        return {
            "module": self.module,
            "kinds": self.kinds,
            "instances": self.instances,
            **asdict(self.counts),
        }


@dataclass(frozen=True)
class Synthesis:
    """What a design takes before placement, and how long its paths are."""

    tool: str
    family: Family
    total: Counts
    parts: tuple[Part, ...]  # the largest first
    timings: tuple[Timing, ...]  # by scenario: optimistic, realistic
    others: tuple[Timing, ...] = ()  # on other devices, realistic

    def part(self, module: str) -> Counts:
        """Of all instances of one source module; nothing if there is none."""
        return next((part.counts for part in self.parts if part.module == module), Counts())


def synthesize(
    sources: Sequence[tuple[str, str]],
    top: str,
    family: Family,
    cache: Path | None,
    report: Report = silent,
    whole: bool = False,
    part: str = "",
    others: Sequence[Speed] = (),
) -> Synthesis:
    """Synthesize `top` of these sources (name, text), in the order in which tools read them.

    `whole` dissolves the hierarchy: only for small designs, to check what is added up. `part`: the
    device, whose name tells how fast it is; without one the slowest of the family. `others`: what
    it is timed on, too. ToolMissing without Yosys, ToolFailed with its own error or for a
    combinational loop.
    """
    report("reading", 0, 1)
    tree = units.cut(sources, top, whole)
    report("reading", 1, 1)
    jobs = min(JOBS, len(os.sched_getaffinity(0)))
    made = mapping.synthesize(tree, family, cache, jobs, report)
    root = "\\" + top
    times = units.instances(tree, root)
    counts = {name: netlist.count(made[name]) for name in times}
    by_module: dict[str, list[str]] = {}
    for name in times:
        by_module.setdefault(tree[name].module, []).append(name)
    parts = [
        Part(
            module,
            len(names),
            sum(times[name] for name in names),
            sum((counts[name] * times[name] for name in names), Counts()),
        )
        for module, names in by_module.items()
    ]
    report("timing", 0, len(delays.SCENARIOS))
    timed = {
        name: TimedPart(made[name], tree[name].module, tree[name].instances, tree[name].sources)
        for name in times
    }
    here = delays.of(speed.of(family, part))

    def timing(d: Delays, scenario: str) -> Timing:
        return Hierarchy(timed, times, root, d, scenario).timing()

    timings = []
    for scenario in delays.SCENARIOS:
        timings.append(timing(here, scenario))
        report("timing", len(timings), len(delays.SCENARIOS))
    return Synthesis(
        tool=f"Yosys {yosys.version()}",
        family=family,
        total=sum((part.counts for part in parts), Counts()),
        parts=tuple(sorted(parts, key=lambda part: (-part.counts.lut, part.module))),
        timings=tuple(timings),
        others=tuple(timing(delays.of(other), delays.REALISTIC) for other in others),
    )
