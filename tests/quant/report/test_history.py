"""history.py: the log of a run."""

import csv
import errno
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from vaqf.errors import InputError
from vaqf.quant.report import history
from vaqf.quant.report.history import Row

ROW = Row("float", 1, 22, 0.003, 0.0, None, 2.5, None, None, 1234.5, 0.25)
LAST = Row("binary", 2, 44, 1e-6, 1.0, 4, 0.125, 0.9, 0.07, 600.0, 1.0 / 3)


def test_a_line_for_each_epoch_and_empty_cells_for_what_was_not_measured(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    history.write_csv([ROW, LAST], file)
    assert file.read_text() == (
        "stage,epoch,steps,lr,binary_share,act_bits,loss,accuracy,distance,images_per_s,seconds\n"
        "float,1,22,0.003,0,,2.5,,,1234.5,0.25\n"
        "binary,2,44,1e-06,1,4,0.125,0.9,0.07,600,0.333333\n"
    )
    history.write_csv([LAST], file)  # replaces what is there
    with file.open() as stream:
        (only,) = csv.DictReader(stream)
    assert only["stage"] == "binary" and list(tmp_path.iterdir()) == [file]


def test_the_line_of_an_epoch() -> None:
    assert history.line([ROW], 9) == (
        "epoch 1 of 9 (float): loss 2.5000; 0:00:00 done, about 0:00:02 left"
    )
    rows = [replace(ROW, seconds=90.0), replace(LAST, seconds=3700.5, epoch=2)]
    assert history.line(rows, 4) == (
        "epoch 2 of 4 (binary): loss 0.1250, accuracy 90.0 %; 1:01:40 done, about 2:00:21 left"
    )
    assert history.line([replace(LAST, epoch=9)], 9).endswith("0:00:00 done, about 0:00:00 left")


def test_a_failed_write_leaves_the_former_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.csv"
    history.write_csv([ROW], file)
    before = file.read_text()

    def full(self: Path, *arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "the disk is full")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match=r"cannot write .*x\.csv: the disk is full"):
        history.write_csv([ROW, LAST], file)
    assert file.read_text() == before and list(tmp_path.iterdir()) == [file]


def test_rows_survive_a_checkpoint() -> None:
    assert history.from_plain(history.plain([ROW, LAST]), "x.pt") == [ROW, LAST]
    assert history.from_plain([], "x.pt") == []


@pytest.mark.parametrize(
    "kept",
    [
        None,
        {},
        "rows",
        [None],
        [[]],
        [{}],
        [{**asdict(ROW), "more": 1}],
        [{k: v for k, v in asdict(ROW).items() if k != "loss"}],
        [asdict(ROW), asdict(replace(LAST, epoch="2"))],
        [asdict(replace(ROW, stage=1))],
        [asdict(replace(ROW, steps=1.5))],
        [asdict(replace(ROW, epoch=True))],
        [asdict(replace(ROW, loss="nan"))],
        [asdict(replace(ROW, accuracy=[0.5]))],
        [asdict(replace(ROW, seconds=None))],
        [asdict(replace(ROW, act_bits=4.0))],
        [{str(i): v for i, v in enumerate(asdict(ROW).values())}],
    ],
)
def test_hostile_rows(kept: object) -> None:
    with pytest.raises(InputError, match=r"x\.pt has .*start again with --force"):
        history.from_plain(kept, "x.pt")
