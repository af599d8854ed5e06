"""What a recipe's `auto` means for the images at hand: the batch, the epochs, the augmentation."""

from dataclasses import replace

from vaqf.files.fields import AUTO
from vaqf.model.vit import Vit
from vaqf.quant.data.sources import Data
from vaqf.quant.recipe.recipe import Recipe
from vaqf.quant.training.mirrors import mirrored

BATCH = 64
SMALLEST_BATCH = 16
EPOCH_STEPS = 8  # of an epoch, if a batch that is not smaller than the smallest gives them
EPOCHS = 80
TINY, SMALL = 16, 40  # pixels each way
TINY_STEPS = 1760  # optimizer steps of a run, at least: what the digits get in 80 epochs
RUN_STEPS = 6400  # of pictures that are not tiny
MANY = 50_000  # images


def settled(recipe: Recipe, vit: Vit, data: Data) -> Recipe:
    """The recipe with a value for every auto: as a run follows it, and as resuming compares it."""
    batch = _batch(data.images) if recipe.batch == AUTO else int(recipe.batch)
    epochs = _epochs(vit, data.images, batch) if recipe.epochs == AUTO else recipe.epochs
    augment = _augment(vit, data) if recipe.augment == AUTO else recipe.augment
    return replace(recipe, batch=batch, epochs=epochs, augment=augment)


def _batch(images: int) -> int:
    """64, halved for a set that is a few of those."""
    batch = BATCH
    while batch > SMALLEST_BATCH and images < EPOCH_STEPS * batch:
        batch //= 2
    return batch


def _epochs(vit: Vit, images: int, batch: int) -> int:
    """80, or of a small set as many as the steps of a run need."""
    wanted = TINY_STEPS if vit.image_size <= TINY else RUN_STEPS
    steps = max(1, images // batch)
    return max(EPOCHS, -(-wanted // steps))


def _augment(vit: Vit, data: Data) -> str:
    """The policy by the size of the pictures and how many there are.

    Of 8 x 8 pixels a turned picture leaves little, and of a small picture a random part tells too
    little.
    """
    if vit.image_size <= TINY:
        return "shift"
    if vit.image_size <= SMALL or not mirrored(data):
        return "affine"
    return "deit" if data.images >= MANY else "flip"
