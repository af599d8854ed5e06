"""The smallest legal design of a precision that still meets a target.

Smallest: the lowest maximum of used / available; ties by LUT, DSP, BRAM.
"""

from collections.abc import Iterator
from heapq import heappop, heappush

from vaqf.resources.memories import Array
from vaqf.resources.use import largest_share
from vaqf.search.estimate import Estimate
from vaqf.search.space import Plan, Problem, array_floor, arrays, plans, size_floor

SMALLEST_ARRAYS = 4  # T looked at for each P x K
Size = tuple[float, ...]


def smallest(problem: Problem, fastest: Estimate, target: float) -> Estimate:
    """The smallest legal design of the fastest one's precision that reaches so many FPS."""
    limit = int(min(problem.clock_mhz * 1e6 / target, 2**62))  # 1e-300 FPS allow infinity
    best, best_size = fastest.design, _size(problem, fastest.use)
    for floor, plan in _by_size(problem, fastest.act_bits, limit):
        if floor >= best_size:
            break
        for frames in problem.frames:
            for rows in plan.rows(frames, limit):
                if plan.interval(frames, rows) > limit:
                    continue
                for design in plan.designs(frames, rows, all_ports=True):
                    weighed = problem.weigh(design)
                    size = _size(problem, weighed.use)
                    if (
                        size < best_size
                        and weighed.share <= 1
                        and plan.bound(design) <= limit
                        and problem.interval(design) <= limit
                    ):
                        best, best_size = design, size
    return problem.estimate(best)


def _by_size(problem: Problem, act_bits: int, limit: int) -> Iterator[tuple[Size, Plan]]:
    """Plans that may meet the limit, by the size of their smallest designs.

    The plans of an array are weighed when nothing left is smaller than the array alone.
    """
    waiting: list[tuple[Size, Array, int, Plan | None]] = []
    for array in _just_fast_enough(arrays(problem, act_bits), limit):
        if array_floor(problem, act_bits, array)[0] <= 1:
            heappush(waiting, ((size_floor(problem, act_bits, array),), array, 0, None))
    while waiting:
        size, array, _, plan = heappop(waiting)
        if plan is not None:
            yield size, plan
            continue
        for index, one in enumerate(plans(problem, act_bits, array)):
            heappush(waiting, (_size(problem, one.smallest.use), array, index, one))


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


def _size(problem: Problem, use: dict[str, float]) -> Size:
    available = problem.board.available()
    return (largest_share(use, available), use["lut"], use["dsp"], use["bram36"])
