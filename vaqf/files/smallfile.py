"""A user's small file, read without trusting it: never a pipe that hangs, never more than asked."""

import os
from pathlib import Path

from vaqf.errors import InputError
from vaqf.files.fields import shown


def head(path: Path, count: int) -> bytes:
    """The first bytes of a regular file, by which its kind is known."""
    with path.open("rb") as file:
        return file.read(count)


def read(path: Path, most: int, what: str) -> bytes:
    """The bytes of a regular file of at most `most`; `what` it must be, for the message.

    InputError for a folder, a pipe, a device, a file that is larger or cannot be read.
    """
    name = str(path) if len(str(path)) <= 255 else shown(str(path))
    try:
        if path.is_dir():
            raise InputError(f"{name} is a folder; give the file itself")
        if path.exists() and not path.is_file():
            raise InputError(f"{name} is no regular file; it must be {what}")
        # a pipe that takes the file's place between the two looks opens at once, and empty
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot read {name}: {reason}") from error
    if len(data) > most:
        raise InputError(f"{name} is larger than {most} bytes; it must be {what}")
    return data
