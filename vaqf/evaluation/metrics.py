"""What logits say of labelled images: ranks, confusion, recall, precision and calibration.

Of equal logits the lowest class counts as the larger, as in vaqf.sim.golden.labels.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CALIBRATION_BINS = 15  # equal widths, as Guo et al. use
FloatArray = NDArray[np.float64]
IntArray = NDArray[Any]


@dataclass(frozen=True)
class ClassScore:
    """One class among the images judged."""

    label: int
    images: int  # that are of this class
    predicted: int  # that are said to be of this class
    correct: int

    @property
    def recall(self) -> float | None:
        """Share of the class's images that are found; None without an image."""
        return self.correct / self.images if self.images else None

    @property
    def precision(self) -> float | None:
        """Share of right answers among those that name the class; None without an answer."""
        return self.correct / self.predicted if self.predicted else None

    def to_json(self) -> dict[str, Any]:
        """Counts and shares of one."""
        return {
            "class": self.label,
            "images": self.images,
            "predicted": self.predicted,
            "correct": self.correct,
            "recall": self.recall,
            "precision": self.precision,
        }


def ranks(logits: IntArray, labels: IntArray) -> NDArray[np.int64]:
    """How many classes of logits [n, classes] come before the label's: [n], 0 is top-1."""
    own = np.take_along_axis(logits, labels[:, None], axis=1)
    lower = np.arange(logits.shape[1]) < labels[:, None]
    before: NDArray[np.int64] = ((logits > own) | ((logits == own) & lower)).sum(axis=1)
    return before


def confusion(labels: IntArray, predicted: IntArray, classes: int) -> NDArray[np.int64]:
    """Images by label (row) and predicted class (column): [classes, classes]."""
    counts = np.bincount(labels * classes + predicted, minlength=classes**2)
    return counts.reshape(classes, classes)


def per_class(labels: IntArray, predicted: IntArray, classes: int) -> tuple[ClassScore, ...]:
    """The counts of every class, from labels [n] and predictions [n]."""
    images, answers, correct = (
        np.bincount(of, minlength=classes).tolist()
        for of in (labels, predicted, labels[labels == predicted])
    )
    return tuple(map(ClassScore, range(classes), images, answers, correct))


def log_softmax(logits: NDArray[np.floating[Any]]) -> FloatArray:
    """Natural logarithms of the probabilities of real logits [n, classes], float64."""
    wide = logits.astype(np.float64)
    centred = wide - wide.max(axis=1, keepdims=True)
    logs: FloatArray = centred - np.log(np.exp(centred).sum(axis=1, keepdims=True))
    return logs


def confidence(logs: FloatArray) -> FloatArray:
    """Probability of the predicted class, from log-probabilities [n, classes]: [n]."""
    largest: FloatArray = np.exp(logs.max(axis=1))
    return largest


def divergence(wanted: FloatArray, got: FloatArray) -> FloatArray:
    """KL(wanted || got) of log-probabilities [n, classes], in nats: [n]."""
    nats: FloatArray = (np.exp(wanted) * (wanted - got)).sum(axis=1)
    return nats


def calibration_error(confident: FloatArray, correct: NDArray[np.bool_]) -> float:
    """Expected calibration error of confidences [n] in (0, 1] and right answers [n].

    Mean over the images of |accuracy - mean confidence| of their bin; bin m of M holds
    ((m - 1) / M, m / M] (Guo et al., arXiv 1706.04599, equation 3).
    """
    edges = np.arange(1, CALIBRATION_BINS) / CALIBRATION_BINS
    bins = np.digitize(confident, edges, right=True)
    gap = np.bincount(bins, weights=correct - confident, minlength=CALIBRATION_BINS)
    return float(np.abs(gap).sum() / len(confident))
