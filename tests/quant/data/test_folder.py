"""Trees of pictures: crops that only seed, epoch and number decide, corrupt files, bad trees."""

import errno
import os
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from samples import RGB

from vaqf.errors import InputError
from vaqf.images import data as images
from vaqf.images.images import evenly
from vaqf.quant.data import folder
from vaqf.quant.data.batches import ALONE, Portion, plan
from vaqf.quant.data.crops import CROP_AREA, CROP_RATIO, _crop_box, random_crop
from vaqf.quant.data.sources import Data, load

VIT = replace(RGB, classes=3)
CLASSES = ("ant", "bee", "cat")


def tree(root: Path, train: int = 6, val: int = 3) -> Path:
    """Noise of 16 x 16 pixels for each of three classes."""
    rng = np.random.default_rng(0)
    for split, count in (("train", train), ("val", val)):
        for name in CLASSES:
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{number}.png")
    return root


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return tree(tmp_path / "set")


def whole_epoch(data: Data, world: int, accumulate: int, epoch: int = 0) -> list:
    """Pixels and labels of every global batch, put together from all processes."""
    portions = [Portion(rank, world, accumulate) for rank in range(world)]
    steps = []
    for step in zip(*(data.epoch(4, 7, epoch, portion) for portion in portions), strict=True):
        parts = sorted((part for micro in step for part in micro), key=lambda part: part.start)
        steps.append((torch.cat([p.pixels for p in parts]), torch.cat([p.labels for p in parts])))
    return steps


def same(one: list, other: list) -> bool:
    return len(one) == len(other) and all(
        torch.equal(a, c) and torch.equal(b, d) for (a, b), (c, d) in zip(one, other, strict=True)
    )


def test_a_tree_is_its_class_folders_in_alphabetical_order(pictures: Path) -> None:
    data = load(str(pictures), VIT)
    assert (data.origin, data.classes, data.images, data.judged) == ("pictures", CLASSES, 18, 9)
    labels = [label for _, part in data.judge() for label in part.tolist()]
    assert labels == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    steps = whole_epoch(data, 1, 1)
    assert len(steps) == plan(data.images, 4, ALONE).steps == 4
    assert steps[0][0].shape == (4, 8, 8, 3) and steps[0][0].dtype == torch.uint8
    assert data.calibration(3).shape == (3, 8, 8, 3)


@pytest.mark.parametrize(
    ("world", "accumulate", "workers"), [(2, 1, 0), (1, 2, 0), (2, 2, 0), (1, 1, 2)]
)
def test_pixels_do_not_depend_on_processes_nor_on_workers(
    pictures: Path, world: int, accumulate: int, workers: int
) -> None:
    alone = whole_epoch(load(str(pictures), VIT), 1, 1)
    state = torch.get_rng_state()
    data = load(str(pictures), VIT, workers)
    assert same(whole_epoch(data, world, accumulate), alone)
    assert not same(whole_epoch(data, world, accumulate, epoch=1), alone)
    assert torch.equal(torch.get_rng_state(), state)
    judged = [part for rank in range(world) for part in data.judge(Portion(rank, world))]
    assert sum(len(labels) for _, labels in judged) == 9


def test_a_crop_follows_from_seed_epoch_and_number_alone(pictures: Path) -> None:
    cropped = folder.Cropped(VIT, folder.listing(pictures / "train", CLASSES))
    first = cropped[(0, 0, 3)].pixels
    assert np.array_equal(cropped[(0, 0, 3)].pixels, first)
    for key in ((1, 0, 3), (0, 1, 3)):
        assert not np.array_equal(cropped[key].pixels, first)


def test_without_a_crop_training_sees_what_evaluation_does(pictures: Path) -> None:
    data = load(str(pictures), VIT)
    ((part,),) = data.epoch(18, 0, 0, crop=False)
    shown = zip(part.pixels.numpy(), part.labels.tolist(), strict=True)
    wanted = {(image.tobytes(), i // 6) for i, image in enumerate(data.calibration(18))}
    assert {(image.tobytes(), label) for image, label in shown} == wanted


def test_validation_is_val(pictures: Path) -> None:
    (pictures / "val").rename(pictures / "validation")
    data = load(str(pictures), VIT)
    assert (data.images, data.judged) == (18, 9)
    (pictures / "validation").rename(pictures / "test")
    with pytest.raises(InputError, match="has no folder val/; rename test/ to val/; --data takes"):
        load(str(pictures), VIT)


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("known", [False, True])
def test_class_folders_of_both_forms_of_unicode(pictures: Path, split: str, known: bool) -> None:
    composed, parted = (unicodedata.normalize(form, "grün") for form in ("NFC", "NFD"))
    for part in ("train", "val"):
        (pictures / part / "bee").rename(pictures / part / (parted if part == split else composed))
    vit = replace(VIT, class_names=("ant", "cat", composed)) if known else VIT
    data = load(str(pictures), vit)
    assert data.classes == ("ant", "cat", parted if split == "train" and not known else composed)
    assert (data.images, data.judged) == (18, 9)
    assert [label for _, part in data.judge() for label in part.tolist()] == [0] * 3 + [1] * 3 + [
        2
    ] * 3


def test_a_class_of_which_nothing_can_be_learned(pictures: Path) -> None:
    for path in (pictures / "train/bee").iterdir():
        path.write_bytes(b"none")
    message = r"pictures of .*train/bee can be read; train/bee/0.png: it is not a picture .*; give"
    with pytest.raises(InputError, match=message):
        load(str(pictures), VIT)
    Image.new("RGB", (9, 9)).save(pictures / "train/bee/5.png")
    data = load(str(pictures), VIT)
    assert (data.notes, len(data.unreadable)) == ((), 5)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"none")])
def test_classes_that_nothing_judges(pictures: Path, spoil: Callable[[Path], object]) -> None:
    for name in ("ant", "cat"):
        for path in (pictures / "val" / name).iterdir():
            spoil(path)
    data = load(str(pictures), VIT)
    assert data.notes == (
        f"class folders of {pictures / 'val'} without a picture to judge by: 'ant', 'cat'",
    )
    assert sum(len(labels) for _, labels in data.judge()) == 3


def test_evaluation_sees_val_and_calibration_train(pictures: Path) -> None:
    judged = images.load(str(pictures), VIT).read()
    assert (len(judged), judged.origin) == (9, "pictures of val/")
    assert judged.labels is not None and judged.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    ours = torch.cat([pixels for pixels, _ in load(str(pictures), VIT).judge()])
    assert np.array_equal(judged.pixels, ours.numpy())
    watched = images.calibration(str(pictures), VIT).read()
    assert (len(watched), watched.origin) == (8, "pictures of train/")
    number = evenly(18, 8)[0]
    (first,) = images.one(pictures / f"train/ant/{number}.png", VIT).pixels
    assert np.array_equal(watched.pixels[0], first)
    (first,) = images.one(pictures / "train/ant/0.png", VIT).pixels
    assert np.array_equal(load(str(pictures), VIT).calibration(2)[0], first)


def test_corrupt_pictures_are_replaced_in_training_and_left_out_in_judging(pictures: Path) -> None:
    whole = whole_epoch(load(str(pictures), VIT), 1, 1)
    (pictures / "train/bee/2.png").write_bytes(b"\x89PNG no more")
    (pictures / "val/cat/1.png").write_bytes(b"")
    data = load(str(pictures), VIT, workers=2)
    missed = load(str(pictures), VIT)
    assert same(whole_epoch(data, 1, 1), whole_epoch(missed, 2, 1))
    seen = [whole_epoch(data, 1, 1, epoch) for epoch in range(3)]
    assert not same(seen[0], whole) and all(len(steps) == 4 for steps in seen)
    labels = [label for _, part in data.judge() for label in part.tolist()]
    assert labels == [0, 0, 0, 1, 1, 1, 2, 2]
    reason = "it is not a picture that Pillow reads"
    assert data.unreadable == {"train/bee/2.png": reason, "val/cat/1.png": "it is empty"}


def test_a_replacement_is_the_next_picture_with_its_own_label(pictures: Path) -> None:
    listed = folder.listing(pictures / "train", CLASSES)
    (pictures / "train/bee/5.png").unlink()  # number 11, the last of its class
    (pictures / "train/cat/0.png").write_bytes(b"no picture")
    read = folder.Cropped(VIT, listed)[(0, 0, 11)]
    assert read.label == 2
    assert set(read.problems) == {"train/bee/5.png", "train/cat/0.png"}
    assert read.problems["train/bee/5.png"] == os.strerror(errno.ENOENT)
    (pictures / "train/cat/5.png").unlink()  # the last of all is followed by the first
    assert folder.Cropped(VIT, listed)[(0, 0, 17)].label == 0


def test_evaluation_leaves_corrupt_pictures_out(pictures: Path) -> None:
    for name in ("ant/0.png", "bee/1.png"):
        (pictures / "val" / name).write_bytes(b"no picture")
    data = images.load(str(pictures), VIT)
    assert [len(part) for part in data.batches(2)] == [1, 2, 1, 2, 1]
    found = data.read()
    assert found.labels is not None and found.labels.tolist() == [0, 0, 1, 1, 2, 2, 2]
    assert found.unreadable == dict.fromkeys(
        ("val/ant/0.png", "val/bee/1.png"), "it is not a picture that Pillow reads"
    )
    assert len(found) == 7


@pytest.mark.parametrize("split", ["train", "val"])
def test_no_readable_picture_at_all(pictures: Path, split: str) -> None:
    for path in (pictures / split).rglob("*.png"):
        path.write_bytes(b"no picture")
    with pytest.raises(
        InputError, match=r"none of the \d+ pictures of .* \w+/ant/0.png: it is not"
    ):
        load(str(pictures), VIT)
    if split == "val":
        with pytest.raises(InputError, match="none of the 9 pictures can be read"):
            images.load(str(pictures), VIT).read()


def test_pictures_that_vanish_during_training(pictures: Path) -> None:
    data = load(str(pictures), VIT)
    for path in (pictures / "train").rglob("*.png"):
        path.unlink()
    with pytest.raises(InputError, match=f"none of the 18 pictures .* {os.strerror(errno.ENOENT)}"):
        next(data.epoch(4, 0, 0))


def test_a_worker_that_is_killed(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = load(str(pictures), VIT, workers=1)
    monkeypatch.setattr(folder, "random_crop", lambda *_: os._exit(9))
    with pytest.raises(InputError, match=r"ended unexpectedly .* fewer workers"):
        next(data.epoch(4, 0, 0))


def test_names_that_a_terminal_should_not_see(pictures: Path) -> None:
    names = (b"\x1b[2Jevil\n\xff.png", b"\x1b[2Jevil\n\xfe.png", rb"\x1b[2Jevil\n\udcff.png")
    for name in names:
        (pictures / "val/ant" / os.fsdecode(name)).write_bytes(b"no picture")
    data = load(str(pictures), VIT)
    assert sum(len(labels) for _, labels in data.judge()) == 9
    expected = {
        r"val/ant/\x1b[2Jevil\n\udcff.png",
        r"val/ant/\x1b[2Jevil\n\udcfe.png",
        r"val/ant/\\x1b[2Jevil\\n\\udcff.png",
    }
    assert set(data.unreadable) == expected
    assert set(images.load(str(pictures), VIT).read().unreadable) == expected


def test_what_lies_beside_class_folders_is_left_out_and_named(pictures: Path) -> None:
    assert load(str(pictures), VIT).notes == ()
    for stray in ("train/b.png", "train/a.tar", "val/overview.jpg"):
        (pictures / stray).write_bytes(b"")
    data = load(str(pictures), VIT)
    assert (data.images, data.judged) == (18, 9)
    assert data.notes == (
        f"left out, beside the class folders of {pictures / 'train'}: 'b.png', 'a.tar'",
        f"left out, beside the class folders of {pictures / 'val'}: 'overview.jpg'",
    )


def test_what_is_not_read_in_class_folders_is_told(pictures: Path) -> None:
    for name in ("train/ant/a.heic", "val/bee/b"):
        (pictures / name).touch()
    (pictures / "train/bee/loop").symlink_to("..")
    data = load(str(pictures), VIT)
    assert (data.images, data.judged) == (18, 9)
    by_suffix = "files by whose suffix they are no pictures"
    train, val = pictures / "train", pictures / "val"
    assert data.notes == (
        f"left out of {train}, {by_suffix}: 1 with '.heic'",
        f"not followed, links in {train} to pictures of other classes: 'bee/loop'",
        f"left out of {val}, {by_suffix}: 1 without one",
    )
    assert images.load(str(pictures), VIT).notes[0] == data.notes[2]


def remove(path: Path) -> None:
    for inner in sorted(path.rglob("*"), reverse=True):
        inner.rmdir() if inner.is_dir() else inner.unlink()
    path.rmdir()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: remove(root / "val"), "it has no folder val/"),
        (lambda root: remove(root / "train"), "it has no folder train/"),
        (
            lambda root: [remove(folder) for folder in (root / "val").iterdir()],
            "its val/ holds no class folders",
        ),
        (
            lambda root: [
                [
                    picture.rename(folder.parent / f"{folder.name}-{picture.name}")
                    for picture in folder.iterdir()
                ]
                and folder.rmdir()
                for folder in list((root / "train").iterdir())
            ],
            "its train/ holds pictures and no class folders, .* sort them into a folder for each",
        ),
        (
            lambda root: [picture.unlink() for picture in root.glob("train/*/*.png")],
            r"train holds no picture \(\.png",
        ),
        (
            lambda root: [picture.unlink() for picture in root.glob("train/bee/*.png")],
            r"train/bee holds no picture \(\.png.*remove the class from both",
        ),
        (
            lambda root: (root / "val/dog").mkdir(),
            "different class folders: 'dog' is only in val/, 1 in all",
        ),
        (lambda root: remove(root / "val/bee"), "'bee' is only in train/"),
        (
            lambda root: [(root / split / "dog").mkdir() for split in ("train", "val")],
            "has 4 classes, and small tells 3 apart; give the model file classes: 4",
        ),
    ],
)
def test_trees_that_cannot_be_used(pictures: Path, spoil: object, message: str) -> None:
    spoil(pictures)
    with pytest.raises(InputError, match=message) as caught:
        load(str(pictures), VIT)
    assert "\n" not in str(caught.value)


def test_pictures_suit_one_or_three_channels(pictures: Path) -> None:
    gray = replace(VIT, channels=1, mean=(0.5,), std=(0.5,))
    assert next(load(str(pictures), gray).epoch(4, 0, 0))[0].pixels.shape == (4, 8, 8, 1)
    with pytest.raises(InputError, match="takes 2 channels"):
        load(str(pictures), replace(VIT, channels=2, mean=(0.5,) * 2, std=(0.5,) * 2))


def test_crops_are_deits() -> None:
    rng = np.random.default_rng(0)
    boxes = np.array([_crop_box(400, 300, rng) for _ in range(4000)])
    left, top, width, height = boxes.T
    assert (boxes >= 0).all() and (left + width <= 400).all() and (top + height <= 300).all()
    area, ratio = width * height / (400 * 300), width / height
    assert CROP_AREA[0] * 0.98 < area.min() < 0.1 and 0.95 < area.max() <= CROP_AREA[1]
    assert CROP_RATIO[0] * 0.98 < ratio.min() < 0.76 and 1.32 < ratio.max() < CROP_RATIO[1] * 1.02
    assert _crop_box(1000, 1, np.random.default_rng(0)) == (499, 0, 1, 1)
    assert _crop_box(3, 1000, np.random.default_rng(0)) == (0, 498, 3, 4)


def test_a_crop_is_the_box_resized() -> None:
    ramp = np.tile(np.arange(0, 240, 6, dtype=np.uint8)[None, :, None], (40, 1, 3))
    found = random_crop(Image.fromarray(ramp), VIT, np.random.default_rng(5))
    left, _, width, _ = _crop_box(40, 40, np.random.default_rng(5))
    assert found.shape == (8, 8, 3)
    assert abs(int(found[4, 0, 0]) - 6 * (left + width / 16)) < 6
    assert abs(int(found[4, 7, 0]) - 6 * (left + width * 15 / 16)) < 6
