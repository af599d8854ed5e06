"""How many sums of a design begin on DSPs: as many as lower the largest share of the device.

Each takes LUTs and flip-flops less and DSPs more, the same as every other one, so that the best
number is where the lines of both meet: no loop over numbers.
"""

import math

from vaqf.hardware.fabric import Resources
from vaqf.hardware.family import Family
from vaqf.resources.parts import Parts
from vaqf.resources.use import array_use

FABRIC = ("lut", "ff")  # what a sum on DSPs takes less of


def best(
    every: Parts, use: Resources, budget: Resources, available: Resources, family: Family
) -> int:
    """The number by which the largest used / available is lowest within the budget.

    `every`: the parts of a design without such a sum, `use`: what it takes. As near to legal as it
    gets if no number is legal, and 0 for the adder engine.
    """
    array = every.array
    if array.engine != "table":
        return 0
    lanes = array.lanes
    none, all_ = array_use(array, family), array_use(array._replace(dsp_sums=lanes), family)
    dsps = (all_.dsp - none.dsp) / lanes
    saved = {name: (none[name] - all_[name]) / lanes for name in FABRIC}
    most = min(lanes, math.floor((budget.dsp - use.dsp) / dsps))
    legal = max(_until(use[name], budget[name], saved[name]) for name in FABRIC)
    # beyond that something else is the largest
    others = [name for name in ("lutram", "bram36", "uram") if available[name]]
    other = max(use[name] / available[name] for name in others)
    useful = _until(use.lut, other * available.lut, saved["lut"])
    return max(0, min(most, max(legal, min(useful, _level(use, available, saved["lut"], dsps)))))


def _until(used: float, allowed: float, saved: float) -> int:
    """The fewest sums after which no more is used than that."""
    return max(0, math.ceil((used - allowed) / saved)) if saved > 0 else 0


def _level(use: Resources, available: Resources, luts: float, dsps: float) -> int:
    """The number by which the larger share, of LUTs and of DSPs, is smallest."""
    if not available.dsp:
        return 0
    higher = use.lut / available.lut - use.dsp / available.dsp
    each = luts / available.lut + dsps / available.dsp
    below = math.floor(higher / each)
    left = (use.lut - below * luts) / available.lut
    return below if left <= (use.dsp + (below + 1) * dsps) / available.dsp else below + 1
