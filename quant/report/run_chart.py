"""The chart of a run: what its log says, epoch by epoch."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vaqf.arithmetic import widths
from vaqf.quant.report.chart import BORDER, MEASURED, SET, Axis, Chart, Line, Mark, Panel, linear
from vaqf.quant.report.history import Row

REAL = widths.MAX_ACT_BITS + 2  # where real activations stand among the bits
LOG_SPAN = 8  # values this far apart get a logarithmic axis


@dataclass(frozen=True)
class Quantity:
    """One number of a row."""

    name: str
    value: Callable[[Row], float | None]
    axis: Callable[[str, list[float]], Axis]
    label: Callable[[float], str] = lambda _: ""  # where the line ends
    kind: str = MEASURED
    looks: bool = False  # not in every epoch, so with marks
    steps: bool = False


def chart(rows: Sequence[Row], title: str) -> Chart:
    """One panel per quantity over the epochs of a run's log, at least one."""
    stages = [list(group) for _, group in itertools.groupby(rows, key=lambda row: row.stage)]
    x = linear("epoch", rows[0].epoch - 0.5, rows[-1].epoch + 0.5, 10)
    x = replace(x, ticks=tuple(tick for tick in x.ticks if tick[0] == round(tick[0])))
    spans = tuple((stage[0].epoch - 0.5, stage[-1].epoch + 0.5, stage[0].stage) for stage in stages)
    notes = ((MEASURED, "measured"), (SET, "set by the recipe"))
    return Chart(title, notes, tuple(_panel(of, stages, x) for of in QUANTITIES), spans)


def _panel(of: Quantity, stages: list[list[Row]], x: Axis) -> Panel:
    """A line for each stage by itself: with the stage, the model and the loss change."""
    by_stage = [[(r.epoch, y) for r in stage if (y := of.value(r)) is not None] for stage in stages]
    parts = [places for places in by_stage if places]
    if not parts:
        return Panel(x, Axis(of.name, 0, 1), kind=of.kind, empty="not measured yet")
    y = of.axis(of.name, [value for places in parts for _, value in places])
    edges = [stage[0].epoch - 0.5 for stage in stages[1:]]
    lines = [Line(((edge, y.low), (edge, y.high)), BORDER) for edge in edges]
    for places in parts:
        sides = (-0.5, 0.5) if of.steps else (0,)
        drawn = tuple((epoch + side, value) for epoch, value in places for side in sides)
        lines.append(Line(drawn, of.kind, of.label(places[-1][1]) if places is parts[-1] else ""))
    if of.looks:
        ends = zip(stages[:-1], by_stage, strict=False)
        words = [f"{of.label(places[-1][1])} after {s[0].stage}" for s, places in ends if places]
        y = replace(y, name="; ".join([y.name, *words]))
    lonely = [places for places in parts if of.looks or (len(places) == 1 and not of.steps)]
    marks = tuple(Mark(*place) for places in lonely for place in places)
    return Panel(x, y, tuple(lines), marks, of.kind)


def _from_zero(name: str, values: list[float]) -> Axis:
    return linear(name, 0, 1.08 * max(values) or 1, 4)


def _wide(name: str, values: list[float]) -> Axis:
    """From zero, or logarithmic where the values are far apart."""
    low, high = min(values) / 1.25, max(values) * 1.25
    if low <= 0 or max(values) < LOG_SPAN * min(values):
        return _from_zero(name, values)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
    ticks = [part * 10.0**power for power in powers for part in (1, 2, 5)]
    ticks = [tick for tick in ticks if low <= tick <= high]
    few = tuple((tick, f"{tick:.6g}") for tick in ticks[:: -(-len(ticks) // 4)])
    return Axis(f"{name} (log scale)", low, high, few, log=True)


def _percents(name: str, values: list[float]) -> Axis:
    """Whole tens below and above the values."""
    low, high = 10 * (-min(values) // -10) - 10, 10 * (max(values) // 10) + 10
    return linear(name, max(0, low), min(100, high), 4)


QUANTITIES = (
    Quantity("loss", lambda row: row.loss, _wide, "{:.3g}".format),
    Quantity(
        "accuracy, %",
        lambda row: None if row.accuracy is None else 100 * row.accuracy,
        _percents,
        "{:.1f} %".format,
        looks=True,
    ),
    Quantity(
        "distance between training and integer network, relative",
        lambda row: row.distance,
        _wide,
        "{:.2g}".format,
        looks=True,
    ),
    Quantity("learning rate", lambda row: row.lr, _from_zero, kind=SET),
    Quantity(
        "binary weights, %",
        lambda row: 100 * row.binary_share,
        lambda name, _: linear(name, 0, 100, 2),
        "{:.0f} %".format,
        SET,
    ),
    Quantity(
        "activation bits",
        lambda row: row.act_bits or REAL,
        lambda name, _: linear(name, 1, REAL + 1, 5, lambda b: "real" if b == REAL else f"{b:g}"),
        lambda bits: "real" if bits == REAL else f"{bits} bits",
        SET,
        steps=True,
    ),
)
