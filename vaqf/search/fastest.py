"""The fastest legal design of each precision, by branch and bound.

Arrays are looked at in the order of a lower bound of their cycles, until the bound passes the best.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import Any

from vaqf.arithmetic import widths
from vaqf.cycles.schedule import WAIT_SHARE
from vaqf.cycles.timeline import READ
from vaqf.hardware import design as shapes
from vaqf.hardware.design import Design
from vaqf.resources import parts
from vaqf.resources.parts import Parts
from vaqf.search.blocked import Blocked
from vaqf.search.estimate import Estimate
from vaqf.search.plan import Plan, plans
from vaqf.search.space import Problem, Weighed, array_floor, arrays


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


class Best:
    """The fastest design so far. A design is followed command by command, which takes long, when
    nothing that could be faster is left to look at."""

    def __init__(self, problem: Problem) -> None:
        self.design: Design | None = None
        self.duration: float = math.inf  # of a frame, in cycles of Problem.counted_mhz
        self._problem = problem
        self._waiting: list[tuple[float, int, Design]] = []
        self._offers = 0

    def offer(self, bound: float, design: Design) -> None:
        """A legal design that takes no fewer cycles than the bound."""
        self._offers += 1
        if bound < self.duration:
            heappush(self._waiting, (bound, self._offers, design))

    def follow(self, bound: float) -> None:
        """All that wait and may be faster than what such a bound has."""
        while self._waiting and self._waiting[0][0] <= bound:
            least, _, design = heappop(self._waiting)
            if least < self.duration:
                duration = self._problem.duration(design)
                if duration < self.duration:
                    self.design, self.duration = design, duration


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
    best, blocked = Best(problem), Blocked()
    if known is not None:
        best.offer(0, replace(known, act_bits=act_bits))
    for bound, array in arrays(problem, act_bits):
        best.follow(bound)
        if bound >= best.duration:
            break
        share, resource = array_floor(problem, act_bits, array)
        if share > 1:
            blocked.add(share, resource)
            continue
        for plan in plans(problem, act_bits, array):
            if plan.interval(problem.frames[0], problem.vit.tokens) >= best.duration:
                continue
            if not _smallest_fits(plan, blocked):
                continue
            for design in _faster(problem, plan, best.duration, blocked):
                best.offer(plan.bound(design), design)
    best.follow(math.inf)
    if best.design is not None:
        result = problem.estimate(best.design)
        return Candidate(act_bits, result, True, True, _limit(result, blocked))
    close = blocked.nearest_plan() or _smallest_of_all(problem, act_bits)
    result = problem.estimate(close.smallest_design())
    return Candidate(act_bits, result, False, False, close.smallest.resource)


def _smallest_fits(plan: Plan, blocked: Blocked) -> bool:
    """Whether the smallest design of a plan is legal, and so some design of it."""
    if not plan.outline.fits:
        least = plan.least_share
        if least <= 1:
            least = plan.smallest.share
        if least > 1:
            blocked.add_plan(least, plan)
        plan.outline.fits = least <= 1
    return plan.outline.fits


def _faster(problem: Problem, plan: Plan, than: float, blocked: Blocked) -> Iterator[Design]:
    """A plan's legal designs that could be faster; what stops the others goes to `blocked`."""
    for frames, rows in plan.engines(None, than):
        fewest = 1 if than == math.inf else min(plan.rows(frames, int(than) - 1))
        for storage in plan.storages:
            # what is less than all of them
            narrowest = plan.narrowest(storage, frames, rows)
            least = problem.fit(narrowest)
            if least.share > 1 and not _fits(problem, narrowest, fewest):
                blocked.add(least.share, least.resource)
                continue
            for design in _narrower(plan.design(storage, frames, rows)):
                weighed = problem.fit(parts.of(design))
                if weighed.share <= 1:
                    yield _with_sums(design, weighed)
                    break
                blocked.add(weighed.share, weighed.resource)
                fewer = _fewer_rows(problem, design, fewest)
                if fewer is not None:
                    yield fewer


def _narrower(design: Design) -> Iterator[Design]:
    """The design, and with fewer weight ports: their buffers are not free."""
    yield design
    for ports in reversed(shapes.WEIGHT_PORTS):
        if ports < design.weight_ports:
            yield replace(design, weight_ports=ports)


def _fits(problem: Problem, every: Parts, rows: int) -> bool:
    """Whether a design of such parts is legal with so many query rows."""
    return problem.fit(every.with_rows(rows)).share <= 1


def _with_sums(design: Design, weighed: Weighed) -> Design:
    """The design that was weighed, with its sums on DSPs."""
    return replace(design, dsp_sums=weighed.dsp_sums) if weighed.dsp_sums else design


def _fewer_rows(problem: Problem, design: Design, fewest: int) -> Design | None:
    """An illegal design with the most query rows that are legal, if those are no fewer than that.

    Fewer rows use less and take longer, so the number of row groups is found by bisection.
    """
    tokens = problem.vit.tokens

    def rows(groups: int) -> int:
        return widths.ceil_div(tokens, groups)

    every = parts.of(design)
    illegal, legal = rows(design.attention_rows), rows(fewest)
    if legal <= illegal or not _fits(problem, every, rows(legal)):
        return None
    while legal - illegal > 1:
        middle = (legal + illegal) // 2
        if _fits(problem, every, rows(middle)):
            legal = middle
        else:
            illegal = middle
    found = replace(design, attention_rows=rows(legal))
    return _with_sums(found, problem.fit(parts.of(found)))


def _limit(result: Estimate, blocked: Blocked) -> str:
    """What stops a faster design: the resource of the nearest one, else what it waits for.

    "dsp": attention binds; "dram": what is read does; "array": no larger array is looked at.
    """
    resource = blocked.resource()
    if resource is not None:
        return resource
    waits = {"dsp": 0, "dram": 0}
    for layer in result.layers:
        if layer.bound_by == "attention":
            waits["dsp"] += layer.exposed_cycles
        elif layer.bound_by in READ:
            waits["dram"] += layer.exposed_cycles
    longest = max(waits, key=lambda key: waits[key])
    return longest if WAIT_SHARE * waits[longest] >= result.cycles_per_frame else "array"


def _smallest_of_all(problem: Problem, act_bits: int) -> Plan:
    """The one with the least demanding design around the smallest arrays."""
    small = sorted((t * p * k, (t, p, k)) for _, (t, p, k) in arrays(problem, act_bits))
    around = [plan for _, array in small[:4] for plan in plans(problem, act_bits, array)]
    return min(around, key=lambda plan: plan.smallest.share)
