"""The chart of a sweep: accuracy against frames per second, one mark per precision."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from vaqf.quant.report.chart import REFERENCE, SET, Axis, Chart, Line, Mark, Panel, linear
from vaqf.quant.report.pareto import Point, frontier

NEAR = (0.07, 0.04)  # parts of the axes within which the names of two marks would meet


def chart(
    points: Sequence[Point], title: str, board: str, level: float | None, target_fps: float | None
) -> Chart:
    """Accuracy against FPS, with the Pareto frontier as steps.

    Full marks: no other precision is at least as good in both and better in one. level: the float
    model's accuracy, a share. Points, at least one, are counted on the same images; those without
    a legal design have no place and are named below the title.
    """
    names = (f"frames per second on {board}, estimated", "accuracy, %")
    pairs = zip(points, frontier(points), strict=True)
    marks = [Mark(p.fps, 100 * p.accuracy, p.name, best) for p, best in pairs if p.fps > 0]
    notes = [(REFERENCE, words) for words in _notes(points, marks)]
    if not marks:
        x, y = (Axis(name, 0, 1) for name in names)
        return Chart(title, tuple(notes), (Panel(x, y, empty="no precision has a legal design"),))
    rates, shares = [mark.x for mark in marks], [mark.y for mark in marks]
    floats = [] if level is None else [100 * level]
    x = _around(names[0], rates, 0.1 * max(rates), math.inf)
    y = _around(names[1], shares + floats, 2.0, 100.0)
    lines = [_steps([mark for mark in marks if mark.full], x, y)]
    for share in floats:
        lines.append(Line(((x.low, share), (x.high, share)), REFERENCE, f"float\n{share:.1f} %"))
    if target_fps is not None:
        side = "left" if target_fps < x.low else "right" if target_fps > x.high else ""
        where = f", {side} of what is shown" if side else ""
        notes.append((SET, f"target: {_rate(target_fps)} FPS{where}"))
        if not side:
            lines.append(Line(((target_fps, y.low), (target_fps, y.high)), SET))
    return Chart(title, tuple(notes), (Panel(x, y, tuple(lines), tuple(_named(marks, x, y))),))


def _named(marks: Sequence[Mark], x: Axis, y: Axis) -> Iterator[Mark]:
    """Of marks close together the right one has all names: a line for each, the highest first."""
    waiting = sorted(marks, key=lambda mark: (-mark.y, -mark.x))
    while waiting:
        group = waiting[:1]
        for mark in waiting[1:]:
            across = abs(mark.x - group[-1].x) / (x.high - x.low)
            if across < NEAR[0] and (group[-1].y - mark.y) / (y.high - y.low) < NEAR[1]:
                group.append(mark)
        waiting = [mark for mark in waiting if mark not in group]
        places = itertools.groupby(group, lambda mark: (mark.x, mark.y))
        names = "\n".join(", ".join(mark.name for mark in same) for _, same in places)
        right = [mark for mark in group if mark.x == max(one.x for one in group)]
        for mark in group:
            yield replace(mark, name=names if mark is right[len(right) // 2] else "")


def _notes(points: Sequence[Point], marks: Sequence[Mark]) -> Iterator[str]:
    """What is measured and what is not, in a line or two."""
    error = 100 * max(standard_error(p.correct, p.images) for p in points)
    yield (
        f"accuracy: measured on {points[0].images:,} images, the integer network (standard error"
        f" at most {error:.1f} percentage points); FPS: estimated"
    )
    homeless = [p.name for p in points if p.fps <= 0]
    more = [f"no legal design: {', '.join(homeless)}"] if homeless else []
    if not all(mark.full for mark in marks):
        more.insert(0, "hollow: another precision is as good or better in both")
    if more:
        yield "; ".join(more)


def standard_error(correct: int, images: int) -> float:
    """Of a share, binomial; with one image added of each kind, so that no error is not zero."""
    share = (correct + 1) / (images + 2)
    return math.sqrt(share * (1 - share) / (images + 2))


def _around(name: str, values: Sequence[float], least: float, most: float) -> Axis:
    """An axis with margins around values, between 0 and `most`, that are taken `least` apart."""
    middle, half = (min(values) + max(values)) / 2, 0.65 * max(max(values) - min(values), least)
    return linear(name, max(0.0, middle - half), min(most, middle + half), 6, _rate)


def _rate(fps: float) -> str:
    return f"{fps:,.0f}" if fps >= 10_000 else f"{fps:,.6g}"


def _steps(best: Sequence[Mark], x: Axis, y: Axis) -> Line:
    """The frontier: what accuracy there is at each rate."""
    best = sorted(best, key=lambda mark: mark.x)
    corners = [(x.low, best[0].y), (best[0].x, best[0].y)]
    for here, after in itertools.pairwise(best):
        corners += [(here.x, after.y), (after.x, after.y)]
    return Line((*corners, (best[-1].x, y.low)))
