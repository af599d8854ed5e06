"""What golden says of a project's images: written for the test benches, and read back."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaqf.errors import InputError
from vaqf.files import smallfile
from vaqf.network.structure import Network
from vaqf.program import packing
from vaqf.program.compile import Program
from vaqf.project import blob
from vaqf.project.blob import WRITTEN, Blob, damaged
from vaqf.project.report import json_text

IntArray = NDArray[Any]
LAYER_HEADER = struct.Struct("<64s8I")
_TYPES = ("uint8", "int8", "int16")  # of a layer's values, by their number in layers.bin
MAX_JSON_BYTES = 2**24
IMAGES, LOGITS, LAYERS, LABELS = "images.bin", "logits.bin", "layers.bin", "labels.json"


@dataclass(frozen=True)
class Golden:
    """What the network must compute on some images."""

    images: NDArray[np.uint8]  # [B, S, S, C]
    labels: IntArray | None  # [B]
    logits: NDArray[np.int32]  # [B, classes]
    layers: dict[str, IntArray]  # of image 0
    source: str  # what the images are, for people


@dataclass(frozen=True)
class Layer:
    """One layer of golden, and the command at which it shows in the hardware."""

    name: str
    command: int
    normalized_input: bool
    head_dim: int  # channels come in groups of head_dim ...
    padded_head: int  # ... each padded to this many in the hardware
    values: IntArray  # [rows, columns]


@dataclass(frozen=True)
class Reference:
    """Images as the accelerator reads them, and what it must make of them."""

    packed: bytes  # the images, one after the other
    logits: NDArray[np.int32]  # [images, classes]
    layers: tuple[Layer, ...]  # of the first image
    labels: list[int] | None  # the images' true classes, where they are known

    def first(self, count: int | None) -> "Reference":
        """Of the first `count` images, or of all; InputError for more than there are."""
        if count is None:
            return self
        have = len(self.logits)
        if count < 1:
            raise InputError(f"--images is {count}; it must be at least 1")
        if count > have:
            raise InputError(f"--images is {count}; the project holds {have} images")
        return replace(
            self,
            packed=self.packed[: count * (len(self.packed) // have)],
            logits=self.logits[:count],
            labels=None if self.labels is None else self.labels[:count],
        )


def of(network: Network, program: Program, golden: Golden) -> Reference:
    """Golden as the hardware shows it."""
    labels = None if golden.labels is None else [int(label) for label in golden.labels]
    packed = packing.pack_images(network, golden.images)
    return Reference(packed, golden.logits, tuple(_layers(program, golden.layers)), labels)


def _layers(program: Program, layers: Mapping[str, IntArray]) -> Iterator[Layer]:
    """Where each of golden's layers shows; logits have a file of their own."""
    traced = {entry.layer: entry for entry in program.traced}
    for name, values in layers.items():
        if name != "head":
            at = traced[name]
            rows = values.reshape(-1, values.shape[-1])
            yield Layer(name, at.command, at.normalized_input, at.head_dim, at.padded_head, rows)


def write(folder: Path, network: Network, program: Program, golden: Golden) -> None:
    """images.bin, logits.bin and layers.bin, as test bench and driver read them; labels.json."""
    made = of(network, program, golden)
    count, classes = made.logits.shape
    logits = np.ascontiguousarray(made.logits, "<i4").tobytes()
    layers = b"".join(map(_layer_bytes, made.layers))
    for name, content in (
        (IMAGES, blob.blob(Blob.IMAGES, made.packed, count, program.frame_bytes)),
        (LOGITS, blob.blob(Blob.LOGITS, logits, count, 4 * classes)),
        (LAYERS, blob.blob(Blob.LAYERS, layers, len(made.layers))),
    ):
        (folder / name).write_bytes(content)
    answers = [int(label) for label in made.logits.argmax(axis=-1)]
    told = {"images": golden.source, "labels": made.labels, "golden": answers}
    (folder / LABELS).write_text(json_text(told), encoding="utf-8")


def _layer_bytes(layer: Layer) -> bytes:
    """One layer as it stands in layers.bin."""
    values = layer.values
    header = LAYER_HEADER.pack(
        layer.name.encode()[:63],
        layer.command,
        int(layer.normalized_input),
        *values.shape,
        layer.head_dim,
        layer.padded_head,
        _TYPES.index(values.dtype.name),
        0,
    )
    return header + np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()


def read(folder: Path, network: Network) -> Reference:
    """What `write` left in a folder; InputError if it is not that of this network."""
    images = blob.read(folder / IMAGES, Blob.IMAGES)
    logits = blob.read(folder / LOGITS, Blob.LOGITS)
    layers = blob.read(folder / LAYERS, Blob.LAYERS)
    count, classes = logits.count, network.vit.classes
    if count < 1 or logits.item_bytes != 4 * classes:
        raise damaged(folder / LOGITS)
    if images.item_bytes != packing.frame_bytes(network) or images.count != count:
        raise damaged(folder / IMAGES)
    return Reference(
        images.payload,
        np.frombuffer(logits.payload, "<i4").reshape(count, classes).astype(np.int32),
        tuple(_read_layers(folder / LAYERS, layers)),
        _labels(folder / LABELS, count),
    )


def _labels(path: Path, count: int) -> list[int] | None:
    """The true classes of the images, if they are known."""
    labels = smallfile.read_object(path, MAX_JSON_BYTES, WRITTEN).get("labels")
    if labels is None:
        return None
    good = isinstance(labels, list) and all(type(label) is int for label in labels)
    if not good or len(labels) != count:
        raise InputError(f"{path} has no labels of {count} images; build the project again")
    return list(labels)


def _read_layers(path: Path, found: blob.Content) -> Iterator[Layer]:
    payload, at = found.payload, 0
    for _ in range(found.count):
        if at + LAYER_HEADER.size > len(payload):
            raise damaged(path)
        name, command, norm, rows, columns, head, padded, kind, _ = LAYER_HEADER.unpack_from(
            payload, at
        )
        at += LAYER_HEADER.size
        legal = kind < len(_TYPES) and 1 <= head <= padded
        if not legal or not 1 <= rows * columns <= len(payload):
            raise damaged(path)
        dtype = np.dtype(_TYPES[kind]).newbyteorder("<")
        size = rows * columns * dtype.itemsize
        if at + size > len(payload):
            raise damaged(path)
        values = np.frombuffer(payload[at : at + size], dtype).reshape(rows, columns)
        text = name.rstrip(b"\0").decode(errors="replace")
        yield Layer(text, command, bool(norm), head, padded, values)
        at += size
    if at != len(payload):
        raise damaged(path)
