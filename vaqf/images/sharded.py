"""Images of shards, read one after the other: only a batch of them is in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vaqf.errors import InputError
from vaqf.images import archives, frames, shardset
from vaqf.images.archives import Sample
from vaqf.images.images import Images, check_room, evenly
from vaqf.images.pictures import Pixels, Unreadable, decode, fit, is_first_frame
from vaqf.images.shardlabels import Labelling
from vaqf.images.shards import Found
from vaqf.model.vit import Vit

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, eq=False)
class Sharded:
    """Images to run that lie in shards; see vaqf.images.data.Data."""

    origin: str
    vit: Vit
    taken: Sequence[tuple[Path, Sequence[int]]]  # of each shard the samples' numbers, rising
    labelling: Labelling | None  # None: they have no labels
    lost: dict[str, str]  # shards that cannot be read to their end, with the reason
    notes: tuple[str, ...] = ()  # what a person should know of the labels

    def __len__(self) -> int:
        return sum(len(numbers) for _, numbers in self.taken)

    def read(self) -> Images:
        """All of them at once; InputError for too many, or if none can be read."""
        check_room(self.vit, len(self))
        (images,) = self.batches(max(1, len(self)))
        return images

    def batches(self, size: int) -> Iterator[Images]:
        """`size` at a time, in order; less what cannot be read, which may leave none of a batch.

        InputError, at the end, if not one of them all can be read.
        """
        problems = dict(self.lost)
        read: list[tuple[Pixels, int]] = []
        animated: list[str] = []
        count = met = 0
        for sample in self._samples(problems):
            if met == size:
                yield self._images(read, problems, animated)
                read, animated, met = [], [], 0
                problems.clear()
            met += 1
            try:
                whole, label = self._read(sample)
                read.append((fit(whole, self.vit), label))
            except Unreadable as error:
                problems[sample.name] = str(error)
                continue
            count += 1
            if is_first_frame(whole):
                animated.append(sample.name)
        if not count:
            raise InputError(_none(problems))
        yield self._images(read, problems, animated)

    def _samples(self, problems: dict[str, str]) -> Iterator[Sample]:
        """Those that were taken; no shard is read beyond the last of its own."""
        for shard, numbers in self.taken:
            wanted = set(numbers)
            held = islice(archives.samples([shard], problems), max(wanted, default=-1) + 1)
            yield from (sample for number, sample in enumerate(held) if number in wanted)

    def _read(self, sample: Sample) -> tuple[Image.Image, int]:
        """A sample's picture and class; Unreadable if one is missing."""
        picture = BytesIO(sample.picture)
        label = -1 if self.labelling is None else self.labelling.of(sample.files)
        return decode(picture, self.vit), label

    def _images(
        self,
        read: Sequence[tuple[Pixels, int]],
        unreadable: Mapping[str, str],
        animated: Sequence[str],
    ) -> Images:
        shape = (0, self.vit.image_size, self.vit.image_size, self.vit.channels)
        pixels = np.stack([one for one, _ in read]) if read else np.empty(shape, np.uint8)
        labels = np.array([label for _, label in read], dtype=np.int64)
        known = None if self.labelling is None else labels
        notes = (*self.notes, *frames.note(animated))
        return Images(self.origin, pixels, known, dict(unreadable), notes, tuple(animated))


def load(found: Found, vit: Vit, images: int | None) -> Sharded:
    """The samples of val-*.tar, or of the only shards that there are, to be judged.

    images: so many, spread evenly over all. InputError if there are fewer, or for labels that are
    no classes of the network.
    """
    split, shards = found.split("val")
    where = str(found.root if split else shards[0] if len(shards) == 1 else found.root)
    problems: dict[str, str] = {}
    counted = shardset.count(shards, problems)
    total = sum(counted.sizes)
    if not total:
        raise InputError(_none(problems))
    if images is not None and images > total:
        raise InputError(f"--images is {images}; the shards of {where} hold {total} samples")
    labelling, notes = shardset.for_network(found.root, where, counted, vit)
    if split == "train":
        notes.append(f"{where} has no val-*.tar; its train-*.tar are taken")
    taken = _taken(shards, counted.sizes, total if images is None else images)
    whole = {archives.place(shard) for shard in shards}
    lost = {name: why for name, why in problems.items() if name in whole}
    return Sharded(_origin(split), vit, taken, labelling, lost, (*found.notes, *notes))


def calibration(found: Found, vit: Vit, images: int) -> Sharded:
    """Some samples of a few of train-*.tar, or of the only shards that there are."""
    split, shards = found.split("train")
    few = [shards[number] for number in evenly(len(shards), min(len(shards), images))]
    problems: dict[str, str] = {}
    sizes = shardset.count(few, problems).sizes
    taken = _taken(few, sizes, min(sum(sizes), images))
    return Sharded(_origin(split), vit, taken, None, problems)


def _taken(
    shards: Sequence[Path], sizes: Sequence[int], images: int
) -> list[tuple[Path, list[int]]]:
    """So many of the samples of shards of these sizes, evenly: their numbers in each."""
    chosen = np.array(evenly(sum(sizes), images))
    starts = np.cumsum([0, *sizes])
    return [
        (shard, (chosen[(chosen >= start) & (chosen < stop)] - start).tolist())
        for shard, start, stop in zip(shards, starts, starts[1:], strict=False)
    ]


def _origin(split: str) -> str:
    return f"shards of {split}" if split else "shards"


def _none(reasons: Mapping[str, str]) -> str:
    """Why not one sample can be used."""
    first = "".join(f"; {name}: {why}" for name, why in islice(reasons.items(), 1))
    return f"no sample of the shards can be used{first}"
