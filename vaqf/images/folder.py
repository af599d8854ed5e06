"""Folders of pictures, sorted by class and by split."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from vaqf.errors import InputError
from vaqf.files.fields import shown, some
from vaqf.images.classes import composed
from vaqf.images.pictures import SUFFIXES

SPLITS = ("train", "val")
# what people call the parts of a set, in the names of folders and shards: the split, or none for
# what is not read. No classes, unless a network says so
SPLIT_OF = {
    **{"train": "train", "training": "train"},
    **{"val": "val", "valid": "val", "validation": "val"},
    **{"test": "", "testing": ""},
}

ARCHIVES = (".tar", ".tar.gz", ".tgz")  # of shards that are read
# known for shards, so that a sentence can say that they are not read
CLOSED = (".tar.zst", ".tar.xz", ".tar.bz2", ".tar.lz4", ".tzst", ".txz", ".tbz2")


def split_folder(path: Path, split: str) -> Path:
    """Where a split of a tree lies or would lie; InputError where it lies in two folders."""
    words = [word for word, of in SPLIT_OF.items() if of == split]
    found = [path / word for word in words if (path / word).is_dir()]
    if len(found) > 1:
        raise InputError(
            f"{path} has {found[0].name}/ and {found[1].name}/, and both are {split};"
            " move one of them away"
        )
    return found[0] if found else path / split


def splits(path: Path) -> bool:
    """Whether a folder is a tree of train/ and val/ with a folder for each class in both."""
    found = [split_folder(path, split) for split in SPLITS]
    return all(folder.is_dir() and class_folders(folder) for folder in found)


def class_folders(path: Path) -> list[Path]:
    """The folders of a folder, alphabetical: one per class. Hidden ones are none."""
    return [e for e in sorted(path.iterdir()) if e.is_dir() and not e.name.startswith(".")]


def tree_classes(path: Path) -> tuple[str, ...]:
    """The classes of a tree of train/ and val/, as train/ writes them; InputError where the two
    differ in more than their form of Unicode."""
    learn, judge = (split_folder(path, split) for split in SPLITS)
    ours, theirs = (
        Counter(composed(folder.name) for folder in class_folders(split))
        for split in (learn, judge)
    )
    only = sorted({**(ours - theirs), **(theirs - ours)})
    if only:
        where = learn if only[0] in ours - theirs else judge
        raise InputError(
            f"{learn.name}/ and {judge.name}/ of {path} have different class folders:"
            f" {shown(only[0])} is only in {where.name}/, {len(only)} in all; both need a folder"
            " for each class"
        )
    return tuple(folder.name for folder in class_folders(learn))


def is_picture(name: str) -> bool:
    """Whether a file's name is a picture's."""
    return name.lower().endswith(SUFFIXES)


def is_archive(name: str) -> bool:
    """Whether a file's name is a shard's."""
    return name.lower().endswith((*ARCHIVES, *CLOSED))


def beside(path: Path) -> list[str]:
    """The names of the pictures directly in a folder; a pipe or a broken link among them is one
    that cannot be read."""
    with os.scandir(path) as entries:
        return sorted(e.name for e in entries if is_picture(e.name) and not e.is_dir())


def beside_others(path: Path) -> list[str]:
    """The names of the files directly in a folder that are neither pictures nor shards, but the
    hidden ones."""
    with os.scandir(path) as entries:
        names = [e.name for e in entries if not e.is_dir() and not e.name.startswith(".")]
    return [name for name in names if not is_picture(name) and not is_archive(name)]


def left_out(path: Path) -> list[str]:
    """What a person should know of what lies beside the class folders of a folder."""
    stray = [*beside(path), *(file.name for file in archives_in(path))]
    return [f"left out, beside the class folders of {path}: {some(stray)}"] if stray else []


def archives_in(path: Path) -> list[Path]:
    """The shards directly in a folder, by name; a pipe or a folder among them is one that cannot
    be read. Hidden ones are none."""
    with os.scandir(path) as entries:
        names = [e.name for e in entries if is_archive(e.name) and not e.name.startswith(".")]
    return [path / name for name in sorted(names)]


def below(
    path: Path,
    follow: Callable[[str], bool] = lambda place: True,
    other: Callable[[str], None] = lambda name: None,
) -> Iterator[str]:
    """The pictures in a folder and its folders, as names relative to it, `/` between them.

    In the order of torchvision's ImageFolder: a folder's own first, then its folders by name. A
    link to a folder is followed, once, if `follow` agrees to its place. `other` is told the names
    of files that are no pictures.
    """
    yield from _below(path, "", set(), follow, other)


def _below(
    path: Path,
    prefix: str,
    seen: set[tuple[int, int]],
    follow: Callable[[str], bool],
    other: Callable[[str], None],
) -> Iterator[str]:
    place = path.stat()
    if (place.st_dev, place.st_ino) in seen:
        return
    seen.add((place.st_dev, place.st_ino))
    folders = []
    names = []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir():
                if not entry.name.startswith("."):
                    folders.append((entry.name, entry.is_symlink()))
            elif is_picture(entry.name):
                names.append(f"{prefix}{entry.name}")
            elif not entry.name.startswith("."):
                other(entry.name)
    yield from sorted(names)
    for name, link in sorted(folders):
        if not link or follow(f"{prefix}{name}"):
            yield from _below(path / name, f"{prefix}{name}/", seen, follow, other)
