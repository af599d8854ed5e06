"""Shards to learn from, for sets of ImageNet's size; vaqf.images.shards says what is read."""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from vaqf.errors import InputError
from vaqf.images import folder, pictures, shardset
from vaqf.images.archives import Sample, samples
from vaqf.images.shardlabels import Labelling
from vaqf.images.shards import Found
from vaqf.images.shardset import Counted
from vaqf.model.vit import Vit
from vaqf.quant.data.batches import (
    ALONE,
    JUDGE_BATCH,
    Batch,
    Portion,
    check_classes,
    evenly,
    hashed,
    order,
    plan,
    sizes,
)
from vaqf.quant.data.crops import Part, Read, animated, collate, parts, random_crop
from vaqf.quant.data.shardclasses import (
    check_names,
    check_numbers,
    check_one_kind,
    names_or_number,
    why,
)

SHUFFLED = 1000  # samples that a worker holds to draw the next one from


def _read(sample: Sample, vit: Vit, labelling: Labelling, rng: np.random.Generator | None) -> Read:
    """A sample as training (with random numbers for the crop) or evaluation sees it."""
    try:
        picture = BytesIO(sample.picture)
        label = labelling.of(sample.files)
        whole = pictures.decode(picture, vit)
        pixels = pictures.fit(whole, vit) if rng is None else random_crop(whole, vit, rng)
    except pictures.Unreadable as error:
        return Read(None, problems={sample.name: str(error)})
    return Read(pixels, label, animated=animated(whole, sample.name))


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
    labelling: Labelling
    shards: list[Path]

    def __iter__(self) -> Iterator[Part]:
        number, workers = _worker()
        problems: dict[str, str] = {}
        read = samples(self.shards[number::workers], problems)
        yield from _batched(
            (_read(s, self.vit, self.labelling, None) for s in read),
            JUDGE_BATCH,
            self.vit,
            problems,
        )


@dataclass(frozen=True, eq=False)
class Cropped(IterableDataset[Part]):
    """Shuffled samples without end, for training; none at all where none can be read."""

    vit: Vit
    labelling: Labelling
    shards: list[Path]
    size: int  # pictures of one part
    seed: tuple[int, ...]
    first: int  # samples taken: first, first + step, ...
    step: int
    crop: bool = True  # by random numbers; else as evaluation sees them

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
                    one = _read(sample, self.vit, self.labelling, rng if self.crop else None)
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
    labelling: Labelling
    images: int
    judged: int  # the unreadable ones among them
    train: list[Path]
    val: list[Path]
    workers: int
    notes: tuple[str, ...]
    origin: str = "shards"
    unreadable: dict[str, str] = field(default_factory=dict)
    animated: set[str] = field(default_factory=set)

    @cached_property
    def fingerprint(self) -> str:
        """The hash of the classes, the counts, and the name and size of every archive."""
        paths = [*self.train, *self.val]
        counts = np.array([len(self.train), len(self.val), self.images, self.judged])
        return hashed(str(self.classes), counts, sizes(paths), *(path.name for path in paths))

    def epoch(
        self, batch: int, seed: int, epoch: int, portion: Portion = ALONE, crop: bool = True
    ) -> Iterator[list[Batch]]:
        """Shuffled slices of every step; see Data."""
        planned = plan(self.images, batch, portion)
        ordered = [self.train[number] for number in order(len(self.train), seed, epoch)]
        enough = len(ordered) >= portion.world
        stream = Cropped(
            self.vit,
            self.labelling,
            ordered[portion.rank :: portion.world] if enough else ordered,
            planned.each,
            (seed, epoch, portion.rank),
            0 if enough else portion.rank,
            1 if enough else portion.world,
            crop,
        )
        read = (part for part in self._load(stream) if len(part.labels) == planned.each)
        for _ in range(planned.steps):
            step = [(start, next(read, None)) for start in planned.starts(portion)]
            batches = [
                Batch(part.pixels, part.labels, start, planned.whole)
                for start, part in step
                if part is not None
            ]
            if len(batches) < len(step):
                raise InputError(
                    f"no picture of the {len(stream.shards)} training shard(s) of process"
                    f" {portion.rank} can be read{why(self.unreadable)}"
                )
            yield batches

    def judge(self, portion: Portion = ALONE) -> Iterator[tuple[Tensor, Tensor]]:
        """The readable samples of every world-th shard from this process's rank on."""
        ours = self.val[portion.rank :: portion.world]
        for part in self._load(Centred(self.vit, self.labelling, ours)):
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
                raise InputError(_none(split, self.unreadable))

    def _readable(self, shards: list[Path]) -> Iterator[NDArray[np.uint8]]:
        for sample in samples(shards, self.unreadable):
            one = _read(sample, self.vit, self.labelling, None)
            self.unreadable.update(one.problems)
            self.animated.update(one.animated)
            if one.pixels is not None:
                yield one.pixels

    def _load(self, stream: Centred | Cropped) -> Iterator[Part]:
        loader = DataLoader(
            stream,
            batch_size=None,
            num_workers=min(self.workers, len(stream.shards)),
            generator=torch.Generator(),  # or the loader would draw from the caller's
        )
        for part in parts(loader):
            self.unreadable.update(part.problems)
            self.animated.update(part.animated)
            yield part


def _none(split: str, problems: Mapping[str, str]) -> str:
    return f"none of the samples of {split}-*.tar can be used{why(problems)}"


def load(found: Found, vit: Vit, workers: int) -> Shards:
    """The shards of a folder; InputError where a split is missing or nothing can be read."""
    pictures.check_channels(vit)
    root = found.root
    for split in folder.SPLITS:
        if split not in found.splits:
            raise InputError(
                f"{root} has no {split}-*.tar; both train-*.tar and val-*.tar are needed, or"
                " PREFIX-train-*.tar and PREFIX-validation-*.tar"
            )
    train, val = (found.splits[split] for split in folder.SPLITS)
    problems: dict[str, str] = {}
    learn = shardset.index(root / "train.json") or _counted("train", train, problems)
    judge = shardset.index(root / "val.json") or _counted("val", val, problems)
    classes = names_or_number(root, learn, vit)
    if isinstance(learn, Counted) and not learn.names:
        check_numbers(root, learn, judge, vit, problems)
    check_classes(classes, vit, str(root))
    names = classes if isinstance(classes, tuple) else vit.class_names
    if isinstance(judge, Counted):
        judge.check_numbers(vit.classes, f"val of {root}")
        check_one_kind(root, learn, judge)
        check_names(root, "val", judge, names, every=isinstance(learn, Counted))
    elif isinstance(judge.classes, tuple) and judge.classes != classes:
        raise InputError(f"{root}: train.json and val.json name different classes; make them agree")
    labelling = Labelling.of_model(names, vit.classes)
    if isinstance(learn, Counted):
        labelling = learn.labelling(names, vit.classes)
    data = Shards(
        vit, classes, labelling, learn.images, judge.images, train, val, workers, found.notes
    )
    data.unreadable.update(problems)
    data.check()
    return data


def _counted(split: str, shards: list[Path], problems: dict[str, str]) -> Counted:
    counted = shardset.count(shards, problems)
    if not counted.images:
        raise InputError(_none(split, problems))
    return counted
