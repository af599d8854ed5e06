"""The sets of images that --data knows by name: what is known of each, told once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vaqf.images import made, shapes
from vaqf.images.pictures import Labels, Pixels
from vaqf.images.shapes import Split
from vaqf.model.vit import Vit


@dataclass(frozen=True)
class ImageSet:
    """A set that needs no files of the user's."""

    name: str
    classes: tuple[str, ...]
    images: Mapping[Split, int]  # of each split
    make: Callable[[Vit, Split, int | None], tuple[Pixels, Labels]]  # the first of a split, or all
    mirrored: bool  # whether a mirrored picture is one of the same class


SETS = {
    one.name: one
    for one in (
        ImageSet("digits", made.DIGITS, made.DIGITS_IMAGES, made.digits, False),
        ImageSet("mnist5k", made.DIGITS, made.MNIST_IMAGES, made.mnist5k, False),
        ImageSet("shapes", shapes.CLASSES, shapes.IMAGES, made.shapes, True),
    )
}
