"""Whether a run's float model came to its end, by what the run has measured; and what to do."""

import math
from collections.abc import Sequence

from vaqf.quant.recipe.recipe import Recipe
from vaqf.quant.report.history import Row
from vaqf.quant.training.defaults import EPOCHS

UNLEARNED = 0.25  # share of the way from chance to the lowest loss that a model may have left
AHEAD = 0.01  # share of the judged images by which a network may beat the model it learned from
DEVIATIONS = 2.0  # by which it must do so to be no accident
LONGER = 3  # times the epochs, or what auto is at least


def lowest_loss(recipe: Recipe, classes: int) -> float:
    """The cross entropy of a model that is right about every target: the targets' own entropy.

    Of two images that are mixed in unknown shares, the largest that it can be.
    """
    rest = recipe.smoothing / classes
    hot = 1 - recipe.smoothing + rest
    smoothed = -hot * math.log(hot) - ((classes - 1) * rest * math.log(rest) if rest else 0.0)
    return smoothed + (math.log(2) if recipe.mixup or recipe.cutmix else 0.0)


def notes(
    recipe: Recipe,
    classes: int,
    rows: Sequence[Row],
    correct: int,
    float_correct: int | None,
    images: int,
) -> tuple[str, ...]:
    """What a person should know of the float model: nothing, or one sentence.

    rows: the log of the run; of a run whose float model was given it has no float epochs. correct,
    float_correct: of the judged `images`, by the network and by its float model.
    """
    first = recipe.stages[0]
    losses = [row.loss for row in rows if first.real and row.stage == first.name]
    chance, lowest = math.log(classes), lowest_loss(recipe, classes)
    if losses and losses[-1] - lowest > UNLEARNED * (chance - lowest):
        return (
            f"the float model is far from converged: its training loss ended at {losses[-1]:.2f},"
            f" where chance is {chance:.2f} and {lowest:.2f} the lowest; {_advice(recipe)}",
        )
    if float_correct is None:
        return ()
    # of the difference of two counts of the same images; less where both err alike
    deviation = math.sqrt(2 * images - correct - float_correct)
    if correct - float_correct > max(AHEAD * images, DEVIATIONS * deviation):
        return (
            "the float model was not at its end: the network that learned from it is"
            f" {100 * (correct - float_correct) / images:.1f} points ahead; {_advice(recipe)}",
        )
    return ()


def _advice(recipe: Recipe) -> str:
    milder = {"deit": "flip", "flip": "none", "affine": "shift", "shift": "none"}
    policy = milder.get(recipe.augment)
    augment = f" change pictures less (--set augment={policy})," if policy else ""
    epochs = max(EPOCHS, LONGER * int(recipe.epochs))
    return (
        f"train longer (--epochs {epochs}),{augment} take a smaller model or"
        " larger patches, or give a pretrained float model (--teacher FILE)"
    )
