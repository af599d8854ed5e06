"""Tar archives of small samples that tests of shards share."""

import io
import tarfile
from pathlib import Path

from PIL import Image


def picture(level: int, kind: str = "PNG") -> bytes:
    """A flat picture whose level can be read back from any crop."""
    stream = io.BytesIO()
    Image.new("RGB", (12, 12), (level,) * 3).save(stream, kind)
    return stream.getvalue()


def archive(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def samples(first: int, count: int) -> dict[str, bytes]:
    """Samples whose level is their number and whose label is that modulo 3."""
    files = {}
    for number in range(first, first + count):
        files[f"{number:04}.png"] = picture(number)
        files[f"{number:04}.cls"] = b"%d" % (number % 3)
    return files


def folder(root: Path, train: tuple[int, ...] = (5, 4, 6), val: tuple[int, ...] = (4, 3)) -> Path:
    """Shards of so many samples each; training is numbered from 0, validation from 100."""
    root.mkdir()
    for split, sizes, first in (("train", train, 0), ("val", val, 100)):
        for number, size in enumerate(sizes):
            archive(root / f"{split}-{number:04}.tar", samples(first + sum(sizes[:number]), size))
    return root
