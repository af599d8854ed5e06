"""Which pictures a path stands for: one, a flat folder's, those of class folders, or of a split."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vaqf.errors import InputError
from vaqf.files.fields import some
from vaqf.images.classfolders import ClassFolders, flat_notes
from vaqf.images.folder import (
    ARCHIVES,
    SPLIT_OF,
    beside,
    class_folders,
    split_folder,
    splits,
    tree_classes,
)
from vaqf.images.pictures import SUFFIXES


@dataclass(frozen=True)
class Found:
    """The pictures of a path."""

    root: Path  # the folder they lie in
    names: list[str]  # relative to it, by class folder and name
    folders: dict[str, int]  # class folders, each with its number of pictures; none if flat
    origin: str
    base: Path | None  # what a picture's place is told relative to; None for one picture
    notes: tuple[str, ...]  # what was left out
    flat_split: bool = False  # a split of a tree without class folders

    def paths(self, chosen: Iterable[int]) -> list[Path]:
        """Where some of them lie."""
        return [self.root / self.names[i] for i in chosen]


def find(path: Path, split: str, known: tuple[str, ...]) -> Found:
    """The pictures of a path, of a tree of train/ and val/ those of one split.

    known: the class names of the network, of which a folder called test may be one. OSError for
    what cannot be read, InputError for a folder without pictures and a tree without that split.
    """
    if path.exists() and not path.is_dir():
        return Found(path.parent, [path.name], {}, "pictures", None, ())
    root = _split(path, split, known)
    origin = "pictures" if root == path else f"pictures of {root.name}/"
    stray = beside(root)
    sorted_by_class = ClassFolders(root)
    inside = {
        folder.name: list(sorted_by_class.pictures(folder.name)) for folder in class_folders(root)
    }
    if any(inside.values()):
        names = [name for folder in inside.values() for name in folder]
        empty = [name for name, files in inside.items() if not files]
        notes = sorted_by_class.notes
        if empty:
            notes.append(f"class folders of {root} without a picture: {some(empty)}")
        sizes = {name: len(files) for name, files in inside.items()}
        return Found(root, names, sizes, origin, path, tuple(notes))
    if not stray:
        raise InputError(
            f"{root} holds no picture ({', '.join(SUFFIXES)}) and no shard ({', '.join(ARCHIVES)})"
        )
    return Found(root, stray, {}, origin, path, tuple(flat_notes(root)), root != path)


def _split(path: Path, split: str, known: tuple[str, ...]) -> Path:
    """The folder of one split of a tree; the path itself if it is none."""
    folders = {folder.name for folder in class_folders(path)}
    parts = sorted(folders & SPLIT_OF.keys())
    if not parts or folders <= set(known):
        return path
    if splits(path) and not known:
        tree_classes(path)
    root = split_folder(path, split)
    if not root.is_dir():
        first = next((name for name in parts if SPLIT_OF[name] != "train"), parts[0])
        raise InputError(
            f"{path} has {', '.join(f'{name}/' for name in parts)} and no {split}/; rename the one"
            f" to use to {split}/, or give it itself: --data {path / first}"
        )
    return root
