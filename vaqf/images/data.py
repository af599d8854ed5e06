"""Pictures, folders, digits, shapes, a synthetic image: the uint8 pixels that a network takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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
class Data:
    """Images to run: all of them by number, read when asked for.

    A picture among many that cannot be read is left out when its turn comes: `skipped` says why,
    and `labels` are those of the pictures that are left.
    """

    origin: str  # what a person is told they are; no path, so that outputs do not depend on it
    vit: Vit
    items: Sequence[Path] | Pixels
    known: Labels | None  # of all items
    skipped: dict[int, str] = field(default_factory=dict)  # number of the item: reason

    def __len__(self) -> int:
        return len(self.items)

    @property
    def labels(self) -> Labels | None:
        """Labels of the images that pixels() gives; ask when all have been read."""
        return None if self.known is None else np.delete(self.known, sorted(self.skipped))

    @property
    def unreadable(self) -> dict[str, str]:
        """Pictures that were left out so far, by class folder and name, each with the reason."""
        paths = {number: Path(str(self.items[number])) for number in sorted(self.skipped)}
        return {
            printable(f"{path.parent.name}/{path.name}"): self.skipped[number]
            for number, path in paths.items()
        }

    def pixels(self, start: int = 0, stop: int | None = None) -> Pixels:
        """Images start..stop as [n, size, size, channels], without the unreadable among many.

        InputError if all are too many, or if no picture of the whole data can be read.
        """
        chosen = self.items[start:stop]
        if stop is None:
            _check_room(self.vit, len(chosen))
        if isinstance(chosen, np.ndarray):
            return chosen
        shape = (self.vit.image_size, self.vit.image_size, self.vit.channels)
        read_ones = [self._one(start + i, path) for i, path in enumerate(chosen)]
        found = [pixels for pixels in read_ones if pixels is not None]
        return np.stack(found) if found else np.empty((0, *shape), np.uint8)

    def _one(self, number: int, path: Path) -> Pixels | None:
        try:
            return fit(decode(path, self.vit), self.vit)
        except Unreadable as error:
            self.skipped[number] = str(error)
            if len(self.items) == 1:
                raise InputError(f"cannot read {path}: {error}") from error
            if len(self.skipped) == len(self.items):
                raise InputError(
                    f"none of the {len(self.items)} pictures can be read; {path}: {error}"
                ) from error
            return None


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
        if path.is_file():
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
