"""Where Verilator and the compilers behind it work: only paths that make takes.

Its makefiles know no quotes, so a space or a sign ends a name.
"""

import os
import shutil
import string
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from vaqf.errors import InputError

SIGNS = frozenset(string.ascii_letters + string.digits + "/._-+,@")
REMOVALS, REMOVAL_SECONDS = 20, 0.25
MOST = 1024  # bytes of a path, for Verilator puts names of its own behind it and Linux takes 4,096


def is_plain(path: Path) -> bool:
    """Whether make takes the path of a file or a folder as it is."""
    whole = os.fspath(path.absolute())
    return len(whole) <= MOST and SIGNS.issuperset(whole)


@contextmanager
def folder(wanted: Path) -> Iterator[Path]:
    """`wanted` to compile in, or a temporary folder where make does not take its path."""
    if is_plain(wanted):
        yield wanted
        return
    place = Path(tempfile.gettempdir())
    if not is_plain(place):
        raise InputError(
            f"Verilator's make takes no path with spaces or signs, and neither {wanted.parent} nor"
            f" the folder of temporary files {place} is without; give TMPDIR a plain one, such as"
            " /tmp"
        )
    temporary = Path(tempfile.mkdtemp(prefix="vaqf-cosim-", dir=place))
    try:
        yield temporary
    finally:
        remove(temporary)


def files(wanted: Sequence[Path], copies: Path) -> list[Path]:
    """The files, in their order; those whose paths make does not take as copies in `copies`."""
    found = []
    for number, path in enumerate(wanted):
        if is_plain(path):
            found.append(path)
            continue
        copies.mkdir(parents=True, exist_ok=True)
        plain = is_plain(Path("/", path.name))
        copy = copies / (path.name if plain else f"{number}{path.suffix}")
        if copy.exists():  # of two files with one name the second has its number
            copy = copies / f"{number}_{copy.name}"
        found.append(Path(shutil.copyfile(path, copy)))
    return found


def remove(folder: Path) -> None:
    """Delete a folder in which compilers that outlive an interrupt may still write a file."""
    for _ in range(REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(REMOVAL_SECONDS)
