"""Files of several frames, of which the first is taken: which they are, what is said of them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

from vaqf.files.fields import some

if TYPE_CHECKING:
    from PIL import Image, TiffImagePlugin

# formats whose first frame is the picture: others of an MPO are a phone's second views of it,
# those of a PSD its layers
WHOLE = ("MPO", "PSD")
# what Pillow raises where a file is damaged in what it says of itself
DAMAGED = (
    *(OSError, EOFError, SyntaxError, struct.error),
    *(ValueError, TypeError, LookupError, ArithmeticError),
)
NEW_SUBFILE_TYPE = 254  # a TIFF's tag, with a bit for each:
REDUCED, MASK = 1, 4


def several(picture: Image.Image) -> bool:
    """Whether an open file is an animation or has pages: whether its first frame is not all of it.

    May leave the file at another frame.
    """
    from PIL import TiffImagePlugin

    if picture.format in WHOLE:
        return False
    try:
        if isinstance(picture, TiffImagePlugin.TiffImageFile):
            return _pages(picture)
        return bool(getattr(picture, "is_animated", False))
    except DAMAGED:  # further on: the first frame was read
        return False


def _pages(picture: TiffImagePlugin.TiffImageFile) -> bool:
    """Whether a TIFF has a second page; smaller copies and masks of the first are none."""
    try:
        for page in count(1):
            picture.seek(page)
            if not picture.tag_v2.get(NEW_SUBFILE_TYPE, 0) & (REDUCED | MASK):
                return True
    except EOFError:
        pass
    return False


def note(names: Sequence[str]) -> tuple[str, ...]:
    """What a person is told of pictures by these names whose first frame was taken."""
    if not names:
        return ()
    which, taken = "1 picture is animated or has pages", "its first frame was taken"
    if len(names) > 1:
        which = f"{len(names)} pictures are animated or have pages"
        taken = "the first frame of each was taken"
    return (f"{which}; {taken}: {some(names)}",)
