"""What pictures may be called, and whether their names are counted as they are sorted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import PurePosixPath

from vaqf.errors import InputError
from vaqf.files.fields import shown, some
from vaqf.images.classes import composed

_DIGITS = re.compile(r"([0-9]+)")


class Pictures:
    """Pictures by what one may call them.

    By their place; by file name, or that without its suffix, if no other picture has it; all of a
    class folder by its name.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """names: the places of the pictures, relative to their folder."""
        self._names = names
        self._places: dict[str, list[int]] = {}
        self._files: dict[str, list[int]] = {}
        self._stems: dict[str, list[int]] = {}
        self._folders: dict[str, list[int]] = {}
        for number, name in enumerate(names):
            place = PurePosixPath(composed(name))
            self._places.setdefault(str(place), []).append(number)
            self._files.setdefault(place.name, []).append(number)
            self._stems.setdefault(place.stem, []).append(number)
            if len(place.parts) > 1:
                self._folders.setdefault(place.parts[0], []).append(number)

    def __contains__(self, key: object) -> bool:
        ways = (self._places, self._files, self._stems, self._folders)
        return any(key in way for way in ways)

    def named(self, key: str, where: str) -> list[int]:
        """The numbers of the pictures of that name; InputError, from `where`, for one that may
        mean several."""
        if key in self._places:
            found = self._places[key]
        else:
            found = self._files.get(key) or self._stems.get(key, [])
            inside = self._folders.get(key, [])
            if inside and set(found) <= set(inside):
                return inside
            found = sorted({*found, *inside})
        if len(found) > 1:
            raise InputError(
                f"{where}: {shown(key)} may be {len(found)} pictures:"
                f" {some([self._names[number] for number in found])}; name each by its place, as"
                " here"
            )
        return found


def miscounted(names: Sequence[str]) -> tuple[str, str] | None:
    """Two names in alphabetical order whose numbers say the opposite, such as 10.png, 2.png."""
    for first, second in pairwise(names):
        ours, theirs = (_DIGITS.split(name) for name in (first, second))
        for at, (one, other) in enumerate(zip(ours, theirs, strict=False)):
            if one != other:
                if at % 2 and int(one) > int(other):
                    return first, second
                break
    return None
