"""Pictures, folders, the digits and a synthetic image, as the uint8 pixels a network takes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vaqf.errors import InputError, ToolMissing
from vaqf.vit import Vit

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
DIGITS_TEST_IMAGES = 360
DIGITS_LEVELS = 16  # a digit's pixel counts the ink of a 4 x 4 cell, 0 to 16
SYNTHETIC_SEED = 0
CALIBRATION_IMAGES = 8
SYNTHETIC = f"synthetic noise, seed {SYNTHETIC_SEED}"
MAX_PIXEL_BYTES = 2**29  # of the images of one build or C-sim: 3,566 of 224 x 224
Pixels = NDArray[np.uint8]  # [images, size, size, channels]
Labels = NDArray[np.int64]  # [images]


@dataclass(frozen=True, eq=False)
class Data:
    """Images to run: all of them by number, read when asked for."""

    origin: str  # what a person is told they are; no path, so that outputs do not depend on it
    vit: Vit
    items: Sequence[Path] | Pixels
    labels: Labels | None

    def __len__(self) -> int:
        return len(self.items)

    def pixels(self, start: int = 0, stop: int | None = None) -> Pixels:
        """Images start..stop as [n, size, size, channels]; InputError if all are too many."""
        chosen = self.items[start:stop]
        if stop is None:
            _check_room(self.vit, len(chosen))
        if isinstance(chosen, np.ndarray):
            return chosen
        return np.stack([read(path, self.vit) for path in chosen])


def load(data: str | None, vit: Vit, count: int | None = None) -> Data:
    """The images of --data and --images: `digits` (test split), a folder, a picture, or None.

    None is one synthetic image from a fixed seed. Of a folder, `count` images are taken evenly.
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
    return _folder(Path(data), vit, count)


def calibration(data: str | None, vit: Vit) -> Data:
    """The images of --data that set a float model's scales: few, and never the test digits."""
    if data is not None and data.lower() == "digits":
        pixels, labels = digits(vit, "train")
        chosen = slice(CALIBRATION_IMAGES)
        return Data("digits, training split", vit, pixels[chosen], labels[chosen])
    found = load(data, vit)
    return found if len(found) <= CALIBRATION_IMAGES else load(data, vit, CALIBRATION_IMAGES)


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


def read(path: Path, vit: Vit) -> Pixels:
    """One picture as [size, size, channels]: shorter side to size / crop, then the centre.

    The same steps as timm's evaluation transform (Resize, CenterCrop).
    """
    from PIL import Image

    modes = {1: "L", 3: "RGB"}
    if vit.channels not in modes:
        raise InputError(f"{vit.name} takes {vit.channels} channels; a picture has 1 or 3")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                whole = _eight_bits(picture, path).convert(modes[vit.channels])
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise InputError(f"{path} has too many pixels; at most {Image.MAX_IMAGE_PIXELS}") from error
    except (OSError, ValueError, SyntaxError, EOFError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "it is not a picture that Pillow reads"
        raise InputError(f"cannot read {path}: {reason}") from error
    return _crop(whole, vit, path)


def _eight_bits(picture: Image.Image, path: Path) -> Image.Image:
    """Gray of 16 bits as 8 bits; Pillow's own conversion would clip nearly all of it to white."""
    from PIL import Image

    if picture.mode.startswith("I;16"):
        levels = np.asarray(picture).astype(np.uint32)
        return Image.fromarray(((levels * 255 + 32767) // 65535).astype(np.uint8))
    if picture.mode in ("I", "F"):
        raise InputError(
            f"{path} holds pixels of 32 bits, whose range is unknown; save it with 8 or 16 bits"
        )
    return picture


def _crop(whole: Image.Image, vit: Vit, path: Path) -> Pixels:
    from PIL import Image

    size = vit.image_size
    shorter = int(size / vit.crop)
    width, height = whole.size
    wide, high = (shorter * side // min(width, height) for side in (width, height))
    if wide * high > (Image.MAX_IMAGE_PIXELS or 0):
        raise InputError(
            f"{path} ({width} x {height}) would be {wide} x {high} when resized for {vit.name}; "
            "crop it to a square first"
        )
    resized = whole.resize((wide, high), Image.Resampling[vit.interpolation.upper()])
    left, top = round((wide - size) / 2), round((high - size) / 2)
    pixels = np.asarray(resized.crop((left, top, left + size, top + size)), dtype=np.uint8)
    return pixels.reshape(size, size, vit.channels)


def _folder(path: Path, vit: Vit, count: int | None) -> Data:
    """A picture, a folder of pictures, or one folder per class in alphabetical order."""
    try:
        if path.is_file():
            return Data("pictures", vit, [path], None)
        entries = sorted(path.iterdir())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"cannot read {path}: {reason}; --data takes digits, a folder or a picture"
        ) from error
    classes = [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    flat = _pictures(entries)
    if classes and not flat:
        found = [(file, i) for i, c in enumerate(classes) for file in _pictures(c.iterdir())]
        if len(classes) > vit.classes:
            raise InputError(
                f"{path} has {len(classes)} classes (folders); {vit.name} tells {vit.classes} apart"
            )
        files = [file for file, _ in found]
        labels = np.array([label for _, label in found], dtype=np.int64)
    else:
        files, labels = flat, None
    if not files:
        raise InputError(f"{path} holds no picture ({', '.join(SUFFIXES)})")
    if count is not None and count > len(files):
        raise InputError(f"--images is {count}; {path} holds {len(files)} pictures")
    taken = _evenly(len(files), len(files) if count is None else count)
    return Data(
        "pictures", vit, [files[i] for i in taken], None if labels is None else labels[taken]
    )


def _pictures(entries: Iterable[Path]) -> list[Path]:
    """The pictures among files, by name."""
    return sorted(e for e in entries if e.suffix.lower() in SUFFIXES and e.is_file())


def _evenly(available: int, wanted: int) -> list[int]:
    """`wanted` numbers out of 0..available-1, so that every class folder is met."""
    return [i * available // wanted for i in range(wanted)]
