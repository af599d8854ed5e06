"""Target FPS -> activation bits and Design.

For every precision the fastest legal design is found (fastest.py). A target takes the highest
precision that meets it, and there the smallest legal design that still does (smallest.py); without
a target it is the highest precision that fits, and there the fastest design.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

from vaqf.errors import InputError
from vaqf.files.fields import check_choice, check_whole
from vaqf.hardware import matmuls
from vaqf.hardware.design import ENGINES, Design
from vaqf.search.estimate import Estimate
from vaqf.search.fastest import Candidate, fastest_per_precision
from vaqf.search.question import Question
from vaqf.search.smallest import smallest
from vaqf.search.space import Problem


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


def search(question: Question, frames_in_flight: int | None = None) -> Search:
    """The design for a target frame rate (None: the fastest at the highest precision that fits).

    With act_bits only that precision may be chosen; every precision is still listed. With a design
    nothing is searched: that design is estimated and judged. frames_in_flight: 1 or 2, None: what
    is better. InputError for the paper's engine, which search.paper answers; a target out of reach
    is an answer with feasible = False.
    """
    vit, board, target, design = question.model, question.board, question.target, question.design
    if question.engine is not None:
        check_choice(question.engine, "engine", ENGINES)
    if frames_in_flight is not None:
        check_whole(frames_in_flight, "frames_in_flight", 1, 2)
    frames = (2, 1) if frames_in_flight is None else (frames_in_flight,)
    engine = question.engine or (ENGINES[0] if design is None else design.engine)
    problem = Problem(vit, board, engine, question.clock, question.budget, frames)
    if design is not None:
        if design.frames_in_flight not in frames:
            raise InputError(
                f"frames_in_flight is {frames_in_flight}, but the design has"
                f" {design.frames_in_flight}; give one of them"
            )
        matmuls.check_fits(design, vit)
        return _judge(problem, (_pinned(problem, design),), target, design.act_bits)
    return _judge(problem, tuple(fastest_per_precision(problem)), target, question.act_bits)


def _pinned(problem: Problem, design: Design) -> Candidate:
    result = problem.estimate(design)
    share, resource = result.use.worst_share(problem.budget)
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
        result = smallest(problem, result, target)
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
        missing = (e.use.bram36 - problem.budget.bram36) * 36 * 1024 / 8
        text += f", {math.ceil(missing):,} bytes too many"
    return text
