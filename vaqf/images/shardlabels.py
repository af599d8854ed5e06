"""The label of a shard's sample: a class number or a class name, beside the picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vaqf.files.fields import shown, some, whole
from vaqf.images.pictures import Unreadable
from vaqf.model.vit import MAX_CLASSES

CLS, JSON = "cls", "json"  # suffixes; a sample that has both goes by the first
KEYS = ("label", "cls", "class_id", "class")  # of the JSON object, as img2dataset and others write
MAX_BYTES = {CLS: 2**10, JSON: 2**20}


class Absent(Unreadable):
    """A sample has no label."""


@dataclass(frozen=True)
class Said:
    """What a sample says of its class; of the two one may be missing."""

    number: int | None
    name: str | None


def said(files: Mapping[str, bytes]) -> Said:
    """What the files of a sample, by suffix, say of its class.

    A whole number is a class number, in quotes, too. Absent if it has no label, Unreadable for
    what is none.
    """
    if CLS in files:
        return _one({CLS: _text(files[CLS])})
    fields = _fields(files[JSON]) if JSON in files else {}
    if not fields:
        names_none = f"its json names no class ({', '.join(KEYS)})"
        raise Absent(names_none if JSON in files else f"it has no label ({CLS} or {JSON})")
    return _one(fields)


def found(files: Mapping[str, bytes]) -> bool:
    """Whether the files of a sample say its class, or mean to."""
    try:
        said(files)
    except Absent:
        return False
    except Unreadable:
        pass
    return True


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise Unreadable(f"its label {shown(content)} is no text") from error


def _fields(content: bytes) -> dict[str, object]:
    """What the JSON of a sample has under the keys of labels: nothing, if it is of other things."""
    try:
        pairs = json.loads(content, object_pairs_hook=tuple)  # a list is an array
    except (ValueError, RecursionError) as error:
        raise Unreadable("its json is no JSON") from error
    given = [pair for pair in pairs if pair[0] in KEYS] if isinstance(pairs, tuple) else []
    given = [(key, value) for key, value in given if value is not None]
    if len(dict(given)) < len(given):
        raise Unreadable("its json has a key twice")
    return dict(given)


def _one(given: Mapping[str, object]) -> Said:
    """The number and the name in what a sample says; Unreadable where there are two of either."""
    numbers: dict[int, str] = {}
    names: dict[str, str] = {}
    for key, value in given.items():
        text = value.strip() if isinstance(value, str) else None
        number = value if type(value) is int else whole(text or "")
        if isinstance(value, float) and value.is_integer():  # of a column with gaps, by pandas
            number = int(value)
        if number is not None and not 0 <= number < MAX_CLASSES:
            raise Unreadable(
                f"its label {shown(number)} is no class number; they begin at 0 and end below"
                f" {MAX_CLASSES}"
            )
        if number is not None:
            numbers.setdefault(number, key)
        elif text:
            names.setdefault(text, key)
        else:
            raise Unreadable(f"its {key} is {shown(value)}; it must be a class number or a name")
    if numbers and len(names) > 1:
        names = {}  # a number goes before what people call it
    for several in (numbers, names):
        if len(several) > 1:
            (one, first), (other, second), *_ = several.items()
            raise Unreadable(f"it has two labels: {first} {shown(one)}, {second} {shown(other)}")
    return Said(next(iter(numbers), None), next(iter(names), None))


@dataclass(frozen=True)
class Labelling:
    """Which class the labels of a set of shards mean."""

    numbers: Sequence[int]  # the class of each number
    names: Mapping[str, int]  # the class of each name

    @classmethod
    def of_model(cls, names: Sequence[str], classes: int) -> Labelling:
        """Class numbers and names are the model's own."""
        return cls(range(classes), {name: label for label, name in enumerate(names)})

    def of(self, files: Mapping[str, bytes]) -> int:
        """The class of a sample; Unreadable if it has none of these."""
        label = said(files)
        named = None if label.name is None else self.names.get(label.name)
        if label.number is None:
            return self._of_name(label.name or "", named)
        if label.number >= len(self.numbers):
            raise Unreadable(
                f"its label {label.number} is not a number from 0 to {len(self.numbers) - 1}"
            )
        numbered = self.numbers[label.number]
        if named not in (None, numbered):
            raise Unreadable(
                f"its labels {label.number} and {shown(label.name)} are two different classes"
            )
        return numbered

    def _of_name(self, name: str, known: int | None) -> int:
        if known is None and not self.names:
            raise Unreadable(
                f"its label {shown(name)} is a name, and the classes have none: give class_names in"
                " the model file, or classes in train.json"
            )
        if known is None:
            raise Unreadable(
                f"its label {shown(name)} is no class; they are {some(list(self.names))}"
            )
        return known
