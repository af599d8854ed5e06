"""Pictures, folders, sets by name, a synthetic image: the uint8 pixels that a network takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaqf.errors import InputError
from vaqf.files.fields import folded, nearest
from vaqf.images import frames, labelfile, sharded, shards, tree
from vaqf.images.classes import FOLDERS, LABELS, of_names
from vaqf.images.images import Images, check_room, evenly
from vaqf.images.made import SYNTHETIC, synthetic
from vaqf.images.pictures import (
    Labels,
    Pixels,
    Unreadable,
    check_channels,
    decode,
    fit,
    is_first_frame,
    printable,
)
from vaqf.images.sets import SETS, ImageSet
from vaqf.images.sharded import Sharded
from vaqf.images.tree import Found
from vaqf.model.vit import Vit

CALIBRATION_IMAGES = 8


@dataclass(frozen=True, eq=False)
class Data:
    """Images to run: known by number, read when asked for.

    A picture among many that cannot be read is left out, with its label, and named.
    """

    origin: str
    vit: Vit
    items: Sequence[Path] | Pixels
    known: Labels | None  # of all items, the unreadable among them
    root: Path | None = None  # what the places of pictures are told relative to
    notes: tuple[str, ...] = ()  # what a person should know of them

    def __len__(self) -> int:
        return len(self.items)

    def read(self) -> Images:
        """All of them at once; InputError for too many, or if none can be read."""
        check_room(self.vit, len(self))
        (images,) = self.batches(max(1, len(self)))
        return images

    def batches(self, size: int) -> Iterator[Images]:
        """`size` at a time, in order; less what cannot be read, which may leave none of a batch.

        InputError, at the end, if not one of them all can be read.
        """
        count = 0
        for start in range(0, len(self), size):
            images = self._some(start, start + size)
            count += len(images)
            if not count and start + size >= len(self):
                self._refuse(images)
            yield images

    def _some(self, start: int, stop: int) -> Images:
        items = self.items[start:stop]
        labels = None if self.known is None else self.known[start:stop]
        if isinstance(items, np.ndarray):
            return Images(self.origin, items, labels, {}, self.notes)
        found: list[Pixels] = []
        unreadable: dict[int, str] = {}
        animated: list[str] = []
        for number, path in enumerate(items):
            try:
                whole = decode(path, self.vit)
                found.append(fit(whole, self.vit))
            except Unreadable as error:
                unreadable[number] = str(error)
                continue
            if is_first_frame(whole):
                animated.append(self._place(path))
        shape = (0, self.vit.image_size, self.vit.image_size, self.vit.channels)
        return Images(
            self.origin,
            np.stack(found) if found else np.empty(shape, np.uint8),
            None if labels is None else np.delete(labels, sorted(unreadable)),
            {self._place(items[number]): reason for number, reason in unreadable.items()},
            (*self.notes, *frames.note(animated)),
            tuple(animated),
        )

    def _place(self, path: Path) -> str:
        """A picture as a person is told of it: two splits may have one of the same name."""
        return printable(str(path if self.root is None else path.relative_to(self.root)))

    def _refuse(self, last: Images) -> None:
        """InputError for data of which no picture can be read; `last`: why not the last of them."""
        path, reason = self.items[-1], list(last.unreadable.values())[-1]
        if len(self) == 1:
            raise InputError(f"cannot read {path}: {reason}")
        raise InputError(f"none of the {len(self)} pictures can be read; {path}: {reason}")


def load(
    data: str | None, vit: Vit, count: int | None = None, labels: str | Path | None = None
) -> Data | Sharded:
    """The images of --data and --images: a set by name, a folder, a picture, a shard, or None.

    None is one synthetic image from a fixed seed. Of a folder, `count` images are taken evenly; of
    a tree of train/ and val/ or shards of both, those of val. `labels`: a file of the pictures'
    classes (labelfile.py), in the place of class folders.
    """
    if labels is not None and (data is None or folded(data) in SETS):
        raise InputError(f"--labels {labels} is of pictures; give their folder with --data")
    if count is not None and count < 1:
        raise InputError(f"--images is {count}; it must be at least 1")
    if data is None:
        number = 1 if count is None else count
        check_room(vit, number)
        return Data(SYNTHETIC, vit, synthetic(vit, number), None)
    if folded(data) in SETS:
        return _to_judge(SETS[folded(data)], vit, count)
    file = None if labels is None else Path(labels)
    if (found := _shards(Path(data), vit)) is None:
        return _folder(Path(data), vit, count, file)
    if file is not None:
        raise InputError(
            f"--labels {file} is of pictures, and {data} of shards, whose labels lie in them (cls"
            " or json); leave it out, or unpack the shards"
        )
    return sharded.load(found, vit, count)


def one(path: Path, vit: Vit) -> Images:
    """One picture; InputError if it cannot be read."""
    return Data("picture", vit, [path], None).read()


def calibration(data: str | None, vit: Vit) -> Data | Sharded:
    """The images of --data that set a float model's scales: few, and of no test split."""
    if data is not None and folded(data) in SETS:
        named = SETS[folded(data)]
        made = named.make(vit, "train", CALIBRATION_IMAGES)
        return Data(f"{named.name}, training split", vit, *made)
    if data is None:
        return load(data, vit)
    if (packed := _shards(Path(data), vit)) is not None:
        return sharded.calibration(packed, vit, CALIBRATION_IMAGES)
    found = _find(Path(data), vit, "train")
    few = evenly(len(found.names), min(len(found.names), CALIBRATION_IMAGES))
    return Data(found.origin, vit, found.paths(few), None, found.base)


def _to_judge(one: ImageSet, vit: Vit, count: int | None) -> Data:
    """The test images of a set by name."""
    most = one.images["test"]
    if count is not None and count > most:
        raise InputError(f"--images is {count}; {one.name} has {most} test images")
    check_room(vit, count or most)
    return Data(f"{one.name}, test split", vit, *one.make(vit, "test", count))


def _folder(path: Path, vit: Vit, count: int | None, labels: Path | None) -> Data:
    """A picture, a folder of pictures, or one folder per class; of a tree, those of val/."""
    found = _find(path, vit, "val")
    if found.flat_split and labels is None:
        raise InputError(
            f"{found.root} holds pictures and no class folders, as the ILSVRC archive unpacks;"
            f" sort them into a folder for each class, give {LABELS} with a line `picture label`"
            f" for each, or run them without labels: --data {found.root}"
        )
    names = found.names
    if count is not None and count > len(names):
        held = (
            f"{found.root} holds {len(names)} pictures" if found.base else f"{path} is one picture"
        )
        raise InputError(f"--images is {count}; {held}")
    known, notes = None, list(found.notes)
    if labels is not None:
        known = labelfile.read(labels, names, vit)
    elif found.folders:
        classes, more = of_names(list(found.folders), vit, str(found.root), FOLDERS)
        known = np.repeat(np.array(classes, dtype=np.int64), list(found.folders.values()))
        notes += more
    taken = evenly(len(names), len(names) if count is None else count)
    few = None if known is None else known[taken]
    return Data(found.origin, vit, found.paths(taken), few, found.base, tuple(notes))


def _find(path: Path, vit: Vit, split: str) -> Found:
    """The pictures of a path; InputError where there are none."""
    check_channels(vit)
    with _reading(path):
        return tree.find(path, split, vit.class_names)


def _shards(path: Path, vit: Vit) -> shards.Found | None:
    """The shards of a path; None where there are none."""
    check_channels(vit)
    with _reading(path):
        return shards.find(path)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """InputError for a path that cannot be read."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"cannot read {path}{nearest(str(path), SETS)}: {reason}; --data takes"
            f" {', '.join(SETS)}, a folder, a picture or a shard"
        ) from error
