"""Small models and images that several tests share."""

import numpy as np

from vaqf.vit import Vit

RGB = Vit(
    name="small",
    image_size=8,
    patch_size=4,
    channels=3,
    dim=20,
    depth=1,
    heads=4,
    mlp_ratio=2,
    classes=4,
    mean=(0.5, 0.4, 0.3),
    std=(0.2, 0.3, 0.4),
)

# a model file's keys; ten classes, so that the digits fit
DIGITS_MODEL = {
    "name": "small",
    "image_size": 8,
    "patch_size": 4,
    "channels": 1,
    "dim": 16,
    "depth": 1,
    "heads": 2,
    "classes": 10,
    "mean": [0.5],
    "std": [0.5],
}


def noise(vit: Vit, count: int, seed: int = 0) -> np.ndarray:
    """Seeded uint8 pixels [count, S, S, C]."""
    shape = (count, vit.image_size, vit.image_size, vit.channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
