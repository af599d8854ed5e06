"""golden/ of a project: what is read back is what was written, and nothing else is taken."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cosim_project
import numpy as np
import pytest

from vaqf.errors import InputError
from vaqf.images import data
from vaqf.project import blob, read
from vaqf.project.blob import Blob
from vaqf.sim import golden

IMAGES = cosim_project.IMAGES


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cosim_project.build(tmp_path_factory.mktemp("home") / "small")


@pytest.fixture
def damaged(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "project"))


def test_what_is_read_is_golden(built: Path) -> None:
    made = read.load(built)
    digits = data.load("digits", made.network.vit, IMAGES).read()
    logits, layers = golden.with_layers(made.network, digits.pixels)
    found = made.reference
    assert np.array_equal(found.logits, logits)
    assert found.logits.dtype == np.int32
    assert digits.labels is not None
    assert found.labels == digits.labels.tolist()
    assert [layer.name for layer in found.layers] == [name for name in layers if name != "head"]
    for layer in found.layers:
        assert np.array_equal(layer.values, layers[layer.name].reshape(layer.values.shape))


def test_the_first_images_are_the_first_of_everything(built: Path) -> None:
    whole = read.load(built).reference
    few = whole.first(2)
    assert whole.packed.startswith(few.packed)
    assert len(few.packed) * IMAGES == len(whole.packed) * 2
    assert whole.labels is not None
    assert (few.logits.tolist(), few.labels) == (whole.logits[:2].tolist(), whole.labels[:2])
    assert whole.first(None) is whole


def test_a_part_is_read_once(built: Path) -> None:
    made = read.load(built)
    for part in ("network", "design", "weights", "commands", "reference"):
        assert getattr(made, part) is getattr(made, part)


def labels(content: object) -> Callable[[Path], None]:
    return lambda golden: (golden / "labels.json").write_text(json.dumps(content))


def changed(name: str, kind: Blob, change: Callable[[bytes, int, int], bytes]) -> object:
    """Another blob in the place of one; `change` gets its payload, count and bytes of an item."""

    def spoil(golden: Path) -> None:
        found = blob.read(golden / name, kind)
        (golden / name).write_bytes(change(found.payload, found.count, found.item_bytes))

    return spoil


def logits(change: Callable[[bytes, int, int], bytes]) -> object:
    return changed("logits.bin", Blob.LOGITS, change)


def layers(change: Callable[[bytes], bytes], more: int = 0) -> object:
    return changed(
        "layers.bin",
        Blob.LAYERS,
        lambda payload, count, _: blob.blob(Blob.LAYERS, change(payload), count + more),
    )


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (labels({"labels": [1]}), "labels.json"),
        (labels({"labels": ["1"] * IMAGES}), "labels.json"),
        (labels({"labels": [True] * IMAGES}), "labels.json"),
        (labels({"labels": 1}), "labels.json"),
        (labels([]), "labels.json"),
        (logits(lambda p, n, row: blob.blob(Blob.LOGITS, p, n // 2, 2 * row)), "logits.bin"),
        (logits(lambda p, n, row: blob.blob(Blob.LOGITS, p, 0, 0)), "logits.bin"),
        (logits(lambda p, n, row: blob.blob(Blob.LOGITS, p[:row], 1, row)), "images.bin"),
        (logits(lambda p, n, row: blob.blob(Blob.IMAGES, p, n, row)), "logits.bin"),
        (logits(lambda p, n, row: blob.blob(Blob.LOGITS, p, n, row) + b"x"), "logits.bin"),
        (logits(lambda p, n, row: blob.blob(Blob.LOGITS, p, n, row)[:50]), "logits.bin"),
        (layers(lambda p: p[:-1]), "layers.bin"),
        (layers(lambda p: p + b"x"), "layers.bin"),
        (layers(lambda p: p, more=1), "layers.bin"),
        (layers(lambda p: p[:72] + bytes(4) + p[76:]), "layers.bin"),  # no rows
        (layers(lambda p: p[:88] + b"\7" + p[89:]), "layers.bin"),  # of no kind
    ],
)
def test_another_content_is_refused(
    damaged: Path, spoil: Callable[[Path], None], name: str
) -> None:
    spoil(damaged / "golden")
    with pytest.raises(InputError, match=rf"{name}.*build the project again") as caught:
        read.load(damaged).reference  # noqa: B018
    assert "\n" not in str(caught.value)


def test_images_without_labels_have_none(damaged: Path) -> None:
    labels({"labels": None})(damaged / "golden")
    assert read.load(damaged).reference.labels is None
