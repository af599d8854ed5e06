"""One picture: decoded, checked, fitted to a model."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from vaqf.errors import InputError
from vaqf.files import regular
from vaqf.model.vit import Vit

if TYPE_CHECKING:
    from PIL import Image


SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
MODES = {1: "L", 3: "RGB"}  # Pillow's name of what a network of so many channels takes
Pixels = NDArray[np.uint8]  # [images, size, size, channels]
Labels = NDArray[np.int64]  # [images]


class Unreadable(Exception):
    """Why one picture cannot be used; the text is a reason without the picture's name."""


def printable(name: str) -> str:
    """A file's name without what would move a terminal's cursor or cannot be encoded."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


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
            with (
                regular.opened(source) if isinstance(source, Path) else nullcontext(source) as file,
                Image.open(file) as picture,
            ):
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
