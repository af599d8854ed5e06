"""Which class of a network a folder of pictures is: by name, never by a guess."""

from __future__ import annotations

from collections.abc import Sequence

from vaqf.errors import InputError
from vaqf.files.fields import nearest, shown, some
from vaqf.model.vit import Vit

LABELS = "--labels FILE"


def of_folders(folders: Sequence[str], vit: Vit, where: str) -> tuple[list[int], list[str]]:
    """The class of each class folder, and what a person should know of it.

    By the network's names; where it carries none, in alphabetical order, if there is a folder for
    every class. InputError for a folder that is no class.
    """
    known = {name: label for label, name in enumerate(vit.class_names)}
    if known:
        return _by_name(folders, known, vit, where)
    if len(folders) > vit.classes:
        raise InputError(
            f"{where} has {len(folders)} classes (folders); {vit.name} tells {vit.classes} apart"
        )
    if len(folders) < vit.classes:
        raise InputError(
            f"{where} has {len(folders)} class folder(s) ({some(folders)}); {vit.name} tells"
            f" {vit.classes} classes apart and carries no names of them: give class_names in its"
            f" model file, or {LABELS} with a number for each folder"
        )
    return list(range(len(folders))), [
        f"{vit.name} carries no class names: its classes are taken to be the folders of {where} in"
        " alphabetical order"
    ]


def _by_name(
    folders: Sequence[str], known: dict[str, int], vit: Vit, where: str
) -> tuple[list[int], list[str]]:
    for folder in folders:
        if folder not in known:
            raise InputError(
                f"{where} has the folder {shown(folder)}{nearest(folder, known)}, which is no class"
                f" of {vit.name}: its classes are {some(list(known))}; rename the folder, move it"
                f" away, or give {LABELS}"
            )
    absent = [name for name in known if name not in folders]
    notes = [f"{where} has no folder for {len(absent)} of {len(known)} classes: {some(absent)}"]
    return [known[folder] for folder in folders], notes if absent else []
