"""Shards to evaluate, build and simulate with: which are taken, and the class of each sample."""

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from samples import RGB
from tars import archive, folder, picture, samples

from vaqf.errors import InputError
from vaqf.images import data as images
from vaqf.images import made as room
from vaqf.images.images import Images, evenly
from vaqf.images.sharded import Sharded

VIT = replace(RGB, classes=3)
NAMED = replace(VIT, class_names=("cat", "ant", "bee"))


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return folder(tmp_path / "set")


def levels(found: Images) -> list[int]:
    return found.pixels[:, 0, 0, 0].tolist()


def named(path: Path, labels: Mapping[int, str]) -> Path:
    """A shard of pictures of so many levels, whose labels are class names."""
    files = {}
    for level, name in labels.items():
        files |= {f"{level}.png": picture(level), f"{level}.cls": name.encode()}
    return archive(path, files)


def test_the_samples_of_val_with_their_labels(made: Path) -> None:
    data = images.load(str(made), VIT)
    assert (data.origin, len(data), data.notes) == ("shards of val", 7, ())
    found = data.read()
    assert levels(found) == list(range(100, 107))
    assert found.labels is not None
    assert found.labels.tolist() == [level % 3 for level in range(100, 107)]
    assert (found.pixels.shape, found.unreadable) == ((7, 8, 8, 3), {})


@pytest.mark.parametrize("size", range(1, 9))
def test_samples_are_read_some_at_a_time(made: Path, size: int) -> None:
    archive(made / "val-0002.tar", {"a.png": b"none", "a.cls": b"0", "b.png": picture(3)})
    parts = list(images.load(str(made), VIT).batches(size))
    assert len(parts) == -(-9 // size)
    assert [level for part in parts for level in levels(part)] == list(range(100, 107))
    assert [len(part.labels) for part in parts if part.labels is not None] == list(map(len, parts))
    assert {name: why for part in parts for name, why in part.unreadable.items()} == {
        "val-0002.tar/a": "it is not a picture that Pillow reads",
        "val-0002.tar/b": "it has no label (cls or json)",
    }


@pytest.mark.parametrize("count", range(1, 8))
def test_images_are_spread_over_all_shards(made: Path, count: int) -> None:
    found = images.load(str(made), VIT, count).read()
    assert levels(found) == [100 + number for number in evenly(7, count)]
    with pytest.raises(InputError, match=r"--images is 8; the shards of .* hold 7 samples"):
        images.load(str(made), VIT, 8)


def test_classes_that_take_turns_are_all_met(tmp_path: Path) -> None:
    """Of 60 samples of the classes 0, 1, 2, 0, ... every third has one class."""
    archive(tmp_path / "val-0.tar", samples(0, 60))
    for count in (10, 20, 30):
        labels = images.load(str(tmp_path), VIT, count).read().labels
        assert labels is not None
        assert min(np.bincount(labels, minlength=3)) >= count // 6


def test_no_more_is_held_than_a_batch_and_no_more_read_than_was_asked_for(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = images.load(str(made), VIT, 2)
    assert isinstance(data, Sharded)
    assert [(path.name, list(numbers)) for path, numbers in data.taken] == [
        ("val-0000.tar", [2]),
        ("val-0001.tar", [2]),
    ]
    monkeypatch.setattr("vaqf.images.images.MAX_PIXEL_BYTES", 8 * 8 * 3)
    with pytest.raises(InputError, match=r"2 images of small are too many"):
        data.read()
    assert room.MAX_PIXEL_BYTES > 8 * 8 * 3
    assert sum(map(len, data.batches(1))) == 2


def test_the_only_shards_that_there_are(made: Path, tmp_path: Path) -> None:
    one = images.load(str(made / "train-0001.tar"), VIT)
    assert (one.origin, levels(one.read())) == ("shards", [5, 6, 7, 8])
    for path in made.glob("val-*"):
        path.rename(tmp_path / path.name.removeprefix("val-"))
    train = images.load(str(made), VIT)
    assert (train.origin, len(train)) == ("shards of train", 15)
    assert train.notes == (f"{made} has no val-*.tar; its train-*.tar are taken",)
    rest = images.load(str(tmp_path), VIT)
    assert (rest.origin, len(rest)) == ("shards", 7)
    (made / "test-0.tar").write_bytes(b"")
    said = r"several sets and no val-\*\.tar; .* --data .*/test-0\.tar"
    with pytest.raises(InputError, match=said):
        images.load(str(made), VIT)


def test_shards_in_folders_of_their_splits(made: Path, tmp_path: Path) -> None:
    for path in made.glob("*.tar"):
        split, number = path.name.split("-")
        (tmp_path / "in" / split).mkdir(parents=True, exist_ok=True)
        path.rename(tmp_path / "in" / split / number)
    (tmp_path / "in/val/stray.png").write_bytes(picture(0))
    data = images.load(str(tmp_path / "in"), VIT)
    assert levels(data.read()) == list(range(100, 107))
    assert data.notes == (f"left out, beside the shards of {tmp_path / 'in/val'}: 'stray.png'",)


@pytest.mark.parametrize("ending", [".tar", ".tar.gz", ".tgz"])
def test_names_as_timm_publishes_them(made: Path, ending: str) -> None:
    (made / "_info.json").write_text("{}")
    for path in made.glob("*.tar"):
        split = path.name.replace("val", "validation").removesuffix(".tar")
        path.rename(made / f"imagenet1k-{split}{ending}")
    data = images.load(str(made), VIT)
    assert (data.origin, len(data)) == ("shards of val", 7)
    (made / f"other-train-0{ending}").write_bytes(b"")
    with pytest.raises(InputError, match=r"two sets, 'imagenet1k-train-0000.* 'other-train-0"):
        images.load(str(made), VIT)


@pytest.mark.parametrize(
    "name",
    ["{}.tar", "set_{}-000000-{}.tar", "a-b_{}_0.tgz", "{}-0.TAR", "my.{}.0.tar", "{}2017.tar"],
)
@pytest.mark.parametrize(
    "words",
    [("train", "val"), ("Train", "Val"), ("TRAIN", "VAL"), ("training", "valid")],
)
def test_names_of_which_the_split_is_clear(
    tmp_path: Path, name: str, words: tuple[str, str]
) -> None:
    for split, level in zip((*words, "test"), (1, 2, 3), strict=True):
        named(tmp_path / name.format(split, split), {level: "0"})
    assert levels(images.load(str(tmp_path), VIT).read()) == [2]


def test_testing_is_not_val(tmp_path: Path) -> None:
    for split in ("training", "testing"):
        named(tmp_path / f"{split}-0.tar", {1: "0"})
    with pytest.raises(InputError, match=r"several sets and no val-\*\.tar"):
        images.load(str(tmp_path), VIT)


def test_archives_of_which_nobody_knows_whether_they_are_one_set(tmp_path: Path) -> None:
    for name in ("a-00-of-02.tar", "a-01-of-02.tgz", "A-02-of-02.tar.gz"):
        named(tmp_path / name, {1: "0"})
    assert len(images.load(str(tmp_path), VIT)) == 3
    named(tmp_path / "te.tar", {1: "0"})
    with pytest.raises(InputError, match=r"'A-02-of-02.tar.gz' and 'te.tar', .* to val-\*\.tar"):
        images.load(str(tmp_path), VIT)


def test_folders_of_splits_in_any_case(tmp_path: Path) -> None:
    for split, level in (("Train", 1), ("Validation", 2)):
        named(tmp_path / split / "0.tar", {level: "0"})
    assert levels(images.load(str(tmp_path), VIT).read()) == [2]
    named(tmp_path / "valid/0.tar", {3: "0"})
    with pytest.raises(InputError, match=r"has shards in Validation/ and in valid/; move one"):
        images.load(str(tmp_path), VIT)


def test_two_names_of_one_split(made: Path) -> None:
    (made / "validation-0.tar").write_bytes(b"")
    with pytest.raises(InputError, match=r"two sets, 'val-0000.tar' and 'validation-0.tar'; keep"):
        images.load(str(made), VIT)


def test_names_are_the_networks_classes(tmp_path: Path) -> None:
    path = named(tmp_path / "val-0.tar", {1: "ant", 2: "bee", 3: "cat", 4: "ant"})
    data = images.load(str(path), NAMED)
    labels = data.read().labels
    assert labels is not None
    assert (labels.tolist(), data.notes) == ([1, 2, 0, 1], ())
    data = images.load(str(path), VIT)
    labels = data.read().labels
    assert labels is not None
    assert labels.tolist() == [0, 1, 2, 0]
    assert data.notes == (
        "small carries no class names: its classes are taken to be the labels of"
        f" {path} in alphabetical order",
    )
    named(path, {1: "ant", 2: "bee"})
    assert "has no label for 1 of 3 classes: 'cat'" in images.load(str(path), NAMED).notes[0]
    with pytest.raises(InputError, match=r"has 2 label\(s\) .* carries no names .* a val\.json"):
        images.load(str(path), VIT)
    named(path, {1: "ant", 2: "beee"})
    with pytest.raises(InputError, match=r"label 'beee' \(did you mean bee\?\), which is no class"):
        images.load(str(path), NAMED)


def test_numbers_that_may_be_names_are_numbers_and_a_note(made: Path) -> None:
    data = images.load(str(made), replace(VIT, class_names=("1", "10", "2")))
    labels = data.read().labels
    assert labels is not None
    assert labels.tolist() == [level % 3 for level in range(100, 107)]
    assert data.notes == (
        f"the labels of {made} are taken for class numbers, and small has classes called '1', '10';"
        " if names are meant, unpack the shards into a folder for each class",
    )
    assert images.load(str(made), replace(VIT, class_names=("0", "1", "two"))).notes == ()


@pytest.mark.parametrize("sidecar", ["val.json", "train.json"])
def test_numbers_are_classes_by_the_names_beside_the_shards(made: Path, sidecar: str) -> None:
    text = json.dumps({"images": 7, "classes": ["ant", "bee", "cat"]})
    (made / sidecar).write_text(text)
    labels = images.load(str(made), NAMED).read().labels
    assert labels is not None
    assert labels.tolist() == [(1, 2, 0)[level % 3] for level in range(100, 107)]
    data = images.load(str(made), VIT)
    assert data.notes[0].endswith(f"class names of {made / sidecar} in the order of that file")
    (made / sidecar).write_text(text.replace("cat", "dog"))
    with pytest.raises(InputError, match=r"\.json has the class name 'dog', which is no class"):
        images.load(str(made), NAMED)


def test_numbers_and_names_are_not_mixed(tmp_path: Path) -> None:
    path = named(tmp_path / "x.tar", {1: "ant", 2: "2"})
    with pytest.raises(InputError, match=r"numbers .2 of x.tar/2. and some class names .'ant' of"):
        images.load(str(path), NAMED)


def test_more_classes_than_the_network_has(made: Path) -> None:
    with pytest.raises(InputError, match=r"0 to 2 \(val-0000.tar/0101\), and there are 2 cl"):
        images.load(str(made), replace(RGB, classes=2))


def test_labels_that_begin_at_1(tmp_path: Path) -> None:
    path = named(tmp_path / "x.tar", {1: "1", 2: "3", 3: "2"})
    message = r"labels 1 to 3 \(x.tar/2\), none is 0, and there are 3 classes; .* from 0 to 2"
    with pytest.raises(InputError, match=message):
        images.load(str(path), VIT)
    named(path, {1: "3"})
    with pytest.raises(InputError, match=r"the label 3 alone \(x.tar/1\), and there are 3 cl"):
        images.load(str(path), VIT)


def test_shards_without_labels(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.tar", {f"{n}.png": picture(n) for n in range(3)})
    data = images.load(str(path), VIT)
    assert (data.read().labels, levels(data.read())) == (None, [0, 1, 2])
    assert data.notes == (f"the samples of {path} have no labels (cls, json)",)


def test_a_shard_that_ends_too_early_is_named_however_many_are_taken(made: Path) -> None:
    path = made / "val-0001.tar"
    path.write_bytes(path.read_bytes()[:2100])
    for count in (None, 1, 2):
        (found,) = images.load(str(made), VIT, count).batches(9)
        assert list(found.unreadable) == ["val-0001.tar"]


def test_nothing_that_can_be_used(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    archive(path, {"a.png": b"none", "a.cls": b"0"})
    with pytest.raises(InputError, match=r"no sample of the shards can be .*; x.tar/a: it is not"):
        images.load(str(path), VIT).read()
    archive(path, {"n01440764.tar": b""})
    with pytest.raises(
        InputError, match=r"used; x.tar: it holds no picture \(jpg, .* and no label"
    ):
        images.load(str(path), VIT)
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"; x.tar: the archive is damaged .* empty file"):
        images.load(str(path), VIT)
    path.unlink()
    with pytest.raises(
        InputError, match=rf"cannot read .*x\.tar: {os.strerror(errno.ENOENT)}; --d"
    ):
        images.load(str(path), VIT)
    os.mkfifo(path)
    with pytest.raises(InputError, match=r"cannot read .*x\.tar: it is no regular file; --data"):
        images.load(str(path), VIT)


def test_files_of_labels_are_for_pictures(made: Path) -> None:
    with pytest.raises(InputError, match=r"of shards, whose labels lie in them .*; leave it out"):
        images.load(str(made), VIT, labels="labels.txt")


def test_scales_are_calibrated_on_training_shards(made: Path) -> None:
    data = images.calibration(str(made), VIT)
    assert (data.origin, len(data)) == ("shards of train", images.CALIBRATION_IMAGES)
    assert levels(data.read()) == evenly(15, 8)
    for path in made.glob("train-*"):
        path.unlink()
    assert levels(images.calibration(str(made), VIT).read()) == list(range(100, 107))


def test_shards_of_a_split_go_before_class_folders(made: Path) -> None:
    (made / "ant").mkdir()
    (made / "ant/0.png").write_bytes(picture(9))
    (made / "plans").mkdir()
    data = images.load(str(made), NAMED)
    assert levels(data.read()) == list(range(100, 107))
    assert data.notes == (f"left out, beside the shards of {made}: 'ant/'",)


def test_class_folders_go_before_archives_of_no_split(made: Path) -> None:
    for path in made.glob("*.tar"):
        path.rename(made / f"old.{path.name.replace('train', 'a').replace('val', 'b')}")
    (made / "ant").mkdir()
    (made / "ant/0.png").write_bytes(picture(9))
    data = images.load(str(made), NAMED)
    assert levels(data.read()) == [9]
    assert data.notes[0].startswith(
        f"left out, beside the class folders of {made}: 'old.a-0000.tar'"
    )


def test_a_tree_goes_before_the_archives_it_was_unpacked_from(made: Path) -> None:
    for split, level in (("train", 8), ("val", 9)):
        (made / split / "ant").mkdir(parents=True)
        (made / split / "ant/0.png").write_bytes(picture(level))
    assert levels(images.load(str(made), NAMED).read()) == [9]
