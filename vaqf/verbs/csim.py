"""The verb csim: a project's C++ against golden."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaqf.files.packages import use
from vaqf.reporting import Report, silent

if TYPE_CHECKING:
    from sim.csim import Csim
    from vaqf.network.structure import Network


@dataclass(frozen=True, eq=False)
class Simulated:
    """A C simulation and what the images' classes say of it."""

    network: Network
    result: Csim
    images_are: str
    labels: list[int] | None
    classes: list[int]

    @property
    def correct(self) -> int | None:
        """Images of the right class; None when the images have no labels."""
        if self.labels is None:
            return None
        return sum(a == b for a, b in zip(self.labels, self.classes, strict=False))

    def to_json(self) -> dict[str, Any]:
        """Counts, findings and seconds."""
        run = self.result
        return {
            "model": self.network.vit.name,
            "act_bits": self.network.act_bits,
            "weights": self.network.origin,
            "data": self.images_are,
            "images": run.frames,
            "layers": run.layers,
            "mismatches": run.mismatches,
            "findings": list(run.findings),
            "correct": self.correct,
            "classes": self.classes,
            "compile_seconds": round(run.compile_seconds, 3),
            "run_seconds": round(run.run_seconds, 3),
        }


def csim(
    folder: str | Path,
    data: str | None = None,
    images: int | None = None,
    report: Report = silent,
) -> Simulated:
    """Compile a project's C++ and compare it with golden, bit for bit, on the project's own
    images or on `data`. A mismatch is an answer: `.result.mismatches`."""
    from vaqf.images import data as pictures
    from vaqf.project import read as projects

    project = projects.load(Path(folder))
    network = project.network
    use("sim")
    from sim import csim as simulation

    if data is None:
        labels, classes = project.labels
        result = simulation.run(project, count=images, progress=report)
        count = len(result.logits)
        source = str(project.manifest.get("images", ""))
        kept = None if labels is None else labels[:count]
        return Simulated(network, result, source, kept, classes[:count])
    chosen = pictures.load(data, network.vit, images).read()
    result = simulation.run(project, chosen.pixels, progress=report)
    known = None if chosen.labels is None else [int(label) for label in chosen.labels]
    classes = [int(label) for label in result.logits.argmax(axis=-1)]
    return Simulated(network, result, chosen.origin, known, classes)
