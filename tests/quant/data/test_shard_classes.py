"""The classes of shards to learn from: numbers and names, the model's and the shards' own."""

import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from samples import RGB
from tars import archive, folder, picture

from vaqf.errors import InputError
from vaqf.images import data as images
from vaqf.quant.data.sources import load

VIT = replace(RGB, classes=3)
NAMES = ("ant", "bee", "cat")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return folder(tmp_path / "set")


def relabelled(root: Path, labels: Callable[[int], dict[str, bytes]]) -> None:
    """The shards of `folder` with other labels: what each class's number becomes."""
    for path in root.glob("*.tar"):
        with tarfile.open(path) as tar:
            numbers = [int(name[:4]) for name in tar.getnames() if name.endswith(".png")]
        files = {}
        for number in numbers:
            files[f"{number:04}.png"] = picture(number)
            files |= {f"{number:04}.{s}": c for s, c in labels(number % 3).items()}
        archive(path, files)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (lambda label: {"json": b'{"url": "x", "label": %d}' % label}, 3),
        (lambda label: {"json": json.dumps({"class": NAMES[label]}).encode()}, NAMES),
        (lambda label: {"cls": NAMES[label].encode()}, NAMES),
    ],
)
@pytest.mark.parametrize("workers", [0, 2])
def test_labels_as_others_write_them(
    made: Path, labels: Callable[[int], dict[str, bytes]], classes: object, workers: int
) -> None:
    relabelled(made, labels)
    data = load(str(made), VIT, workers)
    assert (data.classes, data.images, data.judged) == (classes, 15, 7)
    seen = {}
    for pixels, found in data.judge():
        seen |= dict(zip(pixels[:, 0, 0, 0].tolist(), found.tolist(), strict=True))
    assert seen == {level: level % 3 for level in range(100, 107)}
    for (part,) in data.epoch(5, 0, 0):
        assert torch.equal(part.pixels[:, 0, 0, 0].long() % 3, part.labels)


def test_names_are_the_models_classes(made: Path) -> None:
    relabelled(made, lambda label: {"cls": NAMES[label].encode()})
    other = replace(VIT, class_names=("cat", "ant", "bee"))
    data = load(str(made), other)
    assert data.classes == other.class_names
    ((pixels, labels),) = data.judge()
    assert labels.tolist() == [(1, 2, 0)[level % 3] for level in pixels[:, 0, 0, 0].tolist()]
    with pytest.raises(InputError, match=r"train .* the label 'cat' \(did you mean cats\?\)"):
        load(str(made), replace(VIT, class_names=("ant", "bee", "cats")))
    with pytest.raises(InputError, match=r"has 3 classes, and small tells 4 apart"):
        load(str(made), RGB)
    four = replace(RGB, class_names=("ant", "bee", "cat", "dog"))
    with pytest.raises(InputError, match=r"train .* has no sample of 1 of 4 classes: 'dog'"):
        load(str(made), four)
    (made / "train.json").write_text(json.dumps({"images": 15, "classes": NAMES}))
    assert load(str(made), VIT).classes == NAMES


def test_names_that_the_splits_do_not_share(made: Path) -> None:
    relabelled(made, lambda label: {"cls": NAMES[label].encode()})
    for path in made.glob("val-*.tar"):
        archive(path, {"a.png": picture(1), "a.cls": b"bee"})
    with pytest.raises(InputError, match=r"val .* has no sample of 2 of 3 classes: 'ant', 'cat'"):
        load(str(made), VIT)
    for path in made.glob("val-*.tar"):
        archive(path, {"a.png": picture(1), "a.cls": b"dog"})
    with pytest.raises(InputError, match=r"val .* has the label 'dog', which is no class"):
        load(str(made), VIT)
    for path in made.glob("val-*.tar"):
        archive(path, {"a.png": picture(1), "a.cls": b"1"})
    with pytest.raises(InputError, match=r"are class names in train and class numbers in val"):
        load(str(made), VIT)


def test_labels_of_two_kinds(made: Path) -> None:
    archive(made / "train-0002.tar", {"x.png": picture(1), "x.cls": b"bee"})
    with pytest.raises(InputError, match=r"numbers \(0 of train-0000.tar/0000\) and some class n"):
        load(str(made), VIT)


def test_labels_of_val_beyond_the_classes(made: Path) -> None:
    archive(made / "val-0000.tar", {"x.png": picture(1), "x.cls": b"3"})
    with pytest.raises(
        InputError, match=r"val of .* has the labels 0 to 3 \(val-0000.tar/x\), and"
    ):
        load(str(made), VIT)


def test_shards_without_labels_teach_nothing(made: Path) -> None:
    relabelled(made, lambda label: {"json": b'{"caption": "a bee"}'})
    with pytest.raises(InputError, match=r"train.* can be used; train-0000.tar/0000: its json nam"):
        load(str(made), VIT)


def test_what_is_not_used_is_named(made: Path) -> None:
    for name in ("overview.png", "test-0.tar"):
        (made / name).write_bytes(b"")
    assert load(str(made), VIT).notes == (
        f"left out, beside the shards of {made}: 'overview.png'",
        "left out, shards of neither train nor val: 'test-0.tar'",
    )


def test_shards_as_timm_publishes_them(made: Path) -> None:
    for path in made.glob("*.tar"):
        path.rename(made / f"imagenet1k-{path.name.replace('val', 'validation')}")
    data = load(str(made), VIT)
    assert (data.images, data.judged) == (15, 7)
    for path in made.glob("*validation*"):
        path.unlink()
    with pytest.raises(InputError, match=r"it is one shard, and training needs a folder with some"):
        load(str(made / "imagenet1k-train-0000.tar"), VIT)
    with pytest.raises(InputError, match=r"has no val-\*\.tar; both .* PREFIX-validation"):
        load(str(made), VIT)


def paired(label: int, name: str) -> dict[str, bytes]:
    return {"json": json.dumps({"label": label, "class": name}).encode()}


def test_a_label_that_contradicts_all_others_is_used_by_nobody(made: Path) -> None:
    relabelled(made, lambda label: paired(label, NAMES[label]))
    for split in ("train", "val"):
        files = {"x.png": picture(250), "x.json": paired(2, "bee")["json"]}
        archive(made / f"{split}-0009.tar", files)
    wrong = "its labels 2 and 'bee' are two different classes"
    judged = images.load(str(made), VIT).read()
    assert judged.unreadable == {"val-0009.tar/x": wrong}
    data = load(str(made), VIT)
    assert sum(len(labels) for _, labels in data.judge()) == len(judged) == 7
    for (part,) in data.epoch(15, 0, 0):
        assert 250 not in part.pixels
    assert data.unreadable == {f"{split}-0009.tar/x": wrong for split in ("train", "val")}


def test_a_name_of_several_classes_contradicts_nothing(made: Path) -> None:
    relabelled(made, lambda label: paired(label, "fish" if label == 2 else "insect"))
    data = load(str(made), VIT)
    assert sum(len(labels) for _, labels in data.judge()) == 7
    assert data.unreadable == images.load(str(made), VIT).read().unreadable == {}


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (
            lambda label: label + 1,
            r"labels 1 to 3 \(train-0000.tar/0002\), none is 0, val has the labels 1 to 3 \(.*;"
            r" numbers begin at 0, so subtract 1 from all$",
        ),
        (
            lambda label: label - 1,
            r"labels 0 to 1 .* tells 3 classes apart, 0 to 2; correct the labels, or give the model"
            r" file classes: 2; train-0000.tar/0000: its label -1 is no class number",
        ),
        (lambda label: 65534 if label == 2 else label, r"0 to 65534 \(train-0000.tar/0002\)"),
        (lambda label: 0, r"train of .* has the label 0 alone .* file classes: 1$"),
    ],
)
def test_labels_at_fault_are_shown(made: Path, label: Callable[[int], int], message: str) -> None:
    relabelled(made, lambda number: {"cls": b"%d" % label(number)})
    with pytest.raises(InputError, match=message):
        load(str(made), VIT)


def test_val_may_show_that_train_lacks_a_class(made: Path) -> None:
    for path in made.glob("train-*.tar"):
        archive(
            path,
            {
                f"{path.stem}{n}.{s}": c
                for n in (0, 1)
                for s, c in (("png", picture(n)), ("cls", b"%d" % n))
            },
        )
    with pytest.raises(InputError, match=r"labels 0 to 1 .*, val has the labels 0 to 2 .*up to 2$"):
        load(str(made), VIT)
