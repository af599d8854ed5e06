"""The verb predict: the classes of one picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaqf.network.structure import Network


@dataclass(frozen=True)
class Prediction:
    """The most likely classes of one picture, by the integer network."""

    network: Network
    classes: list[int]
    logits: list[float]  # in the model's own units

    @property
    def names(self) -> list[str] | None:
        """What the network calls these classes; None where it carries no names."""
        known = self.network.vit.class_names
        return [known[label] for label in self.classes] if known else None

    def to_json(self) -> dict[str, Any]:
        """Classes, the most likely first."""
        return {
            "model": self.network.vit.name,
            "act_bits": self.network.act_bits,
            "weights": self.network.origin,
            "classes": self.classes,
            "names": self.names,
            "logits": self.logits,
        }


def predict(folder: str | Path, image: str | Path, top: int = 5) -> Prediction:
    """Classify a picture with the integer network of a project: the bits the hardware gives."""
    from vaqf.files import regular
    from vaqf.files.fields import check_whole
    from vaqf.images import pictures
    from vaqf.project import read as projects

    check_whole(top, "--top", 1, 10**6)
    project = projects.load(Path(folder))
    regular.check(Path(image), "one picture")
    network = project.network
    pixels = pictures.read(Path(image), network.vit)
    from vaqf.sim import golden

    logits = golden.run(network, pixels[None])[0]
    best = (-logits.astype("int64")).argsort(kind="stable")[:top]
    return Prediction(
        network,
        [int(label) for label in best],
        [float(logits[label]) * network.logit_scale for label in best],
    )
