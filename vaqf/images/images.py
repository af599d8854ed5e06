"""Images that were read."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from vaqf.errors import InputError
from vaqf.images.made import MAX_PIXEL_BYTES
from vaqf.images.pictures import Labels, Pixels
from vaqf.model.vit import Vit

SEED = 0


@dataclass(frozen=True, eq=False)
class Images:
    """Images that were read, and what is known of each: `pixels` and `labels` go together."""

    origin: str  # what a person is told they are; no path, so that outputs do not depend on it
    pixels: Pixels  # [n, size, size, channels]
    labels: Labels | None  # [n]
    unreadable: Mapping[str, str]  # pictures that were left out, by their place: reason
    notes: tuple[str, ...] = ()  # what a person should know of them
    animated: tuple[str, ...] = ()  # pictures whose first frame was taken, by their place

    def __len__(self) -> int:
        return len(self.pixels)


def check_room(vit: Vit, count: int) -> None:
    """InputError for more images than should be held in memory at once."""
    most = max(1, MAX_PIXEL_BYTES // (vit.image_size**2 * vit.channels))
    if count > most:
        raise InputError(
            f"{count} images of {vit.name} are too many to hold at once; give --images {most} or"
            " fewer"
        )


def evenly(available: int, wanted: int) -> list[int]:
    """`wanted` numbers out of 0..available-1, always the same: one of each of so many equal parts.

    Which one of its part is drawn: equal steps through samples whose classes take turns would meet
    a few classes alone. Python's own generator gives the same numbers in every version.
    """
    drawn = random.Random(SEED)
    ends = [i * available // max(1, wanted) for i in range(wanted + 1)]
    return [start + int(drawn.random() * (stop - start)) for start, stop in pairwise(ends)]
