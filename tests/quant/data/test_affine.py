"""Affine augmentation: what each of its numbers does to a picture, and how far they reach."""

import math

import numpy as np
import pytest
import torch

from vaqf.quant.data import affine


def turned(pixels: np.ndarray, source: list[list[float]]) -> np.ndarray:
    """One gray picture [S, S] through one matrix."""
    moved = affine.transformed(torch.tensor(pixels)[None, ..., None].double(), np.array([source]))
    return moved[0, ..., 0].numpy()


PICTURE = np.random.default_rng(0).integers(0, 256, (6, 6)).astype(float)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ([[1, 0, 0], [0, 1, 0]], PICTURE),
        ([[0, 1, 0], [-1, 0, 0]], np.rot90(PICTURE, -1)),
        # a pixel comes from the next one; the border goes on
        ([[1, 0, 2 / 6], [0, 1, 0]], np.hstack([PICTURE[:, 1:], PICTURE[:, -1:]])),
        ([[1, 0, 0], [0, 1, -2 / 6]], np.vstack([PICTURE[:1], PICTURE[:-1]])),
    ],
    ids=["none", "a quarter", "right", "down"],
)
def test_a_matrix_says_where_pixels_come_from(
    source: list[list[float]], wanted: np.ndarray
) -> None:
    assert turned(PICTURE, source) == pytest.approx(wanted, abs=1e-9)


def test_half_a_pixel_is_the_mean_of_two() -> None:
    moved = turned(PICTURE, [[1, 0, 1 / 6], [0, 1, 0]])
    assert moved[:, :-1] == pytest.approx((PICTURE[:, :-1] + PICTURE[:, 1:]) / 2, abs=1e-9)


def test_no_change_is_beyond_its_bound() -> None:
    """A turn by t and factors w, h: the rows are (w cos t, shear - w sin t), (h sin t, h cos t)."""
    drawn = affine.draw(np.random.default_rng(0), 20_000)
    assert drawn.shape == (20_000, 2, 3)
    (a, b, right), (c, d, down) = drawn.transpose(1, 2, 0)
    turn = np.arctan2(c, d)
    high, wide = np.hypot(c, d), a / np.cos(turn)
    shear = b + wide * np.sin(turn)
    for values, bound in (
        (turn, affine.TURN),
        (np.log(high), affine.STRETCH),
        (np.log(wide), affine.STRETCH),
        (shear, affine.SHEAR),
        (right, 2 * affine.MOVE),
        (down, 2 * affine.MOVE),
    ):
        assert bound * 0.99 < np.abs(values).max() <= bound * (1 + 1e-9)
        assert values.mean() == pytest.approx(0, abs=0.02 * bound)
    assert np.all(
        drawn[:, 0, 0] * drawn[:, 1, 1] - drawn[:, 0, 1] * drawn[:, 1, 0] > 0
    )  # no mirror
    assert math.degrees(affine.TURN) == pytest.approx(15)
