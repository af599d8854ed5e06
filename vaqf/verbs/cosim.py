"""The verb cosim: a project's RTL against golden, and its cycles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vaqf.reporting import Report, silent
from vaqf.verbs.simulated import Simulated, simulated

if TYPE_CHECKING:
    from vaqf.sim.cosim.run import Cosim

    Cosimulated = Simulated[Cosim]


def cosim(
    folder: str | Path,
    data: str | None = None,
    images: int | None = None,
    layers: bool = False,
    trace: bool = False,
    rtl: str | Path | None = None,
    stalls: int | None = None,
    labels: str | Path | None = None,
    report: Report = silent,
) -> Cosimulated:
    """Run a project's RTL with Verilator and compare it with golden, bit for bit, on the project's
    own images or on `data`; measure its cycles.

    `layers`: every layer of the first image is compared, too. `trace`: all signals go to cosim.vcd
    in the project or, where that cannot be written, in the user's cache: `.result.waveform`.
    `rtl`: a folder with the Verilog that Vitis HLS exports, to run in the place of the project's
    own. `stalls`: a seed of random pauses of the memories. A mismatch is an answer:
    `.result.mismatches`.
    """
    from vaqf.project import read as projects

    project = projects.load(Path(folder))
    from vaqf.sim.cosim import run as rtl_run

    options = rtl_run.Options(layers, trace, None if rtl is None else Path(rtl), stalls)
    return simulated(
        project,
        data,
        images,
        labels,
        lambda pixels, count: rtl_run.run(project, pixels, count, options, report),
    )
