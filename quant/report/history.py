"""What a run looked like, epoch by epoch: the rows of its CSV file."""

import csv
import io
from dataclasses import asdict, astuple, dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args, get_type_hints

from vaqf.errors import InputError
from vaqf.files import output, smallfile


@dataclass(frozen=True)
class Row:
    """One epoch. `None` is an empty cell: not measured in this epoch."""

    stage: str
    epoch: int  # of the run, from 1
    steps: int  # optimizer steps of the run so far
    lr: float  # of the epoch's last step, as are the next two
    binary_share: float  # of the weights that are binary
    act_bits: int | None  # none: real activations
    loss: float  # mean over the epoch
    accuracy: float | None  # share of the judging images; of the integer network where there is one
    distance: float | None  # of training's logits from the integer network's, relative L2
    images_per_s: float
    seconds: float  # of the run so far, without interruptions


COLUMNS = tuple(field.name for field in fields(Row))
_KINDS = {name: get_args(kind) or (kind,) for name, kind in get_type_hints(Row).items()}


def line(rows: list[Row], epochs: int) -> str:
    """The last epoch of a run of so many, for people: what is left is told by this stage's pace."""
    row = rows[-1]
    before = [other.seconds for other in rows if other.stage != row.stage]
    pace = (row.seconds - max(before, default=0.0)) / (len(rows) - len(before))
    judged = "" if row.accuracy is None else f", accuracy {100 * row.accuracy:.1f} %"
    left = pace * (epochs - row.epoch)
    return (
        f"epoch {row.epoch} of {epochs} ({row.stage}): loss {row.loss:.4f}{judged}; "
        f"{_clock(row.seconds)} done, about {_clock(left)} left"
    )


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds: 0:01:09."""
    return str(timedelta(seconds=round(seconds)))


def to_csv(rows: list[Row]) -> str:
    """A header and one line per epoch."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = (f"{cell:.6g}" if isinstance(cell, float) else cell for cell in astuple(row))
        writer.writerow("" if cell is None else cell for cell in cells)
    return text.getvalue()


def write_csv(rows: list[Row], path: Path) -> None:
    """Replace the file at `path`, whole or not at all."""
    with output.new_file(path, True, is_log) as partial:
        partial.write_text(to_csv(rows), encoding="utf-8")


def is_log(path: Path) -> bool:
    """Whether a file has the header of a run's log."""
    header = f"{','.join(COLUMNS)}\n".encode()
    return smallfile.head(path, len(header)) == header


def plain(rows: list[Row]) -> list[dict[str, Any]]:
    """The rows as a checkpoint keeps them."""
    return [asdict(row) for row in rows]


def from_plain(kept: Any, where: str) -> list[Row]:
    """The rows that a checkpoint kept; InputError for anything else."""
    if not isinstance(kept, list):
        raise InputError(f"{where} has no history; start again with --force")
    for row in kept:
        good = isinstance(row, dict) and set(row) == set(COLUMNS)
        if not good or not all(type(row[name]) in kinds for name, kinds in _KINDS.items()):
            raise InputError(f"{where} has a history that cannot be read; start again with --force")
    return [Row(**row) for row in kept]
