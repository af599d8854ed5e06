"""draw.py: charts as PNG files."""

import itertools
import warnings
from dataclasses import replace
from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from small_charts import MANY, POINTS, ROWS, point, row

from vaqf.errors import InputError
from vaqf.quant.report import run_chart, sweep_chart
from vaqf.quant.report.chart import Axis, Chart, Line, Mark, Panel
from vaqf.quant.report.draw import draw

RUN = run_chart.chart(ROWS, "a run")
SWEEP = sweep_chart.chart(POINTS, "a sweep", "zcu104", 0.9806, 101000.0)


def figure_of(chart: Chart, folder: Path) -> Figure:
    """What is saved, in place of a file."""
    seen: list[Figure] = []

    def keep(figure: Figure, path: Path, **options: object) -> None:
        figure.canvas.draw()
        seen.append(figure)
        Path(path).write_bytes(b"\x89PNG Software\0vaqf")

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        patch.setattr(Figure, "savefig", keep)
        draw(chart, folder / "x.png")
    return seen[0]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in visible(figure)]


def visible(figure: Figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts that cover each other, numbers of ticks left out."""
    ticks = {
        id(tick.label1)
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
    }
    found = [text for text in visible(figure) if id(text) not in ticks]
    boxes = [(text.get_text(), Text.get_window_extent(text)) for text in found]
    return [
        (a, b) for (a, one), (b, other) in itertools.combinations(boxes, 2) if one.overlaps(other)
    ]


def test_pictures_are_png_files_of_1200_pixels_and_the_same_every_time(tmp_path: Path) -> None:
    for chart in (RUN, SWEEP):
        first, again = tmp_path / "first.png", tmp_path / "again.png"
        draw(chart, first)
        before = dict(matplotlib.rcParams)
        with matplotlib.rc_context({"lines.marker": "x", "savefig.dpi": 30}):  # a user's settings
            draw(chart, again)
        assert dict(matplotlib.rcParams) == before
        assert first.read_bytes() == again.read_bytes()
        with Image.open(first) as image:
            image.load()
            assert image.format == "PNG" and image.width == 1200 and 800 < image.height < 1250
            assert image.info.keys() <= {"dpi", "Software"}  # no date
            assert image.info["Software"] == "vaqf"  # and no version
    assert {path.name for path in tmp_path.iterdir()} == {"first.png", "again.png"}


@pytest.mark.parametrize("chart", [RUN, SWEEP], ids=lambda chart: chart.title)
def test_everything_of_a_chart_is_drawn(chart: Chart, tmp_path: Path) -> None:
    figure = figure_of(chart, tmp_path)
    words = [words for _, words in chart.notes] + [name for *_, name in chart.spans]
    words += [chart.title, chart.panels[-1].x.name]
    for panel, axes in zip(chart.panels, figure.axes, strict=True):
        assert axes.get_xlim() == (panel.x.low, panel.x.high)
        assert axes.get_ylim() == pytest.approx((panel.y.low, panel.y.high))
        assert axes.get_yscale() == ("log" if panel.y.log else "linear")
        ticks = [tick.label1.get_text() for tick in axes.yaxis.get_major_ticks()]
        assert ticks == [label for _, label in panel.y.ticks]
        assert [tuple(zip(*line.get_data(), strict=True)) for line in axes.lines] == [
            *(line.places for line in panel.lines),
            *(((mark.x, mark.y),) for mark in panel.marks),
        ]
        hollow = [line.get_markerfacecolor() == "white" for line in axes.lines[len(panel.lines) :]]
        assert hollow == [not mark.full for mark in panel.marks]
        words += [panel.y.name, *(line.label for line in panel.lines)]
        words += [mark.name for mark in panel.marks]
    assert {word for word in words if word} <= set(texts(figure))
    assert overlapping(figure) == []


def test_words_that_are_too_long_are_cut(tmp_path: Path) -> None:
    figure = figure_of(run_chart.chart(MANY, "$a$ long title\n of 模型 " * 20), tmp_path)
    names = [text for text in texts(figure) if text.startswith("a_")]
    assert len(names) == 8 and all(name.endswith("…") for name in names)
    (title,) = [text for text in figure.findobj(Text) if text.get_text().startswith("$")]
    assert title.get_text().startswith("$a$ long title of ?? $a$")
    assert title.get_text().endswith("…") and not title.get_parse_math()
    assert overlapping(figure) == []


def test_charts_with_little_in_them(tmp_path: Path) -> None:
    one = run_chart.chart([replace(row(1, "float"), accuracy=None)], "one epoch")
    assert texts(figure_of(one, tmp_path)).count("not measured yet") == 2
    for points in ([point(8, 360, 50.0)], [point(8, 360, 0.0)], [point(8, 0, 50.0)]):
        chart = sweep_chart.chart(points, "x", "zcu104", 1.0, 50.0)
        assert overlapping(figure_of(chart, tmp_path)) == []
    axes = (Axis("x", 0, 1), Axis("y", 0, 1))
    bare = Chart("", (), (Panel(*axes, (Line(((0, 0), (1, 1))),), (Mark(1, 1, "a\nb"),)),))
    assert set(texts(figure_of(bare, tmp_path))) == {"x", "y", "a\nb"}


def test_a_picture_replaces_its_file_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.png"
    draw(RUN, path)
    old = path.read_bytes()
    with pytest.raises(InputError, match="cannot write"):
        draw(RUN, path / "y.png")

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Figure, "savefig", broken)
    with pytest.raises(ZeroDivisionError):
        draw(RUN, path)
    assert path.read_bytes() == old and list(tmp_path.iterdir()) == [path]
