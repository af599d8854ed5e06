"""Images to learn from and to judge by: arrays in memory, class folders, shards.

The order of arrays and folders comes from the seed and the epoch alone. A global batch is cut into
world * accumulate equal slices, so every process count learns from the same images in the same
steps; only the order in which their gradients are added differs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaqf.errors import InputError
from vaqf.files.fields import check_whole, folded, nearest, shown
from vaqf.images import shards as shardfiles
from vaqf.images.folder import (
    SPLIT_OF,
    SPLITS,
    beside,
    class_folders,
    is_archive,
    split_folder,
    splits,
)
from vaqf.images.sets import SETS
from vaqf.model.vit import Vit
from vaqf.quant.data import folder, shards
from vaqf.quant.data.batches import (
    ALONE,
    JUDGE_BATCH,
    Batch,
    Portion,
    check_classes,
    chosen,
    evenly,
    hashed,
    plan,
)
from vaqf.quant.data.crops import MAX_WORKERS

__all__ = ["Batch", "Data", "Portion", "arrays", "load"]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # pipe: and http: among them
Labelled = tuple[NDArray[np.uint8], NDArray[np.int64]]  # pixels [n, S, S, C], labels [n]


class Data(Protocol):
    """What the training loop asks of every kind of data."""

    @property
    def origin(self) -> str:
        """What a person is told the images are; no path."""

    @property
    def classes(self) -> tuple[str, ...] | int:
        """The names of the classes in the order of their labels, or how many there are."""

    @property
    def images(self) -> int:
        """Images to learn from."""

    @property
    def judged(self) -> int:
        """Images to judge by, the unreadable ones among them."""

    @property
    def fingerprint(self) -> str:
        """What differs between two sets of one origin: names, sizes and labels, no pixels."""

    @property
    def unreadable(self) -> dict[str, str]:
        """Pictures that this process has skipped so far, each with the reason."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of what was left out."""

    @property
    def animated(self) -> set[str]:
        """Pictures of which this process has taken the first frame so far."""

    def epoch(
        self, batch: int, seed: int, epoch: int, portion: Portion = ALONE, crop: bool = True
    ) -> Iterator[list[Batch]]:
        """This process's micro-steps (as many as portion.accumulate) of every optimizer step.

        crop: whether of pictures that are read a random part is taken, not what evaluation sees.
        """

    def judge(self, portion: Portion = ALONE) -> Iterator[tuple[Tensor, Tensor]]:
        """Pixels uint8 and labels: over all processes each image once."""

    def calibration(self, count: int) -> NDArray[np.uint8]:
        """A few training images [n, S, S, C] spread over the set, always the same."""


@dataclass(frozen=True, eq=False)
class Arrays:
    """Data that memory holds."""

    origin: str
    classes: tuple[str, ...] | int
    train: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    unreadable: dict[str, str] = field(default_factory=dict)  # stays empty
    notes: tuple[str, ...] = ()
    animated: set[str] = field(default_factory=set)  # stays empty

    @property
    def images(self) -> int:
        """Images to learn from."""
        return len(self.train[1])

    @property
    def judged(self) -> int:
        """Images to judge by."""
        return len(self.test[1])

    @cached_property
    def fingerprint(self) -> str:
        """The hash of the labels: the pixels of a set by name may differ in a bit by machine."""
        return hashed(str(self.classes), self.train[1].numpy(), self.test[1].numpy())

    def epoch(
        self, batch: int, seed: int, epoch: int, portion: Portion = ALONE, crop: bool = True
    ) -> Iterator[list[Batch]]:
        """Shuffled slices of every step; see Data."""
        whole = plan(self.images, batch, portion).whole
        pixels, labels = self.train
        for step in chosen(self.images, batch, seed, epoch, portion):
            yield [
                Batch(pixels[numbers], labels[numbers], start, whole)
                for start, numbers in ((s, torch.from_numpy(n)) for s, n in step)
            ]

    def judge(self, portion: Portion = ALONE) -> Iterator[tuple[Tensor, Tensor]]:
        """Every world-th image from this process's rank on, in batches."""
        pixels, labels = (part[portion.rank :: portion.world] for part in self.test)
        for start in range(0, len(labels), JUDGE_BATCH):
            yield pixels[start : start + JUDGE_BATCH], labels[start : start + JUDGE_BATCH]

    def calibration(self, count: int) -> NDArray[np.uint8]:
        """Training images [n, S, S, C], spread evenly over the set."""
        pixels: NDArray[np.uint8] = self.train[0][evenly(self.images, count)].numpy()
        return pixels


def arrays(
    origin: str, train: Labelled, test: Labelled, names: tuple[str, ...] | None = None
) -> Arrays:
    """Data from numpy arrays; without names the classes are counted by the highest label."""
    classes = 1 + int(max(train[1].max(), test[1].max())) if names is None else names
    learn, judge = (
        (torch.from_numpy(pixels), torch.from_numpy(labels)) for pixels, labels in (train, test)
    )
    return Arrays(origin, classes, learn, judge)


def load(data: str, vit: Vit, workers: int = 0) -> Data:
    """The images that --data names: a set by name, or a folder on this machine.

    A folder holds train/ and val/ with a folder for each class, or shards of both. workers:
    processes that read pictures beside this one; 0 reads in this process.
    InputError for anything else, and where the number of classes is not the model's.
    """
    check_whole(workers, "workers", 0, MAX_WORKERS)
    word = folded(data)
    if word in SETS:
        one = SETS[word]
        check_classes(one.classes, vit, word)
        learn, judge = (one.make(vit, split, None) for split in ("train", "test"))
        return arrays(word, learn, judge, one.classes)
    if _URL.match(data):
        raise InputError(
            f"training data {shown(data)} is an address; only folders on this machine are read, so "
            "copy the files here first"
        )
    path = Path(data)
    try:
        if splits(path):
            return folder.load(path, vit, workers)
        found = shardfiles.find(path) if path.is_dir() else None
        if found is not None:
            return shards.load(found, vit, workers)
        reason = _lack(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    raise InputError(
        f"cannot train on {shown(data)}{nearest(data, SETS)}: {reason}; --data takes"
        f" {', '.join(SETS)}, or a folder with train/ and val/ (in both a folder for each class)"
        " or with shards train-*.tar and val-*.tar"
    )


def _lack(path: Path) -> str:
    """What a folder needs to be a tree of pictures."""
    if path.is_file() and is_archive(path.name):
        return "it is one shard, and training needs a folder with some of train and some of val"
    next(path.iterdir(), None)  # OSError for what is no folder
    for split in SPLITS:
        if not split_folder(path, split).is_dir():
            parts = [f.name for f in class_folders(path) if SPLIT_OF.get(f.name) == ""]
            rename = f"; rename {' or '.join(f'{n}/' for n in parts)} to {split}/" if parts else ""
            return f"it has no folder {split}/{rename}"
    found = [split_folder(path, split) for split in SPLITS]
    lacking = next(one for one in found if not class_folders(one))
    if not beside(lacking):
        return f"its {lacking.name}/ holds no class folders"
    return (
        f"its {lacking.name}/ holds pictures and no class folders, so their classes are not"
        " known; sort them into a folder for each class"
    )
