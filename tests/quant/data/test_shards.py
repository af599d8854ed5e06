"""Training on shards: every sample once, split among processes; archives that mean harm."""

import io
import json
import pickle
import random
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from samples import RGB
from tars import archive, folder, picture, samples

from vaqf.errors import InputError
from vaqf.images import archives, shardset
from vaqf.quant.data import shards
from vaqf.quant.data.batches import ALONE, Portion, plan
from vaqf.quant.data.sources import load

VIT = replace(RGB, classes=3)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return folder(tmp_path / "set")


def levels(parts: object) -> list[int]:
    """The numbers of the samples, whose labels must be theirs."""
    found = []
    for pixels, labels in parts:
        assert pixels.dtype == torch.uint8 and pixels.shape[1:] == (8, 8, 3)
        assert torch.equal(pixels[:, 0, 0, 0].long() % 3, labels)
        found += pixels[:, 0, 0, 0].tolist()
    return found


def epoch(data: object, batch: int, number: int, portion: Portion) -> list[int]:
    steps = list(data.epoch(batch, 5, number, portion))
    assert len(steps) == plan(data.images, batch, ALONE).steps
    for step in steps:
        assert len(step) == portion.accumulate
        for part in step:
            assert (len(part.labels), part.whole) == (batch // portion.slices, batch)
    return levels((part.pixels, part.labels) for step in steps for part in step)


def test_shards_are_counted_by_their_headers(made: Path) -> None:
    data = load(str(made), VIT)
    assert (data.origin, data.classes, data.images, data.judged) == ("shards", 3, 15, 7)
    assert data.unreadable == {}
    assert data.calibration(4)[:, 0, 0, 0].tolist() == [0, 1, 5, 6]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("world", [1, 2, 3])
def test_every_sample_is_judged_once(made: Path, workers: int, world: int) -> None:
    data = load(str(made), VIT, workers)
    seen = [level for rank in range(world) for level in levels(data.judge(Portion(rank, world)))]
    assert sorted(seen) == list(range(100, 107))


def test_an_epoch_shows_every_sample_shuffled(made: Path) -> None:
    data = load(str(made), VIT)
    first, again, second = (epoch(data, 5, number, Portion()) for number in (0, 0, 1))
    assert sorted(first) == list(range(15)) == sorted(second)
    assert first == again != second and first != sorted(first)


def test_without_a_crop_training_sees_what_evaluation_does(tmp_path: Path) -> None:
    """Half of the picture is white: a random part of it would mostly be another one."""
    half = np.repeat(np.array([[[0] * 3] * 8 + [[255] * 3] * 8], np.uint8), 16, axis=0)
    stream = io.BytesIO()
    Image.fromarray(half).save(stream, "PNG")
    root = folder(tmp_path / "set")
    for split in ("train", "val"):
        archive(root / f"{split}-0000.tar", {"0.png": stream.getvalue(), "0.cls": b"0"})
    data = load(str(root), VIT)
    (whole,) = (image for image in data.calibration(11) if image.max() == 255)
    seen = {}
    for crop in (True, False):
        steps = data.epoch(data.images, 0, 0, crop=crop)
        seen[crop] = [image for ((part,),) in [list(steps)] for image in part.pixels.numpy()]
    assert any(np.array_equal(image, whole) for image in seen[False])
    assert not any(np.array_equal(image, whole) for image in seen[True])


@pytest.mark.parametrize(("world", "accumulate", "workers"), [(2, 1, 0), (2, 2, 2), (4, 1, 0)])
def test_processes_share_no_sample_and_take_equally_many_steps(
    made: Path, world: int, accumulate: int, workers: int
) -> None:
    data = load(str(made), VIT, workers)
    state = torch.get_rng_state()
    seen = [set(epoch(data, 4, 0, Portion(rank, world, accumulate))) for rank in range(world)]
    assert torch.equal(torch.get_rng_state(), state)
    for one in range(world):
        for other in range(one):
            assert not seen[one] & seen[other]


@pytest.mark.parametrize("kind", ["jpg", "JPEG", "webp"])
def test_other_formats_and_folders_in_the_names(tmp_path: Path, kind: str) -> None:
    root = folder(tmp_path / "set")
    content = picture(42, "WEBP" if kind == "webp" else "JPEG")
    archive(root / "val-0000.tar", {f"a.b/0.{kind}": content, "a.b/0.cls": b" 0\n"})
    data = load(str(root), VIT)
    assert data.judged == 4
    (pixels, labels), *_ = data.judge()
    assert abs(int(pixels[0, 0, 0, 0]) - 42) <= 2 and int(labels[0]) == 0


def test_sidecars_say_what_need_not_be_counted(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["ant", "bee", "cat"]
    (made / "train.json").write_text(json.dumps({"images": 12, "classes": names}))
    (made / "val.json").write_text(json.dumps({"images": 7, "classes": 3}))
    monkeypatch.setattr(shardset, "count", None)
    data = load(str(made), VIT)
    assert (data.classes, data.images, data.judged) == (tuple(names), 12, 7)
    assert plan(data.images, 4, ALONE).steps == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "holds no JSON object; it must be .*remove it"),
        ("{}", "names no images"),
        ('{"images": 0, "classes": 3}', "images is 0"),
        ('{"images": 3.5, "classes": 3}', "images is 3.5"),
        ('{"images": 3, "classes": []}', r"classes is \[\]"),
        ('{"images": 3, "classes": [1, 2, 3]}', r"classes is \[1, 2, 3\]"),
        ('{"images": 3, "clases": 3}', "did you mean classes"),
        ('{"images": 3, "classes": 4}', "has 4 classes, and small tells 3 apart"),
        ('{"images": 3, "classes": ["a", "b", "x"]}', "name different classes"),
    ],
)
def test_sidecars_that_are_wrong(made: Path, text: str, message: str) -> None:
    (made / "val.json").write_text('{"images": 7, "classes": ["a", "b", "c"]}')
    (made / "train.json").write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        load(str(made), VIT)
    assert "\n" not in str(caught.value)


class Harm:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, (f"open({str(self.trace)!r}, 'w').close()",))


def test_nothing_in_a_shard_is_ever_unpickled_or_run(tmp_path: Path) -> None:
    root, trace = folder(tmp_path / "set"), tmp_path / "trace"
    harm = pickle.dumps(Harm(trace))
    stream = io.BytesIO()
    torch.save(Harm(trace), stream)
    files = samples(100, 2)
    for number, suffix in enumerate(("pyd", "pkl", "pickle", "pth", "npy", "png", "cls", "jpg.gz")):
        files[f"x{number}.{suffix}"] = stream.getvalue() if suffix == "pth" else harm
        files[f"0100.{suffix}"] = files.get(f"0100.{suffix}", harm)
    files["pipe:touch trace.png"] = picture(3)
    for split in ("train", "val"):
        archive(root / f"{split}-0000.tar", dict(sorted(files.items())))
    archive(root / "train-pipe:touch trace.tar", samples(0, 1))
    pickle.loads(pickle.dumps(Harm(tmp_path / "works")))
    assert (tmp_path / "works").exists()
    data = load(str(root), VIT)
    assert len(data.calibration(8)) and len(levels(data.judge())) == 5
    assert epoch(data, 4, 0, Portion())
    assert not trace.exists() and {p.name for p in tmp_path.iterdir()} == {"set", "works"}


def test_a_first_frame_of_a_sample_is_told(made: Path) -> None:
    moving = io.BytesIO()
    frames = [Image.new("RGB", (12, 12), (level,) * 3) for level in (100, 7)]
    frames[0].save(moving, "PNG", save_all=True, append_images=frames[1:])
    archive(made / "val-0000.tar", {"a.png": moving.getvalue(), "a.cls": b"1"})
    archive(made / "val-0001.tar", samples(101, 1))
    data = load(str(made), VIT)
    assert sorted(levels(data.judge())) == [100, 101]
    assert data.animated == {"val-0000.tar/a"}


def test_corrupt_samples_are_left_out_counted_and_named(made: Path) -> None:
    files = samples(100, 2)
    files |= {"a.png": b"no picture", "a.cls": b"1", "b.png": picture(1), "b.cls": b"3"}
    files |= {"c.png": picture(1), "c.cls": b"-1", "d.png": picture(1), "e.cls": b"1"}
    files |= {"f.png": picture(1), "f.cls": b"1" * 1025, "g.png": b"", "g.cls": b"0"}
    archive(made / "val-0000.tar", files)
    (made / "val.json").write_text('{"images": 9, "classes": 3}')
    data = load(str(made), VIT)
    assert sorted(levels(data.judge())) == [100, 101, 104, 105, 106]
    assert data.unreadable == {
        "val-0000.tar/a": "it is not a picture that Pillow reads",
        "val-0000.tar/b": "its label 3 is not a number from 0 to 2",
        "val-0000.tar/c": "its label -1 is no class number; they begin at 0 and end below 65535",
        "val-0000.tar/d": "it has no label (cls or json)",
        "val-0000.tar/e": "it has no picture (jpg, jpeg, png, webp)",
        "val-0000.tar/f": "its cls is larger than 1024 bytes",
        "val-0000.tar/g": "it is empty",
    }


def test_corrupt_samples_do_not_stop_training(made: Path) -> None:
    archive(made / "train-0001.tar", {"a.png": b"no picture", "a.cls": b"1"})
    data = load(str(made), VIT)
    assert data.images == 12
    assert set(epoch(data, 6, 0, Portion())) == {*range(5), *range(9, 15)}
    assert list(data.unreadable) == ["train-0001.tar/a"]


def huge(path: Path) -> None:
    """A picture that says it has a terabyte."""
    member = tarfile.TarInfo("huge.png")
    member.size = 2**40
    path.write_bytes(member.tobuf(tarfile.GNU_FORMAT) + b"\0" * 1024)


def long_names(path: Path) -> None:
    """Headers that a careless reader follows by recursion."""
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 5
    path.write_bytes((member.tobuf(tarfile.GNU_FORMAT) + b"abcd".ljust(512, b"\0")) * 5000)


def cut(more: int, instead: bytes = b"") -> Callable[[Path], None]:
    """Ends an archive `more` bytes behind its first file, where tarfile sees nothing wrong."""

    def spoil(path: Path) -> None:
        with tarfile.open(path) as tar:
            second = tar.getmembers()[1].offset
        path.write_bytes(path.read_bytes()[: second + more] + instead)

    return spoil


def link(path: Path) -> None:
    member = tarfile.TarInfo("a.png")
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    path.write_bytes(member.tobuf() + b"\0" * 1024)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:700]), "damaged"),
        (lambda path: path.write_bytes(b"no archive" * 100), "damaged"),
        (lambda path: path.write_bytes(b""), "damaged"),
        (long_names, "damaged"),
        (cut(0), "stops without"),
        (cut(100), "stops without"),
        (cut(0, b"x" * 1024), "stops without"),
        (huge, "larger than"),
        (link, "no regular file"),
    ],
)
def test_one_bad_archive_among_many(made: Path, spoil: object, reason: str) -> None:
    spoil(made / "val-0001.tar")
    data = load(str(made), VIT)
    assert set(range(100, 104)) == set(levels(data.judge()))
    assert all(name.startswith("val-0001.tar") for name in data.unreadable)
    assert any(reason in why for why in data.unreadable.values())


@pytest.mark.parametrize("split", ["train", "val"])
def test_nothing_readable_at_all(made: Path, split: str) -> None:
    for path in made.glob(f"{split}-*.tar"):
        archive(path, {"a.png": b"no picture", "a.cls": b"2"})
    with pytest.raises(InputError, match=f"none of the samples of {split}.*0000.tar/a: it is not"):
        load(str(made), VIT)


def test_shards_that_vanish_during_training(made: Path) -> None:
    data = load(str(made), VIT)
    for path in made.glob("train-*.tar"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"no picture of the 3 training shard\(s\) of process 0"):
        next(data.epoch(4, 0, 0))


def test_a_split_that_is_missing(made: Path) -> None:
    for path in made.glob("val-*.tar"):
        path.unlink()
    with pytest.raises(InputError, match=r"has no val-\*\.tar; both"):
        load(str(made), VIT)


def test_the_number_of_classes_is_the_models(made: Path) -> None:
    for classes in (2, 4):
        with pytest.raises(InputError, match=f"0 to 2 .*, and small tells {classes} .*: 3$"):
            load(str(made), replace(RGB, classes=classes))


def test_terminal_codes_in_names_are_not_shown(made: Path) -> None:
    archive(made / "val-0000.tar", {"\x1b[2J\n.png": b"", "\x1b[2J\n.cls": b"0"})
    data = load(str(made), VIT)
    levels(data.judge())
    assert list(data.unreadable) == [r"val-0000.tar/\x1b[2J\n"]


def test_the_shuffle_reaches_beyond_one_shard(made: Path) -> None:
    seen = epoch(load(str(made), VIT), 15, 2, Portion())
    shard = np.searchsorted([5, 9], seen, side="right")
    assert (np.diff(shard) != 0).sum() > 2


@pytest.mark.parametrize("count", [0, 1, 9, 10, 50])
def test_each_sample_is_drawn_from_those_that_wait(count: int) -> None:
    given = [archives.Sample("x.tar", str(number), str(number)) for number in range(count)]
    drawn = list(shards.shuffled(given, 10, random.Random(3)))
    assert sorted(drawn, key=given.index) == given and (count < 9 or drawn != given)
    for place, sample in enumerate(drawn):
        assert given.index(sample) < place + 10
