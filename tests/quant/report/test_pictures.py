"""run_picture.py, sweep_picture.py and the canvas below them."""

import itertools
import warnings
from dataclasses import replace
from pathlib import Path

import matplotlib
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from quant.report import canvas, run_picture, sweep_picture
from quant.report.history import Row
from quant.report.pareto import Point
from vaqf.errors import InputError


def row(epoch: int, stage: str = "binary") -> Row:
    """Every quantity moves, and every other epoch is judged."""
    judged = epoch % 2 == 0
    return Row(
        stage=stage,
        epoch=epoch,
        steps=10 * epoch,
        lr=0.003 / epoch,
        binary_share=0.0 if stage == "float" else min(1.0, epoch / 10),
        act_bits=None if stage == "float" else max(4, 12 - epoch),
        loss=2.5 / epoch,
        accuracy=1 - 0.6 / epoch if judged else None,
        distance=0.8 / epoch if judged and stage == "binary" else None,
        images_per_s=1000.0,
        seconds=1.5 * epoch,
    )


ROWS = [*(row(epoch, "float") for epoch in range(1, 7)), *(row(epoch) for epoch in range(7, 15))]


def point(act_bits: int, correct: int, fps: float) -> Point:
    return Point(act_bits, correct, 360, fps, True, "lut", "", "")


# two with one rate, two equal, one that another beats
POINTS = [
    point(8, 353, 105876.0),
    point(7, 352, 102406.0),
    point(6, 353, 102406.0),
    point(5, 351, 102406.0),
    point(4, 352, 102406.0),
    point(3, 345, 117302.0),
    point(2, 330, 115141.0),
]


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are saved from here on, in place of files."""
    seen: list[Figure] = []

    def keep(figure: Figure, path: Path, **options: object) -> None:
        figure.canvas.draw()
        seen.append(figure)
        Path(path).write_bytes(b"")

    monkeypatch.setattr(Figure, "savefig", keep)
    return seen


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def panel(figure: Figure, name: str) -> Axes:
    (found,) = [axes for axes in figure.axes if axes.get_title(loc="left").startswith(name)]
    return found


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of visible texts that cover each other."""
    found = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    ticks = {
        id(tick.label1)
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
    }
    boxes = [(text, Text.get_window_extent(text)) for text in found if id(text) not in ticks]
    return [
        (a.get_text(), b.get_text())
        for (a, one), (b, other) in itertools.combinations(boxes, 2)
        if one.overlaps(other)
    ]


def test_pictures_are_png_files_of_1200_pixels_and_the_same_every_time(tmp_path: Path) -> None:
    for draw, height in (
        (lambda path: run_picture.run(ROWS, path, "a title"), 1179),
        (lambda path: sweep_picture.pareto(POINTS, path, "a title", "zcu104", 0.98, 1e5), 810),
    ):
        first, again = tmp_path / "first.png", tmp_path / "again.png"
        draw(first)
        with matplotlib.rc_context({"lines.marker": "x", "savefig.dpi": 30}):  # a user's settings
            draw(again)
        assert first.read_bytes() == again.read_bytes()
        with Image.open(first) as image:
            image.load()
            assert (image.format, image.size) == ("PNG", (1200, height))
            assert image.info.keys() <= {"dpi"}  # no date and no version
    assert {path.name for path in tmp_path.iterdir()} == {"first.png", "again.png"}


def test_drawing_leaves_matplotlib_as_it_was(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    run_picture.run(ROWS[:2], tmp_path / "x.png", "x")
    assert dict(matplotlib.rcParams) == before


def test_a_run_shows_every_schedule_over_its_epochs(tmp_path: Path, figures: list[Figure]) -> None:
    run_picture.run(ROWS, tmp_path / "x.png", "a run")
    (figure,) = figures
    assert {"a run", "float", "binary", "epoch", "measured", "set by the recipe"} <= set(
        texts(figure)
    )
    assert [axes.get_title(loc="left").split(",")[0].split(" (")[0] for axes in figure.axes] == [
        "loss",
        "accuracy",
        "distance between training and integer network",
        "learning rate",
        "binary weights",
        "activation bits",
    ]
    assert {axes.get_xlim() for axes in figure.axes} == {(0.5, 14.5)}
    judged = [r for r in ROWS if r.accuracy is not None]
    drawn = [line for line in panel(figure, "accuracy").lines if line.get_marker() == "o"]
    assert [x for line in drawn for x in line.get_xdata()] == [r.epoch for r in judged]
    assert [y for line in drawn for y in line.get_ydata()] == [100 * r.accuracy for r in judged]
    assert {"90.0 %", "95.7 %"} <= set(texts(figure))  # where each stage ended
    rates = [y for line in panel(figure, "learning").lines[1:] for y in line.get_ydata()]
    assert rates == [r.lr for r in ROWS]
    shares = [y for line in panel(figure, "binary").lines[1:] for y in line.get_ydata()]
    assert shares == [100 * r.binary_share for r in ROWS]
    stairs = [patch.get_data() for patch in panel(figure, "activation").patches]
    assert [list(part.values) for part in stairs] == [
        [run_picture.REAL] * 6,
        [5, 4, 4, 4, 4, 4, 4, 4],
    ]
    assert [part.edges[0] for part in stairs] == [0.5, 6.5]
    for axes in figure.axes:
        assert list(axes.lines[0].get_xdata()) == [6.5, 6.5]  # where the second stage begins
    assert overlapping(figure) == []


def test_the_axis_is_logarithmic_where_values_are_far_apart_and_positive(
    tmp_path: Path, figures: list[Figure]
) -> None:
    for losses in ((1.0, 0.5), (1.0, 0.01), (1.0, 0.0)):
        rows = [replace(row(n + 1), loss=loss) for n, loss in enumerate(losses)]
        run_picture.run(rows, tmp_path / "x.png", "x")
    scales = [panel(figure, "loss").get_yscale() for figure in figures]
    assert scales == ["linear", "log", "linear"]
    assert [panel(figure, "loss").get_ylim()[0] for figure in figures[::2]] == [0, 0]


def test_runs_of_any_shape_can_be_drawn(tmp_path: Path, figures: list[Figure]) -> None:
    one = replace(row(1, "float"), accuracy=None)
    many = [row(n + 1, f"a_stage_with_a_long_name_{n // 3}") for n in range(24)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run_picture.run([one], tmp_path / "x.png", "one epoch")
        run_picture.run(many, tmp_path / "x.png", "$a$ long title\n of 模型 " * 20)
    assert texts(figures[0]).count("not measured yet") == 2
    assert "real" in texts(figures[0]) and "10 bits" not in texts(figures[0])
    names = [text for text in texts(figures[1]) if text.startswith("a_")]
    assert len(names) == 8 and all(name.endswith("…") for name in names)
    (title,) = [t for t in figures[1].findobj(Text) if t.get_text().startswith("$")]
    assert title.get_text().startswith("$a$ long title of ?? $a$")
    assert title.get_text().endswith("…") and not title.get_parse_math()
    assert overlapping(figures[0]) == overlapping(figures[1]) == []


def test_a_sweep_shows_every_precision_the_float_model_and_the_target(
    tmp_path: Path, figures: list[Figure]
) -> None:
    sweep_picture.pareto(POINTS, tmp_path / "x.png", "a sweep", "zcu104", 0.9806, 101000.0)
    (figure,) = figures
    words = texts(figure)
    assert {"a sweep", "w1a8", "w1a7, w1a4", "w1a6", "w1a5", "w1a3", "w1a2"} <= set(words)
    assert "float\n98.1 %" in words and "target 101,000 FPS" in words
    assert any("measured on 360 images" in w and "FPS: estimated" in w for w in words)
    assert "frames per second on zcu104, estimated" in words
    (axes,) = figure.axes
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    filled = {line.get_xdata()[0] for line in dots if line.get_markerfacecolor() != "white"}
    assert filled == {105876.0, 117302.0} and len(dots) == 6
    (steps,) = [line for line in axes.lines if line.get_label() == "frontier"]
    levels = [100 * point.accuracy for point in POINTS]
    assert list(steps.get_xdata())[1:] == [105876.0, 105876.0, 117302.0, 117302.0]
    assert list(steps.get_ydata())[:4] == [levels[0], levels[0], levels[5], levels[5]]
    assert overlapping(figure) == []
    inside = axes.get_window_extent()
    for text in figure.findobj(Text):
        if text.get_text().startswith("w1a"):
            assert inside.x0 < Text.get_window_extent(text).x0


def test_a_target_far_away_is_named_and_not_drawn(tmp_path: Path, figures: list[Figure]) -> None:
    for target in (30.0, 3e6):
        sweep_picture.pareto(POINTS, tmp_path / "x.png", "x", "zcu104", None, target)
    assert "← target 30 FPS" in texts(figures[0])
    assert "target 3,000,000 FPS →" in texts(figures[1])
    for figure in figures:
        low, high = figure.axes[0].get_xlim()
        assert 90000 < low < high < 130000
        assert overlapping(figure) == []


def test_sweeps_of_any_shape_can_be_drawn(tmp_path: Path, figures: list[Figure]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for points in ([point(8, 360, 50.0)], [point(8, 360, 0.0)], [point(8, 0, 50.0)]):
            sweep_picture.pareto(points, tmp_path / "x.png", "x", "zcu104", 1.0, 50.0)
        sweep_picture.pareto(
            [*POINTS, point(8, 355, 0.0)][1:], tmp_path / "x.png", "x", "zcu104", None, None
        )
    assert "no precision has a legal design" in texts(figures[1])
    assert "hollow: another precision is as good or better in both; no legal design: w1a8" in (
        texts(figures[3])
    )
    for figure in figures:
        assert overlapping(figure) == []


def test_the_standard_error_of_a_share_is_never_zero() -> None:
    assert sweep_picture.standard_error(4999, 9998) == pytest.approx(0.005)
    assert 0 < sweep_picture.standard_error(360, 360) < 0.005


def test_a_picture_replaces_its_file_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), canvas.picture(path, 2.0, "x"):
        raise ZeroDivisionError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    with pytest.raises(InputError, match="cannot write"), canvas.picture(path / "y.png", 2.0, "x"):
        pass
