"""Small models and images that several tests share."""

import numpy as np

from vaqf.model.vit import Vit

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

# one channel, two blocks; mean and std that no default has
GRAY = Vit(
    name="gray",
    image_size=8,
    patch_size=2,
    channels=1,
    dim=24,
    depth=2,
    heads=3,
    classes=10,
    mean=(0.4,),
    std=(0.3,),
)
# every switch the other way, odd sizes throughout
ODD = Vit(
    name="odd",
    image_size=9,
    patch_size=3,
    channels=3,
    dim=21,
    depth=1,
    heads=7,
    mlp_ratio=3,
    classes=5,
    distilled=True,
    registers=3,
    qkv_bias=False,
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
