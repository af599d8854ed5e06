"""The container of a project's binary files: a 64-byte header with a CRC, then the payload."""

import struct
import zlib
from enum import IntEnum

BLOB_MAGIC = b"VAQF"
BLOB_HEADER = struct.Struct("<4sIIIQQ32x")  # magic, kind, count, crc32, payload bytes, frame bytes


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
