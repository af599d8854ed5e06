"""The paper that pictures are drawn on: style, title, and the file.

The same picture gives the same bytes: no date, no version, no setting of the user's matplotlib.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from vaqf.files import output

DPI = 150
WIDTH = 8.0  # inches: 1200 pixels
LEFT, RIGHT, BOTTOM = 0.62, 0.85, 0.5  # inches around the axes
BLUE, VERMILION = "#0072B2", "#D55E00"  # told apart by every eye (Okabe and Ito)
INK, PALE = "#222222", "#808080"
SMALL = 8.0  # points
STYLE = {
    "font.size": 9.0,
    "axes.edgecolor": PALE,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "lines.linewidth": 1.4,
    "text.color": INK,
    "text.parse_math": False,  # a folder's name may hold dollars
    "xtick.color": PALE,
    "xtick.labelcolor": INK,
    "xtick.labelsize": SMALL,
    "xtick.major.width": 0.6,
    "ytick.color": PALE,
    "ytick.labelcolor": INK,
    "ytick.labelsize": SMALL,
    "ytick.major.width": 0.6,
}


@dataclass(frozen=True, eq=False)
class Canvas:
    """A figure of WIDTH x height inches; places are inches from its lower left corner."""

    figure: Figure
    height: float

    def axes(self, bottom: float, height: float) -> Axes:
        """Axes of the full width between the margins."""
        width = (WIDTH - LEFT - RIGHT) / WIDTH
        return self.figure.add_axes(
            (LEFT / WIDTH, bottom / self.height, width, height / self.height)
        )

    def write(self, x: float, y: float, words: str, **looks: Any) -> Text:
        """A line of text at (x, y)."""
        return self.figure.text(x / WIDTH, y / self.height, words, **looks)

    def fit(self, text: Text, width: float) -> Text:
        """Cut a text to `width` inches, with an ellipsis; nothing is left if not even that fits."""
        words = text.get_text()
        while words and text.get_window_extent().width > width * DPI:
            words = words[:-1].rstrip()
            text.set_text(f"{words}…" if words else "")
        return text


@contextmanager
def picture(path: Path, height: float, title: str) -> Iterator[Canvas]:
    """A canvas with a title; what the block draws replaces the PNG file at `path`."""
    with style.context(["default", STYLE]):
        figure = Figure((WIDTH, height), dpi=DPI)
        FigureCanvasAgg(figure)
        canvas = Canvas(figure, height)
        # the font has no other letters than these for certain
        plain = " ".join(title.split()).encode("latin-1", "replace").decode("latin-1")
        text = canvas.write(LEFT, height - 0.34, plain, fontsize=11, fontweight="bold")
        canvas.fit(text, WIDTH - LEFT - 0.2)
        yield canvas
        with output.new_file(path, force=True) as partial:
            figure.savefig(partial, format="png", dpi=DPI, metadata={"Software": None})
