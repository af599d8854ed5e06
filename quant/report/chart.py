"""What a picture shows, as plain records: axes, lines, marks, words. draw.py makes PNGs of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

MEASURED, SET, REFERENCE, BORDER = "measured", "set", "reference", "border"  # kinds of lines
Places = tuple[tuple[float, float], ...]  # x, y in the units of the axes


@dataclass(frozen=True)
class Axis:
    """From low to high, with the ticks that are labelled."""

    name: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()  # place, label
    log: bool = False


@dataclass(frozen=True)
class Line:
    """Straight from place to place."""

    places: Places
    kind: str = MEASURED
    label: str = ""  # right of the axes, as high as the line ends


@dataclass(frozen=True)
class Mark:
    """A dot, full or hollow, with a name of one or more lines to its right."""

    x: float
    y: float
    name: str = ""
    full: bool = True


@dataclass(frozen=True)
class Panel:
    """Lines and marks over two axes."""

    x: Axis
    y: Axis
    lines: tuple[Line, ...] = ()
    marks: tuple[Mark, ...] = ()
    kind: str = MEASURED  # of the marks and of the y axis
    empty: str = ""  # said in the middle of a panel that has nothing to show


@dataclass(frozen=True)
class Chart:
    """Panels below each other, over one x axis."""

    title: str
    notes: tuple[tuple[str, str], ...]  # kind and words, a line each
    panels: tuple[Panel, ...]
    spans: tuple[tuple[float, float, str], ...] = ()  # named parts of the x axis: from, to


def linear(
    name: str, low: float, high: float, most: int, label: Callable[[float], str] = "{:.6g}".format
) -> Axis:
    """An axis whose ticks, `most` or one more, are multiples of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = power * next(part for part in (1, 2, 5, 10) if high - low <= power * part * most * 1.001)
    numbers = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return Axis(name, low, high, tuple((n * step, label(n * step)) for n in numbers))
