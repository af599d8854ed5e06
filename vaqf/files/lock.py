"""One writer of a place at a time: the kernel's lock on a small file beside it.

The kernel gives a lock back when its process ends, however that ends, so nothing has to be cleared
away after a crash. The file says who holds it, for people of other machines too; its name is a
hash, for the place's own may be as long as names can be.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from vaqf.errors import InputError
from vaqf.files.fields import shown

PREFIX = ".vaqf-lock-"
MOST = 4096  # bytes that are read of who holds it
NONE = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # of a file system without locks


@contextlib.contextmanager
def alone(path: Path, what: str) -> Iterator[None]:
    """Nobody else does `what` to `path` while the block runs; InputError names who does already.

    The folder of `path` must be there; OSError where it cannot be written.
    """
    with _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB, what):
        yield


@contextlib.contextmanager
def turn(path: Path) -> Iterator[None]:
    """The same for work that takes a moment: wait until the others are done."""
    with _locked(path, fcntl.LOCK_EX, ""):
        yield


@contextlib.contextmanager
def _locked(path: Path, kind: int, what: str) -> Iterator[None]:
    place = _file(path)
    descriptor = _taken(place, kind, path, what)
    try:
        about = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now().astimezone().isoformat(sep=" ", timespec="seconds"),
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(about).encode(), 0)
        yield
    finally:
        with contextlib.suppress(OSError):
            place.unlink()  # while it is held: who waits for it sees that it is gone
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # processes that we started have it open, too
        os.close(descriptor)


def _file(path: Path) -> Path:
    """Where the lock of a place lies."""
    name = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
    return path.with_name(f"{PREFIX}{name}")


def _taken(place: Path, kind: int, path: Path, what: str) -> int:
    """The descriptor of the lock's file, locked; its name still leads to it."""
    while True:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(place, flags, 0o666)
        try:
            _flock(descriptor, kind)
            if _is_at(descriptor, place):
                return descriptor
        except BlockingIOError:
            holder = _holder(os.pread(descriptor, MOST, 0))
            os.close(descriptor)
            raise InputError(
                f"{holder} {what} {path} already; wait for it, or give another name with -o"
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # the one before us has ended and taken the file away


def _flock(descriptor: int, kind: int) -> None:
    try:
        fcntl.flock(descriptor, kind)
    except OSError as error:
        if error.errno not in NONE:
            raise


def _is_at(descriptor: int, place: Path) -> bool:
    try:
        found = place.lstat()
    except FileNotFoundError:
        return False
    return os.path.samestat(found, os.fstat(descriptor))


def _holder(content: bytes) -> str:
    """Who holds a lock, by its file, which anybody may have written."""
    try:
        about = json.loads(content)
        pid, host, since = int(about["pid"]), shown(about["host"]), shown(about["since"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "another process"
    return f"process {pid} on {host} (since {since})"
