"""Writing a result so that it is there whole or not at all: beside its place, then renamed."""

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from vaqf.errors import InputError
from vaqf.files import interrupts, lock, ours, places

PARTIAL = ".vaqf-partial-"


@contextlib.contextmanager
def new_folder(path: Path, force: bool = False) -> Iterator[Path]:
    """An empty folder beside `path` that takes its place when the block ends without an error.

    An empty folder is replaced, and in a folder of ours the files that its manifest names: with
    `force` those, too, that were edited. What anybody else wrote stays, whatever `force` says; so
    does any folder that is not ours.
    """
    check_folder(path, force)
    with writing(path), _partial(_parent(path)) as partial:
        partial.chmod(0o777 & ~_umask())
        yield partial
        _place(partial, path, force)


@contextlib.contextmanager
def new_file(
    path: Path,
    force: bool = False,
    is_ours: Callable[[Path], bool] | None = None,
    named: bool = True,
) -> Iterator[Path]:
    """A file name beside `path`; what the block writes there takes its place, or nothing does.

    What is there is replaced with `force` alone, and only a file of which `is_ours` says that vaqf
    wrote it. named: as `writing` takes it.
    """
    check_file(path, force, is_ours, named)
    with writing(path, named), _partial(_parent(path)) as partial:
        yield partial / path.name
        (partial / path.name).replace(path)


@contextlib.contextmanager
def _partial(parent: Path) -> Iterator[Path]:
    """A folder for what is not whole yet; gone at the end, whenever a signal comes."""
    partial = None
    try:
        with interrupts.held_back():
            partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=parent))
        yield partial
    finally:
        with interrupts.held_back():
            if partial is not None:
                shutil.rmtree(partial, ignore_errors=True)


@contextlib.contextmanager
def writing(path: Path, named: bool = True) -> Iterator[None]:
    """Turn what the disk refuses while `path` is written into one sentence.

    named: whether the verb has -o, with which another place can be named.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None or isinstance(error, BrokenPipeError):
            raise
        advice = ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            advice = "; free some space" + (" or name another place with -o" if named else "")
        elif error.errno in places.REFUSED and named:
            advice = "; name a place you may write to with -o"
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
        home = places.home()
        if own in (here, *here.parents) or (home is not None and own == home.resolve()):
            raise InputError(f"{path} holds the current or home folder; name a new one with -o")
        with lock.turn(path):  # not while another build puts its files there
            if ours.named(path) is not None:
                ours.check_edits(path, force)
            elif any(path.iterdir()):
                raise InputError(
                    f"{path} exists and was not made by vaqf, which never replaces it; name another"
                    " folder with -o"
                )


def check_file(
    path: Path,
    force: bool,
    is_ours: Callable[[Path], bool] | None = None,
    named: bool = True,
) -> None:
    """InputError unless a file may be written at `path`; call it before the work starts."""
    with writing(path, named):
        if path.is_dir():
            raise InputError(f"{path} is a folder; name a file")
        if not os.path.lexists(path):
            return
        regular = path.is_file() and not path.is_symlink()
        if not regular or is_ours is None or not is_ours(path):
            raise InputError(
                f"{path} exists and was not written by vaqf, which replaces its own files alone; "
                f"move it{', or give another name' if named else ''}"
            )
        if not force:
            raise InputError(f"{path} exists; give another name, or --force to replace it")


def _parent(path: Path) -> Path:
    """The folder that holds `path`, made if it is missing."""
    for folder in reversed(path.parents):  # one by one: mkdir(parents=True) is recursive
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
    return path.parent


def _place(partial: Path, path: Path, force: bool) -> None:
    """Put `partial`, or its files, in the place of what is at `path`; that goes last.

    Nothing is deleted before all is in its place: if even the way back fails, it is still there.
    """
    with lock.turn(path):
        _exchange(partial, path, force)


def _exchange(partial: Path, path: Path, force: bool) -> None:
    """The same, while no other build is at it."""
    if not path.exists() or not any(path.iterdir()):
        partial.rename(path)
        return
    plan = ours.exchange(partial, path, force)
    spare = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=path.parent))
    try:
        if plan.left:
            plan.run(spare)
        else:
            _swap(partial, path, spare / path.name)
    except BaseException:
        with contextlib.suppress(OSError):
            spare.rmdir()
        raise
    shutil.rmtree(spare, ignore_errors=True)


def _swap(partial: Path, path: Path, old: Path) -> None:
    """Two renames: `path` to `old`, `partial` to `path`."""
    try:
        path.rename(old)
        partial.rename(path)
    except BaseException:
        if old.exists() and not path.exists():
            old.rename(path)
        raise


def _umask() -> int:
    """The process's file mode mask, which mkdtemp ignores."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
