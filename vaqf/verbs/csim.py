"""The verb csim: a project's C++ against golden."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vaqf.reporting import Report, silent
from vaqf.verbs.simulated import Simulated, simulated

if TYPE_CHECKING:
    from vaqf.sim.compared import Compared


def csim(
    folder: str | Path,
    data: str | None = None,
    images: int | None = None,
    labels: str | Path | None = None,
    report: Report = silent,
) -> Simulated[Compared]:
    """Compile a project's C++ and compare it with golden, bit for bit, on the project's own
    images or on `data`. A mismatch is an answer: `.result.mismatches`."""
    from vaqf.project import read as projects

    project = projects.load(Path(folder))
    from vaqf.sim import csim as simulation

    return simulated(
        project,
        data,
        images,
        labels,
        lambda pixels, count: simulation.run(project, pixels, count, report),
    )
