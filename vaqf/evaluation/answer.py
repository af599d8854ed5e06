"""What an evaluation answers with, and the keys that --json prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaqf.errors import InputError
from vaqf.files import smallfile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vaqf.evaluation.metrics import ClassScore
    from vaqf.network.structure import Network
    from vaqf.sim.ranges import Range


FILE_BYTES = 2**28  # of the JSON of -o: a million classes of a million images, and more
MAX_CONFUSION = 1000  # classes of a confusion matrix that is printed: a million numbers
TOP = 5


@dataclass(frozen=True, eq=False)
class Agreement:
    """What the float model says of the same images."""

    file: str  # its name, no path
    classes: NDArray[np.int64]  # [images]
    divergence: NDArray[np.float64]  # [images], nats: KL(float || integer)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What an integer network says of images. Without labels there is nothing to be right about:
    what counts right answers is None."""

    network: Network
    origin: str  # what the images are
    labels: NDArray[np.int64] | None  # [images]
    unreadable: Mapping[str, str]  # pictures that were left out, with the reason
    notes: tuple[str, ...]  # what a person should know of the labels
    logits: NDArray[np.int32]  # [images, classes]
    classes: NDArray[np.int64]  # [images]
    confidence: NDArray[np.float64]  # [images], probability of that class
    quantizers: tuple[Range, ...]
    float_model: Agreement | None

    @property
    def correct(self) -> int | None:
        """Images of the right class."""
        return None if self.labels is None else int((self.classes == self.labels).sum())

    @property
    def top1(self) -> float | None:
        """Share of images of the right class."""
        return None if self.correct is None else self.correct / len(self.classes)

    @property
    def top5(self) -> float | None:
        """Share of images whose class is among the five most likely; None for five or fewer."""
        from vaqf.evaluation import metrics

        if self.labels is None or self.network.vit.classes <= TOP:
            return None
        return float((metrics.ranks(self.logits, self.labels) < TOP).mean())

    @property
    def ece(self) -> float | None:
        """Expected calibration error, a share of one."""
        from vaqf.evaluation import metrics

        if self.labels is None:
            return None
        return metrics.calibration_error(self.confidence, self.classes == self.labels)

    @property
    def per_class(self) -> tuple[ClassScore, ...] | None:
        """Images, recall and precision of every class."""
        from vaqf.evaluation import metrics

        if self.labels is None:
            return None
        return metrics.per_class(self.labels, self.classes, self.network.vit.classes)

    @property
    def confusion(self) -> NDArray[np.int64] | None:
        """Images by label (row) and answer (column); None for more than MAX_CONFUSION classes."""
        from vaqf.evaluation import metrics

        classes = self.network.vit.classes
        if self.labels is None or classes > MAX_CONFUSION:
            return None
        return metrics.confusion(self.labels, self.classes, classes)

    @property
    def agreement(self) -> dict[str, Any] | None:
        """How far the integer network follows the float model; None without one."""
        if self.float_model is None:
            return None
        of, labels = self.float_model, self.labels
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
            "data": self.origin,
            "images": len(self.classes),
            "unreadable": dict(self.unreadable),
            "notes": list(self.notes),
            "class_names": list(self.network.vit.class_names) or None,
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


def is_evaluation(path: Path) -> bool:
    """Whether a file is the JSON of an evaluation, as `vaqf evaluate -o` writes it."""
    try:
        found = smallfile.read_object(path, FILE_BYTES, "an evaluation")
    except InputError:
        return False
    return {"model", "act_bits", "classes", "quantizers"} <= set(found)
