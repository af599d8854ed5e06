"""Files of labels: each line means one thing, or is refused with what to write."""

import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from vaqf.errors import InputError
from vaqf.images import labelfile
from vaqf.model.vit import Vit

TINY = Vit(name="tiny", image_size=32, patch_size=8, dim=24, heads=3, depth=1, classes=3)
COLOURS = replace(TINY, class_names=("blue", "green", "red"))
NUMERALS = replace(TINY, class_names=("1", "10", "2"))


def read(tmp_path: Path, text: str, names: list[str], vit: Vit = COLOURS) -> list[int]:
    (tmp_path / "labels.txt").write_text(text)
    return labelfile.read(tmp_path / "labels.txt", names, vit).tolist()


def refused(tmp_path: Path, text: str, names: list[str], vit: Vit = COLOURS) -> str:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, names, vit)
    return str(caught.value).removeprefix(str(tmp_path / "labels.txt"))


FLAT = ["a.png", "b.png", "c.png"]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("1 2 10", [0, 2, 1]),  # names, as 10 is no number of three classes
        ("0 1 2", [0, 1, 2]),  # numbers, as 0 is no name
        ("01 02 01", [1, 2, 1]),
        ("10 10 10", [1, 1, 1]),
    ],
)
def test_numbers_that_are_names_are_all_read_one_way(
    tmp_path: Path, labels: str, expected: list[int]
) -> None:
    words = labels.split()
    pairs = "".join(f"{name} {word}\n" for name, word in zip(FLAT, words, strict=True))
    assert read(tmp_path, pairs, FLAT, NUMERALS) == expected
    assert read(tmp_path, "\n".join(words), FLAT, NUMERALS) == expected


@pytest.mark.parametrize("labels", ["1 2 1", "0 1 10"])
def test_numbers_that_may_be_names_are_refused(tmp_path: Path, labels: str) -> None:
    said = refused(tmp_path, labels.replace(" ", "\n"), FLAT, NUMERALS)
    assert said == (
        ": the label '1' is the name of a class of tiny and the number of another, '10'; for"
        " numbers write them all with a zero before ('01'), for names sort the pictures into"
        " folders of these names"
    )


def test_names_that_are_their_own_numbers_mix_with_others(tmp_path: Path) -> None:
    digits = replace(TINY, class_names=("0", "1", "two"))
    assert read(tmp_path, "1\ntwo\n2\n", FLAT, digits) == [1, 2, 2]


def test_two_labels_for_one_picture(tmp_path: Path) -> None:
    assert read(tmp_path, "a red\nb 0\na.png 2\nb.png blue\n", FLAT[:2]) == [2, 0]
    said = refused(tmp_path, "file,label\na,red\nb,red\na.png,blue\n", FLAT[:2])
    assert said == " has two labels for 'a.png': 'red' in line 2 and 'blue' in line 4; keep one"
    said = refused(tmp_path, "x red\nx/a.png blue\n", ["x/a.png"])
    assert said.startswith(" has two labels for 'x/a.png'")


def test_a_name_of_several_pictures_is_refused(tmp_path: Path) -> None:
    names = ["a/0.png", "b/0.png"]
    for key in ("0.png", "0"):
        said = refused(tmp_path, f"{key} red\n", names)
        assert said == (
            f", line 1: '{key}' may be 2 pictures: 'a/0.png', 'b/0.png'; name each by its place, as"
            " here"
        )
    assert read(tmp_path, "a/0.png red\nb/0.png blue\n", names) == [2, 0]
    assert read(tmp_path, "a red\nb blue\n", names) == [2, 0]
    assert "'0' may be 3 pictures" in refused(
        tmp_path, "0 red\n", ["0/1.png", "0/2.png", "1/0.png"]
    )
    assert read(tmp_path, "0 red\n", ["0/0.png", "0/1.png"]) == [2, 2]


def test_labels_alone_need_names_that_count_as_they_are_sorted(tmp_path: Path) -> None:
    for names in (["1.png", "10.png", "2.png"], ["x/img9b.png", "y/10.png", "y/9.png"]):
        said = refused(tmp_path, "red\ngreen\nblue\n", names)
        assert f"{names[-2]!r} comes before {names[-1]!r} in the alphabet, after it" in said
    for names in (["01.png", "02.png", "10.png"], ["a-2.png", "a1.png", "b0.png"]):
        assert read(tmp_path, "red\ngreen\nblue\n", names) == [2, 1, 0]


def test_csv_with_quotes(tmp_path: Path) -> None:
    names = ["a b.png", "a,b.png", "c.png", 'q"x.png', "tench.png"]
    named = replace(TINY, class_names=("blue", "red", "tench, Tinca tinca"))
    text = '"file","label"\n"a b.png","red"\n"a,b.png",blue\nc.png,"red"\n"q""x.png",0\n'
    text += '"tench.png","tench, Tinca tinca"\n'
    assert read(tmp_path, text, names, named) == [1, 0, 1, 0, 2]
    plain = 'a b.png red\na,b.png 0\nc.png\t"red"\nq"x.png blue\ntench tench, Tinca tinca\n'
    assert read(tmp_path, plain, names, named) == [1, 0, 1, 0, 2]
    assert read(tmp_path, '"red"\n"blue"\n"0"\n', FLAT, named) == [1, 0, 0]


def test_a_leading_dot_is_the_folder_itself(tmp_path: Path) -> None:
    assert read(tmp_path, "./x/a.png red\n./b.png blue\n", ["x/a.png", "b.png"]) == [2, 0]


@pytest.mark.parametrize("line", ["{};red", "/data/{} red", "x\\{} red", "red,{}"])
def test_a_line_that_names_no_picture_is_shown(tmp_path: Path, line: str) -> None:
    rows = [line.format(name) for name in FLAT]
    said = refused(tmp_path, "\n".join(["name of the file", *rows]), FLAT)
    assert said == (
        " has no label for 'a.png'; it must have lines `picture label`, or one label per picture;"
        f" lines that name no picture: 4, such as line 2: {rows[0]!r}"
    )


def test_accents_are_alike_in_both_forms_of_unicode(tmp_path: Path) -> None:
    forms = [unicodedata.normalize(form, "grün") for form in ("NFC", "NFD")]
    for ours, theirs in (forms, forms[::-1]):
        network = replace(TINY, class_names=("blau", ours, "rot"))
        names = [f"{ours}.png", "x.png"]
        assert read(tmp_path, f"{theirs}.png {theirs}\nx rot\n", names, network) == [1, 2]
    both = replace(TINY, class_names=(*forms, "rot"))
    assert read(tmp_path, f"a {forms[1]}\nb {forms[0]}\n", ["a.png", "b.png"], both) == [1, 0]
