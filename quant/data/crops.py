"""Pictures read by worker processes: what both folders and shards do to each."""

import math
import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader

from vaqf.errors import InputError
from vaqf.images.pictures import is_first_frame
from vaqf.model.vit import Vit

# DeiT's random resized crop, arXiv 2012.12877: Inception's shares (arXiv 1409.4842, section 6)
CROP_AREA = (0.08, 1.0)  # of the picture
CROP_RATIO = (3 / 4, 4 / 3)  # width / height
CROP_TRIES = 10
MAX_WORKERS = 256


@dataclass(frozen=True, eq=False)
class Read:
    """One picture as a worker hands it on, or why there is none; problems met on the way."""

    pixels: NDArray[np.uint8] | None  # [S, S, C]
    label: int = 0
    problems: dict[str, str] = field(default_factory=dict)  # name of a picture: reason
    animated: tuple[str, ...] = ()  # its name, if its first frame was taken


@dataclass(frozen=True, eq=False)
class Part:
    """What of one batch could be read."""

    pixels: Tensor  # uint8 [n, S, S, C]
    labels: Tensor  # int64 [n]
    problems: dict[str, str]
    animated: tuple[str, ...]


def animated(whole: Image.Image, name: str) -> tuple[str, ...]:
    """The name of a picture whose first frame was taken."""
    return (name,) if is_first_frame(whole) else ()


def random_crop(whole: Image.Image, vit: Vit, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A random part of a picture, resized to [size, size, channels].

    torchvision's RandomResizedCrop: the first of ten boxes that fits, else the largest middle
    whose ratio is allowed.
    """
    left, top, width, height = _crop_box(*whole.size, rng)
    part = whole.crop((left, top, left + width, top + height))
    size = (vit.image_size, vit.image_size)
    resized = part.resize(size, Image.Resampling[vit.interpolation.upper()])
    return np.asarray(resized, dtype=np.uint8).reshape(*size, vit.channels)


def _crop_box(width: int, height: int, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Left, top, width and height of a random box inside a picture."""
    narrow, broad = CROP_RATIO
    for _ in range(CROP_TRIES):
        area = rng.uniform(*CROP_AREA) * width * height
        ratio = math.exp(rng.uniform(math.log(narrow), math.log(broad)))
        wide, high = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < wide <= width and 0 < high <= height:
            left, top = int(rng.integers(width - wide + 1)), int(rng.integers(height - high + 1))
            return left, top, wide, high
    wide, high = min(width, round(height * broad)), min(height, round(width / narrow))
    return (width - wide) // 2, (height - high) // 2, wide, high


def collate(read: Sequence[Read], vit: Vit) -> Part:
    """Readable pictures as one batch; runs in the worker, so that one tensor crosses over."""
    problems = {name: why for one in read for name, why in one.problems.items()}
    good = [(one.pixels, one.label) for one in read if one.pixels is not None]
    shape = (len(good), vit.image_size, vit.image_size, vit.channels)
    pixels = np.stack([pixels for pixels, _ in good]) if good else np.empty(shape, np.uint8)
    labels = np.array([label for _, label in good], dtype=np.int64)
    several = tuple(name for one in read for name in one.animated)
    return Part(torch.from_numpy(pixels), torch.from_numpy(labels), problems, several)


def parts(loader: DataLoader[Any]) -> Iterator[Part]:
    """What the workers hand over; InputError when one of them was killed."""
    others = set(multiprocessing.active_children())
    handed = iter(loader)
    workers = set(multiprocessing.active_children()) - others
    try:
        yield from handed
    except RuntimeError as error:
        if not any(worker.exitcode for worker in workers):
            raise
        raise InputError(
            "a process that reads pictures ended unexpectedly (out of memory, or killed); "
            "try fewer workers"
        ) from error
