"""A project's accelerator placed and routed on an ECP5, beside a core that people know."""

import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaqf.project import render
from vaqf.reporting import Report, silent
from vaqf.sim.place import nextpnr, pins, reference, routed
from vaqf.sim.place.device import LFE5U_85F, Device
from vaqf.sim.place.names import Names
from vaqf.sim.place.routed import Routed

CLOCK = "ap_clk"  # of the accelerator
JOBS = 2  # designs at once


@dataclass(frozen=True)
class Design:
    """What is placed: sources in the order in which tools read them, a module, its clock."""

    name: str
    sources: Sequence[tuple[str, str]]  # (name, text)
    module: str
    clock: str


@dataclass(frozen=True)
class Placement:
    """Designs after place and route."""

    tools: str
    device: Device
    seed: int
    accelerator: Routed
    reference: Routed | None  # None where it is not installed, or not asked for

    def to_json(self) -> dict[str, Any]:
        """What was placed where, by what, and what came of it."""
        own, other = self.accelerator, self.reference
        return {
            "tools": self.tools,
            "device": self.device.name,
            "seed": self.seed,
            "available": dict(self.device.available),
            **own.to_json(),
            "reference": None if other is None else other.to_json(),
            "ratio": None if other is None else round(own.clock_mhz / other.clock_mhz, 3),
        }


def accelerator(sources: Sequence[tuple[str, str]]) -> Design:
    """A project's accelerator, whatever is around it."""
    return Design("accelerator", sources, render.TOP, CLOCK)


def known_core() -> Design | None:
    """The core to compare with; None where its package is not installed."""
    core = reference.verilog()
    if core is None:
        return None
    return Design(reference.NAME, reference.sources(core), reference.TOP, reference.CLOCK)


def place(
    wanted: Design,
    seed: int,
    beside: Design | None = None,
    device: Device = LFE5U_85F,
    report: Report = silent,
) -> Placement:
    """Place and route a design, and `beside` in the same way.

    Infeasible for what does not fit the device; ToolMissing, ToolFailed with the tool's own line.
    """
    tools = nextpnr.tools()
    designs = [wanted] if beside is None else [wanted, beside]
    done, steps = 0, 2 * len(designs)
    report("placing", 0, steps)

    def step() -> None:
        nonlocal done
        done += 1
        report("placing", done, steps)

    jobs = min(JOBS, len(os.sched_getaffinity(0)))
    with ThreadPoolExecutor(jobs) as pool:
        runs = {pool.submit(_routed, design, seed, device, step): design for design in designs}
        try:
            made = {runs[run].name: run.result() for run in as_completed(runs)}
        finally:
            pool.shutdown(cancel_futures=True)
    return Placement(
        tools, device, seed, made[wanted.name], None if beside is None else made[beside.name]
    )


def _routed(design: Design, seed: int, device: Device, step: Callable[[], None]) -> Routed:
    with tempfile.TemporaryDirectory(prefix="vaqf-place-") as name:
        folder = Path(name)
        sources = nextpnr.with_pins(design.sources, design.module, design.clock, folder)
        module = nextpnr.synthesize(sources, pins.TOP, folder)
        nextpnr.check_fits(module, device)
        step()
        found = nextpnr.route(device, folder, seed)
        step()
        return routed.of(design.name, found, Names(module, "u_dut"))
