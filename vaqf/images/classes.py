"""Which class of a network a folder or a label is: by name, never by a guess."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from vaqf.errors import InputError
from vaqf.files.fields import nearest, shown, some
from vaqf.model.vit import Vit

LABELS = "--labels FILE"


@dataclass(frozen=True)
class Bearer:
    """What bears the name of a class, and what to do about a name that is none."""

    word: str
    order: str  # in which they come
    rename: str
    number: str  # what else gives each a class


FOLDERS = Bearer(
    "folder",
    "in alphabetical order",
    f"rename the folder, move it away, or give {LABELS}",
    f"{LABELS} with a number for each folder",
)
SHARDS = Bearer(
    "label",
    "in alphabetical order",
    "rename it in the shards, or class_names in the model file",
    "classes in a val.json beside the shards",
)
LISTED = Bearer(
    "class name",
    "in the order of that file",
    "rename it there, or class_names in the model file",
    "a name for every class there",
)


def composed(name: str) -> str:
    """A name in Unicode's composed form (NFC): some file systems part letters and their accents."""
    return unicodedata.normalize("NFC", name)


class Names:
    """The classes of a network by their names."""

    def __init__(self, names: Sequence[str]) -> None:
        self._exact = {name: label for label, name in enumerate(names)}
        forms = [composed(name) for name in names]
        counts = Counter(forms)
        self._composed = {form: n for n, form in enumerate(forms) if counts[form] == 1}

    def find(self, name: str) -> int | None:
        """The class of a name, in either form of Unicode where that tells two classes apart."""
        exact = self._exact.get(name)
        return self._composed.get(composed(name)) if exact is None else exact


def of_names(
    names: Sequence[str], vit: Vit, where: str, bearer: Bearer
) -> tuple[list[int], list[str]]:
    """The class of each of the names that class folders or labels have, and what a person should
    know of it.

    By the network's names; where it carries none, in their order, if there is one for every class.
    InputError for a name that is no class.
    """
    word = bearer.word
    if vit.class_names:
        return _by_name(names, vit, where, bearer)
    if len(names) > vit.classes:
        raise InputError(
            f"{where} has {len(names)} classes ({word}s); {vit.name} tells {vit.classes} apart"
        )
    if len(names) < vit.classes:
        raise InputError(
            f"{where} has {len(names)} {word}(s) ({some(names)}); {vit.name} tells"
            f" {vit.classes} classes apart and carries no names of them: give class_names in its"
            f" model file, or {bearer.number}"
        )
    return list(range(len(names))), [
        f"{vit.name} carries no class names: its classes are taken to be the {word}s of {where}"
        f" {bearer.order}"
    ]


def _by_name(
    names: Sequence[str], vit: Vit, where: str, bearer: Bearer
) -> tuple[list[int], list[str]]:
    word, known = bearer.word, Names(vit.class_names)
    found: dict[int, str] = {}
    for name in names:
        label = known.find(name)
        if label is None:
            raise InputError(
                f"{where} has the {word} {shown(name)}{nearest(name, vit.class_names)}, which is no"
                f" class of {vit.name}: its classes are {some(vit.class_names)}; {bearer.rename}"
            )
        if label in found:
            raise InputError(
                f"{where} has two {word}s for the class {shown(vit.class_names[label])}:"
                f" {found[label]!a} and {name!a}, alike but in their Unicode form;"
                f" {bearer.rename}"
            )
        found[label] = name
    absent = [name for label, name in enumerate(vit.class_names) if label not in found]
    notes = [
        f"{where} has no {word} for {len(absent)} of {len(vit.class_names)} classes: {some(absent)}"
    ]
    return list(found), notes if absent else []
