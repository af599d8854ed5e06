"""A file of labels: the class of each picture, by name or number.

One line per picture: `picture label`, parted by a blank, a tab or a comma, where the picture is
named by its place in the folder, its file name, that name without its suffix, or the class folder
it lies in; or nothing but labels, one per picture in the order of their names. A label is a class
name of the network or a number from 0. So Kaggle's LOC_val_solution.csv and Caffe's val.txt are
read as they are; lines that name no picture are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from vaqf.errors import InputError
from vaqf.files import smallfile
from vaqf.files.fields import shown, whole
from vaqf.images.pictures import Labels
from vaqf.model.vit import Vit

MAX_BYTES = 2**26  # of the names and labels of a million pictures
WHAT = "lines `picture label`, or one label per picture"
_GAP = re.compile(r"[ \t]*[,\t][ \t]*|[ \t]+")


def read(path: Path, names: Sequence[str], vit: Vit) -> Labels:
    """The labels [n] of n pictures, named by their places; InputError if one has none."""
    text = smallfile.read(path, MAX_BYTES, WHAT)
    try:
        lines = [line.strip() for line in text.decode("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is no UTF-8 text (byte {error.start}); it must be {WHAT}"
        ) from error
    classes = _Classes(path, vit)
    if lines and all(classes.find(line) is not None or whole(line) is not None for line in lines):
        return _in_order(path, lines, names, classes)
    keys = {key for name in names for key in _keys(name)}
    given = dict(pair for line in lines for pair in _pair(line, keys))
    return np.array([_label(path, name, given, classes) for name in names], dtype=np.int64)


class _Classes:
    """The classes of a network by name and by number."""

    def __init__(self, path: Path, vit: Vit) -> None:
        self._path, self._vit = path, vit
        self._known = {name: label for label, name in enumerate(vit.class_names)}

    def find(self, text: str) -> int | None:
        """The class of a label; None for a text that is none.

        Kaggle's labels go on with a box, four numbers, and with more of the same: other words
        after a class would make it another one.
        """
        if text in self._known:
            return self._known[text]
        first, *rest = text.split() or [""]
        if first in self._known and all(word == first or whole(word) is not None for word in rest):
            return self._known[first]
        number = whole(text)
        return number if number is not None and 0 <= number < self._vit.classes else None

    def refuse(self, label: str, of: str) -> InputError:
        """What is wrong with a label."""
        names = "one of its class names" if self._known else "no name, as it carries none"
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
    found = []
    for name, line in zip(names, lines, strict=True):
        label = classes.find(line)
        if label is None:
            raise classes.refuse(line, shown(name))
        found.append(label)
    return np.array(found, dtype=np.int64)


def _keys(name: str) -> tuple[str, ...]:
    """What a line may call a picture, the most exact first."""
    place = PurePosixPath(name)
    return name, place.name, place.stem, place.parts[0]


def _pair(line: str, keys: Container[str]) -> Iterator[tuple[str, str]]:
    """The picture and the label of a line; nothing if it names no picture."""
    for gap in _GAP.finditer(line):
        if line[: gap.start()] in keys:
            yield line[: gap.start()], line[gap.end() :]
            return


def _label(path: Path, name: str, given: dict[str, str], classes: _Classes) -> int:
    for key in _keys(name):
        if key in given:
            label = classes.find(given[key])
            if label is None:
                raise classes.refuse(given[key], shown(key))
            return label
    raise InputError(f"{path} has no label for {shown(name)}; it must have {WHAT}")
