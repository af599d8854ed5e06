"""What golden says of a project's images: written for the test benches, and read back."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaqf.errors import InputError
from vaqf.network.structure import Network
from vaqf.program import packing
from vaqf.program.compile import Program
from vaqf.project.blob import Blob, blob

IntArray = NDArray[Any]
LAYER_HEADER = struct.Struct("<64s8I")
_KINDS = {"uint8": 0, "int8": 1, "int16": 2}
_TYPES = ("uint8", "int8", "<i2")  # of layers.bin, by number


@dataclass(frozen=True)
class Golden:
    """What the network must compute on some images."""

    images: NDArray[np.uint8]  # [B, S, S, C]
    labels: IntArray | None  # [B]
    logits: NDArray[np.int32]  # [B, classes]
    layers: dict[str, IntArray]  # of image 0
    source: str  # what the images are, for people


def layers_blob(program: Program, layers: dict[str, IntArray]) -> bytes:
    """Golden's layers with where each shows in the hardware; logits have a file of their own."""
    traced = {entry.layer: entry for entry in program.traced}
    parts = []
    for name, values in layers.items():
        if name == "head":
            continue
        entry = traced[name]
        rows = values.reshape(-1, values.shape[-1])
        parts.append(
            LAYER_HEADER.pack(
                name.encode()[:63],
                entry.command,
                int(entry.normalized_input),
                *rows.shape,
                entry.head_dim,
                entry.padded_head,
                _KINDS[values.dtype.name],
                0,
            )
        )
        parts.append(np.ascontiguousarray(rows).astype(rows.dtype.newbyteorder("<")).tobytes())
    return blob(Blob.LAYERS, b"".join(parts), len(layers) - 1)


def write_images(network: Network, golden: Golden, folder: Path) -> None:
    """images.bin and logits.bin as the test bench and the driver read them."""
    count = len(golden.images)
    packed = packing.pack_images(network, golden.images)
    frame = packing.frame_bytes(network)
    (folder / "images.bin").write_bytes(blob(Blob.IMAGES, packed, count, frame))
    logits = np.ascontiguousarray(golden.logits, "<i4")
    row = 4 * network.vit.classes
    (folder / "logits.bin").write_bytes(blob(Blob.LOGITS, logits.tobytes(), count, row))


@dataclass(frozen=True)
class Layer:
    """One layer of golden, and the command at which it shows in the hardware."""

    name: str
    command: int
    normalized_input: bool
    head_dim: int  # channels come in groups of head_dim ...
    padded_head: int  # ... each padded to this many in the hardware
    values: IntArray  # [rows, columns]


def read_layers(payload: bytes, count: int) -> tuple[Layer, ...]:
    """The payload of a project's layers.bin; InputError if it is not that of `count` layers."""
    found, at = [], 0
    for _ in range(count):
        if at + LAYER_HEADER.size > len(payload):
            raise InputError("layers.bin is truncated; build the project again")
        name, command, norm, rows, columns, head, padded, kind, _ = LAYER_HEADER.unpack_from(
            payload, at
        )
        at += LAYER_HEADER.size
        if kind >= len(_TYPES) or not 1 <= head <= padded or rows * columns > len(payload):
            raise InputError("layers.bin has a bad layer; build the project again")
        size = rows * columns * np.dtype(_TYPES[kind]).itemsize
        if at + size > len(payload):
            raise InputError("layers.bin is truncated; build the project again")
        values = np.frombuffer(payload[at : at + size], _TYPES[kind]).reshape(rows, columns)
        text = name.rstrip(b"\0").decode(errors="replace")
        found.append(Layer(text, command, bool(norm), head, padded, values))
        at += size
    if at != len(payload):
        raise InputError("layers.bin has more layers than its header says; build the project again")
    return tuple(found)
