"""What csim and cosim have in common: which images they run, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from vaqf.images.pictures import Pixels
    from vaqf.network.structure import Network
    from vaqf.project.read import Project
    from vaqf.sim.compared import Compared

Result = TypeVar("Result", bound="Compared")


@dataclass(frozen=True, eq=False)
class Simulated(Generic[Result]):
    """A simulation, and what the images' classes say of it."""

    network: Network
    result: Result
    images_are: str
    labels: list[int] | None
    classes: list[int]  # by golden
    unreadable: Mapping[str, str]  # pictures that were left out, each with the reason
    animated: tuple[str, ...]  # pictures whose first frame was taken
    notes: tuple[str, ...]  # what a person should know of the images

    @property
    def correct(self) -> int | None:
        """Images of the right class; None when the images have no labels."""
        if self.labels is None:
            return None
        return sum(a == b for a, b in zip(self.labels, self.classes, strict=True))

    def to_json(self) -> dict[str, Any]:
        """What was run, and the keys of the result."""
        return {
            "model": self.network.vit.name,
            "act_bits": self.network.act_bits,
            "weights": self.network.origin,
            "data": self.images_are,
            "correct": self.correct,
            "classes": self.classes,
            "unreadable": dict(self.unreadable),
            "animated": list(self.animated),
            "notes": list(self.notes),
            **self.result.to_json(),
        }


def simulated(
    project: Project,
    data: str | None,
    count: int | None,
    labels_file: str | Path | None,
    run: Callable[[Pixels | None, int | None], Result],
) -> Simulated[Result]:
    """`run` on the images of `data`, or (given None) on the first `count` of the project's own."""
    from vaqf.images import data as pictures

    network = project.network
    unreadable: Mapping[str, str] = {}
    animated: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    if data is None and labels_file is None:
        result = run(None, count)
        source, labels = project.images, project.reference.labels
    else:
        chosen = pictures.load(data, network.vit, count, labels_file).read()
        result = run(chosen.pixels, None)
        source, notes = chosen.origin, chosen.notes
        unreadable, animated = chosen.unreadable, chosen.animated
        labels = None if chosen.labels is None else chosen.labels.tolist()
    classes = result.logits.argmax(axis=-1).tolist()
    known = None if labels is None else labels[: len(classes)]
    return Simulated(network, result, source, known, classes, unreadable, animated, notes)
