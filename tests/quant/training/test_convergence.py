"""When a run says that its float model is far from converged, and when it does not."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from vaqf.quant.data.augment import smoothed
from vaqf.quant.recipe import recipe
from vaqf.quant.report.history import Row
from vaqf.quant.training.convergence import lowest_loss, notes

BEST = replace(recipe.load("best"), epochs=80, batch=64, augment="affine")


def log(*losses: float, stage: str = "float") -> list[Row]:
    return [
        Row(stage, number, number, 1e-3, 0.0, None, loss, None, None, 1.0, 1.0)
        for number, loss in enumerate(losses, 1)
    ]


@pytest.mark.parametrize(("smoothing", "classes"), [(0.0, 10), (0.1, 10), (0.9, 2), (0.3, 1000)])
def test_the_lowest_loss_is_that_of_the_targets_themselves(smoothing: float, classes: int) -> None:
    targets = smoothed(torch.tensor([0]), classes, smoothing).double()
    wanted = functional.cross_entropy(targets.log().clamp(min=-1e9), targets)
    found = lowest_loss(replace(BEST, smoothing=smoothing), classes)
    assert found == pytest.approx(float(wanted), abs=1e-6)
    mixed = replace(BEST, smoothing=smoothing, cutmix=1.0)
    assert lowest_loss(mixed, classes) == pytest.approx(found + math.log(2))


@pytest.mark.parametrize(
    ("loss", "told"),
    [(2.30, True), (1.68, True), (1.0, True), (0.92, False), (0.67, False), (0.5, False)],
)
def test_a_training_loss_near_chance_is_told(loss: float, told: bool) -> None:
    """10 classes, smoothing 0.1: chance is 2.30, 0.50 the lowest; a quarter of the way is 0.95."""
    found = notes(BEST, 10, [*log(2.2, loss), *log(0.1, stage="binary")], 900, 900, 1000)
    assert bool(found) == told
    if told:
        assert found == (
            f"the float model is far from converged: its training loss ended at {loss:.2f}, where"
            " chance is 2.30 and 0.50 the lowest; train longer (--epochs 240), change pictures less"
            " (--set augment=shift), take a smaller model or larger patches, or give a pretrained"
            " float model (--teacher FILE)",
        )


@pytest.mark.parametrize(
    ("correct", "float_correct", "images", "told"),
    [
        (514, 436, 1000, True),  # MNIST as class folders before auto: 51.4 and 43.6 %
        (831, 791, 1000, True),
        (355, 356, 360, False),
        (356, 352, 360, False),
        (985, 984, 1000, False),
        (1000, 980, 1000, True),
        (12, 8, 12, False),  # of twelve images four are no evidence
    ],
)
def test_a_network_ahead_of_its_teacher_is_told(
    correct: int, float_correct: int, images: int, told: bool
) -> None:
    found = notes(BEST, 10, log(0.6), correct, float_correct, images)
    assert bool(found) == told
    ahead = 100 * (correct - float_correct) / images
    assert all(f"is {ahead:.1f} points ahead; train longer" in note for note in found)


def test_runs_without_a_float_model_of_their_own() -> None:
    one_shot = replace(recipe.load("one_shot"), epochs=1, batch=64, augment="none")
    assert notes(one_shot, 10, log(2.3, stage="binary"), 100, None, 1000) == ()
    given = notes(BEST, 10, log(2.3, stage="binary"), 100, 900, 1000)  # --teacher
    assert given == ()


def test_the_advice_is_about_the_run_at_hand() -> None:
    (note,) = notes(replace(BEST, augment="none"), 10, log(2.3), 1, 1, 10)
    assert "augment" not in note
    (short,) = notes(replace(BEST, epochs=2), 10, log(2.3), 1, 1, 10)
    assert "train longer (--epochs 80)," in short
    assert np.isfinite(lowest_loss(replace(BEST, smoothing=0.0), 1))
