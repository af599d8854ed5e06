"""chart.py, run_chart.py, sweep_chart.py: what pictures show, without a picture."""

from dataclasses import replace

import pytest
from small_charts import MANY, POINTS, ROWS, point, row

from vaqf.quant.report import run_chart, sweep_chart
from vaqf.quant.report.chart import BORDER, MEASURED, REFERENCE, SET, Axis, Chart, Panel, linear


def panel(chart: Chart, name: str) -> Panel:
    (found,) = [panel for panel in chart.panels if panel.y.name.startswith(name)]
    return found


def drawn(panel: Panel) -> list[tuple[float, float]]:
    """The places of a run's panel, stage by stage, without the borders of stages."""
    return [place for line in panel.lines if line.kind != BORDER for place in line.places]


def labels(axis: Axis) -> list[str]:
    return [label for _, label in axis.ticks]


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 100, 2, "0 50 100"),
        (0, 2.7, 4, "0 1 2"),
        (0, 0.00324, 4, "0 0.001 0.002 0.003"),
        (90, 100, 4, "90 95 100"),
        (0.5, 80.5, 10, "10 20 30 40 50 60 70 80"),
        (-0.3, 0.3, 6, "-0.3 -0.2 -0.1 0 0.1 0.2 0.3"),
        (99.9, 101.2, 6, "100 100.5 101"),
        (0, 1e-9, 1, "0 1e-09"),
    ],
)
def test_ticks_are_round_and_few(low: float, high: float, most: int, expected: str) -> None:
    axis = linear("x", low, high, most)
    assert labels(axis) == expected.split() and (axis.low, axis.high) == (low, high)
    assert [place for place, _ in axis.ticks] == pytest.approx([float(x) for x in expected.split()])


def test_a_run_shows_every_quantity_over_its_epochs() -> None:
    chart = run_chart.chart(ROWS, "a run")
    assert (chart.title, chart.notes) == (
        "a run",
        ((MEASURED, "measured"), (SET, "set by the recipe")),
    )
    assert chart.spans == ((0.5, 6.5, "float"), (6.5, 14.5, "binary"))
    assert [(one.y.name, one.kind) for one in chart.panels] == [
        ("loss (log scale)", MEASURED),
        ("accuracy, %; 90.0 % after float", MEASURED),
        ("distance between training and integer network, relative", MEASURED),
        ("learning rate", SET),
        ("binary weights, %", SET),
        ("activation bits", SET),
    ]
    assert {(one.x.name, one.x.low, one.x.high) for one in chart.panels} == {("epoch", 0.5, 14.5)}
    for one in chart.panels:
        assert one.lines[0].kind == BORDER and one.lines[0].places[0][0] == 6.5
        assert all(line.kind == one.kind for line in one.lines[1:]) and not one.empty
    judged = [(r.epoch, 100 * r.accuracy) for r in ROWS if r.accuracy is not None]
    accuracy = panel(chart, "accuracy")
    assert drawn(accuracy) == judged == [(mark.x, mark.y) for mark in accuracy.marks]
    assert drawn(panel(chart, "learning")) == [(r.epoch, r.lr) for r in ROWS]
    assert drawn(panel(chart, "binary")) == [(r.epoch, 100 * r.binary_share) for r in ROWS]
    assert not panel(chart, "learning").marks
    bits = [run_chart.REAL] * 6 + [5, 4, 4, 4, 4, 4, 4, 4]
    edges = [(epoch + side, b) for epoch, b in enumerate(bits, 1) for side in (-0.5, 0.5)]
    assert drawn(panel(chart, "activation")) == edges
    assert labels(panel(chart, "activation").y) == ["2", "4", "6", "8", "real"]
    ends = [[line.label for line in one.lines] for one in chart.panels]
    assert ends == [["", "", end] for end in ("0.179", "95.7 %")] + [
        ["", "0.057"],
        ["", "", ""],
        ["", "", "100 %"],
        ["", "", "4 bits"],
    ]


def test_the_axis_is_logarithmic_where_values_are_far_apart_and_positive() -> None:
    for losses, log in (
        ((1.0, 0.5), False),
        ((1.0, 0.01), True),
        ((1.0, 0.0), False),
        ((1e30, 1e25), True),
        ((1e-30, 7e-30), False),
        ((0.0, 0.0), False),
    ):
        rows = [replace(row(n + 1), loss=loss) for n, loss in enumerate(losses)]
        axis = panel(run_chart.chart(rows, "x"), "loss").y
        assert axis.log is log and axis.name == ("loss (log scale)" if log else "loss")
        assert (axis.low == 0) is not log and axis.low <= min(losses) <= max(losses) <= axis.high
        assert 2 <= len(axis.ticks) <= 6
        assert all(axis.low <= place <= axis.high for place, _ in axis.ticks)


@pytest.mark.parametrize("share", [0.0, 0.123, 0.7, 1.0])
def test_accuracies_lie_between_whole_tens(share: float) -> None:
    axis = panel(run_chart.chart([replace(row(2), accuracy=share)], "x"), "accuracy").y
    assert axis.low % 10 == axis.high % 10 == 0
    assert 0 <= axis.low <= 100 * share <= axis.high <= 100 and axis.low < axis.high


def test_runs_of_any_shape_have_a_chart() -> None:
    chart = run_chart.chart([replace(row(1, "float"), accuracy=None)], "one epoch")
    assert [one.empty for one in chart.panels] == ["", *["not measured yet"] * 2, "", "", ""]
    assert [len(one.marks) for one in chart.panels] == [1, 0, 0, 1, 1, 0]
    assert labels(chart.panels[0].x) == ["1"] and panel(chart, "act").lines[0].label == "real"
    chart = run_chart.chart(MANY, "eight stages")
    assert len(chart.spans) == 8 and labels(chart.panels[0].x) == ["5", "10", "15", "20"]
    assert len(panel(chart, "loss").lines) == 15


def test_a_sweep_shows_every_precision_the_float_model_and_the_target() -> None:
    chart = sweep_chart.chart(POINTS, "a sweep", "zcu104", 0.9806, 101000.0)
    assert chart.notes == (
        (
            REFERENCE,
            "accuracy: measured on 360 images, the integer network (standard error at most 1.5"
            " percentage points); FPS: estimated",
        ),
        (REFERENCE, "hollow: another precision is as good or better in both"),
        (SET, "target: 101,000 FPS"),
    )
    (one,) = chart.panels
    assert (one.x.name, one.y.name) == ("frames per second on zcu104, estimated", "accuracy, %")
    levels = {(p.fps, 100 * p.accuracy) for p in POINTS}
    assert {(mark.x, mark.y) for mark in one.marks} == levels and len(one.marks) == len(POINTS)
    assert {mark.x for mark in one.marks if mark.full} == {105876.0, 117302.0}
    names = [mark.name for mark in one.marks if mark.name]
    assert names == ["w1a8", "w1a6\nw1a7, w1a4\nw1a5", "w1a3", "w1a2"]
    (frontier, reference, target) = one.lines
    best, fast = 100 * POINTS[0].accuracy, 100 * POINTS[5].accuracy
    assert frontier.places == (
        (one.x.low, best),
        (105876.0, best),
        (105876.0, fast),
        (117302.0, fast),
        (117302.0, one.y.low),
    )
    assert (reference.kind, reference.label) == (REFERENCE, "float\n98.1 %")
    assert reference.places == ((one.x.low, 98.06), (one.x.high, 98.06))
    assert (target.kind, {x for x, _ in target.places}) == (SET, {101000.0})


def test_a_target_far_away_is_named_and_not_drawn() -> None:
    for target, words in ((30.0, "30 FPS, left of"), (3e6, "3,000,000 FPS, right of")):
        chart = sweep_chart.chart(POINTS, "x", "zcu104", None, target)
        assert chart.notes[-1] == (SET, f"target: {words} what is shown")
        (one,) = chart.panels
        assert 90000 < one.x.low < one.x.high < 130000 and len(one.lines) == 1


def test_sweeps_of_any_shape_have_a_chart() -> None:
    def chart(points: list[sweep_chart.Point]) -> Chart:
        return sweep_chart.chart(points, "x", "zcu104", 1.0, None)

    for correct in (0, 360):
        (one,) = chart([point(8, correct, 50.0)]).panels
        (mark,) = one.marks
        assert mark.full and mark.name == "w1a8" and one.x.low < 50 < one.x.high
        assert 0 <= one.y.low <= mark.y <= one.y.high <= 100
    nothing = chart([point(8, 360, 0.0)])
    assert nothing.panels[0].empty == "no precision has a legal design"
    assert not nothing.panels[0].marks and nothing.notes[1][1] == "no legal design: w1a8"
    some = chart([*POINTS[1:], point(8, 355, 0.0)])
    assert some.notes[1][1] == (
        "hollow: another precision is as good or better in both; no legal design: w1a8"
    )


def test_the_standard_error_of_a_share_is_never_zero() -> None:
    assert sweep_chart.standard_error(4999, 9998) == pytest.approx(0.005)
    assert 0 < sweep_chart.standard_error(360, 360) < 0.005
