"""Images moved, turned, stretched and sheared at random: what a scan does to a sheet."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

# the largest change each way; chosen on a validation cut of mnist5k's training images
MOVE = 0.1  # of the side
TURN = math.radians(15)
STRETCH = 0.15  # the logarithm of the factor, of rows and columns alike
SHEAR = 0.15


def draw(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Where the pixels of `count` images come from: [count, 2, 3], for x and y a row.

    A row has the shares of x and y and a constant, on an image from -1 to 1.
    """
    turn, shear, wide, high, right, down = rng.uniform(-1, 1, (6, count))
    cosine, sine = np.cos(TURN * turn), np.sin(TURN * turn)
    wide, high = np.exp(STRETCH * wide), np.exp(STRETCH * high)
    rows = [
        [cosine * wide, SHEAR * shear - sine * wide, 2 * MOVE * right],
        [sine * high, cosine * high, 2 * MOVE * down],
    ]
    return np.array(rows).transpose(2, 0, 1)


def transformed(pixels: Tensor, sources: NDArray[np.float64]) -> Tensor:
    """Pixels float [b, S, S, C] from where `sources` [b, 2, 3] says; borders go on outside.

    Bilinear. Each image by itself and by elementwise operations: a slice is the slice of the whole.
    """
    kind = {"dtype": pixels.dtype, "device": pixels.device}
    size = pixels.shape[1]
    at = (2 * torch.arange(size, **kind) + 1) / size - 1  # the middles of pixels
    x, y = at[None, None, :], at[None, :, None]
    row = torch.from_numpy(sources).to(**kind)[..., None, None]
    grid = torch.stack([row[:, i, 0] * x + row[:, i, 1] * y + row[:, i, 2] for i in range(2)], -1)
    moved = functional.grid_sample(
        pixels.permute(0, 3, 1, 2), grid, padding_mode="border", align_corners=False
    )
    return moved.permute(0, 2, 3, 1).clamp(0, 255)
