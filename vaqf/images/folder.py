"""Folders of pictures, sorted by class and by split."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vaqf.errors import InputError
from vaqf.files.fields import shown
from vaqf.images.pictures import SUFFIXES

SPLITS = ("train", "val")


def splits(path: Path) -> bool:
    """Whether a folder is a tree of train/ and val/ with a folder for each class in both."""
    return all((path / split).is_dir() and class_folders(path / split) for split in SPLITS)


def class_folders(path: Path) -> list[Path]:
    """The folders of a folder without pictures: one per class, alphabetical; none otherwise."""
    entries = sorted(path.iterdir())
    folders = [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    return [] if picture_files(entries) else folders


def tree_classes(path: Path) -> tuple[str, ...]:
    """The classes of a tree of train/ and val/; InputError where the two differ."""
    learn, judge = ([folder.name for folder in class_folders(path / split)] for split in SPLITS)
    only = sorted(set(learn) ^ set(judge))
    if only:
        where = "train/" if only[0] in learn else "val/"
        raise InputError(
            f"train/ and val/ of {path} have different class folders: {shown(only[0])} is only in"
            f" {where}, {len(only)} in all; both need a folder for each class"
        )
    return tuple(learn)


def picture_files(entries: Iterable[Path]) -> list[Path]:
    """The pictures by name; a pipe or a broken link among them is one that cannot be read."""
    return sorted(e for e in entries if e.suffix.lower() in SUFFIXES and not e.is_dir())
