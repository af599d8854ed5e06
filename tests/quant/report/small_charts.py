"""A run and a sweep whose charts have everything in them."""

from vaqf.quant.report.history import Row
from vaqf.quant.report.pareto import Point


def row(epoch: int, stage: str = "binary") -> Row:
    """Every quantity moves, and every other epoch is judged."""
    judged = epoch % 2 == 0
    return Row(
        stage=stage,
        epoch=epoch,
        steps=10 * epoch,
        lr=0.003 / epoch,
        binary_share=0.0 if stage == "float" else min(1.0, epoch / 10),
        act_bits=None if stage == "float" else min(8, max(4, 12 - epoch)),
        loss=2.5 / epoch,
        accuracy=1 - 0.6 / epoch if judged else None,
        distance=0.8 / epoch if judged and stage == "binary" else None,
        images_per_s=1000.0,
        seconds=1.5 * epoch,
    )


ROWS = [*(row(epoch, "float") for epoch in range(1, 7)), *(row(epoch) for epoch in range(7, 15))]
MANY = [row(n + 1, f"a_stage_with_a_long_name_{n // 3}") for n in range(24)]


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
