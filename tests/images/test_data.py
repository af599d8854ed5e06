"""Pixels from pictures, folders, the digits and the seed; hostile files end in one sentence."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaqf.errors import InputError
from vaqf.images import data as images
from vaqf.images import made
from vaqf.model import vit, zoo

TINY = vit.Vit(name="tiny", image_size=32, patch_size=8, dim=24, heads=3, depth=1, classes=3)
DIGITS = vit.Vit(
    name="small",
    image_size=8,
    patch_size=2,
    channels=1,
    dim=24,
    heads=3,
    depth=1,
    classes=10,
    mean=(0.5,),
    std=(0.5,),
)


def save(path: Path, width: int = 40, height: int = 30, value: int = 7) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (value, value, value)).save(path)
    return path


def test_the_synthetic_image_is_the_same_every_time() -> None:
    first, second = made.synthetic(TINY, 2), made.synthetic(TINY, 2)
    assert first.shape == (2, 32, 32, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, second)
    assert not np.array_equal(first[0], first[1])
    assert "synthetic" in images.load(None, TINY).origin


def test_digits_are_the_360_stratified_test_images() -> None:
    data = images.load("digits", DIGITS)
    assert len(data) == 360
    found = data.read()
    assert (len(found), found.pixels.shape) == (360, (360, 8, 8, 1))
    assert found.pixels.max() == 255
    assert found.labels is not None
    assert sorted(np.bincount(found.labels)) == [35, 35, 36, 36, 36, 36, 36, 36, 37, 37]


def test_digits_train_and_test_are_disjoint_and_complete() -> None:
    train, train_labels = made.digits(DIGITS, "train")
    test, test_labels = made.digits(DIGITS, "test")
    assert (len(train), len(test)) == (1437, 360)
    assert len(train_labels) + len(test_labels) == 1797
    seen = {image.tobytes() for image in train}
    assert not any(image.tobytes() in seen for image in test)


def test_digits_are_enlarged_for_another_network() -> None:
    network = vit.Vit(name="big", image_size=32, patch_size=8, dim=24, heads=3, classes=10)
    pixels, _ = made.digits(network, "test")
    assert pixels.shape == (360, 32, 32, 3)
    assert np.array_equal(pixels[..., 0], pixels[..., 2])


def test_a_picture_is_resized_and_cropped_like_timm(tmp_path: Path) -> None:
    wide = np.zeros((32, 64, 3), np.uint8)
    wide[:, 16:48] = 200  # the centre square
    Image.fromarray(wide).save(tmp_path / "a.png")
    network = vit.Vit(
        name="all", image_size=32, patch_size=8, dim=24, heads=3, crop=1.0, interpolation="bicubic"
    )
    assert np.array_equal(
        images.one(tmp_path / "a.png", network).pixels[0], np.full((32, 32, 3), 200, np.uint8)
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (33, 31)])
def test_odd_pictures_give_the_networks_size(tmp_path: Path, size: tuple[int, int]) -> None:
    path = save(tmp_path / "odd.png", *size)
    assert images.one(path, TINY).pixels[0].shape == (32, 32, 3)


def test_scales_are_never_calibrated_on_the_test_digits(tmp_path: Path) -> None:
    network = zoo.load("vit_digits")
    watched = images.calibration("digits", network)
    test, _ = made.digits(network, "test")
    assert watched.origin == "digits, training split"
    assert len(watched) == images.CALIBRATION_IMAGES
    assert not (watched.read().pixels[:, None] == test[None]).all(axis=(2, 3, 4)).any()
    for number in range(images.CALIBRATION_IMAGES + 3):
        save(tmp_path / f"{number}.png", value=number)
    assert len(images.calibration(str(tmp_path), TINY)) == images.CALIBRATION_IMAGES


def test_class_folders_are_labels_in_alphabetical_order(tmp_path: Path) -> None:
    for name, value in (("b", 1), ("a", 2), ("c", 3)):
        for number in range(2):
            save(tmp_path / name / f"{number}.png", value=value)
    found = images.load(str(tmp_path), TINY).read()
    assert found.labels is not None
    assert found.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert found.pixels[:, 0, 0, 0].tolist() == [2, 2, 1, 1, 3, 3]
    few = images.load(str(tmp_path), TINY, 3).read()
    assert few.labels is not None
    assert few.labels.tolist() == [0, 1, 2]


def test_a_flat_folder_has_no_labels(tmp_path: Path) -> None:
    save(tmp_path / "2.png", value=2)
    save(tmp_path / "1.JPG", value=1)
    (tmp_path / "notes.txt").write_text("not a picture")
    data = images.load(str(tmp_path), TINY)
    assert (len(data), data.read().labels) == (2, None)
    assert [batch.pixels.shape for batch in data.batches(1)] == [(1, 32, 32, 3)] * 2
    with pytest.raises(InputError, match=r"--images is 2; .*2\.png is one picture"):
        images.load(str(tmp_path / "2.png"), TINY, 2)


def test_labels_are_those_of_the_pictures_that_can_be_read(tmp_path: Path) -> None:
    """Pixels, labels and what is missing come together, however many are read at a time."""
    for label, name in enumerate("abc"):
        for number in range(3):
            save(tmp_path / name / f"{number}.png", value=10 * label + number)
    for broken in ("a/1.png", "b/0.png", "b/1.png", "b/2.png"):
        (tmp_path / broken).write_bytes(b"<html>")
    data = images.load(str(tmp_path), TINY)
    whole = data.read()
    assert (len(data), len(whole)) == (9, 5)
    assert whole.labels is not None
    assert whole.labels.tolist() == [0, 0, 2, 2, 2]
    assert whole.pixels[:, 0, 0, 0].tolist() == [0, 2, 20, 21, 22]
    assert list(whole.unreadable) == ["a/1.png", "b/0.png", "b/1.png", "b/2.png"]
    for size in range(1, 10):
        parts = list(data.batches(size))
        assert len(parts) == -(-9 // size)
        assert np.array_equal(np.concatenate([part.pixels for part in parts]), whole.pixels)
        labels = [part.labels for part in parts if part.labels is not None]
        assert np.array_equal(np.concatenate(labels), whole.labels)
        assert [len(part.pixels) for part in parts] == [len(label) for label in labels]
        assert {k: v for part in parts for k, v in part.unreadable.items()} == whole.unreadable


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("size", [1, 2, 9])
def test_pictures_of_which_none_can_be_read(tmp_path: Path, count: int, size: int) -> None:
    for number in range(count):
        (tmp_path / f"{number}.png").write_bytes(b"<html>")
    said = "cannot read " if count == 1 else "none of the 5 pictures can be read; "
    with pytest.raises(InputError, match=rf"^{said}.*{count - 1}\.png: "):
        list(images.load(str(tmp_path), TINY).batches(size))


def test_more_folders_than_classes_is_refused(tmp_path: Path) -> None:
    for name in "abcd":
        save(tmp_path / name / "0.png")
    with pytest.raises(InputError, match=r"has 4 classes .* tells 3 apart"):
        images.load(str(tmp_path), TINY)


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n", b"not a picture", b"GIF89a", b"\xff\xd8\xff\xe0junk"]
)
def test_a_file_that_is_no_picture(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.png"):
        images.load(str(path), TINY).read()


def test_a_truncated_picture(tmp_path: Path) -> None:
    path = save(tmp_path / "x.png", 300, 300)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(InputError, match="truncated or damaged"):
        images.load(str(path), TINY).read()


def test_a_picture_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(InputError, match="too many pixels"):
        images.load(str(save(tmp_path / "x.png", 40, 40)), TINY).read()


@pytest.mark.parametrize(
    ("data", "count", "message"),
    [
        ("/no/such/folder", None, os.strerror(errno.ENOENT)),
        ("a\0b", None, "cannot read"),
        (None, 0, "--images is 0"),
        ("digits", 361, "360 test images"),
    ],
)
def test_wrong_data(data: str | None, count: int | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        images.load(data, DIGITS, count)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"holds no picture \(\.png, .*\) and no shard \(\.tar, \.tar\.gz, \.tgz\)"
    ):
        images.load(str(tmp_path), TINY)


def test_gray_of_16_bits_keeps_its_levels(tmp_path: Path) -> None:
    levels = np.linspace(0, 65535, 32 * 32).astype(np.uint16).reshape(32, 32)
    wide, narrow = tmp_path / "wide.png", tmp_path / "narrow.png"
    Image.fromarray(levels).save(wide)
    Image.fromarray(np.rint(levels / 257).astype(np.uint8)).save(narrow)
    assert np.array_equal(images.one(wide, TINY).pixels[0], images.one(narrow, TINY).pixels[0])


def test_pixels_of_unknown_range_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((32, 32), 0.5, np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(InputError, match="save it with 8 or 16 bits"):
        images.one(tmp_path / "float.tif", TINY)


def test_a_picture_like_a_thread_is_refused_before_it_is_enlarged(tmp_path: Path) -> None:
    Image.new("L", (1, 200_000)).save(tmp_path / "thread.png")
    with pytest.raises(InputError, match="crop it to a square"):
        images.one(tmp_path / "thread.png", TINY)


@pytest.mark.parametrize("count", [10**6, 10**20])
def test_more_images_than_memory_holds_are_refused(count: int) -> None:
    with pytest.raises(InputError, match="too many to hold at once; give --images 174762"):
        images.load(None, TINY, count)


def test_what_is_no_file_among_pictures_is_left_out_and_named(tmp_path: Path) -> None:
    for name in ("a", "c"):
        save(tmp_path / f"x/{name}.png")
    named = replace(TINY, class_names=("w", "x", "y"))
    os.mkfifo(tmp_path / "x/b.png")
    (tmp_path / "x/d.png").symlink_to("absent")
    (tmp_path / "x/e.png").mkdir()
    found = images.load(str(tmp_path), named).read()
    assert len(found) == 2
    assert found.labels is not None
    assert found.labels.tolist() == [1, 1]
    assert found.unreadable == {
        "x/b.png": "it is no regular file",
        "x/d.png": os.strerror(errno.ENOENT),
    }
