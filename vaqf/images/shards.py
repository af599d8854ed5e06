"""WebDataset shards: which archives of a folder are which split.

`[PREFIX-]train-*.tar` and `[PREFIX-]val-*.tar`, plain or gzip's, or a folder for each split with
archives in it. The word may be validation, a dash `_`, and a single shard train.tar.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vaqf.errors import InputError
from vaqf.files import regular
from vaqf.files.fields import shown, some
from vaqf.images.archives import place
from vaqf.images.folder import (
    NAMES,
    SPLIT_NAMES,
    SPLITS,
    archives_in,
    below,
    beside,
    class_folders,
    is_archive,
    splits,
)

_KIND = re.compile(rf"(?:(.+?)[-_])?({'|'.join(NAMES)})[-_.].*", re.DOTALL)


@dataclass(frozen=True)
class Found:
    """The shards of a path."""

    root: Path  # the folder they lie in
    splits: dict[str, list[Path]]  # of train, val and neither ("")
    notes: tuple[str, ...] = ()  # what was left out

    def split(self, wanted: str) -> tuple[str, list[Path]]:
        """The shards of a split, or those of the only one there is, and its name; InputError where
        there are others alone."""
        if wanted in self.splits or len(self.splits) == 1:
            name = wanted if wanted in self.splits else next(iter(self.splits))
            return name, self.splits[name]
        others = [name for name in self.splits if name not in SPLITS] or list(self.splits)
        first = self.splits[others[0]][0]
        raise InputError(
            f"{self.root} has shards of several sets and no {wanted}-*.tar; rename those to use to"
            f" {wanted}-*.tar, or give one of them itself: --data {first}"
        )


def find(path: Path) -> Found | None:
    """The shards that a path is or holds; None for pictures and anything else.

    InputError where they have two prefixes. OSError for what cannot be read.
    """
    if not path.is_dir():
        if not is_archive(path.name):
            return None
        regular.opened(path).close()
        return Found(path.parent, {"": [path]})
    direct = archives_in(path)
    if direct:
        pictured = splits(path) or any(
            next(below(folder), None) is not None for folder in class_folders(path)
        )
        if pictured:
            return None
        by_split = _by_split(path, direct)
        return Found(path, by_split, (*_beside(path), *_unused(by_split)))
    held = {
        folder: files
        for folder in (path / name for name in sorted(SPLIT_NAMES))
        if folder.is_dir() and (files := archives_in(folder)) and not class_folders(folder)
    }
    if {"val", "validation"} <= {folder.name for folder in held}:
        raise InputError(f"{path} has shards in val/ and in validation/; move one of them away")
    found: dict[str, list[Path]] = {}
    for folder, files in held.items():
        found.setdefault(NAMES.get(folder.name, ""), []).extend(files)
    notes = tuple(note for folder in held for note in _beside(folder))
    return Found(path, found, (*notes, *_unused(found))) if found else None


def _beside(path: Path) -> tuple[str, ...]:
    stray = beside(path)
    return (f"left out, beside the shards of {path}: {some(stray)}",) if stray else ()


def _by_split(path: Path, files: Sequence[Path]) -> dict[str, list[Path]]:
    """The archives of each split; InputError where they are of two sets."""
    found: dict[str, list[Path]] = {}
    firsts: dict[str, tuple[str, str, Path]] = {}  # of each split: prefix, word, its first file
    for file in files:
        match = _KIND.fullmatch(file.name)
        prefix, word = (match[1] or "", match[2]) if match else ("", "")
        split = NAMES.get(word, "")
        found.setdefault(split, []).append(file)
        if not match:
            continue
        for other, (others, their, first) in firsts.items():
            if prefix != others or (split == other and word != their):
                raise InputError(
                    f"{path} has shards of two sets, {shown(first.name)} and {shown(file.name)};"
                    " keep those of one there"
                )
        firsts.setdefault(split, (prefix, word, file))
    return found


def _unused(found: Mapping[str, Sequence[Path]]) -> tuple[str, ...]:
    """A note on archives of no split beside those of one."""
    if len(found) == 1 or "" not in found:
        return ()
    names = some([place(file) for file in found[""]])
    return (f"left out, shards of neither train nor val: {names}",)
