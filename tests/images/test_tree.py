"""Folders and files of labels: every picture has the class it is of, or there is a word of it."""

import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from vaqf.errors import InputError
from vaqf.images import data as images
from vaqf.model import zoo
from vaqf.model.vit import Vit

TINY = Vit(name="tiny", image_size=32, patch_size=8, dim=24, heads=3, depth=1, classes=3)


def tree(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (7, 7, 7)).save(root / name)
    return root


COLOURS = replace(TINY, class_names=("blue", "green", "red"))


def test_folders_are_classes_by_name(tmp_path: Path) -> None:
    data = images.load(str(tree(tmp_path, "red/1.png", "blue/sub/0.png", "blue/2.png")), COLOURS)
    assert data.known is not None
    assert data.known.tolist() == [0, 0, 2]
    assert [item.name for item in data.items] == ["2.png", "0.png", "1.png"]
    (note,) = data.notes
    assert "no folder for 1 of 3 classes: 'green'" in note
    tree(tmp_path, "purple/0.png")
    with pytest.raises(InputError, match=r"'purple', which is no class of tiny: .*'blue', 'green'"):
        images.load(str(tmp_path), COLOURS)


def test_fewer_folders_than_classes_need_names(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"carries no names .* class_names .* --labels FILE"):
        images.load(str(tree(tmp_path, "red/0.png", "blue/0.png")), TINY)
    data = images.load(str(tree(tmp_path, "green/0.png")), TINY)
    assert "carries no class names" in data.notes[0]


def test_pictures_beside_class_folders_are_left_out_and_named(tmp_path: Path) -> None:
    tree(tmp_path, *(f"{part}/{c}/0.png" for part in ("train", "val") for c in COLOURS.class_names))
    tree(tmp_path, "train/overview.png", "val/all.png")
    data = images.load(str(tmp_path), COLOURS)
    assert (data.origin, len(data)) == ("pictures of val/", 3)
    assert data.known is not None
    assert data.known.tolist() == [0, 1, 2]
    assert data.notes == (f"left out, beside the class folders of {tmp_path / 'val'}: 'all.png'",)


def test_a_split_without_class_folders_is_not_scored(tmp_path: Path) -> None:
    """As the ILSVRC archive unpacks: train/ is sorted, val/ is not."""
    tree(tmp_path, "train/red/0.png", "train/blue/0.png", "val/b.png", "val/a.png")
    with pytest.raises(InputError, match=r"val holds pictures and no class folders.*--labels FILE"):
        images.load(str(tmp_path), COLOURS)
    for text in ("a.png red\nb.png blue\n", "b,0\na\t2\nImageId,Prediction\n", "red\n0\n"):
        (tmp_path / "labels.txt").write_text(text)
        data = images.load(str(tmp_path), COLOURS, labels=tmp_path / "labels.txt")
        assert data.known is not None
        assert data.known.tolist() == [2, 0]
    assert images.load(str(tmp_path / "val"), COLOURS).known is None
    assert len(images.calibration(str(tmp_path), COLOURS)) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.png red\n", "has no label for 'b.png'"),
        ("a.png red\nb.png purple\n", "label of 'b.png' is 'purple'; tiny takes a number from 0"),
        ("1\n2\n3\n", "has 3 labels for 2 pictures"),
        ("1\n3\n", r"'3' \(numbers from 1, .*; tiny takes a number from 0 to 2"),
        ("\xff", "is no UTF-8 text"),
        ("", "has no label for 'a.png'"),
    ],
)
def test_labels_that_are_none(tmp_path: Path, text: str, said: str) -> None:
    tree(tmp_path, "set/a.png", "set/b.png")
    (tmp_path / "labels.txt").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=said):
        images.load(str(tmp_path / "set"), COLOURS, labels=tmp_path / "labels.txt")
    with pytest.raises(InputError, match="give their folder with --data"):
        images.load("digits", zoo.load("vit_digits"), labels=tmp_path / "labels.txt")


def test_a_tree_without_val_says_so(tmp_path: Path) -> None:
    tree(tmp_path, "train/red/0.png", "test/red/0.png")
    said = r"has test/, train/ and no val/; rename the one to use to val/, .* --data .*/test$"
    with pytest.raises(InputError, match=said):
        images.load(str(tmp_path), COLOURS)
    known = replace(TINY, class_names=("bus", "test", "train"))
    assert images.load(str(tmp_path), known).known is not None


def test_links_among_folders_are_followed_once(tmp_path: Path) -> None:
    tree(tmp_path, *(f"{c}/0.png" for c in COLOURS.class_names))
    (tmp_path / "red/again").symlink_to(tmp_path / "red", target_is_directory=True)
    assert len(images.load(str(tmp_path), COLOURS)) == 3


def test_kaggles_labels_go_on_with_boxes(tmp_path: Path) -> None:
    tree(tmp_path, "set/a.png", "set/b.png")
    solution = tmp_path / "LOC_val_solution.csv"
    boxes = "ImageId,PredictionString\nb,red 85 1 499 272 red 0 0 9 9 \na,blue 1 2 3 4 \n"
    solution.write_text(boxes)
    data = images.load(str(tmp_path / "set"), COLOURS, labels=solution)
    assert data.known is not None
    assert data.known.tolist() == [0, 2]
    for label in ("red brick", "red 1 2 3 4 blue 1 2 3 4"):
        solution.write_text(f"a,{label}\nb,red\n")
        with pytest.raises(InputError, match="the label of 'a' is 'red "):
            images.load(str(tmp_path / "set"), COLOURS, labels=solution)


def test_folders_are_classes_in_both_forms_of_unicode(tmp_path: Path) -> None:
    forms = [unicodedata.normalize(form, "grün") for form in ("NFC", "NFD")]
    for number, (ours, theirs) in enumerate((forms, forms[::-1])):
        root = tree(tmp_path / str(number), f"{theirs}/0.png", "rot/0.png")
        network = replace(TINY, class_names=("blau", ours, "rot"))
        data = images.load(str(root), network)
        assert data.known is not None
        assert data.known.tolist() == [1, 2]
        tree(root, f"{ours}/0.png")
        with pytest.raises(InputError, match=r"two folders for the class .* but in their Unicode"):
            images.load(str(root), network)


@pytest.mark.parametrize("word", ["valid", "validation"])
def test_words_for_splits_are_those_of_shards(tmp_path: Path, word: str) -> None:
    tree(tmp_path, "training/red/0.png", f"{word}/red/1.png", f"{word}/blue/2.png")
    data = images.load(str(tmp_path), COLOURS)
    assert data.known is not None
    assert (data.origin, data.known.tolist()) == (f"pictures of {word}/", [0, 2])
    assert images.calibration(str(tmp_path), COLOURS).origin == "pictures of training/"
    (tmp_path / "val").mkdir()
    with pytest.raises(InputError, match=rf"has val/ and {word}/, and both are val; move one"):
        images.load(str(tmp_path), COLOURS)


def test_a_val_that_lacks_a_class_of_train_is_read_by_name(tmp_path: Path) -> None:
    tree(tmp_path, *(f"train/{name}/0.png" for name in COLOURS.class_names))
    tree(tmp_path, "val/red/0.png", "val/blue/0.png")
    for path, origin in ((tmp_path, "pictures of val/"), (tmp_path / "val", "pictures")):
        data = images.load(str(path), COLOURS)
        assert data.known is not None
        assert (data.origin, data.known.tolist()) == (origin, [0, 2])
        assert data.notes == (f"{tmp_path / 'val'} has no folder for 1 of 3 classes: 'green'",)
    with pytest.raises(InputError, match="different class folders: 'green' is only in train/"):
        images.load(str(tmp_path), TINY)
