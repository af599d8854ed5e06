"""The picture of a sweep: accuracy against frames per second, one point per precision."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox

from quant.report.canvas import BLUE, BOTTOM, INK, LEFT, PALE, SMALL, VERMILION, WIDTH, picture
from quant.report.pareto import Point, frontier

HEIGHT, HEAD = 5.4, 1.1  # inches
DOT = 6.5  # points
BESIDE = 7  # points
CROWDED = 32  # pixels between two marks whose names would be taken for each other's
# offsets of a name from its mark in points: the nearest first, each to the right and to the left
PLACES = sorted(
    itertools.product((BESIDE, -BESIDE, 22, -22, 36, -36), range(-48, 49, 6)),
    key=lambda at: ((at[0] ** 2 + at[1] ** 2) * (2.5 if at[1] < 0 else 1), -at[0]),
)
NARROWEST = 2.0  # percentage points that the axis of accuracy shows at least


@dataclass(frozen=True)
class Mark:
    """Precisions at one place of the picture."""

    fps: float
    accuracy: float  # in %
    name: str
    best: bool  # on the frontier


def pareto(
    points: Sequence[Point],
    path: Path,
    title: str,
    board: str,
    float_accuracy: float | None,
    target_fps: float | None,
) -> None:
    """Accuracy against FPS, with the Pareto frontier as steps; replaces the PNG file at `path`.

    Filled: no other precision is at least as good in both and better in one. float_accuracy: a
    share, drawn as a dashed line. target_fps: a vertical line. Points, at least one, are counted
    on the same images; those without a legal design have no place and are named below the title.
    """
    marks = _marks(points)
    with picture(path, HEIGHT, title) as canvas:
        for line, words in enumerate(_notes(points, marks)):
            place = HEIGHT - 0.56 - 0.17 * line
            text = canvas.write(LEFT, place, words, fontsize=SMALL, color=PALE)
            canvas.fit(text, WIDTH - LEFT - 0.2)
        axes = canvas.axes(BOTTOM, HEIGHT - HEAD - BOTTOM)
        if not marks:
            axes.set_axis_off()
            axes.text(0.5, 0.5, "no precision has a legal design", ha="center", color=PALE)
            return
        axes.set_title("accuracy, %", loc="left", fontsize=SMALL, pad=6)
        axes.set_xlabel(f"frames per second on {board}, estimated", fontsize=SMALL)
        _scale(axes, marks, float_accuracy, target_fps)
        _reference(axes, float_accuracy, target_fps)
        _draw(axes, marks, float_accuracy, target_fps)


def _marks(points: Sequence[Point]) -> list[Mark]:
    """From the slowest to the fastest, equals as one."""
    flags = dict(zip((p.act_bits for p in points), frontier(points), strict=True))
    placed = sorted(
        (p for p in points if p.fps > 0), key=lambda p: (p.fps, p.accuracy, -p.act_bits)
    )
    return [
        Mark(fps, 100 * accuracy, ", ".join(p.name for p in same), flags[same[0].act_bits])
        for (fps, accuracy), group in itertools.groupby(placed, lambda p: (p.fps, p.accuracy))
        for same in [list(group)]
    ]


def _notes(points: Sequence[Point], marks: Sequence[Mark]) -> Iterator[str]:
    """What is measured and what is not, in a line or two."""
    images = points[0].images
    error = 100 * max(standard_error(p.correct, p.images) for p in points)
    yield (
        f"accuracy: measured on {images:,} images, the integer network (standard error"
        f" at most {error:.1f} percentage points); FPS: estimated"
    )
    more = []
    if not all(mark.best for mark in marks):
        more.append("hollow: another precision is as good or better in both")
    homeless = [p.name for p in points if p.fps <= 0]
    if homeless:
        more.append(f"no legal design: {', '.join(homeless)}")
    if more:
        yield "; ".join(more)


def standard_error(correct: int, images: int) -> float:
    """Of a share, binomial; with one image added of each kind, so that no error is not zero."""
    share = (correct + 1) / (images + 2)
    return math.sqrt(share * (1 - share) / (images + 2))


def _scale(
    axes: Axes, marks: Sequence[Mark], float_accuracy: float | None, target_fps: float | None
) -> None:
    """Limits around the points, the float model, and the target unless it is far away."""
    rates = [mark.fps for mark in marks]
    span = max(max(rates) - min(rates), 0.1 * max(rates))
    if target_fps is not None and min(rates) - span <= target_fps <= max(rates) + span:
        rates.append(target_fps)
    low, high = min(rates), max(rates)
    margin = 0.14 * max(high - low, 0.1 * high)
    low, high = max(0.0, low - margin), high + margin
    axes.set_xlim(low, high)
    places = MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    axes.xaxis.set_major_locator(FixedLocator([x for x in places if low <= x <= high]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _rate(value)))

    shares = [mark.accuracy for mark in marks]
    if float_accuracy is not None:
        shares.append(100 * float_accuracy)
    low, high = min(shares), max(shares)
    middle, half = (low + high) / 2, max(high - low, NARROWEST) / 2 * 1.3
    low = max(-1.0, middle - half)
    high = min(100 + 0.08 * (100 - low), middle + half)
    axes.set_ylim(low, high)
    places = MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(low, high)
    axes.yaxis.set_major_locator(
        FixedLocator([y for y in places if max(0, low) <= y <= min(100, high)])
    )
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))


def _rate(fps: float) -> str:
    return f"{fps:,.0f}" if fps >= 10_000 else f"{fps:,.6g}"


def _reference(axes: Axes, float_accuracy: float | None, target_fps: float | None) -> None:
    """The lines of the float model and of the target, named outside the axes."""
    left, right = axes.get_xlim()
    if float_accuracy is not None:
        level = 100 * float_accuracy
        axes.axhline(level, color=INK, linewidth=0.8, linestyle=(0, (5, 3)), zorder=0)
        axes.annotate(
            f"float\n{level:.1f} %",
            (right, level),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
        )
    if target_fps is None:
        return
    label = f"target {_rate(target_fps)} FPS"
    if target_fps < left:
        label = f"← {label}"
    elif target_fps > right:
        label = f"{label} →"
    else:
        axes.axvline(target_fps, color=VERMILION, linewidth=1.0, zorder=0)
    share = min(max((target_fps - left) / (right - left), 0.2), 0.92)  # clear of the axis's name
    axes.text(
        share, 1.02, label, transform=axes.transAxes, ha="center", color=VERMILION, fontsize=SMALL
    )


def _draw(
    axes: Axes, marks: Sequence[Mark], float_accuracy: float | None, target_fps: float | None
) -> None:
    """The frontier's steps, the points, and their names."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    best = [mark for mark in marks if mark.best]
    corners = [(left, best[0].accuracy), (best[0].fps, best[0].accuracy)]
    for here, after in itertools.pairwise(best):
        corners += [(here.fps, after.accuracy), (after.fps, after.accuracy)]
    corners.append((best[-1].fps, bottom))
    axes.plot(*zip(*corners, strict=True), color=BLUE, linewidth=1.0, zorder=1, label="frontier")
    for mark in marks:
        face = BLUE if mark.best else "white"
        axes.plot(
            mark.fps, mark.accuracy, "o", markersize=DOT, color=BLUE, markerfacecolor=face, zorder=3
        )
    lines = list(itertools.pairwise(corners))
    if float_accuracy is not None:
        lines.append(((left, 100 * float_accuracy), (right, 100 * float_accuracy)))
    if target_fps is not None:
        lines.append(((target_fps, bottom), (target_fps, top)))
    pixels = axes.transData.transform
    taken = [Bbox(pixels(line)).padded(1) for line in lines]
    taken += [Bbox(pixels([(m.fps, m.accuracy)] * 2)).padded(DOT) for m in marks]
    spots = pixels([(m.fps, m.accuracy) for m in marks])
    for mark, spot in sorted(
        zip(marks, spots, strict=True), key=lambda at: (not at[0].best, at[0].fps, -at[0].accuracy)
    ):
        crowded = sum(math.dist(spot, other) < CROWDED for other in spots) > 1
        taken.append(_label(axes, mark, crowded, taken))


def _label(axes: Axes, mark: Mark, crowded: bool, taken: Sequence[Bbox]) -> Bbox:
    """The mark's name, in the nearest place where it covers nothing; the pixels it takes.

    A name that is not right beside its mark, and that of a mark with others near it, gets a thin
    line to it.
    """
    room = axes.get_window_extent()
    words = axes.annotate(
        mark.name,
        (mark.fps, mark.accuracy),
        xytext=(0, 0),
        textcoords="offset points",
        va="center",
        color=BLUE,
    )
    up = 1 if mark.best else -1  # there is room above the frontier, and below it
    for x, y in PLACES:
        words.set_position((x, y * up))
        words.set_horizontalalignment("left" if x > 0 else "right")
        box = words.get_window_extent()
        if crowded and abs(x) == BESIDE:
            continue
        inside = room.x0 <= box.x0 and box.x1 <= room.x1 and room.y0 <= box.y0
        if inside and not any(box.padded(2).overlaps(other) for other in taken):
            break
    if abs(x) > BESIDE or abs(y) > 2 * BESIDE:
        axes.annotate(
            "",
            (mark.fps, mark.accuracy),
            xytext=(x - math.copysign(2, x), y * up),
            textcoords="offset points",
            arrowprops={
                "arrowstyle": "-",
                "color": PALE,
                "linewidth": 0.6,
                "shrinkA": 0,
                "shrinkB": DOT / 2,
            },
        )
    return box
