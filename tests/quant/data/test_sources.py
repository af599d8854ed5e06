"""batches.py and data.py: global batches, their slices, digits, arrays, and bad --data."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from samples import RGB, noise

from vaqf.errors import InputError
from vaqf.images import data as images
from vaqf.images import shapes
from vaqf.model import zoo
from vaqf.quant.data.batches import ALONE, Portion, plan
from vaqf.quant.data.sources import Data, arrays, load


def numbered(train: int, test: int = 5) -> Data:
    """Images whose every pixel is their number, which is their label as well."""
    parts = []
    for count in (train, test):
        labels = np.arange(count)
        pixels = np.broadcast_to(labels.astype(np.uint8)[:, None, None, None], (count, 2, 2, 1))
        parts.append((np.ascontiguousarray(pixels), labels))
    return arrays("numbers", *parts)


def global_batches(data: Data, batch: int, epoch: int, world: int, accumulate: int) -> list:
    """The labels of every global batch, put together from the slices of all processes."""
    steps = []
    portions = [Portion(rank, world, accumulate) for rank in range(world)]
    for step in zip(*(data.epoch(batch, 3, epoch, portion) for portion in portions), strict=True):
        assert [len(micro) for micro in step] == [accumulate] * world
        parts = sorted((part for micro in step for part in micro), key=lambda part: part.start)
        assert [part.start for part in parts] == [
            number * len(parts[0].labels) for number in range(world * accumulate)
        ]
        assert {part.whole for part in parts} == {sum(len(part.labels) for part in parts)}
        for part in parts:
            assert part.pixels.dtype == torch.uint8
            assert torch.equal(part.pixels[:, 0, 0, 0].long(), part.labels)
        steps.append(torch.cat([part.labels for part in parts]).tolist())
    return steps


@pytest.mark.parametrize(("world", "accumulate"), [(2, 1), (1, 2), (2, 2), (4, 1)])
def test_global_batches_do_not_depend_on_who_shares_them(world: int, accumulate: int) -> None:
    data = numbered(30)
    alone = global_batches(data, 8, 0, 1, 1)
    assert global_batches(data, 8, 0, world, accumulate) == alone
    assert len(alone) == plan(data.images, 8, ALONE).steps == 3  # the 6 left over are dropped
    seen = [label for batch in alone for label in batch]
    assert len(set(seen)) == 24
    assert global_batches(data, 8, 1, 1, 1) != alone


def test_fewer_images_than_a_batch_are_one_batch_that_the_slices_divide() -> None:
    data = numbered(11)
    assert plan(data.images, 64, ALONE).steps == 1
    assert [len(b) for b in global_batches(data, 64, 0, 2, 2)] == [8]
    assert [len(b) for b in global_batches(data, 64, 0, 1, 1)] == [11]


@pytest.mark.parametrize("images_", range(2, 20))
@pytest.mark.parametrize("batch", [2, 4, 6, 12])
def test_a_plan_has_the_steps_that_the_data_says(images_: int, batch: int) -> None:
    sizes = plan(images_, batch, Portion(0, 2, 1))
    assert sizes.whole == 2 * sizes.each <= min(batch, images_)


@pytest.mark.parametrize(
    ("count", "batch", "message"),
    [
        (30, 10, r"batch is 10; 2 process\(es\) x 2 .* multiple of 4, 8 or 12 say"),
        (30, 3, "multiple of 4, 4 say"),
        (30, 0, "batch is 0; .* multiple of 4, 4 say"),
        (3, 8, r"3 training image\(s\) are too few"),
    ],
)
def test_batches_that_cannot_be_cut(count: int, batch: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        next(numbered(count).epoch(batch, 0, 0, Portion(0, 2, 2)))


def test_each_image_is_judged_once() -> None:
    data = numbered(4, 251)
    for world in (1, 2, 3):
        labels = [
            label
            for rank in range(world)
            for pixels, part in data.judge(Portion(rank, world))
            for label in part.tolist()
            if pixels[part.tolist().index(label), 0, 0, 0] == label
        ]
        assert sorted(labels) == list(range(251)) and data.judged == 251


def test_calibration_is_spread_and_always_the_same() -> None:
    assert numbered(100).calibration(4)[:, 0, 0, 0].tolist() == [0, 25, 50, 75]
    assert numbered(3).calibration(8)[:, 0, 0, 0].tolist() == [0, 1, 2]


def test_digits_are_the_split_that_evaluation_uses() -> None:
    pytest.importorskip("sklearn")
    vit = zoo.load("vit_digits")
    data = load("Digits", vit)
    assert (data.origin, data.classes, data.images, data.judged) == (
        "digits",
        tuple("0123456789"),
        1437,
        360,
    )
    judged = torch.cat([pixels for pixels, _ in data.judge()]).numpy()
    assert np.array_equal(judged, images.load("digits", vit).read().pixels)
    assert data.unreadable == {}


def test_shapes_are_the_splits_that_evaluation_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    for split, count in (("train", 40), ("test", 20)):
        monkeypatch.setitem(shapes.IMAGES, split, count)
    vit = zoo.load("vit_shapes")
    data = load("shapes", vit)
    assert (data.origin, data.classes, data.images, data.judged) == (
        "shapes",
        shapes.CLASSES,
        40,
        20,
    )
    judged = torch.cat([pixels for pixels, _ in data.judge()]).numpy()
    assert np.array_equal(judged, images.load("shapes", vit).read().pixels)
    with pytest.raises(InputError, match="shapes has 20 classes, and vit_digits tells 10 apart"):
        load("shapes", zoo.load("vit_digits"))


def test_random_images_keep_their_labels() -> None:
    pixels, labels = noise(RGB, 40), np.arange(40) % 4
    data = arrays("noise", (pixels, labels), (pixels, labels))
    for step in data.epoch(8, 0, 0):
        for part in step:
            for image, label in zip(part.pixels.numpy(), part.labels.tolist(), strict=True):
                (at,) = np.flatnonzero((pixels == image).all(axis=(1, 2, 3)))
                assert label == labels[at]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("digit", rf"'digit' \(did you mean digits\?\): {os.strerror(errno.ENOENT)}"),
        ("/no/such/folder", os.strerror(errno.ENOENT)),
        ("a\0b", "cannot train on"),
        ("pipe:touch /tmp/never", "is an address; only folders on this machine"),
        ("http://example.org/train-0000.tar", "is an address"),
        ("s3://bucket/set", "is an address"),
        (__file__, os.strerror(errno.ENOTDIR)),
    ],
)
def test_data_that_is_none(data: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load(data, zoo.load("vit_digits"))
    assert "\n" not in str(caught.value)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it has no folder train/; --data takes digits"):
        load(str(tmp_path), RGB)


@pytest.mark.parametrize("workers", [-1, 257, True])
def test_workers_out_of_range(workers: int) -> None:
    with pytest.raises(InputError, match="workers is"):
        load("digits", zoo.load("vit_digits"), workers)


def test_the_number_of_classes_is_the_models() -> None:
    for classes in (9, 11):
        vit = replace(zoo.load("vit_digits"), classes=classes)
        message = (
            f"digits has 10 classes, and vit_digits tells {classes} apart; give .* classes: 10"
        )
        with pytest.raises(InputError, match=message):
            load("digits", vit)
