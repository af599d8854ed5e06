"""The verb cosim: a project's RTL against golden, and its cycles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaqf.files.packages import use
from vaqf.reporting import Report, silent

if TYPE_CHECKING:
    from sim.cosim.run import Cosim
    from vaqf.network.structure import Network


@dataclass(frozen=True, eq=False)
class Cosimulated:
    """A co-simulation and what the images' classes say of it."""

    network: Network
    result: Cosim
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
        """Counts, findings, cycles beside the estimate's, and seconds."""
        run = self.result
        cycles = run.cycles
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
            "cycles": None
            if cycles is None
            else {
                "run": cycles.run,
                "per_frame": cycles.frame,
                "per_frame_is": cycles.frame_is,
                "estimated_per_frame": cycles.estimated,
                "commands": [vars(one) for one in cycles.commands],
            },
            "waveform": None if run.waveform is None else str(run.waveform),
            "edited": list(run.edited),
            "compile_seconds": round(run.compile_seconds, 3),
            "run_seconds": round(run.run_seconds, 3),
        }


def cosim(
    folder: str | Path,
    data: str | None = None,
    images: int | None = None,
    layers: bool = False,
    trace: bool = False,
    rtl: str | Path | None = None,
    stalls: int | None = None,
    report: Report = silent,
) -> Cosimulated:
    """Run a project's RTL with Verilator and compare it with golden, bit for bit, on the project's
    own images or on `data`; measure its cycles.

    `layers`: every layer of the first image is compared, too. `trace`: all signals go to cosim.vcd
    in the project. `rtl`: a folder with the Verilog that Vitis HLS exports, to run in the place of
    the project's own. `stalls`: a seed of random pauses of the memories. A mismatch is an answer:
    `.result.mismatches`.
    """
    from vaqf.images import data as pictures
    from vaqf.project import read as projects

    project = projects.load(Path(folder))
    use("sim")
    from sim.cosim import run as rtl_run

    options = rtl_run.Options(layers, trace, None if rtl is None else Path(rtl), stalls)
    if data is None:
        result = rtl_run.run(project, None, images, options, report)
        labels, classes = project.labels
        kept = None if labels is None else labels[: result.frames]
        source = str(project.manifest.get("images", ""))
        return Cosimulated(project.network, result, source, kept, classes[: result.frames])
    network = project.network
    chosen = pictures.load(data, network.vit, images).read()
    result = rtl_run.run(project, chosen.pixels, None, options, report)
    known = None if chosen.labels is None else [int(label) for label in chosen.labels]
    classes = [int(label) for label in result.logits.argmax(axis=-1)]
    return Cosimulated(network, result, chosen.origin, known, classes)
