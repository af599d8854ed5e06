"""How many sums of a design begin on DSPs: as many as lower the largest share of the device.

Each takes LUTs and flip-flops less and DSPs more, the same as every other one, so that the best
number is where the lines of both meet: no loop over numbers.
"""

import math
from functools import lru_cache
from typing import NamedTuple

from vaqf.hardware.fabric import Resources
from vaqf.resources.parts import Array, ArrayPart
from vaqf.resources.quantities import late_sum_ffs
from vaqf.resources.use import dsp_sums_use

FABRIC = ("lut", "ff")  # what a sum on DSPs takes less of
OTHERS = ("lutram", "ff", "bram36", "uram")  # what hardly changes, or not at all


class Sum(NamedTuple):
    """What a sum on DSPs takes less of LUTs and flip-flops, and the DSPs that it takes more."""

    lut: float
    ff: float
    dsp: float
    waiting: int  # flip-flops that wait for the first one, of all others; less with each


@lru_cache(maxsize=1024)
def one(act_bits: int, array: Array) -> Sum:
    """One of an array, which are all the same."""
    lanes = array[0] * array[1]
    every = dsp_sums_use(act_bits, array, lanes)
    waiting = late_sum_ffs(act_bits, array, 1) * lanes // max(1, lanes - 1)
    return Sum(-every.lut / lanes, (waiting - every.ff) / lanes, every.dsp / lanes, waiting)


def fewest(each: Sum, use: Resources, budget: Resources) -> int:
    """With which a design that takes so much without any has LUTs and flip-flops enough."""
    if use.lut <= budget.lut and use.ff <= budget.ff:
        return 0
    return max(
        1,
        _until(use.lut, budget.lut, each.lut),
        _until(use.ff + each.waiting, budget.ff, each.ff),
    )


def most(act_bits: int, array: Array, dsps: float) -> int:
    """For which so many DSPs are enough."""
    return max(0, min(array[0] * array[1], math.floor(dsps / one(act_bits, array).dsp)))


def best(part: ArrayPart, use: Resources, budget: Resources, available: Resources) -> int:
    """The number by which the largest used / available is lowest within the budget.

    `use`: what the design takes without any. As near to legal as it gets if no number is legal,
    and 0 for the adder engine.
    """
    if part.engine != "table":
        return 0
    each = one(part.act_bits, part.array)
    # beyond that something else is the largest
    other = max(use[name] / available[name] for name in OTHERS if available[name])
    useful = min(_until(use.lut, other * available.lut, each.lut), _level(each, use, available))
    legal = most(part.act_bits, part.array, budget.dsp - use.dsp)
    return max(0, min(legal, max(fewest(each, use, budget), useful)))


def _until(used: float, allowed: float, saved: float) -> int:
    """The fewest sums after which no more is used than that."""
    return max(0, math.ceil((used - allowed) / saved)) if saved > 0 else 0


def _level(each: Sum, use: Resources, available: Resources) -> int:
    """The number by which the larger share, of LUTs and of DSPs, is smallest."""
    if not available.dsp:
        return 0
    higher = use.lut / available.lut - use.dsp / available.dsp
    below = math.floor(higher / (each.lut / available.lut + each.dsp / available.dsp))
    left = (use.lut - below * each.lut) / available.lut
    return below if left <= (use.dsp + (below + 1) * each.dsp) / available.dsp else below + 1
