"""What is known of a set of shards: how many samples, of which classes.

Beside the shards, train.json and val.json may hold {"images": N, "classes": [names]}; without it
the archives are counted once, by their headers and labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from vaqf.errors import InputError
from vaqf.files import smallfile
from vaqf.files.fields import check_keys, check_whole, shown, some, whole
from vaqf.images import archives, shardlabels
from vaqf.images.archives import Sample
from vaqf.images.classes import LISTED, SHARDS, of_names
from vaqf.images.pictures import Unreadable
from vaqf.images.shardlabels import Labelling
from vaqf.model.vit import MAX_CLASSES, Vit

T = TypeVar("T")
MAX_INDEX_BYTES = 2**23
INDEX = '{"images": N, "classes": [names]}; remove it to have the shards counted'
MAX_IMAGES = 2**40
EMPTY = (
    f"it holds no picture ({', '.join(archives.PICTURES)}) and no label"
    f" ({', '.join(shardlabels.MAX_BYTES)})"
)


@dataclass(frozen=True)
class Index:
    """What train.json or val.json says."""

    images: int
    classes: tuple[str, ...] | int


def index(path: Path) -> Index | None:
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
        if len(set(classes)) < len(classes):
            raise InputError(f"{path} names a class twice; every class needs its own name")
        return Index(content["images"], tuple(classes))
    check_whole(classes, f"{path}: classes", 1, MAX_CLASSES)
    return Index(content["images"], classes)


@dataclass(frozen=True)
class Counted:
    """What the archives' headers and labels say."""

    sizes: tuple[int, ...]  # samples of each archive, those that cannot be used among them
    images: int  # samples with a picture and a label
    lowest: int  # class number; -1 where there is none
    highest: int
    highest_of: str  # a sample that has it, for people
    names: frozenset[str]  # of classes; none where labels are numbers
    labelled: bool  # whether any sample has a label
    meant: Mapping[str, int]  # of samples with a number and a name: what the names mean

    def labelling(self, names: Sequence[str], classes: int) -> Labelling:
        """How numbers become classes: by themselves; a name beside one must be the class's, or,
        where the network has no names, that of most samples of the number."""
        if names:
            return Labelling.of_model(names, classes)
        return Labelling(range(classes), self.meant)

    def check_numbers(self, classes: int, where: str) -> None:
        """InputError for a class number beyond those of so many classes."""
        if self.highest >= classes:
            raise InputError(
                f"{where} has {self.numbers}, and there are {classes} classes; they are numbered"
                f" from 0 to {classes - 1}"
            )

    @property
    def numbers(self) -> str:
        """The class numbers that were found, for people."""
        if self.lowest == self.highest:
            return f"the label {self.highest} alone ({self.highest_of})"
        none = ", none is 0" if self.lowest else ""
        return f"the labels {self.lowest} to {self.highest} ({self.highest_of}){none}"


def count(shards: Sequence[Path], problems: dict[str, str]) -> Counted:
    """What the samples of shards say; problems: what cannot be used, by name, with the reason.

    InputError where some labels are class numbers and some class names.
    """
    sizes: list[int] = []
    tally = _Tally()
    for shard in shards:
        size = 0
        for sample in archives.samples([shard], problems, tuple(shardlabels.MAX_BYTES)):
            size += 1
            try:
                tally.add(sample)
            except shardlabels.Absent as error:
                problems.setdefault(sample.name, str(error))
            except Unreadable as error:
                problems[sample.name] = str(error)
        sizes.append(size)
        if not size:
            problems.setdefault(archives.place(shard), EMPTY)
    return Counted(
        tuple(sizes),
        tally.images,
        tally.lowest,
        tally.highest,
        tally.highest_of,
        frozenset(tally.names),
        tally.labelled,
        _meant(tally.pairs),
    )


def _meant(pairs: Counter[tuple[str, int]]) -> dict[str, int]:
    """The number that each name means: that of most of its samples, if most of the number's have
    that name, too. None for a name of several classes, such as those of all birds."""
    if len(pairs) > MAX_CLASSES:
        return {}  # no names of classes
    by_name: dict[str, Counter[int]] = {}
    by_number: dict[int, Counter[str]] = {}
    for (name, number), count in pairs.items():
        by_name.setdefault(name, Counter())[number] += count
        by_number.setdefault(number, Counter())[name] += count
    name_of = {number: _most(names) for number, names in by_number.items()}
    meant = {name: _most(numbers) for name, numbers in by_name.items()}
    return {
        name: number
        for name, number in meant.items()
        if number is not None
        and all((name_of[other] == name) == (other == number) for other in by_name[name])
    }


def _most(counts: Counter[T]) -> T | None:
    """What more than half of them are; None if nothing is."""
    ((one, count),) = counts.most_common(1)
    return one if 2 * count > counts.total() else None


@dataclass
class _Tally:
    """The labels met so far."""

    images: int = 0
    labelled: bool = False
    lowest: int = -1
    highest: int = -1
    highest_of: str = ""
    names: set[str] = field(default_factory=set)
    pairs: Counter[tuple[str, int]] = field(default_factory=Counter)  # not all of a great many
    first_name: str = ""  # the label and the sample that had it
    first_number: str = ""

    def add(self, sample: Sample) -> None:
        """One more; Unreadable for one without a picture or a label that can be read."""
        self.labelled = self.labelled or shardlabels.found(sample.files)
        sample.check()
        label = shardlabels.said(sample.files)
        self.images += 1
        if label.number is None:
            self.names.add(label.name or "")
            self.first_name = self.first_name or f"{shown(label.name)} of {sample.name}"
        else:
            if label.number > self.highest:
                self.highest, self.highest_of = label.number, sample.name
            self.lowest = label.number if self.lowest < 0 else min(self.lowest, label.number)
            if label.name is not None and len(self.pairs) <= MAX_CLASSES:
                self.pairs[label.name, label.number] += 1
            self.first_number = self.first_number or f"{label.number} of {sample.name}"
        if self.first_name and self.first_number:
            raise InputError(
                f"some labels of the shards are class numbers ({self.first_number}) and some class"
                f" names ({self.first_name}); give all of one kind"
            )
        if len(self.names) > MAX_CLASSES:
            raise InputError(
                f"the labels of the shards are more than {MAX_CLASSES} different texts, such as"
                f" {self.first_name}; a label is a class number or a class name"
            )


def for_network(
    root: Path, where: str, counted: Counted, vit: Vit
) -> tuple[Labelling | None, list[str]]:
    """How the labels of shards become classes of a network, and what a person should know of it.

    root: the folder whose val.json or train.json may name the classes; where: the shards, for
    people. None for shards without labels. InputError for a label that is no class.
    """
    if not counted.labelled:
        return None, [f"the samples of {where} have no labels ({', '.join(shardlabels.MAX_BYTES)})"]
    for place in (root / "val.json", root / "train.json"):
        told = index(place)
        if told is not None and isinstance(told.classes, tuple):
            counted.check_numbers(len(told.classes), where)
            classes, notes = of_names(told.classes, vit, str(place), LISTED)
            return Labelling(classes, dict(zip(told.classes, classes, strict=True))), notes
    counted.check_numbers(vit.classes, where)
    if not counted.names:
        return counted.labelling(vit.class_names, vit.classes), _numerals(vit, where)
    names = sorted(counted.names)
    classes, notes = of_names(names, vit, where, SHARDS)
    return Labelling(range(vit.classes), dict(zip(names, classes, strict=True))), notes


def _numerals(vit: Vit, where: str) -> list[str]:
    """A note where class numbers could be meant as names, for some names are other numbers."""
    names = enumerate(vit.class_names)
    called = [name for label, name in names if whole(name) not in (None, label)]
    if not called:
        return []
    return [
        f"the labels of {where} are taken for class numbers, and {vit.name} has classes called"
        f" {some(called)}; if names are meant, unpack the shards into a folder for each class"
    ]
