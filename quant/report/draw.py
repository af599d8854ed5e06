"""Charts as PNG files of 1200 pixels' width, by matplotlib.

The same chart gives the same bytes: no date, no version, no setting of the user's matplotlib.
"""

from pathlib import Path
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from vaqf.files import output, smallfile
from vaqf.quant.report.chart import BORDER, MEASURED, REFERENCE, SET, Chart, Panel

SOFTWARE = "vaqf"  # what the file says of its maker, so that another run may replace it
DPI = 150
WIDTH, LEFT, RIGHT, BOTTOM, GAP = 8.0, 0.62, 0.85, 0.5, 0.36  # inches
LOW, TALL = 0.74, 3.8  # inches of one panel among several, and alone
HEAD, LINE = 0.68, 0.17  # inches of the title and the first panel's name, and of a note
INK = "#222222"
COLORS = {  # blue and vermilion are told apart by every eye (Okabe and Ito)
    MEASURED: "#0072B2",
    SET: "#D55E00",
    REFERENCE: "#606060",
    BORDER: "#808080",
}
WIDTHS = {MEASURED: 1.4, SET: 1.4, REFERENCE: 0.8, BORDER: 0.6}  # points
STYLE = {
    "font.size": 8.0,
    "axes.edgecolor": COLORS[BORDER],
    "axes.linewidth": WIDTHS[BORDER],
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "lines.markersize": 4.5,
    "text.color": INK,
    "text.parse_math": False,  # a folder's name may hold dollars
    "xtick.color": COLORS[BORDER],
    "xtick.labelcolor": INK,
    "ytick.color": COLORS[BORDER],
    "ytick.labelcolor": INK,
}


def draw(chart: Chart, path: Path) -> None:
    """Replace the PNG file at `path`, whole or not at all."""
    size = TALL if len(chart.panels) == 1 else LOW
    head = HEAD + LINE * (len(chart.notes) + 1.5 * bool(chart.spans))
    height = head + len(chart.panels) * (size + GAP) - GAP + BOTTOM
    across = WIDTH - LEFT - RIGHT
    with style.context(["default", STYLE]):
        figure = Figure((WIDTH, height), dpi=DPI)
        FigureCanvasAgg(figure)

        def write(x: float, down: float, words: str, width: float, **looks: Any) -> None:
            _cut(figure.text(x / WIDTH, 1 - down / height, words, **looks), width)

        # the font has no other letters than these for certain
        title = " ".join(chart.title.split()).encode("latin-1", "replace").decode("latin-1")
        write(LEFT, 0.34, title, WIDTH - LEFT - 0.2, fontsize=11, fontweight="bold")
        for number, (kind, words) in enumerate(chart.notes):
            write(LEFT, 0.56 + LINE * number, words, WIDTH - LEFT - 0.2, color=COLORS[kind])
        for number, panel in enumerate(chart.panels, 1):
            up = height - head - number * (size + GAP) + GAP
            axes = figure.add_axes((LEFT / WIDTH, up / height, across / WIDTH, size / height))
            _draw(axes, panel)
            axes.tick_params(labelbottom=panel is chart.panels[-1])
        axes.set_xlabel(panel.x.name)
        inches = across / (panel.x.high - panel.x.low)
        for low, high, name in chart.spans:
            x = LEFT + (low - panel.x.low) * inches
            write(x, head - 0.26, name, (high - low) * inches - 0.08, fontweight="bold")
        with output.new_file(path, True, is_picture) as partial:
            figure.savefig(partial, format="png", dpi=DPI, metadata={"Software": SOFTWARE})


def is_picture(path: Path) -> bool:
    """Whether a file is a PNG that `draw` wrote: its text chunk comes before the pixels."""
    begin = smallfile.head(path, 256)
    return begin.startswith(b"\x89PNG") and f"Software\0{SOFTWARE}".encode() in begin


def _cut(text: Text, width: float) -> None:
    """Cut a text to `width` inches, with an ellipsis; nothing is left if not even that fits."""
    words = text.get_text()
    while words and text.get_window_extent().width > width * DPI:
        words = words[:-1].rstrip()
        text.set_text(f"{words}…" if words else "")


def _draw(axes: Axes, panel: Panel) -> None:
    axes.set_yscale("log" if panel.y.log else "linear")
    axes.set(xlim=(panel.x.low, panel.x.high), ylim=(panel.y.low, panel.y.high))
    axes.set_xticks(*zip(*panel.x.ticks, strict=True) if panel.x.ticks else [()])
    axes.set_yticks(*zip(*panel.y.ticks, strict=True) if panel.y.ticks else [()])
    axes.minorticks_off()
    color = COLORS[panel.kind]
    _cut(axes.set_title(panel.y.name, loc="left", color=color, pad=4), WIDTH - LEFT - RIGHT)
    axes.text(0.5, 0.5, panel.empty, transform=axes.transAxes, ha="center", color=COLORS[BORDER])
    for line in panel.lines:
        looks = {"color": COLORS[line.kind], "linewidth": WIDTHS[line.kind], "clip_on": False}
        axes.plot(*zip(*line.places, strict=True), "--" if line.kind == REFERENCE else "-", **looks)
        _write(axes, line.label, (panel.x.high, line.places[-1][1]), COLORS[line.kind])
    for mark in panel.marks:
        face = color if mark.full else "white"
        axes.plot(mark.x, mark.y, "o", color=color, markerfacecolor=face, zorder=4, clip_on=False)
        _write(axes, mark.name, (mark.x, mark.y), color)


def _write(axes: Axes, words: str, place: tuple[float, float], color: str) -> None:
    """Words to the right of a place, above lines and below marks."""
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
    beside = {"xytext": (6, 0), "textcoords": "offset points", "va": "center", "bbox": paper}
    if words:
        axes.annotate(words, place, color=color, **beside)
