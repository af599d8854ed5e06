"""The picture of a run: what its log says, epoch by epoch."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from matplotlib.transforms import blended_transform_factory

from quant.report.canvas import (
    BLUE,
    BOTTOM,
    LEFT,
    PALE,
    RIGHT,
    SMALL,
    VERMILION,
    WIDTH,
    Canvas,
    picture,
)
from quant.report.history import Row
from vaqf.arithmetic import widths

HEAD = 1.12  # inches above the first panel: title, key, names of the stages, name of the panel
PANEL, GAP = 0.74, 0.36  # inches
LABEL = 0.55  # inches that a number takes
REAL = widths.MAX_ACT_BITS + 1.5  # where real activations stand among the bits
LOG_SPAN = 8  # values this far apart get a logarithmic axis

Points = list[tuple[int, float]]  # epoch, value


@dataclass(frozen=True)
class Panel:
    """One quantity of a run, over its epochs."""

    name: str
    value: Callable[[Row], float | None]
    scale: Callable[[Axes, list[float]], str]  # sets the y axis; what to add to the name
    label: Callable[[float], str] | None = None  # at the line's end
    color: str = BLUE  # measured; vermilion: set by the recipe
    dots: bool = False  # not measured in every epoch
    steps: bool = False
    each: bool = False  # a label at the end of every stage


def run(rows: Sequence[Row], path: Path, title: str) -> None:
    """What the epochs of a run did, one panel per quantity over one axis; replaces `path`.

    Rows are those of a run's log, at least one.
    """
    height = HEAD + len(PANELS) * (PANEL + GAP) - GAP + BOTTOM
    stages = [list(group) for _, group in itertools.groupby(rows, key=lambda row: row.stage)]
    with picture(path, height, title) as canvas:
        canvas.write(LEFT, height - 0.58, "measured", color=BLUE, fontsize=SMALL)
        canvas.write(
            LEFT + 0.7, height - 0.58, "set by the recipe", color=VERMILION, fontsize=SMALL
        )
        for number, panel in enumerate(PANELS):
            axes = canvas.axes(height - HEAD - PANEL - number * (PANEL + GAP), PANEL)
            axes.set_xlim(rows[0].epoch - 0.5, rows[-1].epoch + 0.5)
            axes.xaxis.set_major_locator(
                MaxNLocator(10, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
            )
            axes.tick_params(labelbottom=panel is PANELS[-1])
            for stage in stages[1:]:
                axes.axvline(stage[0].epoch - 0.5, color=PALE, linewidth=0.6)
            _draw(axes, panel, stages)
        axes.set_xlabel("epoch", fontsize=SMALL)
        _name_stages(canvas, stages, height - HEAD + 0.26)


def _name_stages(canvas: Canvas, stages: list[list[Row]], y: float) -> None:
    """The name of each stage above its epochs, as much of it as fits."""
    first, last = stages[0][0].epoch, stages[-1][-1].epoch
    inches = (WIDTH - LEFT - RIGHT) / (last - first + 1)
    for stage in stages:
        left = LEFT + (stage[0].epoch - first) * inches
        name = canvas.write(left, y, stage[0].stage, fontsize=SMALL, fontweight="bold")
        canvas.fit(name, len(stage) * inches - 0.08)


def _draw(axes: Axes, panel: Panel, stages: list[list[Row]]) -> None:
    """A line for each stage by itself: with the stage, the model and the loss change."""
    lines = [
        [(row.epoch, y) for row in stage if (y := panel.value(row)) is not None] for stage in stages
    ]
    lines = [points for points in lines if points]
    note = panel.scale(axes, [y for points in lines for _, y in points]) if lines else ""
    axes.set_title(panel.name + note, loc="left", fontsize=SMALL, color=panel.color, pad=4)
    axes.yaxis.set_minor_locator(NullLocator())
    for points in lines:
        if panel.steps:
            edges = [epoch - 0.5 for epoch, _ in points] + [points[-1][0] + 0.5]
            levels = [y for _, y in points]
            axes.stairs(levels, edges, baseline=None, color=panel.color, linewidth=1.4)
        else:
            dot = "o" if panel.dots or len(points) == 1 else ""
            epochs, values = zip(*points, strict=True)
            axes.plot(epochs, values, color=panel.color, marker=dot, markersize=3, clip_on=False)
    if not lines:
        axes.yaxis.set_major_locator(NullLocator())
        axes.annotate(
            "not measured yet",
            (0.5, 0.5),
            xycoords="axes fraction",
            color=PALE,
            fontsize=SMALL,
            ha="center",
            va="center",
        )
        return
    if panel.label is None:
        return
    value = lines[-1][-1][1]
    axes.text(
        1.015,
        value,
        panel.label(value),
        transform=blended_transform_factory(axes.transAxes, axes.transData),
        color=panel.color,
        va="center",
        fontsize=SMALL,
    )
    if panel.each:
        for points in lines[:-1]:
            _label_end(axes, points, panel.label(points[-1][1]), panel.color)


def _label_end(axes: Axes, points: Points, label: str, color: str) -> None:
    """The value where a stage ends, inside its own part of the panel if that is wide enough."""
    (first, _), (epoch, value) = points[0], points[-1]
    low, high = axes.get_xlim()
    if (epoch - first) / (high - low) * (WIDTH - LEFT - RIGHT) < LABEL:
        return
    bottom, top = axes.get_ylim()
    below = value - bottom > 0.4 * (top - bottom)
    axes.annotate(
        label,
        (epoch, value),
        xytext=(2, -5 if below else 5),
        textcoords="offset points",
        ha="right",
        va="top" if below else "bottom",
        color=color,
        fontsize=SMALL,
    )


def _from_zero(axes: Axes, values: list[float]) -> str:
    """A linear axis from zero."""
    high = max(values)
    axes.set_ylim(0, 1.08 * high if high > 0 else 1)
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))
    return ""


def _wide(axes: Axes, values: list[float]) -> str:
    """From zero, or logarithmic where the values are far apart."""
    low, high = min(values), max(values)
    if low <= 0 or high < LOG_SPAN * low:
        return _from_zero(axes, values)
    low, high = low / 1.25, high * 1.25
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    decades = [10.0**n for n in range(math.floor(math.log10(low)), math.ceil(math.log10(high)))]
    ticks = [d for d in decades if low <= d <= high]
    if len(ticks) < 2:
        ticks = [tick for d in decades for tick in (d, 2 * d, 5 * d) if low <= tick <= high]
    axes.yaxis.set_major_locator(FixedLocator(ticks[:: -(-len(ticks) // 4)]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))
    return " (log scale)"


def _tens(axes: Axes, values: list[float]) -> str:
    """Whole tens of percent around the values."""
    low, high = 10 * math.floor(min(values) / 10), 10 * math.ceil(max(values) / 10)
    if low == high:
        low, high = max(0, low - 10), min(100, high + 10)
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], integer=True))
    return ""


def _hundred(axes: Axes, _: list[float]) -> str:
    """0 to 100 %, whatever the values."""
    axes.set_ylim(0, 100)
    axes.yaxis.set_major_locator(FixedLocator([0, 50, 100]))
    return ""


def _bits(axes: Axes, values: list[float]) -> str:
    """Whole bits, and above them real numbers."""
    low, high = min(values), max(values)
    axes.set_ylim(low - 0.7, max(high, low + 1) + 0.7)
    even = range(2, widths.MAX_ACT_BITS + 1, 2)
    ticks = {low, high} | {float(bits) for bits in even if low + 1 < bits < high - 1}
    axes.yaxis.set_major_locator(FixedLocator(sorted(ticks)))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda bits, _: "real" if bits == REAL else f"{bits:g}")
    )
    return ""


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _bits_label(bits: float) -> str:
    return "real" if bits == REAL else f"{bits:.0f} bits"


PANELS = (
    Panel("loss", lambda row: row.loss, _wide, "{:.3g}".format),
    Panel(
        "accuracy, %",
        lambda row: _percent(row.accuracy),
        _tens,
        "{:.1f} %".format,
        dots=True,
        each=True,
    ),
    Panel(
        "distance between training and integer network, relative",
        lambda row: row.distance,
        _wide,
        "{:.2g}".format,
        dots=True,
    ),
    Panel("learning rate", lambda row: row.lr, _from_zero, color=VERMILION),
    Panel(
        "binary weights, %",
        lambda row: _percent(row.binary_share),
        _hundred,
        "{:.0f} %".format,
        VERMILION,
    ),
    Panel(
        "activation bits",
        lambda row: REAL if row.act_bits is None else row.act_bits,
        _bits,
        _bits_label,
        VERMILION,
        steps=True,
    ),
)
