"""Target FPS -> activation bits and Design.

For every precision the fastest legal design is found by branch and bound: arrays in the order of
a lower bound of their cycles, until the bound passes the best. A target takes the highest
precision that meets it, and there the smallest legal design that still does.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from vaqf.arithmetic import widths
from vaqf.arithmetic import widths as arithmetic
from vaqf.cycles.schedule import WAIT_SHARE
from vaqf.errors import InputError
from vaqf.files.fields import check_choice, check_target, check_whole
from vaqf.hardware import design as shapes
from vaqf.hardware import matmuls
from vaqf.hardware.board import Board
from vaqf.hardware.design import ENGINES, Design
from vaqf.model.vit import Vit
from vaqf.resources.memories import Array
from vaqf.resources.use import largest_share, resources, worst_share
from vaqf.search.estimate import Estimate, estimate
from vaqf.search.space import Plan, Problem, array_floor, arrays, plans

SMALLEST_ARRAYS = 4  # T looked at for each P x K


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


@dataclass(frozen=True)
class Search:
    """The answer: the chosen design, or the best that can be had and why it is not enough."""

    estimate: Estimate
    feasible: bool
    target_fps: float | None
    candidates: tuple[Candidate, ...]
    reason: str  # one sentence when infeasible, empty otherwise

    def to_json(self) -> dict[str, Any]:
        """The whole of `vaqf estimate --json`."""
        return {
            **self.estimate.to_json(),
            "target_fps": self.target_fps,
            "feasible": self.feasible,
            "search": [candidate.to_json() for candidate in self.candidates],
        }


def search(
    vit: Vit,
    board: Board,
    *,
    target_fps: float | None,
    act_bits: int | None = None,
    engine: str | None = None,
    clock_mhz: float | None = None,
    lut_budget: int | None = None,
    frames_in_flight: int | None = None,
    design: Design | None = None,
) -> Search:
    """The design for a target frame rate (None: the fastest at act_bits, default 8).

    With act_bits only that precision may be chosen; every precision is still listed. `engine`
    None is the table engine. With `design` nothing is searched: that design is estimated and
    judged, and InputError says where engine or act_bits contradict it. InputError for values
    outside their ranges; a target out of reach is an answer with feasible = False.
    """
    target, clock = check_target(target_fps), board.clock(clock_mhz)
    if engine is not None:
        check_choice(engine, "engine", ENGINES)
    if act_bits is not None:
        check_whole(act_bits, "act_bits", arithmetic.MIN_ACT_BITS, arithmetic.MAX_ACT_BITS)
    budget = board.budget()
    if lut_budget is not None:
        check_whole(lut_budget, "lut_budget", 1, 10**8)
        budget["lut"] = min(budget["lut"], lut_budget)
    if frames_in_flight is not None:
        check_whole(frames_in_flight, "frames_in_flight", 1, 2)
    frames = (2, 1) if frames_in_flight is None else (frames_in_flight,)
    if design is not None:
        _check_pins(design, engine, act_bits, frames_in_flight)
        matmuls.check_fits(design, vit)
        problem = Problem(vit, board, design.engine, clock, budget, frames)
        return _judge(problem, (_pinned(problem, design),), target, design.act_bits)
    problem = Problem(vit, board, engine or ENGINES[0], clock, budget, frames)
    fastest = tuple(_fastest_per_precision(problem))
    pinned = act_bits if target is not None or act_bits is not None else arithmetic.DEFAULT_ACT_BITS
    return _judge(problem, fastest, target, pinned)


def _check_pins(
    design: Design, engine: str | None, act_bits: int | None, frames: int | None
) -> None:
    """What is asked for agrees with the design; None asks for nothing."""
    for name, asked, has in (
        ("engine", engine, design.engine),
        ("act_bits", act_bits, design.act_bits),
        ("frames_in_flight", frames, design.frames_in_flight),
    ):
        if asked is not None and asked != has:
            raise InputError(f"{name} is {asked}, but the design has {has}; give one of them")


def _pinned(problem: Problem, design: Design) -> Candidate:
    result = _estimate(problem, design)
    share, resource = worst_share(result.use, problem.budget)
    legal = share <= 1
    return Candidate(design.act_bits, result, legal, legal, "design" if legal else resource)


def _judge(
    problem: Problem, fastest: tuple[Candidate, ...], target: float | None, pinned: int | None
) -> Search:
    """Choose among the precisions: the highest that meets the target, there the smallest design."""
    judged = tuple(
        replace(c, feasible=c.legal and (target is None or c.estimate.fps >= target))
        for c in fastest
    )
    allowed = [c for c in judged if pinned is None or c.act_bits == pinned]
    good = [c for c in allowed if c.feasible]
    if not good:
        best = max(
            allowed, key=lambda c: (c.legal, c.estimate.fps if c.legal else -c.estimate.size)
        )
        return Search(best.estimate, False, target, judged, _reason(problem, judged, best, target))
    chosen = max(good, key=lambda c: c.act_bits)
    result = chosen.estimate
    if target is not None and len(fastest) > 1:
        result = _smallest(problem, chosen, target)
    return Search(result, True, target, judged, "")


def _reason(
    problem: Problem, fastest: tuple[Candidate, ...], best: Candidate, target: float | None
) -> str:
    e, name = best.estimate, problem.vit.name
    if best.legal:
        return (
            f"{name} cannot reach {target:g} FPS on {problem.board.name} at {e.clock_mhz:g} MHz; "
            f"the best is {e.fps:.1f} FPS at w1a{best.act_bits}, limited by {best.limited_by}"
        )
    resource = best.limited_by
    if any(c.legal for c in fastest):
        most = max(c.act_bits for c in fastest if c.legal)
        return (
            f"{name} does not fit {problem.board.name} at w1a{best.act_bits}: "
            f"{e.use[resource]:g} {resource} of {problem.budget[resource]} usable; "
            f"w1a{most} is the highest precision that fits"
        )
    text = (
        f"{name} does not fit {problem.board.name}: the nearest design (w1a{best.act_bits}) needs "
        f"{e.use[resource]:g} {resource} of {problem.budget[resource]} usable"
    )
    if resource == "bram36":
        missing = (e.use[resource] - problem.budget[resource]) * 36 * 1024 / 8
        text += f", {math.ceil(missing):,} bytes too many"
    return text


def _fastest_per_precision(problem: Problem) -> Iterator[Candidate]:
    """The fastest legal design of each precision, from 8 bits down.

    A design legal at A bits is legal at A - 1, so each result bounds the next search.
    """
    known: Design | None = None
    for act_bits in range(arithmetic.MAX_ACT_BITS, arithmetic.MIN_ACT_BITS - 1, -1):
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
    nearest: list[tuple[float, str, Design]] = []  # the smallest of every plan, if over budget
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
            share, resource, smallest = plan.smallest
            if share > 1:
                blocked.append((share, resource))
                nearest.append((share, resource, smallest))
                continue
            for design in _faster(problem, plan, best_cycles, blocked):
                cycles = problem.interval(design)
                if cycles < best_cycles:
                    best, best_cycles = design, cycles
    if best is not None:
        result = _estimate(problem, best)
        return Candidate(act_bits, result, True, True, _limit(result, blocked))
    _, resource, design = min(
        nearest or _small_designs(problem, act_bits), key=lambda entry: entry[0]
    )
    return Candidate(act_bits, _estimate(problem, design), False, False, resource)


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
                    share = problem.share(design)
                    if share[0] <= 1:
                        yield design
                        break
                    blocked.append(share)
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
    if legal <= illegal or problem.share(with_groups(legal))[0] > 1:
        return None
    while legal - illegal > 1:
        middle = (legal + illegal) // 2
        if problem.share(with_groups(middle))[0] <= 1:
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


def _small_designs(problem: Problem, act_bits: int) -> list[tuple[float, str, Design]]:
    """The least demanding designs around the smallest arrays, with what they lack."""
    small = sorted((t * p * k, (t, p, k)) for _, (t, p, k) in arrays(problem, act_bits))
    return [plan.smallest for _, array in small[:4] for plan in plans(problem, act_bits, array)]


def _estimate(problem: Problem, design: Design) -> Estimate:
    return estimate(problem.vit, problem.board, design, problem.clock_mhz)


def _smallest(problem: Problem, chosen: Candidate, target: float) -> Estimate:
    """The smallest legal design at the chosen precision that still meets the target.

    Smallest: the lowest maximum of used / available; ties by LUT, DSP, BRAM.
    """
    limit = int(min(problem.clock_mhz * 1e6 / target, 2**62))  # 1e-300 FPS allow infinity
    best, best_key = chosen.estimate.design, _size(problem, chosen.estimate.use)
    floors = []
    for array in _just_fast_enough(arrays(problem, chosen.act_bits), limit):
        if array_floor(problem, chosen.act_bits, array)[0] <= 1:
            for plan in plans(problem, chosen.act_bits, array):
                _, _, smallest = plan.smallest
                floors.append((_size(problem, _use(problem, smallest)), array, plan))
    floors.sort(key=lambda entry: entry[:2])
    for floor, _, plan in floors:
        if floor >= best_key:
            break
        for frames in problem.frames:
            for rows in plan.rows(frames, limit):
                if plan.interval(frames, rows) > limit:
                    continue
                for design in plan.designs(frames, rows, all_ports=True):
                    use = _use(problem, design)
                    key = _size(problem, use)
                    if (
                        key < best_key
                        and worst_share(use, problem.budget)[0] <= 1
                        and problem.interval(design) <= limit
                    ):
                        best, best_key = design, key
    return _estimate(problem, best)


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


def _use(problem: Problem, design: Design) -> dict[str, float]:
    return resources(design, problem.board)


def _size(problem: Problem, use: dict[str, float]) -> tuple[float, ...]:
    available = problem.board.available()
    return (largest_share(use, available), use["lut"], use["dsp"], use["bram36"])
