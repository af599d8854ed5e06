"""Writing a result so that it is there whole or not at all: beside its place, then renamed."""

import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from vaqf.errors import InputError

MANIFEST = "manifest.json"  # a folder that holds one of ours may be replaced by us
PARTIAL = ".vaqf-partial-"


@contextlib.contextmanager
def new_folder(path: Path, force: bool = False) -> Iterator[Path]:
    """An empty folder beside `path` that takes its place when the block ends without an error.

    A folder of ours or an empty one is replaced; any other only with `force`, and never the
    current folder, one that holds it, or the home folder.
    """
    check_folder(path, force)
    with writing(path):
        partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=_parent(path)))
        try:
            partial.chmod(0o777 & ~_umask())
            yield partial
            _swap(partial, path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextlib.contextmanager
def new_file(path: Path, force: bool = False) -> Iterator[Path]:
    """A file name beside `path`; what the block writes there takes its place, or nothing does."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file")
    if path.exists() and not force:
        raise InputError(f"{path} exists; give another name, or --force to replace it")
    with writing(path):
        partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=_parent(path)))
        try:
            yield partial / path.name
            (partial / path.name).replace(path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the disk refuses while `path` is written into one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno is None or isinstance(error, BrokenPipeError):
            raise
        advice = {
            errno.ENOSPC: "; free some space or name another place with -o",
            errno.EDQUOT: "; free some space or name another place with -o",
            errno.EACCES: "; name a place you may write to with -o",
            errno.EPERM: "; name a place you may write to with -o",
            errno.EROFS: "; name a place you may write to with -o",
        }.get(error.errno, "")
        raise InputError(f"cannot write {path}: {error.strerror}{advice}") from error


def check_folder(path: Path, force: bool) -> None:
    """InputError unless `path` may become an output folder; call it before the work starts."""
    if not path.name:
        raise InputError(f"{str(path)!r} cannot be an output folder; name a new one")
    with writing(path):
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise InputError(f"{path} exists and is no folder; name another with -o")
        if not path.exists():
            return
        here = Path.cwd().resolve()
        own = path.resolve()
        if own in (here, *here.parents, Path.home().resolve()):
            raise InputError(f"{path} holds the current or home folder; name a new one with -o")
        if not (force or is_ours(path) or not any(path.iterdir())):
            raise InputError(
                f"{path} exists and was not made by vaqf; name another folder with -o, "
                "or replace it with --force"
            )


def is_ours(path: Path) -> bool:
    """Whether a folder holds the manifest that `build` writes."""
    try:
        content = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and "vaqf" in content


def _parent(path: Path) -> Path:
    """The folder that holds `path`, made if it is missing."""
    for folder in reversed(path.parents):  # one by one: mkdir(parents=True) is recursive
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
    return path.parent


def _swap(partial: Path, path: Path) -> None:
    """Put `partial` in the place of `path`; the old folder goes last."""
    if not path.exists():
        partial.rename(path)
        return
    old = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=path.parent))
    try:
        path.rename(old / path.name)
        try:
            partial.rename(path)
        except OSError:
            (old / path.name).rename(path)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    """The process's file mode mask, which mkdtemp ignores."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
