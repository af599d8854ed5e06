"""What the verbs answer with, and the keys that --json prints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sim.csim import Csim
    from vaqf.images import Data
    from vaqf.network import Network
    from vaqf.search import Search


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


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What an integer network says of images."""

    network: Network
    data: Data
    logits: NDArray[np.int32]  # [images, classes]
    classes: NDArray[np.int64]  # [images]

    @property
    def correct(self) -> int | None:
        """Images of the right class; None when the images have no labels."""
        labels = self.data.labels
        return None if labels is None else int((self.classes == labels).sum())

    def to_json(self) -> dict[str, Any]:
        """Counts, and every image's class."""
        return {
            "model": self.network.vit.name,
            "act_bits": self.network.act_bits,
            "weights": self.network.origin,
            "data": self.data.origin,
            "images": len(self.data),
            "correct": self.correct,
            "classes": [int(label) for label in self.classes],
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
