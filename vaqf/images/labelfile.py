"""A file of labels: the class of each picture, by name or number.

One line per picture: `picture label`, parted by a blank, a tab or a comma, with quotes as CSV has
them; or nothing but labels, one per picture in the order of their names. A label is a class name
of the network or a number from 0. So Kaggle's LOC_val_solution.csv and Caffe's val.txt are read as
they are; lines that name no picture are ignored.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from vaqf.errors import InputError
from vaqf.files import smallfile
from vaqf.files.fields import shown, whole
from vaqf.images.classes import Names, composed
from vaqf.images.picturenames import Pictures, miscounted
from vaqf.images.pictures import Labels
from vaqf.model.vit import Vit

MAX_BYTES = 2**26  # of the names and labels of a million pictures
WHAT = "lines `picture label`, or one label per picture"
_GAP = re.compile(r"[ \t]*[,\t][ \t]*|[ \t]+")


def read(path: Path, names: Sequence[str], vit: Vit) -> Labels:
    """The labels [n] of n pictures, named by their places; InputError if one has none, or two, and
    for a line or a label that may mean two things."""
    text = smallfile.read(path, MAX_BYTES, WHAT)
    try:
        lines = text.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is no UTF-8 text (byte {error.start}); it must be {WHAT}"
        ) from error
    given = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    classes = _Classes(path, vit)
    bare = [_unquoted(line) for _, line in given]
    if bare and all(classes.is_label(label) for label in bare):
        return _in_order(path, bare, names, classes)
    return _by_picture(path, given, names, classes)


class _Classes:
    """The classes of a network by name and by number."""

    def __init__(self, path: Path, vit: Vit) -> None:
        self._path, self._vit = path, vit
        self._known = Names(vit.class_names)

    def is_label(self, text: str) -> bool:
        """Whether a whole line may be a label."""
        return self._known.find(text) is not None or whole(text) is not None

    def named(self, text: str) -> int | None:
        """The class of a name.

        Kaggle's labels go on with a box, four numbers, and with more of the same: other words
        after a class would make it another one.
        """
        found = self._known.find(text)
        first, *rest = text.split() or [""]
        if found is None and all(word == first or whole(word) is not None for word in rest):
            return self._known.find(first)
        return found

    def numbered(self, text: str) -> int | None:
        """The class of a number from 0."""
        number = whole(text)
        return number if number is not None and 0 <= number < self._vit.classes else None

    def read(self, labels: Iterable[str]) -> dict[str, int | None]:
        """The class of each label of a file, None for one that is none.

        Where a number is also the name of another class, all are names or all are numbers;
        InputError where both are possible, or neither.
        """
        texts = dict.fromkeys(labels)
        named = {text: self.named(text) for text in texts}
        numbered = {text: self.numbered(text) for text in texts}
        unclear = [
            text
            for text in texts
            if named[text] not in (None, numbered[text]) and numbered[text] is not None
        ]
        if unclear:
            ways = [way for way in (named, numbered) if None not in way.values()]
            if len(ways) != 1:
                raise self._unclear(unclear[0])
            return ways[0]
        return {text: named[text] if named[text] is not None else numbered[text] for text in texts}

    def _unclear(self, label: str) -> InputError:
        number = int(label)
        return InputError(
            f"{self._path}: the label {shown(label)} is the name of a class of {self._vit.name} and"
            f" the number of another, {shown(self._vit.class_names[number])}; for numbers write"
            f" them all with a zero before ('0{number}'), for names sort the pictures into folders"
            " of these names"
        )

    def refuse(self, label: str, of: str) -> InputError:
        """What is wrong with a label."""
        names = "one of its class names" if self._vit.class_names else "no name, as it carries none"
        hint = ""
        if whole(label) == self._vit.classes:
            hint = " (numbers from 1, such as ILSVRC's own ground truth, are of another order)"
        return InputError(
            f"{self._path}: the label of {of} is {shown(label)}{hint}; {self._vit.name} takes a"
            f" number from 0 to {self._vit.classes - 1}, or {names}"
        )


def _in_order(path: Path, lines: list[str], names: Sequence[str], classes: _Classes) -> Labels:
    if len(lines) != len(names):
        raise InputError(
            f"{path} has {len(lines)} labels for {len(names)} pictures; give one for each in the"
            " order of their names, or lines `picture label`"
        )
    swapped = miscounted(names)
    if swapped is not None:
        first, second = map(shown, swapped)
        raise InputError(
            f"{path} has labels alone, and the order of the pictures is not clear: {first} comes"
            f" before {second} in the alphabet, after it when counted; give lines `picture label`"
        )
    found = classes.read(lines)
    for name, line in zip(names, lines, strict=True):
        if found[line] is None:
            raise classes.refuse(line, shown(name))
    return np.array([found[line] for line in lines], dtype=np.int64)


@dataclass(frozen=True)
class _Line:
    """What a line says of the pictures that it names."""

    number: int
    key: str  # what it calls them
    label: str


def _by_picture(
    path: Path, given: Sequence[tuple[int, str]], names: Sequence[str], classes: _Classes
) -> Labels:
    pictures = Pictures(names)
    said: list[_Line] = []
    nameless: list[tuple[int, str]] = []  # lines that name no picture
    for number, text in given:
        pair = next(_pairs(text, pictures), None)
        if pair is None:
            nameless.append((number, text))
        else:
            said.append(_Line(number, *pair))
    found = classes.read(line.label for line in said)
    by_picture: dict[int, _Line] = {}
    for line in said:
        for picture in pictures.named(line.key, f"{path}, line {line.number}"):
            if found[line.label] is None:
                raise classes.refuse(line.label, shown(line.key))
            before = by_picture.setdefault(picture, line)
            if found[before.label] != found[line.label]:
                raise InputError(
                    f"{path} has two labels for {shown(names[picture])}: {shown(before.label)} in"
                    f" line {before.number} and {shown(line.label)} in line {line.number}; keep one"
                )
    for picture, name in enumerate(names):
        if picture not in by_picture:
            raise InputError(
                f"{path} has no label for {shown(name)}; it must have {WHAT}{_such(nameless)}"
            )
    return np.array([found[by_picture[n].label] for n in range(len(names))], dtype=np.int64)


def _such(nameless: Sequence[tuple[int, str]]) -> str:
    """A line that names no picture, not the first one if there are more: that may be a header."""
    if not nameless:
        return ""
    number, line = nameless[:2][-1]
    return f"; lines that name no picture: {len(nameless)}, such as line {number}: {shown(line)}"


def _pairs(line: str, pictures: Container[str]) -> Iterator[tuple[str, str]]:
    """What a line may be read as: a picture and its label; nothing if it names no picture."""
    for part in (",", "\t", " ") if '"' in line else ():
        key, *rest = _fields(line, part)
        if rest and _plain(key) in pictures:
            yield _plain(key), part.join(rest).strip()
    for gap in _GAP.finditer(line):
        if _plain(line[: gap.start()]) in pictures:
            yield _plain(line[: gap.start()]), line[gap.end() :]


def _fields(line: str, part: str) -> list[str]:
    """The fields of a line of CSV, the whole line if it is none."""
    try:
        (row,) = csv.reader([line], delimiter=part, skipinitialspace=True, strict=True)
    except (csv.Error, ValueError):
        return [line]
    return row or [line]


def _unquoted(line: str) -> str:
    """A line without the quotes around it."""
    fields = _fields(line, ",") if line.startswith('"') else [line]
    return fields[0] if len(fields) == 1 else line


def _plain(key: str) -> str:
    """What a line calls a picture, as `Pictures` has it."""
    return composed(str(PurePosixPath(key)) if key.startswith("./") else key)
