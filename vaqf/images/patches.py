"""Images cut into the rows that the patch embedding multiplies, for golden and hardware."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_patches(images: NDArray[np.uint8], patch: int) -> NDArray[Any]:
    """[B, S, S, C] pixels -> [B, (S/patch)**2, C*patch*patch], rows in reading order.

    Within a row: channel, then row, then column of the patch, as a convolution weight flattens.
    """
    batch, size, _, channels = images.shape
    grid = size // patch
    tiles = images.reshape(batch, grid, patch, grid, patch, channels)
    return tiles.transpose(0, 1, 3, 5, 2, 4).reshape(batch, grid * grid, channels * patch * patch)
