"""A folder of ours, as its manifest names it: new files take the place of those, nothing else.

The manifest may come from outside, so it is believed only where it cannot do harm: a file is ours
if the manifest has its name and its hash, and if no link leads to it.
"""

import filecmp
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vaqf.errors import InputError
from vaqf.files import smallfile

MANIFEST = "manifest.json"
MANIFEST_BYTES = 2**24  # ours are under 20 kB


def named(folder: Path) -> dict[str, str] | None:
    """SHA-256 of every file that a folder's manifest names; None for a folder that is not ours.

    One name that leads out of the folder, or that no build would write, and nothing is believed.
    """
    try:
        content = smallfile.read_object(folder / MANIFEST, MANIFEST_BYTES, "a manifest")
    except InputError:
        return None
    hashes = content.get("sha256") if "vaqf" in content else None
    if not isinstance(hashes, dict):
        return None
    good = all(_inside(name) and isinstance(value, str) for name, value in hashes.items())
    return {name: value for name, value in hashes.items() if name != MANIFEST} if good else None


def _inside(name: str) -> bool:
    """Whether a name is a plain relative path, written in the one way we write it."""
    path = PurePosixPath(name)
    plain = name.isprintable() and "\\" not in name and name not in ("", ".")
    return plain and str(path) == name and not path.is_absolute() and ".." not in path.parts


def _is_plain(folder: Path, name: str) -> bool:
    """Whether a file is there, and neither it nor a folder on the way to it is a link."""
    path = folder
    for part in PurePosixPath(name).parts[:-1]:
        path = path / part
        if path.is_symlink() or not path.is_dir():
            return False
    path = path / PurePosixPath(name).name
    return path.is_file() and not path.is_symlink()


def _is_as_written(folder: Path, name: str, sha256: str) -> bool:
    if not _is_plain(folder, name):
        return False
    with (folder / name).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def edited(folder: Path, hashes: Mapping[str, str]) -> Iterator[str]:
    """Files that the manifest names and that are there, but not as they were written."""
    for name, sha256 in hashes.items():
        if os.path.lexists(folder / name) and not _is_as_written(folder, name, sha256):
            yield name


def others(folder: Path) -> list[str]:
    """Files and links in a folder of ours that its manifest does not name, and empty folders."""
    return sorted(set(_entries(folder)) - {MANIFEST, *(named(folder) or {})})


def _entries(folder: Path) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        raise error  # what cannot be looked at is not known to be ours

    for place, folders, files in os.walk(folder, onerror=refuse):
        here = Path(place)
        links = [name for name in folders if (here / name).is_symlink()]
        for name in (*files, *links):
            yield (here / name).relative_to(folder).as_posix()
        if not files and not folders and here != folder:
            yield f"{here.relative_to(folder).as_posix()}/"


@dataclass(frozen=True)
class Exchange:
    """The new files of a folder of ours, and what of the old they replace."""

    new: Path  # a complete folder of ours beside it
    folder: Path
    hashes: Mapping[str, str]  # of the old files, by their manifest
    incoming: tuple[str, ...]  # names of the new files; the manifest is not among them
    stale: tuple[str, ...]  # old files as we wrote them, of which there is no new one
    left: tuple[str, ...]  # what is neither: it stays as it is

    def run(self, spare: Path) -> None:
        """Put the new files in their places, and what they replace into the empty folder `spare`.

        One rename after the other; all are undone if one fails or somebody interrupts. If the
        process is killed among them, a manifest without a schema names the files of both, so that
        no verb takes the folder for a project and a build can still replace it.
        """
        both = {**self.hashes, **(named(self.new) or {})}
        between = spare / f"{MANIFEST}.between"
        between.write_text(json.dumps({"vaqf": "between two builds", "sha256": both}), "utf-8")
        moves = [(self.folder / MANIFEST, spare / MANIFEST), (between, self.folder / MANIFEST)]
        for name in (*self.incoming, *self.stale):
            moves.append((self.folder / name, spare / "old" / name))
        moves += [(self.new / name, self.folder / name) for name in self.incoming]
        moves.append((self.folder / MANIFEST, between))
        moves.append((self.new / MANIFEST, self.folder / MANIFEST))
        done: list[tuple[Path, Path]] = []
        made: list[Path] = []
        try:
            for source, target in moves:
                if not os.path.lexists(source):  # a file that the old folder did not have
                    continue
                _make_parents(target, made)
                done.append((source, target))
                source.rename(target)
        except BaseException:
            for source, target in reversed(done):
                if not os.path.lexists(source):
                    target.rename(source)
            between.unlink()
            _remove_empty(reversed(made))
            raise
        places = {place for name in self.stale for place in PurePosixPath(name).parents[:-1]}
        _remove_empty(self.folder / place for place in sorted(places, reverse=True))


def exchange(new: Path, folder: Path, force: bool) -> Exchange:
    """How `new` takes the place of what the manifest of `folder` names.

    InputError where the new files would replace what is not as we wrote it: with `force`, files
    that the manifest names may be; a file of anybody else's never.
    """
    check_edits(folder, force)
    hashes = named(folder)
    if hashes is None:
        raise InputError(f"{folder} was not made by vaqf; name another folder with -o")
    incoming = sorted({name for name in _entries(new) if not name.endswith("/")} - {MANIFEST})
    for name in incoming:
        if _in_the_way(new, folder, name, name in hashes):
            raise InputError(
                f"{folder / name} was not written by vaqf and a new file goes there; move it, or "
                "name another folder with -o"
            )
    stale = [
        name
        for name, sha256 in hashes.items()
        if name not in incoming and _is_as_written(folder, name, sha256)
    ]
    left = set(_entries(folder)) - {MANIFEST, *incoming, *stale}
    return Exchange(new, folder, hashes, tuple(incoming), tuple(stale), tuple(sorted(left)))


def check_edits(folder: Path, force: bool) -> None:
    """InputError where a build would replace work: edited files without `force`, links ever."""
    hashes = named(folder) or {}
    for name in edited(folder, hashes):
        if not _is_plain(folder, name):
            raise InputError(
                f"{folder / name} is reached by a link or is no file, which vaqf did not write; "
                "move it, or name another folder with -o"
            )
        if not force:
            raise InputError(
                f"{folder / name} was edited since it was built; name another folder with -o, or "
                "replace it with --force"
            )


def _in_the_way(new: Path, folder: Path, name: str, ours: bool) -> bool:
    """Whether what is not ours lies where a new file goes, or a folder on the way to it."""
    if os.path.lexists(folder / name):
        plain = _is_plain(folder, name)
        return not (plain and (ours or filecmp.cmp(folder / name, new / name, shallow=False)))
    ways = [folder / place for place in PurePosixPath(name).parents[:-1]]
    return any(os.path.lexists(way) and (way.is_symlink() or not way.is_dir()) for way in ways)


def _make_parents(path: Path, made: list[Path]) -> None:
    for parent in reversed(path.parents):
        if not parent.is_dir():
            parent.mkdir()
            made.append(parent)


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
