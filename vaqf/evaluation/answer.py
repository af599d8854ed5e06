"""What the verbs answer with, and the keys that --json prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from quant.report.pareto import Point
    from quant.training.train import Trained
    from sim.cosim.run import Cosim
    from sim.csim import Csim
    from sim.ranges import Range
    from sim.synth.synthesize import Synthesis
    from vaqf.evaluation.metrics import ClassScore
    from vaqf.hardware.board import Board
    from vaqf.images.data import Data
    from vaqf.network.structure import Network
    from vaqf.search.search import Search


Report = Callable[[str, int, int], None]
"""Progress: what is being done, how many are done, of how many."""


def silent(what: str, done: int, of: int) -> None:
    """The default Report."""


@dataclass(frozen=True, eq=False)
class Built:
    """A project on disk and what went into it."""

    folder: Path
    search: Search
    network: Network
    images: Data

    def to_json(self) -> dict[str, Any]:
        """The keys of an estimate, and where the project is."""
        return {
            **self.search.to_json(),
            "folder": str(self.folder),
            "weights": self.network.origin,
            "images": len(self.images),
            "data": self.images.origin,
        }


MAX_CONFUSION = 1000  # classes of a confusion matrix that is printed: a million numbers
TOP = 5


@dataclass(frozen=True, eq=False)
class Agreement:
    """What the float model says of the same images."""

    file: str  # its name, no path
    classes: NDArray[np.int64]  # [images]
    divergence: NDArray[np.float64]  # [images], nats: KL(float || integer)


@dataclass(frozen=True, eq=False)
class Training:
    """A trained model, where it was written, and the search that chose its precision."""

    trained: Trained
    checkpoint: Path
    model: str
    act_bits: int
    recipe: str
    search: Search | None
    network: Path | None

    def to_json(self) -> dict[str, Any]:
        """Counts and places; the accuracy is the integer network's."""
        return {
            "file": str(self.checkpoint),
            "network": None if self.network is None else str(self.network),
            "model": self.model,
            "act_bits": self.act_bits,
            "recipe": self.recipe,
            "correct": self.trained.correct,
            "images": self.trained.images,
            "float_correct": self.trained.float_correct,
            "skipped": dict(self.trained.unreadable),
        }


@dataclass(frozen=True, eq=False)
class Sweep:
    """Several precisions of one model: what each reaches, and its frames per second."""

    folder: Path
    model: str
    board: str
    recipe: str
    target_fps: float | None
    points: Sequence[Point]
    leads: bool  # whether this process reports

    def to_json(self) -> dict[str, Any]:
        """The columns of sweep.csv for every precision, the highest first."""
        from quant.report.pareto import frontier

        best = frontier(self.points)
        return {
            "folder": str(self.folder),
            "model": self.model,
            "board": self.board,
            "recipe": self.recipe,
            "target_fps": self.target_fps,
            "points": [
                {
                    "act_bits": point.act_bits,
                    "accuracy": point.accuracy,
                    "correct": point.correct,
                    "images": point.images,
                    "float_accuracy": point.float_accuracy,
                    "fps": point.fps or None,
                    "feasible": point.feasible,
                    "limited_by": point.limited_by,
                    "pareto": pareto,
                    "checkpoint": point.checkpoint,
                    "network": point.network,
                }
                for point, pareto in zip(self.points, best, strict=True)
            ],
        }


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What an integer network says of images. Without labels there is nothing to be right about:
    what counts right answers is None."""

    network: Network
    data: Data
    logits: NDArray[np.int32]  # [images, classes]
    classes: NDArray[np.int64]  # [images]
    confidence: NDArray[np.float64]  # [images], probability of that class
    quantizers: tuple[Range, ...]
    float_model: Agreement | None

    @property
    def correct(self) -> int | None:
        """Images of the right class."""
        labels = self.data.labels
        return None if labels is None else int((self.classes == labels).sum())

    @property
    def top1(self) -> float | None:
        """Share of images of the right class."""
        return None if self.correct is None else self.correct / len(self.classes)

    @property
    def top5(self) -> float | None:
        """Share of images whose class is among the five most likely; None for five or fewer."""
        from vaqf.evaluation import metrics

        if self.data.labels is None or self.network.vit.classes <= TOP:
            return None
        return float((metrics.ranks(self.logits, self.data.labels) < TOP).mean())

    @property
    def ece(self) -> float | None:
        """Expected calibration error, a share of one."""
        from vaqf.evaluation import metrics

        if self.data.labels is None:
            return None
        return metrics.calibration_error(self.confidence, self.classes == self.data.labels)

    @property
    def per_class(self) -> tuple[ClassScore, ...] | None:
        """Images, recall and precision of every class."""
        from vaqf.evaluation import metrics

        if self.data.labels is None:
            return None
        return metrics.per_class(self.data.labels, self.classes, self.network.vit.classes)

    @property
    def confusion(self) -> NDArray[np.int64] | None:
        """Images by label (row) and answer (column); None for more than MAX_CONFUSION classes."""
        from vaqf.evaluation import metrics

        classes = self.network.vit.classes
        if self.data.labels is None or classes > MAX_CONFUSION:
            return None
        return metrics.confusion(self.data.labels, self.classes, classes)

    @property
    def agreement(self) -> dict[str, Any] | None:
        """How far the integer network follows the float model; None without one."""
        if self.float_model is None:
            return None
        of, labels = self.float_model, self.data.labels
        same = int((of.classes == self.classes).sum())
        correct = None if labels is None else int((of.classes == labels).sum())
        return {
            "float": of.file,
            "same": same,
            "same_share": same / len(self.classes),
            "float_correct": correct,
            "float_top1": None if correct is None else correct / len(self.classes),
            "mean_kl": float(of.divergence.mean()),
        }

    def to_json(self) -> dict[str, Any]:
        """Every image's class, and everything that was counted; shares are of one."""
        matrix, scores = self.confusion, self.per_class
        return {
            "model": self.network.vit.name,
            "act_bits": self.network.act_bits,
            "weights": self.network.origin,
            "data": self.data.origin,
            "images": len(self.classes),
            "unreadable": self.data.unreadable,
            "correct": self.correct,
            "classes": [int(label) for label in self.classes],
            "top1": self.top1,
            "top5": self.top5,
            "mean_confidence": float(self.confidence.mean()),
            "ece": self.ece,
            "per_class": None if scores is None else [score.to_json() for score in scores],
            "confusion": None if matrix is None else matrix.tolist(),
            "agreement": self.agreement,
            "quantizers": [one.to_json() for one in self.quantizers],
        }


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


@dataclass(frozen=True)
class Prediction:
    """The most likely classes of one picture, by the integer network."""

    network: Network
    classes: list[int]
    logits: list[float]  # in the model's own units

    def to_json(self) -> dict[str, Any]:
        """Classes, the most likely first."""
        return {
            "model": self.network.vit.name,
            "act_bits": self.network.act_bits,
            "weights": self.network.origin,
            "classes": self.classes,
            "logits": self.logits,
        }


@dataclass(frozen=True)
class Synthesized:
    """A synthesized project beside its estimate and what the board has."""

    model: str
    board: Board
    result: Synthesis
    estimate: Mapping[str, float]  # LUT, LUTRAM, FF, DSP and BRAM36

    def to_json(self) -> dict[str, Any]:
        """Of every resource the estimate, what the tool found, their ratio, what the board has."""
        run, has = self.result, self.board.available()
        found = {name: getattr(run.total, name) for name in self.estimate}
        return {
            "model": self.model,
            "board": self.board.name,
            "tool": run.tool,
            "family": run.family,
            "levels": run.levels,
            "carry": run.total.carry,
            "resources": {
                name: {
                    "estimate": expected,
                    "synthesized": found[name],
                    "ratio": expected / found[name] if found[name] else None,
                    "available": has[name],
                }
                for name, expected in self.estimate.items()
            },
            "modules": [part.to_json() for part in run.parts],
        }
