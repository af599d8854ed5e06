"""Pictures, folders, digits, shapes, a synthetic image: the uint8 pixels that a network takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vaqf.errors import InputError
from vaqf.files.fields import folded
from vaqf.images import shapes as procedural
from vaqf.images.folder import class_folders, picture_files, splits, tree_classes
from vaqf.images.made import MAX_PIXEL_BYTES, SYNTHETIC, digits, shapes, synthetic
from vaqf.images.pictures import (
    SUFFIXES,
    Labels,
    Pixels,
    Unreadable,
    check_channels,
    decode,
    fit,
    printable,
)
from vaqf.model.vit import Vit

CALIBRATION_IMAGES = 8


@dataclass(frozen=True, eq=False)
class Images:
    """Images that were read, and what is known of each: `pixels` and `labels` go together."""

    origin: str  # what a person is told they are; no path, so that outputs do not depend on it
    pixels: Pixels  # [n, size, size, channels]
    labels: Labels | None  # [n]
    unreadable: Mapping[str, str]  # pictures that were left out, by class folder and name: reason

    def __len__(self) -> int:
        return len(self.pixels)


@dataclass(frozen=True, eq=False)
class Data:
    """Images to run: known by number, read when asked for.

    A picture among many that cannot be read is left out, with its label, and named.
    """

    origin: str
    vit: Vit
    items: Sequence[Path] | Pixels
    known: Labels | None  # of all items, the unreadable among them

    def __len__(self) -> int:
        return len(self.items)

    def read(self) -> Images:
        """All of them at once; InputError for too many, or if none can be read."""
        _check_room(self.vit, len(self))
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
            return Images(self.origin, items, labels, {})
        found: list[Pixels] = []
        unreadable: dict[int, str] = {}
        for number, path in enumerate(items):
            try:
                found.append(fit(decode(path, self.vit), self.vit))
            except Unreadable as error:
                unreadable[number] = str(error)
        shape = (0, self.vit.image_size, self.vit.image_size, self.vit.channels)
        return Images(
            self.origin,
            np.stack(found) if found else np.empty(shape, np.uint8),
            None if labels is None else np.delete(labels, sorted(unreadable)),
            {_name(items[number]): reason for number, reason in unreadable.items()},
        )

    def _refuse(self, last: Images) -> None:
        """InputError for data of which no picture can be read; `last`: why not the last of them."""
        path, reason = self.items[-1], list(last.unreadable.values())[-1]
        if len(self) == 1:
            raise InputError(f"cannot read {path}: {reason}")
        raise InputError(f"none of the {len(self)} pictures can be read; {path}: {reason}")


def _name(path: Path) -> str:
    """A picture as a person is told of it."""
    return printable(f"{path.parent.name}/{path.name}")


def load(data: str | None, vit: Vit, count: int | None = None) -> Data:
    """The images of --data and --images: `digits`, `shapes`, a folder, a picture, or None.

    None is one synthetic image from a fixed seed. Of a folder, `count` images are taken evenly; of
    a tree of train/ and val/, those of val/.
    """
    if count is not None and count < 1:
        raise InputError(f"--images is {count}; it must be at least 1")
    if data is None:
        number = 1 if count is None else count
        _check_room(vit, number)
        return Data(SYNTHETIC, vit, synthetic(vit, number), None)
    if folded(data) == "digits":
        pixels, labels = digits(vit, "test")
        if count is not None and count > len(pixels):
            raise InputError(f"--images is {count}; the digits have {len(pixels)} test images")
        return Data("digits, test split", vit, pixels[:count], labels[:count])
    if folded(data) == "shapes":
        return _shapes_to_judge(vit, count)
    return _folder(Path(data), vit, count)


def calibration(data: str | None, vit: Vit) -> Data:
    """The images of --data that set a float model's scales: few, and of no test split."""
    if data is not None and folded(data) == "digits":
        pixels, labels = digits(vit, "train")
        chosen = slice(CALIBRATION_IMAGES)
        return Data("digits, training split", vit, pixels[chosen], labels[chosen])
    if data is not None and folded(data) == "shapes":
        return Data("shapes, training split", vit, *shapes(vit, "train", CALIBRATION_IMAGES))
    if data is None:
        return load(data, vit)
    found = _folder(Path(data), vit, None, "train")
    few = _evenly(len(found), min(len(found), CALIBRATION_IMAGES))
    return replace(found, items=[found.items[i] for i in few], known=None)


def _check_room(vit: Vit, count: int) -> None:
    """InputError for more images than should be held in memory at once."""
    most = max(1, MAX_PIXEL_BYTES // (vit.image_size**2 * vit.channels))
    if count > most:
        raise InputError(
            f"{count} images of {vit.name} are too many to hold at once; give --images {most} or"
            " fewer"
        )


def _shapes_to_judge(vit: Vit, count: int | None) -> Data:
    most = procedural.IMAGES["test"]
    if count is not None and count > most:
        raise InputError(f"--images is {count}; the shapes have {most} test images")
    _check_room(vit, count or most)
    return Data("shapes, test split", vit, *shapes(vit, "test", count))


def _folder(path: Path, vit: Vit, count: int | None, split: str = "val") -> Data:
    """A picture, a folder of pictures, or one folder per class in alphabetical order.

    Of a tree of train/ and val/, the pictures of one of them.
    """
    check_channels(vit)
    try:
        if path.exists() and not path.is_dir():
            if count is not None and count > 1:
                raise InputError(f"--images is {count}; {path} is one picture")
            return Data("pictures", vit, [path], None)
        if splits(path):
            tree_classes(path)
            found = _folder(path / split, vit, count)
            return replace(found, origin=f"pictures of {split}/")
        folders = class_folders(path)
        labelled = [(file, i) for i, c in enumerate(folders) for file in picture_files(c.iterdir())]
        files = [file for file, _ in labelled] if folders else picture_files(path.iterdir())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"cannot read {path}: {reason}; --data takes digits, shapes, a folder or a picture"
        ) from error
    if len(folders) > vit.classes:
        raise InputError(
            f"{path} has {len(folders)} classes (folders); {vit.name} tells {vit.classes} apart"
        )
    if not files:
        shards = any(path.glob("*.tar"))
        hint = "; shards are for vaqf train, give the pictures in folders here" if shards else ""
        raise InputError(f"{path} holds no picture ({', '.join(SUFFIXES)}){hint}")
    if count is not None and count > len(files):
        raise InputError(f"--images is {count}; {path} holds {len(files)} pictures")
    taken = _evenly(len(files), len(files) if count is None else count)
    labels = np.array([labelled[i][1] for i in taken], dtype=np.int64) if folders else None
    return Data("pictures", vit, [files[i] for i in taken], labels)


def _evenly(available: int, wanted: int) -> list[int]:
    """`wanted` numbers out of 0..available-1, so that every class folder is met."""
    return [i * available // wanted for i in range(wanted)]
