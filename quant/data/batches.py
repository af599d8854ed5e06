"""How a global batch of images is cut among processes and accumulation steps."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vaqf.errors import InputError
from vaqf.model.vit import Vit

JUDGE_BATCH = 128  # images read at once for evaluation


@dataclass(frozen=True, eq=False)
class Batch:
    """One process's part of one micro-step."""

    pixels: Tensor  # uint8 [b, S, S, C]
    labels: Tensor  # int64 [b]
    start: int  # place of its first image in the global batch
    whole: int  # images of the global batch: all processes, all accumulation steps


@dataclass(frozen=True)
class Portion:
    """Which part of every global batch is this process's."""

    rank: int = 0
    world: int = 1  # processes
    accumulate: int = 1  # micro-steps of one optimizer step

    @property
    def slices(self) -> int:
        """Equal parts of a global batch."""
        return self.world * self.accumulate


ALONE = Portion()


@dataclass(frozen=True)
class Plan:
    """The sizes of one epoch."""

    steps: int  # optimizer steps
    whole: int  # images of a global batch
    each: int  # images of one slice of it

    def starts(self, portion: Portion) -> list[int]:
        """Where this process's slices begin in the global batch, one for each micro-step."""
        slices = range(portion.rank, portion.slices, portion.world)
        return [number * self.each for number in slices]


def plan(images: int, batch: int, portion: Portion) -> Plan:
    """Whole batches only: what is left over at the end of an epoch is dropped, as timm does.

    Fewer images than one batch are one batch, of the largest size that the slices divide.
    InputError for a batch that world * accumulate does not divide, or fewer images than slices.
    """
    parts = portion.slices
    if batch < 1 or batch % parts:
        near = sorted({max(parts, batch // parts * parts), (batch // parts + 1) * parts})
        raise InputError(
            f"batch is {batch}; {portion.world} process(es) x {portion.accumulate} accumulation"
            f" step(s) need a multiple of {parts}, {' or '.join(map(str, near))} say"
        )
    if images < parts:
        raise InputError(
            f"{images} training image(s) are too few for {portion.world} process(es) x"
            f" {portion.accumulate} accumulation step(s); use fewer of them"
        )
    whole = min(batch, images // parts * parts)
    return Plan(images // whole, whole, whole // parts)


def check_classes(classes: tuple[str, ...] | int, vit: Vit, where: str) -> None:
    """InputError unless the data has as many classes as the model."""
    count = classes if isinstance(classes, int) else len(classes)
    if count != vit.classes:
        raise InputError(
            f"{where} has {count} classes, and {vit.name} tells {vit.classes} apart; "
            f"give the model file classes: {count}"
        )


def hashed(*parts: str | NDArray[np.generic]) -> str:
    """A short hash of texts and arrays; file names may hold what is no text."""
    sha = hashlib.sha256()
    for part in parts:
        content = part.encode(errors="surrogateescape") if isinstance(part, str) else part.tobytes()
        sha.update(b"%d:" % len(content) + content)
    return sha.hexdigest()[:16]


def sizes(paths: Iterable[Path]) -> NDArray[np.int64]:
    """Bytes of each file; -1 for one that is gone."""
    return np.fromiter(map(_size, paths), np.int64)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def order(images: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The images of one epoch in the order they are shown, the same on every process."""
    return np.random.default_rng((seed, epoch)).permutation(images)


def chosen(
    images: int, batch: int, seed: int, epoch: int, portion: Portion
) -> Iterator[list[tuple[int, NDArray[np.int64]]]]:
    """(start, numbers of the images) of each slice of this process, a list for each step."""
    sizes = plan(images, batch, portion)
    shuffled = order(images, seed, epoch)
    for step in range(sizes.steps):
        globally = shuffled[step * sizes.whole : (step + 1) * sizes.whole]
        yield [(start, globally[start : start + sizes.each]) for start in sizes.starts(portion)]


def evenly(images: int, count: int) -> list[int]:
    """Up to `count` numbers spread over 0..images-1: every class of a sorted list is met."""
    taken = min(images, count)
    return [number * images // taken for number in range(taken)]
