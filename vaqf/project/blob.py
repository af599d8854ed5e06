"""The container of a project's binary files: a 64-byte header with a CRC, then the payload."""

import os
import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from vaqf.errors import InputError
from vaqf.files import regular

BLOB_MAGIC = b"VAQF"
BLOB_HEADER = struct.Struct("<4sIIIQQ32x")  # magic, kind, count, crc32, payload bytes, frame bytes
WRITTEN = "as vaqf build writes it; build the project again"


class Blob(IntEnum):
    """What a binary file of a project holds."""

    COMMANDS = 1
    WEIGHTS = 2
    IMAGES = 3
    LOGITS = 4
    LAYERS = 5


def blob(kind: Blob, payload: bytes, count: int, item_bytes: int = 0) -> bytes:
    """A 64-byte header (with the payload's CRC-32, as zlib computes it) and the payload."""
    crc = zlib.crc32(payload)
    return BLOB_HEADER.pack(BLOB_MAGIC, kind, count, crc, len(payload), item_bytes) + payload


@dataclass(frozen=True)
class Content:
    """What a blob's file holds."""

    count: int
    item_bytes: int  # of one image or of one row of logits, otherwise 0
    payload: bytes


def read(path: Path, kind: Blob) -> Content:
    """A file of that kind; InputError says what is wrong with it.

    Its header is judged before its content is read.
    """
    with regular.reading(path, WRITTEN) as file:
        header = file.read(BLOB_HEADER.size)
        if len(header) < BLOB_HEADER.size or header[: len(BLOB_MAGIC)] != BLOB_MAGIC:
            raise InputError(f"{path} is no file of vaqf; build the project again")
        _, found, count, crc, size, item_bytes = BLOB_HEADER.unpack(header)
        there = os.fstat(file.fileno()).st_size - BLOB_HEADER.size
        if found != kind or size != there or (item_bytes and count * item_bytes != size):
            raise damaged(path)
        payload = file.read(size)
    if crc != zlib.crc32(payload):
        raise InputError(f"{path}: its CRC does not match its content; build the project again")
    return Content(count, item_bytes, payload)


def damaged(path: Path) -> InputError:
    """What to raise for a file that holds something else than it should."""
    return InputError(f"{path} is damaged; build the project again")
