"""Pictures, folders, digits, shapes, a synthetic image: the uint8 pixels that a network takes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from vaqf.errors import InputError, ToolMissing
from vaqf.files.fields import shown
from vaqf.images import shapes as procedural
from vaqf.model.vit import Vit

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
DIGITS_TEST_IMAGES = 360
DIGITS_LEVELS = 16  # a digit's pixel counts the ink of a 4 x 4 cell, 0 to 16
SYNTHETIC_SEED = 0
CALIBRATION_IMAGES = 8
SYNTHETIC = f"synthetic noise, seed {SYNTHETIC_SEED}"
SPLITS = ("train", "val")
MODES = {1: "L", 3: "RGB"}  # Pillow's name of what a network of so many channels takes
SHAPES_SMALLEST = procedural.SIZE // 2  # pixels each way that still show every texture
MAX_PIXEL_BYTES = 2**29  # of the images of one build or C-sim: 3,566 of 224 x 224
Pixels = NDArray[np.uint8]  # [images, size, size, channels]
Labels = NDArray[np.int64]  # [images]


class Unreadable(Exception):
    """Why one picture cannot be used; the text is a reason without the picture's name."""


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


def printable(name: str) -> str:
    """A file's name without what would move a terminal's cursor or cannot be encoded."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


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
    if data.lower() == "digits":
        pixels, labels = digits(vit, "test")
        if count is not None and count > len(pixels):
            raise InputError(f"--images is {count}; the digits have {len(pixels)} test images")
        return Data("digits, test split", vit, pixels[:count], labels[:count])
    if data.lower() == "shapes":
        return _shapes_to_judge(vit, count)
    return _folder(Path(data), vit, count)


def calibration(data: str | None, vit: Vit) -> Data:
    """The images of --data that set a float model's scales: few, and of no test split."""
    if data is not None and data.lower() == "digits":
        pixels, labels = digits(vit, "train")
        chosen = slice(CALIBRATION_IMAGES)
        return Data("digits, training split", vit, pixels[chosen], labels[chosen])
    if data is not None and data.lower() == "shapes":
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


def synthetic(vit: Vit, count: int, seed: int = SYNTHETIC_SEED) -> Pixels:
    """Smooth coloured noise, the same for the same seed: no photograph, but not flat either."""
    rng = np.random.default_rng(seed)
    size, channels = vit.image_size, vit.channels
    coarse = rng.integers(0, 256, (count, 8, 8, channels))
    index = np.arange(size) * 8 // size
    fine = rng.integers(-32, 33, (count, size, size, channels))
    pixels: Pixels = np.clip(coarse[:, index][:, :, index] + fine, 0, 255).astype(np.uint8)
    return pixels


def digits(vit: Vit, split: str) -> tuple[Pixels, Labels]:
    """scikit-learn's 1,797 handwritten digits, 8 x 8: the `train` or `test` (360) images.

    The split is stratified with random_state 0. 16 levels of ink become 0..255. Networks of
    another size or with more channels get them enlarged, in gray.
    """
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise ToolMissing(
            "the digits come with scikit-learn, which is not installed; "
            "`pip install scikit-learn`, or give a folder of pictures to --data"
        ) from error
    if vit.classes < 10:
        raise InputError(f"the digits have 10 classes; {vit.name} has {vit.classes}")
    bunch = load_digits()
    train_x, test_x, train_y, test_y = train_test_split(
        bunch.images,
        bunch.target,
        test_size=DIGITS_TEST_IMAGES,
        stratify=bunch.target,
        random_state=0,
    )
    ink, labels = (train_x, train_y) if split == "train" else (test_x, test_y)
    gray = np.rint(ink * (255 / DIGITS_LEVELS)).astype(np.uint8)
    if vit.image_size != gray.shape[1]:
        gray = np.stack([_enlarge(image, vit.image_size) for image in gray])
    pixels = np.repeat(gray[..., None], vit.channels, axis=-1)
    return pixels, labels.astype(np.int64)


def _enlarge(gray: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    from PIL import Image

    picture = Image.fromarray(gray).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(picture, dtype=np.uint8)


def shapes(vit: Vit, split: procedural.Split, count: int | None = None) -> tuple[Pixels, Labels]:
    """The first `count` (default all) procedural shapes of a split, made for the network.

    They are resized for networks of another size and turned gray for one channel. InputError for
    a network that has too few classes, that would not see them, or for which all are too large.
    """
    size, classes = vit.image_size, len(procedural.CLASSES)
    count = procedural.IMAGES[split] if count is None else count
    if vit.classes < classes:
        raise InputError(f"the shapes have {classes} classes; {vit.name} has {vit.classes}")
    check_channels(vit)
    largest = math.isqrt(MAX_PIXEL_BYTES // (count * vit.channels))
    if not SHAPES_SMALLEST <= size <= largest:
        raise InputError(
            f"{vit.name} takes {size} x {size} pixels; for {count} shapes it must be"
            f" {SHAPES_SMALLEST} to {largest} each way; vit_shapes has {procedural.SIZE}"
        )
    pixels, labels = procedural.make(split, 0, count)
    if pixels.shape[1:] != (size, size, vit.channels):
        pixels = np.stack([_remade(image, vit) for image in pixels])
    return pixels, labels


def _remade(image: NDArray[np.uint8], vit: Vit) -> NDArray[np.uint8]:
    """An RGB image [S, S, 3] as [size, size, channels]; nothing is cropped."""
    from PIL import Image

    picture = Image.fromarray(image).convert(MODES[vit.channels])
    return fit(picture, replace(vit, crop=1.0))


def _shapes_to_judge(vit: Vit, count: int | None) -> Data:
    most = procedural.IMAGES["test"]
    if count is not None and count > most:
        raise InputError(f"--images is {count}; the shapes have {most} test images")
    _check_room(vit, count or most)
    return Data("shapes, test split", vit, *shapes(vit, "test", count))


def read(path: Path, vit: Vit) -> Pixels:
    """One picture as [size, size, channels]; InputError if it cannot be read."""
    try:
        return fit(decode(path, vit), vit)
    except Unreadable as error:
        raise InputError(f"cannot read {path}: {error}") from error


def check_channels(vit: Vit) -> None:
    """InputError for a network that no picture suits."""
    if vit.channels not in MODES:
        raise InputError(f"{vit.name} takes {vit.channels} channels; a picture has 1 or 3")


def decode(source: Path | BinaryIO, vit: Vit) -> Image.Image:
    """A picture in the network's mode, gray or RGB; Unreadable says why not."""
    from PIL import Image

    check_channels(vit)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(source) as picture:
                return _eight_bits(picture).convert(MODES[vit.channels])
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise Unreadable(f"it has too many pixels, more than {Image.MAX_IMAGE_PIXELS}") from error
    except (OSError, ValueError, SyntaxError, EOFError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "it is not a picture that Pillow reads"
        raise Unreadable(reason) from error


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Gray of 16 bits as 8 bits; Pillow's own conversion would clip nearly all of it to white."""
    from PIL import Image

    if picture.mode.startswith("I;16"):
        levels = np.asarray(picture).astype(np.uint32)
        return Image.fromarray(((levels * 255 + 32767) // 65535).astype(np.uint8))
    if picture.mode in ("I", "F"):
        raise Unreadable(
            "it holds pixels of 32 bits, whose range is unknown; save it with 8 or 16 bits"
        )
    return picture


def fit(whole: Image.Image, vit: Vit) -> Pixels:
    """A picture as [size, size, channels]: shorter side to size / crop, then the centre.

    The same steps as timm's evaluation transform (Resize, CenterCrop). Unreadable for a picture
    so narrow that it would be enlarged beyond memory.
    """
    from PIL import Image

    size = vit.image_size
    shorter = int(size / vit.crop)
    width, height = whole.size
    wide, high = (shorter * side // min(width, height) for side in (width, height))
    if wide * high > (Image.MAX_IMAGE_PIXELS or 0):
        raise Unreadable(
            f"{width} x {height} pixels would be {wide} x {high} when resized for {vit.name}; "
            "crop it to a square first"
        )
    resized = whole.resize((wide, high), Image.Resampling[vit.interpolation.upper()])
    left, top = round((wide - size) / 2), round((high - size) / 2)
    pixels = np.asarray(resized.crop((left, top, left + size, top + size)), dtype=np.uint8)
    return pixels.reshape(size, size, vit.channels)


def splits(path: Path) -> bool:
    """Whether a folder is a tree of train/ and val/ with a folder for each class in both."""
    return all((path / split).is_dir() and class_folders(path / split) for split in SPLITS)


def class_folders(path: Path) -> list[Path]:
    """The folders of a folder without pictures: one per class, alphabetical; none otherwise."""
    entries = sorted(path.iterdir())
    folders = [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    return [] if _pictures(entries) else folders


def tree_classes(path: Path) -> tuple[str, ...]:
    """The classes of a tree of train/ and val/; InputError where the two differ."""
    learn, judge = ([folder.name for folder in class_folders(path / split)] for split in SPLITS)
    only = sorted(set(learn) ^ set(judge))
    if only:
        where = "train/" if only[0] in learn else "val/"
        raise InputError(
            f"train/ and val/ of {path} have different class folders: {shown(only[0])} is only in"
            f" {where}, {len(only)} in all; both need a folder for each class"
        )
    return tuple(learn)


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
        labelled = [(file, i) for i, c in enumerate(folders) for file in _pictures(c.iterdir())]
        files = [file for file, _ in labelled] if folders else _pictures(path.iterdir())
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


def _pictures(entries: Iterable[Path]) -> list[Path]:
    """The pictures among files, by name."""
    return sorted(e for e in entries if e.suffix.lower() in SUFFIXES and e.is_file())


def _evenly(available: int, wanted: int) -> list[int]:
    """`wanted` numbers out of 0..available-1, so that every class folder is met."""
    return [i * available // wanted for i in range(wanted)]
