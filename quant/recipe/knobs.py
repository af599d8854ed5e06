"""What a stage sets at every optimizer step, as a function of the step alone.

Nothing is carried from step to step, so a run that is resumed turns the same knobs.
"""

import math
from dataclasses import dataclass

from vaqf.arithmetic import widths
from vaqf.quant.recipe.recipe import Recipe, Stage


@dataclass(frozen=True)
class Knobs:
    """The knobs of one step."""

    lr: float
    binary: float  # share of the weights that is binary, 0 to 1
    act_bits: int | None  # None: real activations
    integer: bool  # whether the forward pass is the integer network's


def learning_rate(top: float, warmup: float, step: int, steps: int) -> float:
    """A linear rise over `warmup` of the steps to `top`, then half a cosine to nearly zero."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return top * (step + 1) / rise
    return top * 0.5 * (1 + math.cos(math.pi * (step + 1 - rise) / (steps + 1 - rise)))


def binary_share(stage: Stage, step: int, steps: int) -> float:
    """Linear from 0 to 1 over the ramp (VAQF, section 4.2); 1 after it, 0 for a float model."""
    if stage.real:
        return 0.0
    return min(1.0, step / (stage.ramp * steps)) if stage.ramp else 1.0


def precision(stage: Stage, act_bits: int, step: int, steps: int) -> int | None:
    """The widest activations first, then one bit less at a time over the bits ramp."""
    if stage.activations == "real":
        return None
    extra = widths.MAX_ACT_BITS - act_bits
    ramp = stage.bits_ramp * steps
    if step >= ramp:
        return act_bits
    return act_bits + extra - int(step * (extra + 1) / ramp)


def knobs(recipe: Recipe, stage: Stage, act_bits: int, step: int, steps: int) -> Knobs:
    """Step 0..steps-1 of a stage."""
    return Knobs(
        lr=learning_rate(recipe.lr * stage.lr, recipe.warmup, step, steps),
        binary=binary_share(stage, step, steps),
        act_bits=precision(stage, act_bits, step, steps),
        integer=step >= steps * (1 - stage.integer_share),
    )
