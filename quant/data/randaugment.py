"""RandAugment as DeiT trains with it (rand-m9-mstd0.5-inc1), in torch and kornia.

Two of the 15 operations for each image, each with probability 1/2 and at magnitude 9 +- 0.5 of 10
(arXiv 1909.13719; ranges, signs and the order of draws are timm's `increasing` set). Unlike
kornia's own RandAugment every image gets operations of its own. Pixels are whole numbers after
each operation, as Pillow's are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import kornia
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaqf.model.vit import Vit

LAYERS = 2
PROBABILITY = 0.5  # that an operation is applied
MAGNITUDE, MAGNITUDE_STD, TOP = 9.0, 0.5, 10.0
MAX_ROTATION = 30.0  # degrees
MAX_SHEAR = 0.3
MAX_TRANSLATION = 0.45  # of the image's side
MAX_ENHANCEMENT = 0.9  # factors 0.1 to 1.9
MAX_ADDITION = 110 / 255  # of solarize_add
NONE = -1

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Choice:
    """What is drawn for n images."""

    operation: NDArray[np.int64]  # [LAYERS, n], a number in OPERATIONS or NONE
    strength: Numbers  # [LAYERS, n], 0 to 1
    sign: Numbers  # [LAYERS, n], -1 or 1

    def part(self, images: slice) -> "Choice":
        """The same for some of the images."""
        return Choice(self.operation[:, images], self.strength[:, images], self.sign[:, images])


def draw(rng: np.random.Generator, count: int) -> Choice:
    """Operations and magnitudes for `count` images."""
    shape = (LAYERS, count)
    operation = rng.integers(0, len(OPERATIONS), shape)
    applied = rng.random(shape) < PROBABILITY
    magnitude = rng.normal(MAGNITUDE, MAGNITUDE_STD, shape).clip(0, TOP)
    sign = np.where(rng.random(shape) < 0.5, -1.0, 1.0)
    return Choice(np.where(applied, operation, NONE), magnitude / TOP, sign)


def randaugment(pixels: Tensor, choice: Choice, vit: Vit) -> Tensor:
    """Pixels uint8 [n, C, S, S] after the chosen operations."""
    operations = [(value, partial(apply, vit=vit)) for value, apply in OPERATIONS.values()]
    changed = pixels.clone()
    for layer in range(LAYERS):
        for number, (value, apply) in enumerate(operations):
            (rows,) = np.nonzero(choice.operation[layer] == number)
            if len(rows):
                values = value(choice.strength[layer, rows], choice.sign[layer, rows])
                at = torch.from_numpy(rows).to(pixels.device)
                amount = torch.from_numpy(values).to(pixels.device, torch.float32)
                changed[at] = apply(changed[at], amount)
    return changed


def _whole(unit: Tensor) -> Tensor:
    """0..1 to uint8."""
    return (unit * 255).round().clamp(0, 255).to(torch.uint8)


def _kornia(function: Callable[..., Tensor], pixels: Tensor, amount: Tensor, vit: Vit) -> Tensor:
    return _whole(function(pixels / 255, amount))


def _equalize(pixels: Tensor, _: Tensor, vit: Vit) -> Tensor:
    return _whole(kornia.enhance.equalize(pixels / 255))


def _invert(pixels: Tensor, _: Tensor, vit: Vit) -> Tensor:
    return 255 - pixels


def _auto_contrast(pixels: Tensor, _: Tensor, vit: Vit) -> Tensor:
    """Each channel stretched to 0..255; a flat one stays."""
    low, high = pixels.amin((2, 3), keepdim=True), pixels.amax((2, 3), keepdim=True)
    stretched = _whole((pixels - low) / (high - low).clamp(min=1))
    return torch.where(high > low, stretched, pixels)


def _contrast(pixels: Tensor, factor: Tensor, vit: Vit) -> Tensor:
    """Away from the mean of the gray image; its sum is of whole numbers, in any order the same."""
    unit = pixels / 255
    gray = kornia.color.rgb_to_grayscale(unit) if pixels.shape[1] == 3 else unit
    levels = (gray * 255).round().long()
    mean = levels.sum((1, 2, 3)) / (levels[0].numel() * 255)
    mean, factor = mean[:, None, None, None], factor[:, None, None, None]
    return _whole(mean + (unit - mean) * factor)


def _posterize(pixels: Tensor, bits: Tensor, vit: Vit) -> Tensor:
    return _whole(kornia.enhance.posterize(pixels / 255, bits.long()))


def _solarize_add(pixels: Tensor, addition: Tensor, vit: Vit) -> Tensor:
    """Pixels below the middle get brighter."""
    raised = _whole(pixels / 255 + addition[:, None, None, None])
    return torch.where(pixels < 128, raised, pixels)


def _warp(
    matrix: Callable[[Tensor, int], Tensor], pixels: Tensor, amount: Tensor, vit: Vit
) -> Tensor:
    """An affine map of the pixels; what comes in at the border is the mean colour."""
    size = pixels.shape[-1]
    mean = torch.tensor(vit.mean, device=pixels.device).clamp(0, 1)
    moved = kornia.geometry.transform.warp_affine(
        pixels / 255, matrix(amount, size), (size, size), padding_mode="fill", fill_value=mean
    )
    return _whole(moved)


def _about_centre(linear: Tensor, size: int) -> Tensor:
    """The 2 x 3 matrices of linear maps [n, 2, 2] that leave the centre where it is."""
    centre = torch.full((2, 1), (size - 1) / 2, device=linear.device)
    return torch.cat([linear, centre - linear @ centre], dim=2)


def _rotation(degrees: Tensor, size: int) -> Tensor:
    cos, sin = torch.cos(degrees.deg2rad()), torch.sin(degrees.deg2rad())
    return _about_centre(torch.stack([cos, sin, -sin, cos], dim=1).view(-1, 2, 2), size)


def _shear(factor: Tensor, size: int, row: int) -> Tensor:
    linear = torch.eye(2, device=factor.device).repeat(len(factor), 1, 1)
    linear[:, row, 1 - row] = factor
    return _about_centre(linear, size)


def _translation(share: Tensor, size: int, row: int) -> Tensor:
    matrix = torch.eye(2, 3, device=share.device).repeat(len(share), 1, 1)
    matrix[:, row, 2] = share * size
    return matrix


def _nothing(strength: Numbers, sign: Numbers) -> Numbers:
    return strength


def _signed(most: float, strength: Numbers, sign: Numbers) -> Numbers:
    return most * strength * sign


def _factor(strength: Numbers, sign: Numbers) -> Numbers:
    return 1 + MAX_ENHANCEMENT * strength * sign


def _bits(strength: Numbers, sign: Numbers) -> Numbers:
    """The bits that posterize keeps: 4 down to 0."""
    return 4 - np.floor(4 * strength)


def _threshold(strength: Numbers, sign: Numbers) -> Numbers:
    """Above it solarize inverts, as a share of 255."""
    return (256 - np.floor(256 * strength)) / 255


def _addition(strength: Numbers, sign: Numbers) -> Numbers:
    return MAX_ADDITION * strength


_shears = partial(_signed, MAX_SHEAR)
_translations = partial(_signed, MAX_TRANSLATION)
_saturation = partial(_kornia, kornia.enhance.adjust_saturation_with_gray_subtraction)
_brightness = partial(_kornia, kornia.enhance.adjust_brightness_accumulative)

# value for each image from strength and sign, and what is done with it
OPERATIONS: dict[str, tuple[Callable[[Numbers, Numbers], Numbers], Callable[..., Tensor]]] = {
    "auto_contrast": (_nothing, _auto_contrast),
    "equalize": (_nothing, _equalize),
    "invert": (_nothing, _invert),
    "rotate": (partial(_signed, MAX_ROTATION), partial(_warp, _rotation)),
    "posterize": (_bits, _posterize),
    "solarize": (_threshold, partial(_kornia, kornia.enhance.solarize)),
    "solarize_add": (_addition, _solarize_add),
    "saturation": (_factor, _saturation),
    "contrast": (_factor, _contrast),
    "brightness": (_factor, _brightness),
    "sharpness": (_factor, partial(_kornia, kornia.enhance.sharpness)),
    "shear_x": (_shears, partial(_warp, partial(_shear, row=0))),
    "shear_y": (_shears, partial(_warp, partial(_shear, row=1))),
    "translate_x": (_translations, partial(_warp, partial(_translation, row=0))),
    "translate_y": (_translations, partial(_warp, partial(_translation, row=1))),
}
