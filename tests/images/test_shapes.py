"""The procedural images: the same bytes from the same seed, and classes that must be seen."""

import zlib
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from vaqf.errors import InputError
from vaqf.images import data as images
from vaqf.images import made as made_images
from vaqf.images import shapes
from vaqf.model import zoo

NETWORK = zoo.load("vit_shapes")
CLASSES = len(shapes.CLASSES)
GRID = np.arange(-1.5, 1.5, 0.01, np.float32)  # radii, or periods


def test_pictures_are_the_same_on_every_machine() -> None:
    crcs = [zlib.crc32(shapes.make(split, 0, 20)[0].tobytes()) for split in ("train", "test")]
    assert crcs == [1119882134, 1924958558]


def test_a_picture_depends_on_its_number_alone() -> None:
    pixels, labels = shapes.make("train", 5, 9)
    assert pixels.shape == (4, 64, 64, 3)
    assert (pixels.dtype, labels.dtype) == (np.uint8, np.int64)
    for number in range(4):
        (alone,), (label,) = shapes.make("train", 5 + number, 6 + number)
        assert np.array_equal(alone, pixels[number])
        assert label == labels[number]


def test_seeds_and_splits_have_no_picture_in_common() -> None:
    parts = [
        shapes.make("train", 0, 60),
        shapes.make("test", 0, 60),
        shapes.make("train", 0, 60, 1),
    ]
    assert len({image.tobytes() for pixels, _ in parts for image in pixels}) == 180


@pytest.mark.parametrize("split", ["train", "test"])
def test_classes_are_balanced(split: str) -> None:
    labels = [shapes.label(index) for index in range(shapes.IMAGES[split])]
    assert set(np.bincount(labels)) == {shapes.IMAGES[split] // CLASSES}
    assert len(set(labels[:CLASSES])) == CLASSES


def test_a_class_is_an_outline_and_a_texture() -> None:
    assert CLASSES == len(set(shapes.CLASSES)) == 20
    assert shapes.CLASSES[0] == "disc of stripes"
    assert shapes.CLASSES[-1] == "star of rings"
    first = [shapes.CLASSES[shapes.label(index)].split(" of ") for index in range(8)]
    assert len({outline for outline, _ in first}) == len(shapes.OUTLINES)
    assert len({texture for _, texture in first}) == len(shapes.TEXTURES)


def test_simple_statistics_do_not_give_the_class() -> None:
    train, train_labels = shapes.make("train", 0, 2000)
    test, test_labels = shapes.make("test", 0, 500)

    def nearest_mean(learn: NDArray[np.float32], judge: NDArray[np.float32]) -> float:
        means = np.stack([learn[train_labels == label].mean(0) for label in range(CLASSES)])
        distance = (means**2).sum(-1) - 2 * judge @ means.T  # but for what all classes share
        return float((distance.argmin(-1) == test_labels).mean())

    flat = [part.reshape(len(part), -1).astype(np.float32) for part in (train, test)]
    colour = [
        np.concatenate([part.mean((1, 2)), part.std((1, 2))], 1, dtype=np.float32)
        for part in (train, test)
    ]
    assert nearest_mean(*flat) < 0.15
    assert nearest_mean(*colour) < 0.10


@pytest.mark.parametrize("outline", shapes.OUTLINES)
def test_a_mirrored_outline_is_the_same_and_lies_within_its_extent(outline: shapes.Outline) -> None:
    u, v = np.meshgrid(GRID, GRID)
    distance = outline(u, v)
    assert distance.dtype == np.float32
    assert np.array_equal(distance, outline(-u, v))
    inside = distance < 0
    assert inside[150, 150]
    assert np.hypot(u, v)[inside].max() < shapes.EXTENT
    assert 1.2 < inside.mean() * 9 < 2.5  # area in square radii; a disc of radius 0.85 has 2.27


@pytest.mark.parametrize("texture", shapes.TEXTURES)
def test_a_texture_has_both_tones(texture: shapes.Texture) -> None:
    u, v = np.meshgrid(GRID, GRID)
    share = texture(u, v, 10.0)
    assert share.dtype == np.float32
    assert (share.min(), share.max()) == (0, 1)
    assert 0.35 < share.mean() < 0.6


def test_data_shapes_is_the_test_split_and_makes_only_what_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[tuple[object, ...]] = []
    make = shapes.make
    monkeypatch.setattr(shapes, "make", lambda *asked: made.append(asked) or make(*asked))
    data = images.load("Shapes", NETWORK, 10)
    assert made == [("test", 0, 10)]
    assert data.origin == "shapes, test split"
    found = data.read()
    assert np.array_equal(found.pixels, make("test", 0, 10)[0])
    assert found.labels is not None
    assert found.labels.tolist() == make("test", 0, 10)[1].tolist()
    assert len(data) == len(found) == 10


def test_scales_are_calibrated_on_the_training_split() -> None:
    watched = images.calibration("shapes", NETWORK)
    assert watched.origin == "shapes, training split"
    wanted, _ = shapes.make("train", 0, images.CALIBRATION_IMAGES)
    assert np.array_equal(watched.read().pixels, wanted)


def test_another_size_and_gray() -> None:
    network = replace(NETWORK, image_size=32, channels=1, mean=(0.5,), std=(0.5,), crop=0.5)
    pixels, labels = made_images.shapes(network, "test", 3)
    assert (pixels.shape, pixels.dtype) == ((3, 32, 32, 1), np.uint8)
    whole, same = made_images.shapes(NETWORK, "test", 3)
    assert labels.tolist() == same.tolist()
    luma = whole @ np.array([0.299, 0.587, 0.114])
    small = luma.reshape(3, 32, 2, 32, 2).mean((2, 4))
    assert np.abs(small - pixels[..., 0]).mean() < 3


@pytest.mark.parametrize(
    ("change", "count", "message"),
    [
        ({"classes": 19}, None, "shapes has 20 classes; vit_shapes has 19"),
        ({"channels": 2, "mean": (0.5,) * 2, "std": (0.5,) * 2}, None, "takes 2 channels"),
        ({"image_size": 16}, 1, "takes 16 x 16 pixels; for 1 images of shapes it must be 32 to"),
        ({}, 4001, "--images is 4001; shapes has 4000 test images"),
        ({}, 0, "--images is 0"),
        ({"image_size": 512}, None, "give --images 682 or fewer"),
    ],
)
def test_wrong_networks_and_counts(
    change: dict[str, object], count: int | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        images.load("shapes", replace(NETWORK, **change), count)


def test_a_training_split_beyond_memory_is_refused_before_it_is_drawn() -> None:
    with pytest.raises(InputError, match="for 20000 images of shapes it must be 32 to 94"):
        made_images.shapes(replace(NETWORK, image_size=96), "train")
