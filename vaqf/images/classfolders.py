"""The pictures of class folders, and what lies in them that is not read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from vaqf.files.fields import shown, some
from vaqf.images.classes import composed
from vaqf.images.folder import below, beside_others, class_folders, left_out

KINDS = 5  # suffixes that a note tells of


class ClassFolders:
    """The class folders of a folder, read one after the other."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._others: Counter[str] = Counter()  # files that are no pictures, by suffix
        self._astray: list[str] = []  # links that are not followed

    def named(self, name: str) -> str:
        """The folder of a class, which may have its name in the other form of Unicode."""
        if (self._root / name).is_dir():
            return name
        alike = (f.name for f in class_folders(self._root) if composed(f.name) == composed(name))
        return next(alike, name)

    def pictures(self, folder: str) -> Iterator[str]:
        """The pictures of a class folder and the folders in it, by their place in the root."""

        def follow(place: str) -> bool:
            astray = self._leads_astray(folder, place)
            if astray:
                self._astray.append(f"{folder}/{place}")
            return not astray

        inside = below(self._root / folder, follow, self._count)
        return (f"{folder}/{name}" for name in inside)

    @property
    def notes(self) -> list[str]:
        """What a person should know of what was left out of the folders that were read."""
        found = [*left_out(self._root), *of_others(self._root, self._others)]
        if self._astray:
            found.append(
                f"not followed, links in {self._root} to pictures of other classes:"
                f" {some(self._astray)}"
            )
        return found

    def _count(self, name: str) -> None:
        self._others[suffix(name)] += 1

    def _leads_astray(self, folder: str, place: str) -> bool:
        """Whether a link in a class folder leads above it, or to or above another one."""
        home = self._root / folder
        own, target = Path(os.path.realpath(home)), Path(os.path.realpath(home / place))
        if target != own and own.is_relative_to(target):
            return True
        real = (Path(os.path.realpath(other)) for other in class_folders(self._root))
        return any(
            target.is_relative_to(other) or other.is_relative_to(target)
            for other in real
            if other != own
        )


def suffix(name: str) -> str:
    """The suffix by which a file is counted among others."""
    return PurePosixPath(name).suffix.lower()


def flat_notes(path: Path) -> list[str]:
    """What a person should know of what was left out of a folder of pictures without classes."""
    return of_others(path, Counter(map(suffix, beside_others(path))))


def of_others(root: Path, others: Counter[str]) -> list[str]:
    """A note on files that are no pictures by their suffix, if there are some."""
    if not others:
        return []
    kinds = [
        f"{count} with {shown(kind)}" if kind else f"{count} without one"
        for kind, count in sorted(others.items(), key=lambda one: (-one[1], one[0]))
    ]
    more = f" and {len(kinds) - KINDS} more kinds" if len(kinds) > KINDS else ""
    return [
        f"left out of {root}, files by whose suffix they are no pictures:"
        f" {', '.join(kinds[:KINDS])}{more}"
    ]
