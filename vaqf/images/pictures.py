"""One picture: decoded, checked, fitted to a model."""

from __future__ import annotations

import struct
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
# how files begin that Pillow may take for no picture at all when they end too early
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, OverflowError)
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
                _loaded(file) as picture,
            ):
                return _flat(_eight_bits(_upright(picture)), vit).convert(MODES[vit.channels])
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise Unreadable(f"it has too many pixels, more than {Image.MAX_IMAGE_PIXELS}") from error
    except _BROKEN as error:
        reason = getattr(error, "strerror", None) or "it is not a picture that Pillow reads"
        raise Unreadable(reason) from error


def _loaded(file: BinaryIO) -> Image.Image:
    """A picture with its pixels; Unreadable for one that begins as it should and ends before."""
    from PIL import Image

    begins = file.read(max(map(len, SIGNATURES)))
    file.seek(0)
    picture = None
    try:
        picture = Image.open(file)
        picture.load()
    except _BROKEN as error:
        if picture is not None or begins.startswith(SIGNATURES):
            raise Unreadable("it is truncated or damaged; copy it again") from error
        raise
    return picture


def _upright(picture: Image.Image) -> Image.Image:
    """As a viewer shows it: a camera writes how it was held (EXIF's orientation)."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(picture)
    except (struct.error, ValueError, TypeError, LookupError, SyntaxError, ArithmeticError):
        return picture  # what it says of itself cannot be read, its pixels can


def _flat(picture: Image.Image, vit: Vit) -> Image.Image:
    """A picture with transparent parts on the network's background."""
    from PIL import Image

    if not picture.has_transparency_data:
        return picture
    clear = picture.convert("RGBA")
    behind = Image.new("RGBA", clear.size, (vit.background,) * 3 + (255,))
    return Image.alpha_composite(behind, clear).convert("RGB")


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
    """A picture as [size, size, channels]: shorter side, or both, to size / crop, then the centre.

    The same steps as timm's evaluation transform (Resize, CenterCrop), or (`resize: squash`) as
    transformers' image processors of ViT and DeiT. Unreadable for a picture so narrow that it
    would be enlarged beyond memory.
    """
    from PIL import Image

    size = vit.image_size
    shorter = int(size / vit.crop)
    width, height = whole.size
    wide, high = (shorter * side // min(width, height) for side in (width, height))
    if vit.resize == "squash":
        wide = high = shorter
    if wide * high > (Image.MAX_IMAGE_PIXELS or 0):
        raise Unreadable(
            f"{width} x {height} pixels would be {wide} x {high} when resized for {vit.name}; "
            "crop it to a square first"
        )
    resized = whole.resize((wide, high), Image.Resampling[vit.interpolation.upper()])
    left, top = round((wide - size) / 2), round((high - size) / 2)
    pixels = np.asarray(resized.crop((left, top, left + size, top + size)), dtype=np.uint8)
    return pixels.reshape(size, size, vit.channels)
