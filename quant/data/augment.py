"""Augmentation of one micro-step: images changed at random, mixed with a neighbour, soft targets.

All random numbers of a global batch are drawn from its seed alone, on every process the same, and
each process takes those of its slice: augmenting a slice is slicing the augmented whole.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vaqf.errors import InputError
from vaqf.files.fields import check_choice, check_field
from vaqf.model.vit import Vit
from vaqf.quant.data import randaugment
from vaqf.quant.data.batches import Batch
from vaqf.quant.recipe.recipe import POLICIES, Recipe

MIN_SIZE = 3  # of an image for deit: sharpness is a 3 x 3 filter
SWITCH = 0.5  # the probability of cutmix where both are on
# random erasing, arXiv 1708.04896 with the shares of timm and DeiT's `pixel` mode
ERASE = 0.25  # the probability
ERASE_AREA = (0.02, 1 / 3)  # of the image
ERASE_RATIO = (0.3, 1 / 0.3)  # height / width
ERASE_TRIES = 10


def auto(data: str) -> str:
    """The policy that suits --data: a mirrored digit is none, a mirrored shape is one."""
    return {"digits": "shift", "shapes": "flip"}.get(data.lower(), "deit")


@dataclass(frozen=True)
class Mix:
    """How the images of one global batch are mixed with their neighbours."""

    share: float  # of the image itself; the neighbour has the rest
    box: tuple[int, int, int, int] | None  # cutmix: top, bottom, left, right; mixup: None


class Augment:
    """One policy with mixup, cutmix and label smoothing, as DeiT's (arXiv 2012.12877, table 9).

    none: the images. shift: up to one pixel each way. flip: mirrored with probability 1/2.
    deit: flip, RandAugment and random erasing; whole pixels, 0 to 255.
    mixup, cutmix: alpha of Beta(alpha, alpha), 0 is off; one share for the global batch, and the
    neighbours 2i and 2i + 1 are partners (timm's partner is the mirrored batch; a slice needs no
    other slice here). smoothing: what all classes share of the target.
    InputError for an unknown policy or a number out of range.
    """

    def __init__(
        self,
        policy: str,
        vit: Vit,
        classes: int,
        *,
        mixup: float = 0.0,
        cutmix: float = 0.0,
        smoothing: float = 0.0,
    ) -> None:
        check_choice(policy, "augmentation", POLICIES)
        for name, value in (("mixup", mixup), ("cutmix", cutmix), ("smoothing", smoothing)):
            check_field(Recipe, name, value)
        if policy == "deit" and (vit.channels not in {1, 3} or vit.image_size < MIN_SIZE):
            raise InputError(
                f"augmentation deit needs 1 or 3 channels and {MIN_SIZE} x {MIN_SIZE} pixels or "
                f"more, and {vit.name} has {vit.channels} and {vit.image_size} x {vit.image_size}; "
                "take none, shift or flip"
            )
        self.policy, self.vit, self.classes = policy, vit, classes
        self.mixup, self.cutmix, self.smoothing = mixup, cutmix, smoothing

    @torch.no_grad()
    def __call__(self, batch: Batch, seed: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """Pixels float32 [b, S, S, C] on 0..255 and targets float32 [b, classes].

        seed names the global batch: run, epoch, step. InputError where mixing would need an image
        of another slice: its size must be even.
        """
        policy_rng, mix_rng = np.random.default_rng(seed).spawn(2)
        pixels = _apply(self.policy, batch, policy_rng, self.vit)
        targets = smoothed(batch.labels, self.classes, self.smoothing)
        mix = self._draw_mix(mix_rng, batch.pixels.shape[1])
        if mix is None:
            return pixels, targets
        partner = _partners(batch).to(pixels.device)
        mixed = _mixed(pixels, pixels[partner], mix)
        return mixed, targets * mix.share + targets[partner] * (1 - mix.share)

    def _draw_mix(self, rng: np.random.Generator, size: int) -> Mix | None:
        cut = self.cutmix > 0 and (self.mixup == 0 or rng.random() < SWITCH)
        alpha = self.cutmix if cut else self.mixup
        if alpha == 0:
            return None
        share = float(rng.beta(alpha, alpha))
        if not cut:
            return Mix(share, None)
        side = round(size * math.sqrt(1 - share))
        top, left = (int(rng.integers(size)) - side // 2 for _ in range(2))
        low, high = np.clip([[top, left], [top + side, left + side]], 0, size)
        inside = (high[0] - low[0]) * (high[1] - low[1]) / size**2
        return Mix(1 - float(inside), (int(low[0]), int(high[0]), int(low[1]), int(high[1])))


def smoothed(labels: Tensor, classes: int, smoothing: float) -> Tensor:
    """Targets float32 [b, classes]: 1 - smoothing for the label, the rest shared by all classes."""
    hot = functional.one_hot(labels, classes).float()
    return hot * (1 - smoothing) + smoothing / classes


def _partners(batch: Batch) -> Tensor:
    """The place of each image's neighbour; the last of an odd global batch is its own."""
    count, end = len(batch.labels), batch.start + len(batch.labels)
    if batch.start % 2 or (end % 2 and end != batch.whole):
        raise InputError(
            f"mixup and cutmix pair neighbours, and a slice has {count} images; choose a batch "
            "of which each process and accumulation step gets an even number"
        )
    partner = torch.arange(count) ^ 1
    return partner.clamp(max=count - 1)


def _mixed(pixels: Tensor, others: Tensor, mix: Mix) -> Tensor:
    if mix.box is None:
        return pixels * mix.share + others * (1 - mix.share)
    top, bottom, left, right = mix.box
    mixed = pixels.clone()
    mixed[:, top:bottom, left:right] = others[:, top:bottom, left:right]
    return mixed


def _apply(policy: str, batch: Batch, rng: np.random.Generator, vit: Vit) -> Tensor:
    """One policy on one slice; what is drawn is drawn for the global batch."""
    ours = slice(batch.start, batch.start + len(batch.labels))
    device = batch.pixels.device
    match policy:
        case "shift":
            offsets = rng.integers(0, 3, (2, batch.whole))[:, ours]
            share = rng.random(batch.whole, np.float32)[ours]
            return shifted(
                batch.pixels,
                torch.from_numpy(offsets).to(device),
                torch.from_numpy(share).to(device),
            )
        case "flip":
            return _flipped(batch.pixels, rng, batch.whole, ours).float()
        case "deit":
            flipped = _flipped(batch.pixels, rng, batch.whole, ours)
            choice = randaugment.draw(rng, batch.whole).part(ours)
            changed = randaugment.randaugment(flipped.permute(0, 3, 1, 2), choice, vit)
            erasures = draw_erasures(rng, batch.whole, vit).part(ours)
            return erased(changed.permute(0, 2, 3, 1).float(), erasures)
        case _:
            return batch.pixels.float()


def shifted(pixels: Tensor, offsets: Tensor, share: Tensor) -> Tensor:
    """Each image [b, S, S, C] moved by up to one pixel each way; black comes in at the border.

    offsets: rows and columns [2, b], 0 to 2, 1 is in place. A fraction of a pixel is a blend:
    `share` [b] of the moved image and the rest of the image, so the result is real.
    """
    count, size = pixels.shape[:2]
    padded = functional.pad(pixels, (0, 0, 1, 1, 1, 1))
    rows, columns = offsets[..., None] + torch.arange(size, device=pixels.device)
    images = torch.arange(count, device=pixels.device)
    moved = padded[images[:, None, None], rows[:, :, None], columns[:, None, :]]
    weight = share[:, None, None, None]
    return pixels * (1 - weight) + moved * weight


def _flipped(pixels: Tensor, rng: np.random.Generator, whole: int, ours: slice) -> Tensor:
    mirrored = torch.from_numpy(rng.random(whole) < 0.5)[ours].to(pixels.device)
    return torch.where(mirrored[:, None, None, None], pixels.flip(2), pixels)


@dataclass(frozen=True, eq=False)
class Erasures:
    """What random erasing covers in n images, and with what."""

    boxes: NDArray[np.int64]  # [n, 4]: top, left, bottom, right; empty for most
    rolls: NDArray[np.int64]  # [n, 2]: how far the noise is rolled, so that no two covers agree
    noise: NDArray[np.float32]  # [S, S, C], whole pixels of the model's mean and spread

    def part(self, images: slice) -> "Erasures":
        """The same for some of the images."""
        return Erasures(self.boxes[images], self.rolls[images], self.noise)


def draw_erasures(rng: np.random.Generator, count: int, vit: Vit) -> Erasures:
    """Erasures of `count` images: the first of ten boxes that fits, as timm's RandomErasing."""
    size = vit.image_size
    tries = (count, ERASE_TRIES)
    area = rng.uniform(*ERASE_AREA, tries) * size**2
    flattest, tallest = map(math.log, ERASE_RATIO)
    ratio = np.exp(rng.uniform(flattest, tallest, tries))
    sides = np.rint(np.sqrt(np.stack([area * ratio, area / ratio]))).astype(np.int64)
    fits = np.all(sides < size, axis=0)
    first = sides[:, np.arange(count), fits.argmax(axis=1)].T
    chosen = (rng.random(count) < ERASE) & np.any(fits, axis=1)
    sides = np.where(chosen[:, None], first, 0)
    start = np.floor(rng.random((count, 2)) * (size - sides + 1)).astype(np.int64)
    noise = rng.standard_normal((size, size, vit.channels)) * vit.std + vit.mean
    return Erasures(
        boxes=np.hstack([start, start + sides]),
        rolls=rng.integers(0, size, (count, 2)),
        noise=np.rint(noise * 255).clip(0, 255).astype(np.float32),
    )


def erased(pixels: Tensor, erasures: Erasures) -> Tensor:
    """Pixels float [n, S, S, C] with noise in each image's box."""
    top, _, bottom, _ = erasures.boxes.T
    (images,) = np.nonzero(bottom > top)
    at = torch.arange(pixels.shape[1], device=pixels.device)
    chosen, boxes, rolls = (
        torch.from_numpy(part).to(pixels.device)
        for part in (images, erasures.boxes[images], erasures.rolls[images])
    )
    inside = [(at >= boxes[:, i, None]) & (at < boxes[:, i + 2, None]) for i in range(2)]
    rows, columns = ((rolls[:, i, None] + at) % len(at) for i in range(2))
    noise = torch.from_numpy(erasures.noise).to(pixels.device)
    covered = (inside[0][:, :, None] & inside[1][:, None, :])[..., None]
    result = pixels.clone()
    result[chosen] = torch.where(
        covered, noise[rows[:, :, None], columns[:, None, :]], pixels[chosen]
    )
    return result
