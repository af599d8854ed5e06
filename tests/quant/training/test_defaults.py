"""What auto means: by how many images there are and how large, never by a guess about mirrors."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from samples import GRAY, RGB
from small_runs import SMALL

from vaqf.images.sets import SETS
from vaqf.model import zoo
from vaqf.model.vit import Vit
from vaqf.quant.data.batches import ALONE, plan
from vaqf.quant.data.sources import Data
from vaqf.quant.recipe import recipe
from vaqf.quant.recipe.recipe import Recipe
from vaqf.quant.training.defaults import (
    EPOCH_STEPS,
    RUN_STEPS,
    SMALLEST_BATCH,
    TINY_STEPS,
    settled,
)

BEST = recipe.load("best")
NAMES = ("ant", "bee", "cat", "dog")


class Some:
    """So many images of such classes; those that are looked at have colours."""

    unreadable: dict[str, str] = {}  # noqa: RUF012
    judged = 1

    def __init__(
        self, images: int, classes: tuple[str, ...] | int = NAMES, origin: str = "pictures"
    ) -> None:
        self.images, self.classes, self.origin = images, classes, origin

    def calibration(self, count: int) -> NDArray[np.uint8]:
        return np.arange(count * 3, dtype=np.uint8).reshape(count, 1, 1, 3)


def chosen(vit: Vit, data: Data, **keys: object) -> Recipe:
    return settled(replace(BEST, **keys), vit, data)


def sized(size: int, channels: int = 3) -> Vit:
    base = RGB if channels == 3 else replace(GRAY, classes=4)
    return replace(base, image_size=size, patch_size=math.gcd(size, 28) if size > 41 else size)


@pytest.mark.parametrize(
    ("name", "policy", "epochs"),
    [("digits", "shift", 80), ("mnist5k", "affine", 104), ("shapes", "flip", 80)],
)
def test_the_sets_by_name(name: str, policy: str, epochs: int) -> None:
    vit = zoo.load(f"vit_{name.removesuffix('5k')}")
    one = SETS[name]
    found = chosen(vit, Some(one.images["train"], one.classes, name))
    assert (found.augment, found.epochs, found.batch) == (policy, epochs, 64)


@pytest.mark.parametrize(
    ("vit", "data", "policy"),
    [
        (sized(8), Some(10**6), "shift"),
        (sized(16, 1), Some(100), "shift"),
        (sized(28, 1), Some(4000), "affine"),
        (sized(32), Some(50_000), "affine"),
        (sized(40), Some(10**6), "affine"),
        (sized(41), Some(4000), "flip"),
        (sized(224), Some(49_999), "flip"),
        (sized(224), Some(50_000), "deit"),
        (sized(224), Some(10**6, 1000, "shards"), "deit"),
        (sized(224), Some(10**6, ("a", "b", "d", "q")), "affine"),
        (sized(224), Some(10**6, ("0", "1", "2", "10")), "affine"),
        (sized(224), Some(10**6, ("b", "d", "none")), "deit"),
        (sized(224), Some(10**6, tuple(f"{n:05}" for n in range(43))), "affine"),
        (sized(224), Some(10**6, tuple(map(str, range(1000)))), "deit"),
        (sized(224), Some(10**6, 43, "shards"), "affine"),
    ],
)
def test_the_policy_follows_the_pictures(vit: Vit, data: Data, policy: str) -> None:
    assert chosen(vit, data).augment == policy


@pytest.mark.parametrize(
    ("images", "batch", "epochs", "larger"),
    [
        (1437, 64, 80, 291),
        (512, 64, 220, 800),
        (511, 32, 118, 427),
        (255, 16, 118, 427),
        (100, 16, 294, 1067),
        (16, 16, 1760, 6400),
        (5, 16, 1760, 6400),
        (5120, 64, 80, 80),
        (1_281_167, 64, 80, 80),
    ],
)
def test_a_small_set_gets_its_steps(images: int, batch: int, epochs: int, larger: int) -> None:
    """Of 8 x 8 pixels, and of 28 x 28, where there is more to learn."""
    for vit, wanted in ((SMALL, epochs), (sized(28, 1), larger)):
        found = chosen(vit, Some(images))
        assert (found.batch, found.epochs) == (batch, wanted)


def test_every_set_gets_its_steps() -> None:
    sizes = ((sized(16), TINY_STEPS), (sized(17), RUN_STEPS))
    for images, (vit, wanted) in itertools.product((*range(1, 3000), 10**6), sizes):
        found = chosen(vit, Some(images))
        steps = plan(images, int(found.batch), ALONE).steps
        assert steps * int(found.epochs) >= wanted
        assert steps >= EPOCH_STEPS or found.batch == SMALLEST_BATCH


def test_what_is_said_is_kept() -> None:
    found = chosen(SMALL, Some(10), epochs=3, batch=512, augment="none")
    assert (found.epochs, found.batch, found.augment) == (3, 512, "none")
    assert chosen(SMALL, Some(10), batch=2).epochs == 352
    assert settled(found, SMALL, Some(10**6)) == found
