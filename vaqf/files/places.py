"""Where to write when nobody named a place: where it belongs, or else in the user's own cache."""

import errno
import hashlib
import os
import tempfile
from pathlib import Path

from vaqf.errors import InputError

REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)  # a disk that another folder may get round


def home() -> Path | None:
    """The user's home folder; None where neither HOME nor the system names one."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def cache(name: str) -> Path | None:
    """Our folder `name` in the user's cache, made by whoever writes there; None without a home.

    Never in a folder that others share: what lies there may be run.
    """
    chosen = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if chosen.is_absolute():  # by its standard, others are to be ignored
        return chosen / "vaqf" / name
    own = home()
    return None if own is None else own / ".cache" / "vaqf" / name


def writable(wanted: Path) -> Path:
    """The folder `wanted`, made if it is missing, or its stand-in in the cache where the disk does
    not let us write there. InputError where neither can be written; OSError for a full disk."""
    try:
        return _made(wanted)
    except OSError as error:
        if error.errno not in REFUSED:
            raise
        refused = error.strerror
    advice = "give XDG_CACHE_HOME a folder that can be written"
    kept = cache("projects")
    if kept is None:
        raise InputError(f"cannot write {wanted}: {refused}; {advice}")
    name = hashlib.sha256(os.fsencode(wanted.resolve())).hexdigest()[:16]
    try:
        return _made(kept / name)
    except OSError as error:
        raise InputError(
            f"cannot write {wanted}: {refused}, nor {kept}: {error.strerror}; {advice}"
        ) from error


def is_writable(folder: Path) -> bool:
    """Whether something can be kept in a folder, which is made if it is missing."""
    try:
        _made(folder)
    except OSError:
        return False
    return True


def _made(folder: Path) -> Path:
    """The folder, in which a file could be made just now: permissions alone do not tell."""
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()
    return folder
