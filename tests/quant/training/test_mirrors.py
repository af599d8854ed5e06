"""Pictures that are mirrored by default: colour ones of what is no letter, number or direction."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from samples import GRAY, RGB

from vaqf.images.sets import SETS
from vaqf.quant.data.sources import Arrays, arrays, load
from vaqf.quant.training.mirrors import NUMBERS, mirrored, signs

NAMES = ("ant", "bee", "cat", "dog")


@pytest.mark.parametrize(
    "names",
    [
        tuple("abdq"),
        tuple("0AbÄ"),
        ("0", "1", "10"),
        ("zero", "One", "TWO"),
        ("digit_0", "digit two"),
        ("letter_b", "letter_d"),
        ("left", "right"),
        ("arrow_left", "arrow_up"),
        ("cat", "turn Right ahead"),
        tuple(map(str, range(100))),
    ],
)
def test_names_of_signs(names: tuple[str, ...]) -> None:
    assert signs(names)


@pytest.mark.parametrize(
    "names",
    [
        NAMES,
        ("b", "d", "none"),
        ("n01440764", "n01443537"),
        ("bright", "leftover"),
        ("one", "none"),
        tuple(map(str, range(101))),
        ("-", "--"),
    ],
)
def test_other_names(names: tuple[str, ...]) -> None:
    assert not signs(names)


def test_numbers_are_the_words_to_ten() -> None:
    assert len(NUMBERS) == 11


def few(channels: int) -> Arrays:
    """Random pixels, of one channel or the same in three."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (8, 8, 8, channels), dtype=np.uint8)
    labels = np.arange(8) % 4
    return arrays("some", (pixels, labels), (pixels, labels), NAMES)


def test_gray_arrays() -> None:
    assert mirrored(few(3))
    assert not mirrored(few(1))


@pytest.mark.parametrize("name", sorted(SETS))
def test_sets_by_name(name: str) -> None:
    assert mirrored(replace(few(3), origin=name)) == SETS[name].mirrored


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("colour", [0, 1])
def test_pictures_of_files(tmp_path: Path, mode: str, suffix: str, colour: int) -> None:
    """Gray files in gray or in colour; one picture with a colour is enough."""
    for split in ("train", "val"):
        for number, name in enumerate(NAMES):
            (tmp_path / split / name).mkdir(parents=True)
            one = Image.new(mode, (9, 9), 60 * number if mode == "L" else (60 * number,) * 3)
            one.save(tmp_path / split / name / f"0.{suffix}")
    if colour:
        Image.new("RGB", (9, 9), (200, 10, 10)).save(tmp_path / f"train/cat/0.{suffix}")
    assert mirrored(load(str(tmp_path), RGB)) == bool(colour)
    assert not mirrored(load(str(tmp_path), replace(GRAY, classes=4)))
