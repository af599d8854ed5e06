"""The points of a sweep: what each precision reaches, and which of them no other beats."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vaqf.files import output, smallfile

COLUMNS = (
    "act_bits",
    "accuracy",
    "correct",
    "images",
    "float_accuracy",
    "fps_estimated",
    "feasible",
    "limited_by",
    "pareto",
    "checkpoint",
    "network",
)


@dataclass(frozen=True)
class Point:
    """One precision, w1aA."""

    act_bits: int
    correct: int  # by the integer network
    images: int
    fps: float  # estimated, of the best design at this precision; 0 where no design is legal
    feasible: bool  # legal, and meets the target if there is one
    limited_by: str
    checkpoint: str  # file names, relative to the sweep's folder
    network: str
    float_correct: int | None = None  # by the float model, where the recipe has one
    notes: tuple[str, ...] = ()  # what a person should know of the float model; not in the table

    @property
    def name(self) -> str:
        """As papers write it: w1a8."""
        return f"w1a{self.act_bits}"

    @property
    def accuracy(self) -> float:
        """Share of the images that the integer network classifies correctly."""
        return self.correct / max(1, self.images)

    @property
    def float_accuracy(self) -> float | None:
        """Share of the images that the float model classifies correctly."""
        return None if self.float_correct is None else self.float_correct / max(1, self.images)


def frontier(points: Sequence[Point]) -> list[bool]:
    """Whether each point is on the Pareto frontier of accuracy and FPS.

    It is not if another is at least as good in both and better in one; equals stand together. A
    point without a legal design is never on it.
    """
    return [p.fps > 0 and not any(_beats(q, p) for q in points) for p in points]


def _beats(q: Point, p: Point) -> bool:
    better = (q.accuracy, q.fps) != (p.accuracy, p.fps)
    return better and q.accuracy >= p.accuracy and q.fps >= p.fps


def to_csv(points: Sequence[Point]) -> str:
    """A header and one line per point; an empty cell is a number that there is not."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for point, best in zip(points, frontier(points), strict=True):
        floating = point.float_accuracy
        writer.writerow(
            (
                point.act_bits,
                f"{point.accuracy:.6g}",
                point.correct,
                point.images,
                "" if floating is None else f"{floating:.6g}",
                f"{point.fps:.6g}" if point.fps else "",
                str(point.feasible).lower(),
                point.limited_by,
                str(best).lower(),
                point.checkpoint,
                point.network,
            )
        )
    return text.getvalue()


def write_csv(points: Sequence[Point], path: Path) -> None:
    """Replace the file at `path`, whole or not at all."""
    with output.new_file(path, True, is_table) as partial:
        partial.write_text(to_csv(points), encoding="utf-8")


def is_table(path: Path) -> bool:
    """Whether a file has the header of a sweep's table."""
    header = f"{','.join(COLUMNS)}\n".encode()
    return smallfile.head(path, len(header)) == header
