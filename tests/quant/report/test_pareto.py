"""pareto.py: which precisions no other beats, and the table of a sweep."""

import pytest

from vaqf.quant.report.pareto import COLUMNS, Point, frontier, to_csv


def point(act_bits: int, correct: int, fps: float, float_correct: int | None = None) -> Point:
    return Point(act_bits, correct, 100, fps, True, "lut", "a.pt", "a.safetensors", float_correct)


@pytest.mark.parametrize(
    ("reached", "flags"),
    [
        ([(90, 30.0)], "1"),
        ([(90, 30.0), (80, 60.0), (70, 90.0)], "111"),  # a real choice
        ([(90, 90.0), (80, 60.0), (70, 30.0)], "100"),  # one is best in both
        ([(90, 30.0), (90, 60.0), (80, 60.0)], "010"),  # equal in one, better in the other
        ([(90, 30.0), (90, 30.0), (80, 20.0)], "110"),  # equal in both
        ([(95, 0.0), (90, 30.0)], "01"),  # no legal design
        ([(95, 0.0)], "0"),
    ],
)
def test_the_frontier_is_what_no_other_beats(reached: list[tuple[int, float]], flags: str) -> None:
    points = [point(8 - n, correct, fps) for n, (correct, fps) in enumerate(reached)]
    assert frontier(points) == [flag == "1" for flag in flags]
    assert frontier(points[::-1]) == [flag == "1" for flag in flags[::-1]]


def test_the_table_has_a_line_per_point_and_empty_cells_for_what_there_is_not() -> None:
    text = to_csv([point(8, 90, 30.25, 95), point(2, 80, 0.0)])
    assert text.splitlines() == [
        ",".join(COLUMNS),
        "8,0.9,90,100,0.95,30.25,true,lut,true,a.pt,a.safetensors",
        "2,0.8,80,100,,,true,lut,false,a.pt,a.safetensors",
    ]


def test_shares_are_of_the_images_that_were_judged() -> None:
    assert point(8, 90, 1.0, 95).accuracy == 0.9
    assert point(8, 90, 1.0, 95).float_accuracy == 0.95
    assert point(8, 90, 1.0).float_accuracy is None
    assert point(3, 90, 1.0).name == "w1a3"
