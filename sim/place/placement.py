"""A project's accelerator placed and routed on an ECP5, beside a core that people know."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vaqf.project import render, ulx3s
from vaqf.project.ulx3s import Ulx3s
from vaqf.reporting import Report, silent
from vaqf.sim import processes
from vaqf.sim.place import nextpnr, pins, reference, routed
from vaqf.sim.place.device import LFE5U_85F, Device
from vaqf.sim.place.names import Names
from vaqf.sim.place.routed import Routed

CLOCK = "ap_clk"  # of the accelerator
JOBS = 2  # designs at once


@dataclass(frozen=True)
class Design:
    """What is placed: sources in the order in which tools read them, and a module of them."""

    name: str
    sources: Sequence[tuple[str, str]]  # (name, text)
    module: str
    clock: str = ""  # of a module that gets pins around it
    lpf: str = ""  # pads of one that is a whole board; its bitstream is made, too
    files: Mapping[str, str] = field(default_factory=dict)  # that sources name


@dataclass(frozen=True)
class Placement:
    """Designs after place and route."""

    tools: str
    device: Device
    seed: int
    design: Routed
    reference: Routed | None  # None where it is not installed, or not asked for
    bits: bytes  # of a board: its bitstream

    def to_json(self) -> dict[str, Any]:
        """What was placed where, by what, and what came of it."""
        own, other = self.design, self.reference
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


def board(around: Ulx3s) -> Design:
    """A whole ULX3S, its memories filled."""
    return Design(
        ulx3s.NAME,
        ulx3s.sources(around),
        ulx3s.NAME,
        lpf=ulx3s.lpf(around),
        files=ulx3s.contents(around),
    )


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
    with processes.pool(jobs) as pool:
        runs = {pool.submit(_routed, design, seed, device, step): design for design in designs}
        made = {runs[run].name: run.result() for run in as_completed(runs)}
    found, bits = made[wanted.name]
    return Placement(
        tools, device, seed, found, None if beside is None else made[beside.name][0], bits
    )


def _routed(
    design: Design, seed: int, device: Device, step: Callable[[], None]
) -> tuple[Routed, bytes]:
    """A design after place and route, and the bitstream of one that is a whole board."""
    with tempfile.TemporaryDirectory(prefix="vaqf-place-") as name:
        folder = Path(name)
        for file, text in design.files.items():
            (folder / file).write_text(text, encoding="utf-8")
        sources, top, inside = design.sources, design.module, ""
        if not design.lpf:
            sources = nextpnr.with_pins(sources, design.module, design.clock, folder)
            top, inside = pins.TOP, pins.INSTANCE
        module = nextpnr.synthesize(sources, top, folder)
        nextpnr.check_fits(module, device)
        step()
        report = nextpnr.route(device, folder, seed, design.lpf)
        bits = nextpnr.bitstream(folder) if design.lpf else b""
        step()
        return routed.of(design.name, report, Names(module, inside)), bits
