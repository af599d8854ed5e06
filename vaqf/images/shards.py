"""WebDataset shards: which archives of a folder are which split.

`[PREFIX-]train-*.tar` and `[PREFIX-]val-*.tar`, plain or gzip's, or a folder for each split with
archives in it. The word may be training, valid or validation, in any case; a dash `_`, a dot or,
behind the word, nothing before a number; and a single shard train.tar.
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
    SPLIT_OF,
    SPLITS,
    archives_in,
    below,
    beside,
    class_folders,
    is_archive,
)

_KIND = re.compile(
    rf"(?:(.+?)[-_.])?({'|'.join(sorted(SPLIT_OF))})[-_.0-9].*", re.DOTALL | re.IGNORECASE
)


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

    InputError where they have two prefixes or, without a split, unlike names. OSError for what
    cannot be read.
    """
    if not path.is_dir():
        if not is_archive(path.name):
            return None
        regular.opened(path).close()
        return Found(path.parent, {"": [path]})
    direct = archives_in(path)
    if direct:
        pictured = _pictured(path)
        certain = any(_split(file)[2] for file in direct)
        if any(folder.name.lower() in SPLIT_OF or not certain for folder in pictured):
            return None
        by_split = _by_split(path, direct)
        _check_alike(path, by_split)
        return Found(path, by_split, (*_beside(path, pictured), *_unused(by_split)))
    held = {
        folder: files
        for folder in class_folders(path)
        if folder.name.lower() in SPLIT_OF
        and (files := archives_in(folder))
        and not class_folders(folder)
    }
    found: dict[str, list[Path]] = {}
    first: dict[str, Path] = {}
    for folder, files in held.items():
        split = SPLIT_OF[folder.name.lower()]
        if split and split in first:
            raise InputError(
                f"{path} has shards in {first[split].name}/ and in {folder.name}/; move one of them"
                " away"
            )
        first[split] = folder
        found.setdefault(split, []).extend(files)
    notes = tuple(note for folder in held for note in _beside(folder))
    return Found(path, found, (*notes, *_unused(found))) if found else None


def _pictured(path: Path) -> list[Path]:
    """The folders of a folder that hold pictures."""
    return [one for one in class_folders(path) if next(below(one), None) is not None]


def _beside(path: Path, folders: Sequence[Path] = ()) -> tuple[str, ...]:
    """A note on pictures beside shards, and on folders of pictures."""
    stray = [*beside(path), *(f"{folder.name}/" for folder in folders)]
    return (f"left out, beside the shards of {path}: {some(stray)}",) if stray else ()


def _split(file: Path) -> tuple[str, str, str]:
    """Prefix, word and split that an archive's name has; "" for each that it has not."""
    match = _KIND.fullmatch(file.name)
    return (match[1] or "", match[2], SPLIT_OF[match[2].lower()]) if match else ("", "", "")


def _by_split(path: Path, files: Sequence[Path]) -> dict[str, list[Path]]:
    """The archives of each split; InputError where they are of two sets."""
    found: dict[str, list[Path]] = {}
    firsts: dict[str, tuple[str, str, Path]] = {}  # of each split: prefix, word, its first file
    for file in files:
        prefix, word, split = _split(file)
        found.setdefault(split, []).append(file)
        if not split:
            continue
        for other, (others, their, first) in firsts.items():
            if prefix != others or (split == other and word != their):
                raise InputError(
                    f"{path} has shards of two sets, {shown(first.name)} and {shown(file.name)};"
                    " keep those of one there"
                )
        firsts.setdefault(split, (prefix, word, file))
    return found


def _check_alike(path: Path, found: Mapping[str, Sequence[Path]]) -> None:
    """InputError for archives without a split whose names differ by more than a number: nobody
    knows whether they are one set."""
    if set(found) != {""}:
        return
    first, *others = found[""]
    for file in others:
        if _stem(file) != _stem(first):
            raise InputError(
                f"{path} has the archives {shown(first.name)} and {shown(file.name)}, and their"
                " names do not tell whether they are one set; rename those to use to val-*.tar"
                f" (those to learn from to train-*.tar), or give one of them itself: --data {first}"
            )


def _stem(file: Path) -> str:
    """An archive's name without its number and its suffix."""
    return re.sub(r"[0-9]+|(\.tar(\.[a-z0-9]+)?|\.t[a-z0-9]+)$", "", file.name.lower())


def _unused(found: Mapping[str, Sequence[Path]]) -> tuple[str, ...]:
    """A note on archives of no split beside those of one."""
    if len(found) == 1 or "" not in found:
        return ()
    names = some([place(file) for file in found[""]])
    return (f"left out, shards of neither train nor val: {names}",)
