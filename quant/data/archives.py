"""Samples of tar archives: files that share a name up to the first dot, as WebDataset has them.

Archives are hostile. They are opened as local files, whatever their names say; of a sample only
the picture and the class number are read, as bytes, and nothing decodes or unpickles anything else.
"""

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vaqf.files import regular
from vaqf.images import pictures

PICTURES = ("jpg", "jpeg", "png", "webp")
LABEL = "cls"
MAX_FILE_BYTES = 2**26  # of one picture
MAX_LABEL_BYTES = 16


@dataclass(frozen=True)
class Sample:
    """Files of one archive, side by side in it, whose names differ from the first dot on."""

    archive: str  # its file name
    key: str  # the name up to the first dot, folders included
    files: dict[str, bytes] = field(default_factory=dict)  # by suffix; the first of equal names

    @property
    def name(self) -> str:
        """The sample's place, for people."""
        return printable(self.archive, self.key)


def printable(archive: str, member: str) -> str:
    """A sample or a file of an archive, for people."""
    return pictures.printable(f"{archive}/{member}")


def archives(path: Path, split: str) -> list[Path]:
    """The archives of one split, by name."""
    return [file for file in sorted(path.glob(f"{split}-*.tar")) if not file.is_dir()]


def samples(
    paths: Iterable[Path],
    problems: dict[str, str],
    read: tuple[str, ...] = (*PICTURES, LABEL),
) -> Iterator[Sample]:
    """The samples of archives in their order; no sample spans two archives.

    read: suffixes whose content is read; what else belongs to a sample is there and empty.
    problems: what could not be read, by name, with the reason.
    """
    for path in paths:
        sample = None
        for key, suffix, content in _files(path, read, problems):
            if sample is None or sample.key != key:
                if sample is not None:
                    yield sample
                sample = Sample(path.name, key)
            sample.files.setdefault(suffix, content)
        if sample is not None:
            yield sample


def _files(
    path: Path, read: tuple[str, ...], problems: dict[str, str]
) -> Iterator[tuple[str, str, bytes]]:
    """(key, suffix, content) of the pictures and labels of one archive.

    A damaged archive gives what comes before the damage.
    """
    try:
        with regular.opened(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            for member in archive:
                key, suffix = _split(member.name)
                if not member.isreg() or member.issparse() or suffix not in (*PICTURES, LABEL):
                    continue
                most = MAX_LABEL_BYTES if suffix == LABEL else MAX_FILE_BYTES
                if member.size > most:
                    name = printable(path.name, member.name)
                    problems[name] = f"it is larger than {most} bytes"
                    continue
                file = archive.extractfile(member) if suffix in read else None
                yield key, suffix, b"" if file is None else file.read()
            if not archive.offset:
                raise tarfile.ReadError("it holds nothing")
            # tarfile takes half a header, or one that is damaged, for the end
            stream.seek(archive.offset)
            if any(end := stream.read(tarfile.BLOCKSIZE)) or len(end) < tarfile.BLOCKSIZE:
                raise tarfile.ReadError("it stops without the mark of its end")
    except (tarfile.TarError, OSError, EOFError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problems[path.name] = f"the archive is damaged or cannot be read: {reason}"


def _split(name: str) -> tuple[str, str]:
    """a.b/0001.Jpg -> a.b/0001, jpg; no suffix for a name that begins with its dot."""
    folder, slash, file = name.rpartition("/")
    base, _, suffix = file.partition(".")
    return f"{folder}{slash}{base}", suffix.lower() if base else ""
