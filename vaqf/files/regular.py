"""A file from outside, opened without trusting it: never a pipe that hangs, never a device."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from vaqf.errors import InputError
from vaqf.files.fields import shown


def opened(path: Path) -> BinaryIO:
    """The regular file at `path`, open to be read.

    OSError, at once, for a folder, a pipe, a device or what cannot be read; ValueError for a name
    that no file can have.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    # a pipe that takes the file's place between the two looks opens at once, and empty
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")


@contextmanager
def reading(path: Path, what: str) -> Iterator[BinaryIO]:
    """The same for a block of code; `what` it must be, for the sentence of the InputError."""
    try:
        file = opened(path)
    except (OSError, ValueError) as error:
        raise _refused(path, error, what) from error
    with file:
        try:
            yield file
        except OSError as error:
            raise _refused(path, error, what) from error


def check(path: Path, what: str, most: int | None = None) -> None:
    """InputError unless `path` is a regular file of at most `most` bytes that can be read."""
    with reading(path, what) as file:
        if most is not None and os.fstat(file.fileno()).st_size > most:
            raise too_large(path, most, what)


def too_large(path: Path, most: int, what: str) -> InputError:
    """What to raise for a file of more than `most` bytes."""
    return InputError(f"{_name(path)} is larger than {most} bytes; it must be {what}")


def _refused(path: Path, error: OSError | ValueError, what: str) -> InputError:
    reason = getattr(error, "strerror", None) or str(error)
    kind = isinstance(error, OSError) and error.errno in (errno.EISDIR, errno.EINVAL)
    advice = f"; it must be {what}" if kind else ""
    return InputError(f"{_name(path)}: cannot be read: {reason}{advice}")


def _name(path: Path) -> str:
    return str(path) if len(str(path)) <= 255 else shown(str(path))
