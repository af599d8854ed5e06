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
from vaqf.images import frames
from vaqf.model.vit import Vit

if TYPE_CHECKING:
    from PIL import Image


SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp"),
    *(".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"),
)
MODES = {1: "L", 3: "RGB"}  # Pillow's name of what a network of so many channels takes
# keys of a picture's info, beside Pillow's own
FIRST_FRAME = "vaqf: the first of several frames"
SIXTEEN = "vaqf: gray of 16 bits"  # of a PGM, which Pillow scales to 0..65535 in pixels of 32
INVERTED = "vaqf: 0 is white"  # of a TIFF; Pillow minds it for 1 and 8 bits alone
# how files begin that Pillow may take for no picture at all when they end too early
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
PNG_DEPTH = 24  # where a PNG has its bits per sample
PHOTOMETRIC, WHITE_IS_ZERO = 262, 0  # a TIFF's tag and one of its values
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, OverflowError)
Pixels = NDArray[np.uint8]  # [images, size, size, channels]
Labels = NDArray[np.int64]  # [images]


class Unreadable(Exception):
    """Why one picture cannot be used; the text is a reason without the picture's name."""


def printable(name: str) -> str:
    """A file's name with escapes for what would move a terminal's cursor or cannot be encoded.

    Two names stay two: a backslash of their own is doubled.
    """
    return "".join(
        letter
        if letter.isprintable() and letter != "\\"
        else letter.encode("unicode_escape", "surrogatepass").decode()
        for letter in name
    )


def check_channels(vit: Vit) -> None:
    """InputError for a network that no picture suits."""
    if vit.channels not in MODES:
        raise InputError(f"{vit.name} takes {vit.channels} channels; a picture has 1 or 3")


def decode(source: Path | BinaryIO, vit: Vit) -> Image.Image:
    """A picture in the network's mode, gray or RGB; Unreadable says why not.

    Of an animated file the first frame: `is_first_frame` tells.
    """
    from PIL import Image

    check_channels(vit)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with (
                regular.opened(source) if isinstance(source, Path) else nullcontext(source) as file,
                _loaded(file) as picture,
            ):
                whole = _flat(_eight_bits(_upright(picture)), vit).convert(MODES[vit.channels])
                whole.info = {FIRST_FRAME: frames.several(picture)}
                return whole
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise Unreadable(f"it has too many pixels, more than {Image.MAX_IMAGE_PIXELS}") from error
    except _BROKEN as error:
        reason = getattr(error, "strerror", None) or "it is not a picture that Pillow reads"
        raise Unreadable(reason) from error


def is_first_frame(whole: Image.Image) -> bool:
    """Whether `decode` took the first of several frames."""
    return bool(whole.info[FIRST_FRAME])


def _loaded(file: BinaryIO) -> Image.Image:
    """A picture with its pixels; Unreadable for one that begins as it should and ends before."""
    from PIL import Image, TiffImagePlugin

    begins = file.read(PNG_DEPTH + 1)
    file.seek(0)
    if not begins:
        raise Unreadable("it is empty")
    picture = None
    try:
        picture = Image.open(file)
        picture.load()
    except _BROKEN as error:
        if picture is not None or begins.startswith(SIGNATURES):
            raise Unreadable("it is truncated or damaged; copy it again") from error
        raise
    if picture.format == "PNG":
        _scale_transparency(picture, begins[PNG_DEPTH])
    picture.info[SIXTEEN] = picture.format == "PPM" and picture.mode == "I"
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        picture.info[INVERTED] = picture.tag_v2.get(PHOTOMETRIC) == WHITE_IS_ZERO
    return picture


def _scale_transparency(picture: Image.Image, bits: int) -> None:
    """A PNG's transparent color on its pixels' scale, not on that of the file as Pillow has it."""
    level = picture.info.get("transparency")
    if picture.mode == "L" and isinstance(level, int) and level < 2**bits:
        picture.info["transparency"] = level * 255 // (2**bits - 1)
    if picture.mode == "RGB" and bits == 16 and level is not None:
        picture.info["transparency"] = tuple(part >> 8 for part in level)  # so are the pixels


def _upright(picture: Image.Image) -> Image.Image:
    """As a viewer shows it: a camera writes how it was held (EXIF's orientation)."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(picture)
    except frames.DAMAGED:
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
    """A picture of 8 bits, in a mode that Pillow converts to gray, RGB and RGBA."""
    if picture.mode.startswith("I;16") or picture.info[SIXTEEN]:
        return _narrowed(picture)
    if picture.mode in ("I", "F"):
        raise Unreadable(
            "it holds pixels of 32 bits, whose range is unknown; save it with 8 or 16 bits"
        )
    # Pillow makes no gray of LAB, and of a TIFF's premultiplied gray nothing but gray
    way = {"LAB": "RGB", "La": "LA"}.get(picture.mode)
    return picture if way is None else picture.convert(way)


def _narrowed(picture: Image.Image) -> Image.Image:
    """Gray of 16 bits as 8; Pillow's own conversion would clip nearly all of it to white."""
    from PIL import Image

    levels = np.asarray(picture).astype(np.uint32)
    shown = 65535 - levels if picture.info.get(INVERTED) else levels
    gray = Image.fromarray(((shown * 255 + 32767) // 65535).astype(np.uint8))
    clear = picture.info.get("transparency")
    if clear is not None:
        gray.putalpha(Image.fromarray((levels != clear).astype(np.uint8) * 255))
    return gray


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
