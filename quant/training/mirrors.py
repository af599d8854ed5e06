"""Whether a mirrored picture may be of another class: a b is a d, an arrow points the other way."""

import re
from collections.abc import Sequence

from vaqf.images.sets import SETS
from vaqf.quant.data.sources import Data

SIGNS = 100  # classes named by numbers that may be digits or traffic signs; more are none
NUMBERS = frozenset(
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
)
SIDES = frozenset(("left", "right"))
LOOKS = 8  # training pictures that are looked at for colour


def mirrored(data: Data) -> bool:
    """Whether a mirrored picture is taken to be one of the same class.

    Of sets by name it is known. Else only colour pictures are, of classes that are no signs.
    """
    if data.origin in SETS:
        return SETS[data.origin].mirrored
    names = data.classes  # of shards without names their number
    if isinstance(names, int):
        names = tuple(map(str, range(names)))
    return not signs(names) and not _gray(data)


def signs(names: Sequence[str]) -> bool:
    """Whether classes may be letters, numbers or directions by their names.

    Of letter_a and `digit two` the last word counts, of directions any: arrow_left.
    """
    words = [re.findall(r"[^\W_]+", name.lower()) or [name] for name in names]
    last = [of_one[-1] for of_one in words]
    letters = all(len(word) == 1 for word in last)
    numbers = all(word.isdigit() or word in NUMBERS or len(word) == 1 for word in last)
    sides = any(SIDES.intersection(of_one) for of_one in words)
    return letters or sides or (numbers and len(names) <= SIGNS)


def _gray(data: Data) -> bool:
    """Whether some training pictures have equal channels, whatever the files have."""
    pixels = data.calibration(LOOKS)
    return bool((pixels == pixels[..., :1]).all())
