"""Which class of a network a folder or a label is: by name, never by a guess."""

from __future__ import annotations

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


def of_names(
    names: Sequence[str], vit: Vit, where: str, bearer: Bearer
) -> tuple[list[int], list[str]]:
    """The class of each of the names that class folders or labels have, and what a person should
    know of it.

    By the network's names; where it carries none, in their order, if there is one for every class.
    InputError for a name that is no class.
    """
    known = {name: label for label, name in enumerate(vit.class_names)}
    word = bearer.word
    if known:
        return _by_name(names, known, vit, where, bearer)
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
    names: Sequence[str], known: dict[str, int], vit: Vit, where: str, bearer: Bearer
) -> tuple[list[int], list[str]]:
    word = bearer.word
    for name in names:
        if name not in known:
            raise InputError(
                f"{where} has the {word} {shown(name)}{nearest(name, known)}, which is no class"
                f" of {vit.name}: its classes are {some(list(known))}; {bearer.rename}"
            )
    absent = [name for name in known if name not in names]
    notes = [f"{where} has no {word} for {len(absent)} of {len(known)} classes: {some(absent)}"]
    return [known[name] for name in names], notes if absent else []
