"""WebDataset shards: tar archives of pictures and class numbers, for sets of ImageNet's size.

A folder with train-*.tar and val-*.tar; in each archive, files that share a name up to the first
dot are one sample: a picture (jpg, jpeg, png, webp) and its class number (cls). Beside them,
train.json and val.json may hold {"images": N, "classes": [names]}; without it the archives are
counted once, by their headers.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from vaqf.errors import InputError
from vaqf.files import smallfile
from vaqf.files.fields import check_keys, check_whole, shown
from vaqf.images import folder, pictures
from vaqf.model.vit import MAX_CLASSES, Vit
from vaqf.quant.data.archives import LABEL, PICTURES, Sample, archives, samples
from vaqf.quant.data.batches import (
    ALONE,
    JUDGE_BATCH,
    Batch,
    Portion,
    check_classes,
    evenly,
    order,
    plan,
)
from vaqf.quant.data.crops import Part, Read, collate, parts, random_crop

SHUFFLED = 1000  # samples that a worker holds to draw the next one from
MAX_INDEX_BYTES = 2**23
INDEX = '{"images": N, "classes": [names]}; remove it to have the shards counted'
MAX_IMAGES = 2**40


@dataclass(frozen=True)
class Index:
    """What train.json or val.json says, or counting gives."""

    images: int
    classes: tuple[str, ...] | int


def _label(sample: Sample, classes: int) -> int:
    """The class number; Unreadable if there is none below `classes`."""
    text = sample.files.get(LABEL)
    if text is None:
        raise pictures.Unreadable("it has no class number (cls)")
    if not text.strip().isdigit() or int(text) >= classes:
        raise pictures.Unreadable(
            f"its class {shown(text)} is not a number from 0 to {classes - 1}"
        )
    return int(text)


def _picture(sample: Sample) -> BytesIO:
    for suffix in PICTURES:
        if suffix in sample.files:
            return BytesIO(sample.files[suffix])
    raise pictures.Unreadable(f"it has no picture ({', '.join(PICTURES)})")


def _read(sample: Sample, vit: Vit, rng: np.random.Generator | None) -> Read:
    """A sample as training (with random numbers for the crop) or evaluation sees it."""
    try:
        label = _label(sample, vit.classes)
        whole = pictures.decode(_picture(sample), vit)
        pixels = pictures.fit(whole, vit) if rng is None else random_crop(whole, vit, rng)
    except pictures.Unreadable as error:
        return Read(None, problems={sample.name: str(error)})
    return Read(pixels, label)


def shuffled(given: Iterable[Sample], held: int, mixer: random.Random) -> Iterator[Sample]:
    """The samples, each drawn from the `held` that wait, or from all that are left."""
    waiting: list[Sample] = []
    for sample in given:
        waiting.append(sample)
        if len(waiting) == held:
            yield _drawn(waiting, mixer)
    while waiting:
        yield _drawn(waiting, mixer)


def _drawn(waiting: list[Sample], mixer: random.Random) -> Sample:
    """Any one, taken out; the last takes its place."""
    place = mixer.randrange(len(waiting))
    waiting[place], waiting[-1] = waiting[-1], waiting[place]
    return waiting.pop()


def _batched(read: Iterable[Read], size: int, vit: Vit, problems: dict[str, str]) -> Iterator[Part]:
    """Parts of `size` readable pictures; what is left, maybe nothing but problems, comes last."""
    waiting: list[Read] = []
    for one in read:
        problems.update(one.problems)
        if one.pixels is not None:
            waiting.append(one)
        if len(waiting) == size:
            yield _part(waiting, vit, problems)
            waiting = []
    yield _part(waiting, vit, problems)


def _part(read: list[Read], vit: Vit, problems: dict[str, str]) -> Part:
    """One batch with the problems met since the last one."""
    whole = collate([*read, Read(None, problems=dict(problems))], vit)
    problems.clear()
    return whole


def _worker() -> tuple[int, int]:
    """This worker process's number and how many there are."""
    info = get_worker_info()
    return (0, 1) if info is None else (info.id, info.num_workers)


@dataclass(frozen=True, eq=False)
class Centred(IterableDataset[Part]):
    """Every sample of the shards once, for judging."""

    vit: Vit
    shards: list[Path]

    def __iter__(self) -> Iterator[Part]:
        number, workers = _worker()
        problems: dict[str, str] = {}
        read = samples(self.shards[number::workers], problems)
        yield from _batched(
            (_read(s, self.vit, None) for s in read), JUDGE_BATCH, self.vit, problems
        )


@dataclass(frozen=True, eq=False)
class Cropped(IterableDataset[Part]):
    """Shuffled, cropped samples without end, for training; none at all where none can be read."""

    vit: Vit
    shards: list[Path]
    size: int  # pictures of one part
    seed: tuple[int, ...]
    first: int  # samples taken: first, first + step, ...
    step: int

    def __iter__(self) -> Iterator[Part]:
        number, workers = _worker()
        shards = self.shards[number::workers]
        rng = np.random.default_rng((*self.seed, number))
        mixer = random.Random(int(rng.integers(2**63)))
        problems: dict[str, str] = {}

        def endless() -> Iterator[Read]:
            while True:
                ours = islice(samples(shards, problems), self.first, None, self.step)
                readable = 0
                for sample in shuffled(ours, SHUFFLED, mixer):
                    one = _read(sample, self.vit, rng)
                    readable += one.pixels is not None
                    yield one
                if not readable:
                    return

        yield from _batched(endless(), self.size, self.vit, problems)


@dataclass(frozen=True, eq=False)
class Shards:
    """Data of shards; see vaqf.quant.data.sources.Data.

    Each process reads shards of its own (or, with fewer shards than processes, samples of its
    own), so the order and the company of an image depend on how many processes and workers there
    are, unlike with a folder. An epoch has as many batches as the images fill; a process that is
    through its shards begins again. What cannot be read is left out.
    """

    vit: Vit
    classes: tuple[str, ...] | int
    images: int
    judged: int  # the unreadable ones among them
    train: list[Path]
    val: list[Path]
    workers: int
    origin: str = "shards"
    unreadable: dict[str, str] = field(default_factory=dict)

    def epoch(
        self, batch: int, seed: int, epoch: int, portion: Portion = ALONE
    ) -> Iterator[list[Batch]]:
        """Shuffled, randomly cropped slices of every step; see Data."""
        sizes = plan(self.images, batch, portion)
        ordered = [self.train[number] for number in order(len(self.train), seed, epoch)]
        enough = len(ordered) >= portion.world
        stream = Cropped(
            self.vit,
            ordered[portion.rank :: portion.world] if enough else ordered,
            sizes.each,
            (seed, epoch, portion.rank),
            0 if enough else portion.rank,
            1 if enough else portion.world,
        )
        read = (part for part in self._load(stream) if len(part.labels) == sizes.each)
        for _ in range(sizes.steps):
            step = [(start, next(read, None)) for start in sizes.starts(portion)]
            batches = [
                Batch(part.pixels, part.labels, start, sizes.whole)
                for start, part in step
                if part is not None
            ]
            if len(batches) < len(step):
                raise InputError(
                    f"no picture of the {len(stream.shards)} training shard(s) of process"
                    f" {portion.rank} can be read{self._why()}"
                )
            yield batches

    def judge(self, portion: Portion = ALONE) -> Iterator[tuple[Tensor, Tensor]]:
        """The readable samples of every world-th shard from this process's rank on."""
        for part in self._load(Centred(self.vit, self.val[portion.rank :: portion.world])):
            if len(part.labels):
                yield part.pixels, part.labels

    def calibration(self, count: int) -> NDArray[np.uint8]:
        """The first training images [n, S, S, C] of a few shards, as evaluation sees them."""
        few = [self.train[number] for number in evenly(len(self.train), count)]
        each = -(-count // len(few))
        images = [pixels for shard in few for pixels in islice(self._readable([shard]), each)]
        if not images:
            images = list(islice(self._readable(self.train), count))
        return np.stack(images[:count])

    def check(self) -> None:
        """InputError unless an image to learn from and one to judge by can be read."""
        for split, shards in zip(folder.SPLITS, (self.train, self.val), strict=True):
            if next(self._readable(shards), None) is None:
                raise InputError(f"none of the samples of {split}-*.tar can be read{self._why()}")

    def _readable(self, shards: list[Path]) -> Iterator[NDArray[np.uint8]]:
        for sample in samples(shards, self.unreadable):
            one = _read(sample, self.vit, None)
            self.unreadable.update(one.problems)
            if one.pixels is not None:
                yield one.pixels

    def _why(self) -> str:
        """The first reason, if there is one."""
        return "".join(f"; {name}: {why}" for name, why in islice(self.unreadable.items(), 1))

    def _load(self, stream: Centred | Cropped) -> Iterator[Part]:
        loader = DataLoader(
            stream,
            batch_size=None,
            num_workers=min(self.workers, len(stream.shards)),
            generator=torch.Generator(),  # or the loader would draw from the caller's
        )
        for part in parts(loader):
            self.unreadable.update(part.problems)
            yield part


def _index(path: Path) -> Index | None:
    """What a sidecar says; None where there is none or it does not name the classes."""
    if not path.exists():
        return None
    content = smallfile.read_object(path, MAX_INDEX_BYTES, INDEX)
    if "images" not in content:
        raise InputError(f"{path} names no images; it must be {INDEX}")
    check_keys(content, ("images", "classes"), str(path))
    check_whole(content["images"], f"{path}: images", 1, MAX_IMAGES)
    classes = content.get("classes")
    if classes is None:
        return None
    if isinstance(classes, list) and classes and all(isinstance(name, str) for name in classes):
        return Index(content["images"], tuple(classes))
    check_whole(classes, f"{path}: classes", 1, MAX_CLASSES)
    return Index(content["images"], classes)


def count(shards: list[Path], problems: dict[str, str]) -> Index:
    """Samples with a picture and a label, and the highest label + 1, by the archives' headers."""
    number, highest = 0, -1
    for sample in samples(shards, problems, read=(LABEL,)):
        if not any(suffix in sample.files for suffix in PICTURES):
            continue
        try:
            highest = max(highest, _label(sample, MAX_CLASSES))
        except pictures.Unreadable as error:
            problems[sample.name] = str(error)
            continue
        number += 1
    return Index(number, highest + 1)


def load(path: Path, vit: Vit, workers: int) -> Shards:
    """The shards of a folder; InputError where a split is missing or nothing can be read."""
    pictures.check_channels(vit)
    train, val = (archives(path, split) for split in folder.SPLITS)
    for split, shards in zip(folder.SPLITS, (train, val), strict=True):
        if not shards:
            raise InputError(
                f"{path} has no {split}-*.tar; both train-*.tar and val-*.tar are needed"
            )
    problems: dict[str, str] = {}
    learn = _index(path / "train.json") or count(train, problems)
    judge = _index(path / "val.json") or count(val, problems)
    check_classes(learn.classes, vit, str(path))
    if isinstance(judge.classes, tuple) and judge.classes != learn.classes:
        raise InputError(f"{path}: train.json and val.json name different classes; make them agree")
    data = Shards(vit, learn.classes, learn.images, judge.images, train, val, workers)
    data.unreadable.update(problems)
    data.check()
    return data
