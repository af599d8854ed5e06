"""The fastest legal design of each precision, by branch and bound.

Arrays are looked at in the order of a lower bound of their cycles, until the bound passes the best.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from vaqf.arithmetic import widths
from vaqf.cycles.schedule import WAIT_SHARE
from vaqf.hardware import design as shapes
from vaqf.hardware.design import Design
from vaqf.search.estimate import Estimate
from vaqf.search.space import Plan, Problem, Weighed, array_floor, arrays, plans


@dataclass(frozen=True)
class Candidate:
    """One precision: its fastest legal design, or the one nearest to legal."""

    act_bits: int
    estimate: Estimate
    legal: bool
    feasible: bool  # legal, and meets the target if there is one
    limited_by: str  # what stops a faster (or any) design

    def to_json(self) -> dict[str, Any]:
        """One entry of search[]; fps is null where no design is legal."""
        fps = self.estimate.fps if self.legal else None
        return {
            "act_bits": self.act_bits,
            "fps": fps,
            "feasible": self.feasible,
            "limited_by": self.limited_by,
        }


def fastest_per_precision(problem: Problem) -> Iterator[Candidate]:
    """The fastest legal design of each precision, from 8 bits down.

    A design legal at A bits is legal at A - 1, so each result bounds the next search.
    """
    known: Design | None = None
    for act_bits in range(widths.MAX_ACT_BITS, widths.MIN_ACT_BITS - 1, -1):
        candidate = _fastest(problem, act_bits, known)
        known = candidate.estimate.design if candidate.legal else None
        yield candidate


def _fastest(problem: Problem, act_bits: int, known: Design | None) -> Candidate:
    """Branch and bound over the arrays, fastest first."""
    best: Design | None = None
    best_cycles = math.inf
    if known is not None:
        best = replace(known, act_bits=act_bits)
        best_cycles = problem.interval(best)
    blocked: list[tuple[float, str]] = []  # faster designs that are not legal: share, resource
    nearest: list[Weighed] = []  # the smallest of every plan, if over budget
    for bound, array in arrays(problem, act_bits):
        if bound >= best_cycles:
            break
        floor = array_floor(problem, act_bits, array)
        if floor[0] > 1:
            blocked.append(floor)
            continue
        for plan in plans(problem, act_bits, array):
            if plan.interval(problem.frames[0], problem.vit.tokens) >= best_cycles:
                continue
            smallest = plan.smallest
            if smallest.share > 1:
                blocked.append((smallest.share, smallest.resource))
                nearest.append(smallest)
                continue
            for design in _faster(problem, plan, best_cycles, blocked):
                if plan.bound(design) < best_cycles:
                    cycles = problem.interval(design)
                    if cycles < best_cycles:
                        best, best_cycles = design, cycles
    if best is not None:
        result = problem.estimate(best)
        return Candidate(act_bits, result, True, True, _limit(result, blocked))
    close = min(nearest or _small_designs(problem, act_bits), key=lambda entry: entry.share)
    return Candidate(act_bits, problem.estimate(close.design), False, False, close.resource)


def _faster(
    problem: Problem, plan: Plan, than: float, blocked: list[tuple[float, str]]
) -> Iterator[Design]:
    """A plan's legal designs that could be faster; what stops the others goes to `blocked`."""
    for frames in problem.frames:
        for rows in plan.rows(frames, None):
            if plan.interval(frames, rows) >= than:
                continue
            for widest in plan.designs(frames, rows, all_ports=False):
                for design in _narrower(widest):
                    weighed = problem.weigh(design)
                    if weighed.share <= 1:
                        yield design
                        break
                    blocked.append((weighed.share, weighed.resource))
                    if plan.bound(design) < than:
                        fewer = _fewer_rows(problem, plan, design, than)
                        if fewer is not None:
                            yield fewer


def _narrower(design: Design) -> Iterator[Design]:
    """The design, and with fewer weight ports: their buffers are not free."""
    for ports in reversed(shapes.WEIGHT_PORTS):
        if ports <= design.weight_ports:
            yield replace(design, weight_ports=ports)


def _fewer_rows(problem: Problem, plan: Plan, design: Design, than: float) -> Design | None:
    """An illegal design with the most query rows that are legal, if that may still be faster.

    Fewer rows use less and take longer, so the number of row groups is found by bisection.
    """
    frames, tokens = design.frames_in_flight, problem.vit.tokens
    fewest = 1 if than == math.inf else min(plan.rows(frames, int(than) - 1))

    def with_groups(groups: int) -> Design:
        return replace(design, attention_rows=widths.ceil_div(tokens, groups))

    illegal = widths.ceil_div(tokens, design.attention_rows)
    legal = widths.ceil_div(tokens, fewest)
    if legal <= illegal or problem.weigh(with_groups(legal)).share > 1:
        return None
    while legal - illegal > 1:
        middle = (legal + illegal) // 2
        if problem.weigh(with_groups(middle)).share <= 1:
            legal = middle
        else:
            illegal = middle
    return with_groups(legal)


def _limit(result: Estimate, blocked: list[tuple[float, str]]) -> str:
    """What stops a faster design: the resource of the nearest one, else what it waits for.

    "dsp": attention binds; "dram": weights do; "array": no larger array is looked at.
    """
    if blocked:
        return min(blocked)[1]
    waits = {"attention": 0, "weights": 0}
    for layer in result.layers:
        if layer.bound_by in waits:
            waits[layer.bound_by] += layer.exposed_cycles
    longest = max(waits, key=lambda key: waits[key])
    if WAIT_SHARE * waits[longest] < result.cycles_per_frame:
        return "array"
    return "dsp" if longest == "attention" else "dram"


def _small_designs(problem: Problem, act_bits: int) -> list[Weighed]:
    """The least demanding designs around the smallest arrays, with what they lack."""
    small = sorted((t * p * k, (t, p, k)) for _, (t, p, k) in arrays(problem, act_bits))
    return [plan.smallest for _, array in small[:4] for plan in plans(problem, act_bits, array)]
