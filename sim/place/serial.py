"""A board simulated whole, its serial line in the loop: the host's own program runs images."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaqf.errors import ToolFailed
from vaqf.project import ulx3s
from vaqf.project.ulx3s import Ulx3s
from vaqf.sim.cosim import launch, workplace

BENCH = Path(__file__).resolve().parent / "bench"
TOP = "ulx3s_bench"
# a bit of 8 cycles in the place of 50: bytes take no time beside a frame
BIT_CYCLES = 8


@dataclass(frozen=True)
class Answer:
    """What came back over the serial line."""

    logits: NDArray[np.int32]  # [frames, classes]
    cycles: int  # of the last run


def simulate(board: Ulx3s, folder: Path, frames: int, load: bool = False) -> Answer:
    """The first `frames` images of the board's project, in an empty folder.

    load: weights and commands come over the line, too, in the place of those of the bitstream.
    ToolMissing without Verilator or cocotb; ToolFailed if the simulation breaks off or the host's
    program does.
    """
    fast = Ulx3s(board.project, board.clock_mhz, 1e6 * board.clock_mhz / BIT_CYCLES)
    place = folder / "board"
    place.mkdir()
    ulx3s.write(fast, place)
    run = folder / "run"
    run.mkdir()
    for name in ulx3s.contents(fast):
        if not load:
            shutil.copy(place / name, run)
    sources = [place / "rtl" / name for name, _ in ulx3s.sources(fast)]
    with workplace.folder(folder / "model") as work:
        model = launch.compile_model(
            TOP,
            workplace.files([*sources, *sorted(BENCH.glob("*.sv"))], work / "sources"),
            work,
            arguments=("--timing", "--timescale", "1ns/1ps"),
            optimize="-O1",
        )
        task = {"board": str(place), "bit_cycles": BIT_CYCLES, "load": load, "frames": frames}
        environment = {"VAQF_SERIAL": json.dumps(task)}
        outcomes = launch.simulate(model, BENCH / "run_serial.py", run, environment)
    if not outcomes or any(outcome.failure for outcome in outcomes):
        said = launch.errors(run / launch.LOG)
        raise ToolFailed(f"the simulation of the board broke off:\n{said}")
    found = json.loads((run / "logits.json").read_text(encoding="ascii"))
    return Answer(np.array(found["logits"], np.int32), found["cycles"])
