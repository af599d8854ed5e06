"""Samples of tar archives: files that share a name up to the suffix, as WebDataset has them.

Archives are hostile. They are opened as local files, whatever their names say; of a sample only
the picture and the label are read, as bytes, and nothing decodes or unpickles anything else.
"""

from __future__ import annotations

import gzip
import os
import sys
import tarfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from vaqf.files import regular
from vaqf.files.fields import shown
from vaqf.images import pictures, shardlabels
from vaqf.images.folder import SPLIT_OF

PICTURES = ("jpg", "jpeg", "png", "webp")  # the first that a sample has is its picture
MAX_FILE_BYTES = 2**26  # of one picture
MAX_BYTES = dict.fromkeys(PICTURES, MAX_FILE_BYTES) | shardlabels.MAX_BYTES  # by suffix
MAX_INFLATED = 50  # bytes out of one of a compressed archive; pictures hardly shrink
INFLATED = f"it inflates to more than {MAX_INFLATED} times its size"
WAITING = 16  # samples whose files may lie among each other
APART = (
    "its picture and its label lie far apart in the archive; pack it sorted by name"
    " (tar --sort=name)"
)
UNDOTTED = "rename the files of one of the two, without a dot in the middle"
CHUNK = 2**20  # bytes
GZIP = b"\x1f\x8b"
CLOSED = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ": "xz",
    b"BZh": "bzip2",
    b"\x04\x22\x4d\x18": "lz4",
    b"PK\x03\x04": "zip",
}
_DAMAGED = (tarfile.TarError, zlib.error, OSError, EOFError, ValueError, RecursionError)


@dataclass(frozen=True)
class Sample:
    """Files of one archive whose names differ in the suffix alone.

    As WebDataset has it, a name goes to its first dot: `1.seg.png` is a further file of `1`. Where
    that cannot be meant, to its last: `a.7.png` and `a.7.cls` are a sample of their own.
    """

    archive: str  # its place, for people
    key: str  # the name without the suffix, folders included
    short: str  # the name up to the first dot
    files: dict[str, bytes] = field(default_factory=dict)  # by suffix
    flaws: list[str] = field(default_factory=list)  # why it cannot be used

    @property
    def name(self) -> str:
        """The sample's place, for people."""
        return pictures.printable(f"{self.archive}/{self.key}")

    @property
    def pictured(self) -> bool:
        """Whether it has a picture."""
        return any(suffix in self.files for suffix in PICTURES)

    def check(self) -> None:
        """Unreadable for a sample with a flaw or without a picture."""
        for flaw in self.flaws:
            raise pictures.Unreadable(flaw)
        if not self.pictured:
            raise pictures.Unreadable(f"it has no picture ({', '.join(PICTURES)})")

    @property
    def picture(self) -> bytes:
        """The bytes of its picture; Unreadable for a sample that cannot be used."""
        self.check()
        return next(self.files[suffix] for suffix in PICTURES if suffix in self.files)


def place(path: Path) -> str:
    """An archive as a person is told of it: train/ and val/ may have one of the same name."""
    folder = f"{path.parent.name}/" if path.parent.name.lower() in SPLIT_OF else ""
    return pictures.printable(f"{folder}{path.name}")


def samples(
    paths: Iterable[Path],
    problems: dict[str, str],
    read: tuple[str, ...] = tuple(MAX_BYTES),
) -> Iterator[Sample]:
    """The samples of archives in their order; no sample spans two archives.

    read: suffixes whose content is read; what else belongs to a sample is there and empty.
    problems: archives that could not be read to their end, by name, with the reason.
    """
    for path in paths:
        gathered = _Gathered(place(path))
        for name, size, content in _files(path, read, problems):
            yield from gathered.add(name, size, content)
        yield from gathered.rest()


class _Gathered:
    """The samples of one archive whose files may still come, the oldest first."""

    def __init__(self, archive: str) -> None:
        self._archive = archive
        self._waiting: dict[str, Sample] = {}
        # the last samples handed on: key, and whether it was whole
        self._gone: deque[tuple[str, bool]] = deque(maxlen=WAITING)
        self._halves: set[str] = set()  # keys of those without a picture or a label

    def add(self, name: str, size: int | None, content: bytes) -> Iterator[Sample]:
        """Put a file to its sample; the samples that wait no longer.

        size: None for a link, a device, a sparse file.
        """
        key, short, suffix = _split(name)
        sample = self._waiting.setdefault(key, Sample(self._archive, key, short))
        if suffix in sample.files:
            sample.flaws.append(f"it has two files {suffix}")
        elif size is None:
            sample.flaws.append(f"its {suffix} is no regular file")
        elif size > MAX_BYTES[suffix]:
            sample.flaws.append(f"its {suffix} is larger than {MAX_BYTES[suffix]} bytes")
        sample.files.setdefault(suffix, content)
        if len(self._waiting) > WAITING:
            yield from self._oldest()

    def rest(self) -> Iterator[Sample]:
        """All that still wait."""
        while self._waiting:
            yield from self._oldest()

    def _oldest(self) -> Iterator[Sample]:
        sample = self._waiting.pop(next(iter(self._waiting)))
        whole = _whole(sample)
        owner = self._owner(sample)
        if owner is not None and not whole:
            return  # a further file of another sample
        if owner:
            sample.flaws.append(f"by its name it is a part of {shown(sample.short)}; {UNDOTTED}")
        if not whole:
            if sample.key in self._halves:
                sample.flaws.append(APART)
            self._halves.add(sample.key)
        self._gone.append((sample.key, whole))
        yield sample

    def _owner(self, sample: Sample) -> bool | None:
        """Whether the sample that WebDataset takes a dotted one for a part of is whole; None if
        there is no such sample nearby."""
        if sample.key == sample.short:
            return None
        if sample.short in self._waiting:
            return _whole(self._waiting[sample.short])
        return dict(self._gone).get(sample.short)


def _whole(sample: Sample) -> bool:
    """Whether it has a picture and a label, or what may be one."""
    dotted = sample.key != sample.short
    named = any(suffix in sample.files for suffix in shardlabels.MAX_BYTES)
    return sample.pictured and (shardlabels.found(sample.files) if dotted else named)


def _files(
    path: Path, read: tuple[str, ...], problems: dict[str, str]
) -> Iterator[tuple[str, int | None, bytes]]:
    """(name, size, content) of the pictures and labels of one archive; no size for what is no
    regular file.

    A damaged archive gives what comes before the damage.
    """
    try:
        with (
            _opened(path) as stream,
            # tarfile writes nothing in this mode, whatever its types ask for
            tarfile.open(fileobj=stream, mode="r:") as archive,  # type: ignore[call-overload]
        ):
            while (member := archive.next()) is not None:
                archive.members.clear()  # or it would hold every header
                _, _, suffix = _split(member.name)
                if suffix not in MAX_BYTES or member.isdir():
                    continue
                if not member.isreg() or member.issparse():
                    yield member.name, None, b""
                    continue
                wanted = suffix in read and member.size <= MAX_BYTES[suffix]
                file = archive.extractfile(member) if wanted else None
                yield member.name, member.size, b"" if file is None else file.read()
            if not archive.offset:
                raise tarfile.ReadError("it holds nothing")
            # tarfile takes half a header, or one that is damaged, for the end
            stream.seek(archive.offset)
            if any(end := stream.read(tarfile.BLOCKSIZE)) or len(end) < tarfile.BLOCKSIZE:
                raise tarfile.ReadError("it stops without the mark of its end")
            if more := _behind(stream):
                raise pictures.Unreadable(
                    f"{more} bytes after the end of the archive are not read, as of two archives"
                    " that were put together; pack their files into one, or give both by themselves"
                )
    except pictures.Unreadable as error:
        problems[place(path)] = str(error)
    except _DAMAGED as error:
        reason = getattr(error, "strerror", None) or str(error)
        problems[place(path)] = f"the archive is damaged or cannot be read: {reason}"


def _behind(stream: _Guarded) -> int:
    """The bytes from here to the end of a file, zeros before the first other one left out: an
    archive is filled up with them."""
    count = 0
    while part := stream.read(CHUNK):
        count += len(part) if count else len(part.lstrip(b"\0"))
    return count


@contextmanager
def _opened(path: Path) -> Iterator[_Guarded]:
    """The bytes of an archive, inflated if it is gzip's, whatever its name says; Unreadable for
    another compression."""
    with regular.opened(path) as stream:
        begins = stream.read(max(map(len, CLOSED)))
        stream.seek(0)
        for magic, kind in CLOSED.items():
            if begins.startswith(magic):
                raise pictures.Unreadable(
                    f"the archive is compressed with {kind}; plain tar and gzip are read, so unpack"
                    " it first"
                )
        if begins.startswith(GZIP):
            packed = os.fstat(stream.fileno()).st_size
            with gzip.GzipFile(fileobj=stream) as inflated:
                yield _Guarded(inflated, max(MAX_FILE_BYTES, MAX_INFLATED * packed), INFLATED)
        else:
            yield _Guarded(stream, sys.maxsize, "a header gives a file a size that no file has")


class _Guarded:
    """What tarfile reads: its headers may not ask for memory, nor for bytes without end."""

    def __init__(self, stream: BinaryIO | gzip.GzipFile, most: int, beyond: str) -> None:
        self._stream = stream
        self._most = most  # bytes, inflated
        self._beyond = beyond  # what is wrong with an archive that asks for more

    def read(self, size: int) -> bytes:
        """The next bytes."""
        if size > MAX_FILE_BYTES:
            raise tarfile.ReadError(f"a header is larger than {MAX_FILE_BYTES} bytes")
        self._check(self._stream.tell() + size)
        return self._stream.read(size)

    def seek(self, place: int) -> int:
        """Go to a place from the beginning."""
        self._check(place)
        return self._stream.seek(place)

    def tell(self) -> int:
        """The place of the next byte."""
        return self._stream.tell()

    def _check(self, place: int) -> None:
        if place > self._most:
            raise tarfile.ReadError(self._beyond)


def _split(name: str) -> tuple[str, str, str]:
    """a.b/0001.left.Jpg -> a.b/0001.left, a.b/0001, jpg: the name without its suffix, the name to
    the first dot, the suffix; no suffix for a name that begins with its dot."""
    folder, slash, file = name.rpartition("/")
    stem, _, suffix = file.rpartition(".")
    short, _, _ = file.partition(".")
    return f"{folder}{slash}{stem}", f"{folder}{slash}{short}", suffix.lower() if short else ""
