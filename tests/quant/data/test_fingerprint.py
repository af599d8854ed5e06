"""What tells two sets apart when a run is resumed: names, sizes and labels, no pixels."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from samples import RGB
from tars import archive, folder, picture

from vaqf.quant.data.sources import arrays, load

VIT = replace(RGB, classes=3)


def tree(root: Path) -> Path:
    """Pictures of other sizes in every class, under the same names."""
    for split in ("train", "val"):
        for label, name in enumerate(("ant", "bee", "cat")):
            (root / split / name).mkdir(parents=True)
            for number in range(2):
                place = root / split / name / f"{number}.png"
                place.write_bytes(picture(9) + b"\0" * label)
    return root


def swap(root: Path) -> None:
    for split in ("train", "val"):
        (root / split / "ant").rename(root / "x")
        (root / split / "bee").rename(root / split / "ant")
        (root / "x").rename(root / split / "bee")


@pytest.mark.parametrize(
    "change",
    [
        swap,
        lambda root: (root / "val/ant/1.png").unlink(),
        lambda root: (root / "train/ant/1.png").rename(root / "train/ant/2.png"),
        lambda root: (root / "train/ant/1.png").rename(root / "train/bee/2.png"),
        lambda root: (root / "val/cat/0.png").write_bytes(picture(9)),
    ],
)
def test_other_pictures_in_the_same_folders(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    root = tree(tmp_path / "set")
    before = load(str(root), VIT).fingerprint
    moved = shutil.copytree(root, tmp_path / "moved")
    assert load(str(moved), VIT).fingerprint == before
    change(root)
    assert load(str(root), VIT).fingerprint != before


def test_a_picture_that_went_away_is_another_set(tmp_path: Path) -> None:
    root = tree(tmp_path / "set")
    before, data = load(str(root), VIT).fingerprint, load(str(root), VIT)
    (root / "train/ant/1.png").unlink()
    assert data.fingerprint != before


def test_other_shards(tmp_path: Path) -> None:
    root = folder(tmp_path / "set")
    before = load(str(root), VIT).fingerprint
    assert load(str(shutil.copytree(root, tmp_path / "moved")), VIT).fingerprint == before
    archive(root / "val-0000.tar", {"x.png": b"\0" * 20_000, "y.png": picture(3), "y.cls": b"0"})
    assert load(str(root), VIT).fingerprint != before


def test_arrays_by_their_labels() -> None:
    pixels, labels = np.zeros((4, 8, 8, 3), np.uint8), np.arange(4)
    one = arrays("some", (pixels, labels), (pixels, labels))
    assert one.fingerprint == arrays("some", (pixels, labels), (pixels, labels)).fingerprint
    other = arrays("some", (pixels, labels[::-1].copy()), (pixels, labels))
    assert one.fingerprint != other.fingerprint
