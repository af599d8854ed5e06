"""The smallest legal design of a precision that still meets a target.

Smallest: the lowest maximum of used / available; ties by LUT, DSP, BRAM.
"""

from collections.abc import Iterator
from dataclasses import replace
from heapq import heappop, heappush

from vaqf.hardware import design as shapes
from vaqf.hardware.design import Design
from vaqf.hardware.fabric import Resources
from vaqf.resources import parts
from vaqf.resources.parts import Array
from vaqf.search.estimate import Estimate
from vaqf.search.plan import Plan, plans
from vaqf.search.space import Problem, Weighed, array_floor, arrays, size_floor

SMALLEST_ARRAYS = 4  # T looked at for each P x K
Size = tuple[float, ...]


def smallest(problem: Problem, fastest: Estimate, target: float) -> Estimate:
    """The smallest legal design of the fastest one's precision that reaches so many FPS."""
    limit = int(min(problem.counted_mhz * 1e6 / target, 2**62))  # 1e-300 FPS allow infinity
    best, best_size = fastest.design, _size(problem, fastest.use)
    for floor, plan in _by_size(problem, fastest.act_bits, limit):
        if floor >= best_size:
            break
        for frames, rows in plan.engines(limit, limit + 1):
            for design in _all_ports(plan, frames, rows):
                if plan.bound(design) > limit:
                    continue
                for weighed in _with_sums(problem, design):
                    size = _size(problem, weighed.use)
                    if size < best_size and weighed.share <= 1:
                        one = replace(design, dsp_sums=weighed.dsp_sums)
                        if problem.duration(one) <= limit:
                            best, best_size = one, size
    return problem.estimate(best)


def _with_sums(problem: Problem, design: Design) -> Iterator[Weighed]:
    """A design with sums on DSPs if they make it smaller, and without them, which is faster."""
    every = parts.of(design)
    smaller = problem.smallest(every)
    yield smaller
    if smaller.dsp_sums:
        yield problem.weigh_parts(every)


def _all_ports(plan: Plan, frames: int, rows: int) -> Iterator[Design]:
    """A plan's designs through every number of ports: fewest first, most last."""
    for storage in plan.storages:
        widest = plan.design(storage, frames, rows)
        for ports in shapes.WEIGHT_PORTS:
            if ports < widest.weight_ports:
                yield replace(widest, weight_ports=ports)
        yield widest


def _by_size(problem: Problem, act_bits: int, limit: int) -> Iterator[tuple[Size, Plan]]:
    """Plans that may meet the limit, by the size of their smallest designs.

    The plans of an array are weighed when nothing left is smaller than the array alone.
    """
    waiting: list[tuple[Size, Array, int, Plan | None]] = []
    for array in _just_fast_enough(arrays(problem, act_bits), limit):
        share, _ = array_floor(problem, act_bits, array)
        if share <= 1:
            heappush(waiting, ((size_floor(problem, act_bits, array),), array, 0, None))
    while waiting:
        size, array, _, plan = heappop(waiting)
        if plan is not None:
            yield size, plan
            continue
        for index, one in enumerate(plans(problem, act_bits, array)):
            if one.engines(limit, limit + 1):
                least = problem.smallest(one.smallest_parts)
                heappush(waiting, (_size(problem, least.use), array, index, one))


def _just_fast_enough(found: list[tuple[int, Array]], limit: int) -> Iterator[Array]:
    """Of every P x K the few smallest T whose bound meets the limit.

    All costs grow with T; a few, because a bound is not the interval, and because a faster array
    may leave the time for a smaller attention engine.
    """
    taken: dict[tuple[int, int], int] = {}
    for bound, (tokens, pe, simd) in sorted(found, key=lambda entry: entry[1]):
        if bound <= limit and taken.get((pe, simd), 0) < SMALLEST_ARRAYS:
            taken[pe, simd] = taken.get((pe, simd), 0) + 1
            yield tokens, pe, simd


def _size(problem: Problem, use: Resources) -> Size:
    return (use.largest_share(problem.board.available()), use.lut, use.dsp, use.bram36)
