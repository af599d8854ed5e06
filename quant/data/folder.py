"""Pictures in a tree of train/ and val/ with one folder for each class (ImageFolder's layout)."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from vaqf.errors import InputError
from vaqf.files.fields import some
from vaqf.images.classes import FOLDERS, of_names
from vaqf.images.classfolders import ClassFolders
from vaqf.images.folder import SPLITS, split_folder, tree_classes
from vaqf.images.pictures import SUFFIXES, Unreadable, check_channels, decode, fit, printable
from vaqf.model.vit import Vit
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
    sizes,
)
from vaqf.quant.data.crops import Part, Read, animated, collate, parts, random_crop

Key = tuple[int, int, int]  # seed, epoch, number of the picture


@dataclass(frozen=True, eq=False)
class Listing:
    """The pictures of train/ or val/: no object for each, so that workers share the memory."""

    root: Path
    names: NDArray[np.bytes_]  # class folder / file name, as the file system has it
    labels: NDArray[np.int64]
    notes: tuple[str, ...]  # what was left out

    def __len__(self) -> int:
        return len(self.labels)

    def name(self, number: int) -> str:
        """Split, class folder and file name, for people."""
        return printable(f"{self.root.name}/{os.fsdecode(bytes(self.names[number]))}")

    def path(self, number: int) -> Path:
        """Where the picture lies."""
        return self.root / os.fsdecode(bytes(self.names[number]))

    @property
    def identity(self) -> tuple[NDArray[np.generic], ...]:
        """Name, label and size of every picture."""
        return self.names, self.labels, sizes(map(self.path, range(len(self))))


def listing(root: Path, classes: Sequence[str]) -> Listing:
    """All pictures of the class folders and the folders in them, by class and name; InputError
    where there is none."""
    names: list[bytes] = []
    labels: list[int] = []
    folders = ClassFolders(root)
    for label, folder in enumerate(classes):
        before = len(names)
        names += map(os.fsencode, folders.pictures(folders.named(folder)))
        labels += [label] * (len(names) - before)
    if not names:
        raise InputError(f"{root} holds no picture ({', '.join(SUFFIXES)})")
    labelled = np.array(labels, dtype=np.int64)
    return Listing(root, np.array(names), labelled, tuple(folders.notes))


def _centred(vit: Vit, listed: Listing, number: int) -> Read:
    """One picture as evaluation sees it."""
    name = listed.name(number)
    try:
        whole = decode(listed.path(number), vit)
        pixels = fit(whole, vit)
    except Unreadable as error:
        return Read(None, problems={name: str(error)})
    return Read(pixels, int(listed.labels[number]), animated=animated(whole, name))


@dataclass(frozen=True, eq=False)
class Centred(Dataset[Read]):
    """Pictures to judge by."""

    vit: Vit
    listed: Listing

    def __getitem__(self, number: int) -> Read:
        return _centred(self.vit, self.listed, number)


@dataclass(frozen=True, eq=False)
class Cropped(Dataset[Read]):
    """Pictures to learn from, each cropped by the random numbers of its seed, epoch and number;
    without `crop` as evaluation sees them."""

    vit: Vit
    listed: Listing
    crop: bool = True

    def __getitem__(self, key: Key) -> Read:
        """The picture, or the next one that can be read."""
        problems: dict[str, str] = {}
        for number in _from(key[2], len(self.listed)):
            name = self.listed.name(number)
            try:
                whole = decode(self.listed.path(number), self.vit)
            except Unreadable as error:
                problems[name] = str(error)
                continue
            if self.crop:
                pixels = random_crop(whole, self.vit, np.random.default_rng(key))
            else:
                pixels = fit(whole, self.vit)
            label = int(self.listed.labels[number])
            return Read(pixels, label, problems, animated(whole, name))
        return Read(None, problems=problems)


def _from(first: int, count: int) -> Iterator[int]:
    """first, first + 1, ... and around."""
    return ((first + step) % count for step in range(count))


@dataclass(frozen=True, eq=False)
class Folder:
    """Data of a tree of pictures; see vaqf.quant.data.sources.Data.

    A picture that cannot be read is replaced by the next one in training, left out in judging.
    """

    vit: Vit
    classes: tuple[str, ...]
    train: Listing
    val: Listing
    workers: int
    notes: tuple[str, ...]
    origin: str = "pictures"
    unreadable: dict[str, str] = field(default_factory=dict)
    animated: set[str] = field(default_factory=set)

    @property
    def images(self) -> int:
        """Images to learn from."""
        return len(self.train)

    @property
    def judged(self) -> int:
        """Images to judge by, the unreadable ones among them."""
        return len(self.val)

    @cached_property
    def fingerprint(self) -> str:
        """The hash of the classes and of every picture's name, label and size."""
        return hashed(str(self.classes), *self.train.identity, *self.val.identity)

    def epoch(
        self, batch: int, seed: int, epoch: int, portion: Portion = ALONE, crop: bool = True
    ) -> Iterator[list[Batch]]:
        """Slices of every step; see Data."""
        planned = plan(self.images, batch, portion)
        numbers = (
            slice_
            for step in chosen(self.images, batch, seed, epoch, portion)
            for _, slice_ in step
        )
        keys = ([(seed, epoch, int(number)) for number in slice_] for slice_ in numbers)
        read = self._load(Cropped(self.vit, self.train, crop), keys)
        for _ in range(planned.steps):
            step = [(start, next(read)) for start in planned.starts(portion)]
            for _, part in step:
                if len(part.labels) < planned.each:
                    raise InputError(self._no_picture(self.train))
            yield [Batch(part.pixels, part.labels, start, planned.whole) for start, part in step]

    def judge(self, portion: Portion = ALONE) -> Iterator[tuple[Tensor, Tensor]]:
        """Every world-th picture from this process's rank on that can be read, in batches."""
        ours = range(portion.rank, self.judged, portion.world)
        batches = (ours[at : at + JUDGE_BATCH] for at in range(0, len(ours), JUDGE_BATCH))
        for part in self._load(Centred(self.vit, self.val), batches):
            if len(part.labels):
                yield part.pixels, part.labels

    def calibration(self, count: int) -> NDArray[np.uint8]:
        """Training pictures [n, S, S, C] as evaluation sees them, spread over the classes."""
        return np.stack([self._next_readable(self.train, n) for n in evenly(self.images, count)])

    def check(self) -> tuple[str, ...]:
        """Notes on classes of val/ without a picture that can be read; InputError for a class of
        train/ without one, and if val/ has none at all."""
        for listed in (self.train, self.val):
            self._next_readable(listed, 0)
        for label in self._unread(self.train):
            raise InputError(
                f"none of the pictures of {self.train.root / printable(self.classes[label])} can be"
                f" read{self._first_reason(self.train, label)}; give it some, or remove the class"
                " from both folders"
            )
        blank = [self.classes[label] for label in self._unread(self.val)]
        if not blank:
            return ()
        return (f"class folders of {self.val.root} without a picture to judge by: {some(blank)}",)

    def _unread(self, listed: Listing) -> Iterator[int]:
        """The classes of which no picture can be read: of the others one is."""
        for label in range(len(self.classes)):
            numbers = np.flatnonzero(listed.labels == label)
            if not any(self._readable(listed, int(number)) for number in numbers):
                yield label

    def _readable(self, listed: Listing, number: int) -> bool:
        picture = _centred(self.vit, listed, number)
        self.unreadable.update(picture.problems)
        return picture.pixels is not None

    def _first_reason(self, listed: Listing, label: int) -> str:
        name = listed.name(int(np.argmax(listed.labels == label)))
        return f"; {name}: {self.unreadable[name]}"

    def _next_readable(self, listed: Listing, first: int) -> NDArray[np.uint8]:
        for number in _from(first, len(listed)):
            picture = _centred(self.vit, listed, number)
            self.unreadable.update(picture.problems)
            self.animated.update(picture.animated)
            if picture.pixels is not None:
                return picture.pixels
        raise InputError(self._no_picture(listed))

    def _no_picture(self, listed: Listing) -> str:
        name = listed.name(0)
        return (
            f"none of the {len(listed)} pictures of {listed.root} can be read; {name}:"
            f" {self.unreadable.get(name, 'it is not a picture')}"
        )

    def _load(
        self, pictures: Centred | Cropped, batches: Iterator[Sequence[int] | list[Key]]
    ) -> Iterator[Part]:
        loader = DataLoader(
            pictures,
            batch_sampler=batches,  # type: ignore[arg-type]  # typed for lists of int only
            num_workers=self.workers,
            collate_fn=partial(collate, vit=self.vit),
            generator=torch.Generator(),  # or the loader would draw from the caller's
        )
        for part in parts(loader):
            self.unreadable.update(part.problems)
            self.animated.update(part.animated)
            yield part


def load(path: Path, vit: Vit, workers: int) -> Folder:
    """The pictures of path/train and path/val; InputError for a tree that cannot be used."""
    check_channels(vit)
    classes = tree_classes(path)
    check_classes(classes, vit, str(path))
    if vit.class_names:
        of_names(classes, vit, str(path), FOLDERS)
        classes = vit.class_names
    train, val = (listing(split_folder(path, split), classes) for split in SPLITS)
    for label in set(range(len(classes))) - set(train.labels.tolist()):
        raise InputError(
            f"{train.root / printable(classes[label])} holds no picture"
            f" ({', '.join(SUFFIXES)}); give it some, or remove the class from both folders"
        )
    notes = (*train.notes, *val.notes)
    data = Folder(vit, classes, train, val, workers, notes)
    return replace(data, notes=(*notes, *data.check()))
