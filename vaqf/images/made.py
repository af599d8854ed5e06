"""Images that are made, not brought: digits, shapes, seeded noise."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vaqf.errors import InputError, ToolMissing
from vaqf.images import shapes as procedural
from vaqf.images.pictures import MODES, Labels, Pixels, check_channels, fit
from vaqf.model.vit import Vit

DIGITS = tuple("0123456789")  # the classes
DIGITS_TEST_IMAGES = 360
DIGITS_LEVELS = 16  # a digit's pixel counts the ink of a 4 x 4 cell, 0 to 16
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


def shapes(vit: Vit, split: procedural.Split, count: int | None = None) -> tuple[Pixels, Labels]:
    """The first `count` (default all) procedural shapes of a split, made for the network.

    They are resized for networks of another size and turned gray for one channel. InputError for
    a network that has too few classes, that would not see them, or for which all are too large.
    """
    size, classes = vit.image_size, len(procedural.CLASSES)
    count = procedural.IMAGES[split] if count is None else count
    if vit.classes < classes:
        raise InputError(f"the shapes have {classes} classes; {vit.name} has {vit.classes}")
    check_channels(vit)
    largest = math.isqrt(MAX_PIXEL_BYTES // (count * vit.channels))
    if not SHAPES_SMALLEST <= size <= largest:
        raise InputError(
            f"{vit.name} takes {size} x {size} pixels; for {count} shapes it must be"
            f" {SHAPES_SMALLEST} to {largest} each way; vit_shapes has {procedural.SIZE}"
        )
    pixels, labels = procedural.make(split, 0, count)
    if pixels.shape[1:] != (size, size, vit.channels):
        pixels = np.stack([remade(image, vit) for image in pixels])
    return pixels, labels


def remade(image: NDArray[np.uint8], vit: Vit) -> NDArray[np.uint8]:
    """An RGB image [S, S, 3] as [size, size, channels]; nothing is cropped."""
    from PIL import Image

    picture = Image.fromarray(image).convert(MODES[vit.channels])
    return fit(picture, replace(vit, crop=1.0))
