"""How weights, constants, images and logits lie in the accelerator's memory, byte by byte.

docs/accelerator.md shows the same as pictures.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaqf.arithmetic.widths import ceil_div, round_up
from vaqf.hardware.design import Design
from vaqf.hardware.layout import ALIGN, logit_row_bytes, patch_row_bytes
from vaqf.images.patches import to_patches
from vaqf.network.structure import Network, Requant

IntArray = NDArray[Any]


class WeightImage:
    """The weight image while it grows; offsets in units of ALIGN."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, data: bytes) -> int:
        """Append one block; its offset."""
        offset = self.size // ALIGN
        padded = data + bytes(-len(data) % ALIGN)
        self.parts.append(padded)
        self.size += len(padded)
        return offset


def records(requant: Requant, index: IntArray, size: int) -> bytes:
    """`size` records of 16 bytes (mult int32, zero, bias int64); channel i lies at index[i]."""
    record = np.zeros(size, np.dtype([("mult", "<i4"), ("zero", "<i4"), ("bias", "<i8")]))
    record["mult"][index] = requant.mult
    record["bias"][index] = requant.bias
    return record.tobytes()


def pack_weights(bits: IntArray, design: Design) -> bytes:
    """Bits [planes, n, k] -> ring words: highest plane first, then by K slice and output word.

    Bit p * simd + k of a ring word belongs to output p and input k of it.
    """
    planes, n, k = bits.shape
    slices = ceil_div(k, design.simd)
    padded = np.zeros((planes, n, slices * design.simd), np.uint8)
    padded[:, :, :k] = bits
    words = padded.reshape(planes, n // design.pe, design.pe, slices, design.simd)
    ordered = words[::-1].transpose(0, 3, 1, 2, 4)
    return np.packbits(ordered.reshape(-1), bitorder="little").tobytes()


def constant_tiles(position: IntArray, design: Design, dim: int) -> bytes:
    """int16 [tokens, D] -> tiles of T x P in the order they are added, each in whole words."""
    t, p = design.tokens, design.pe
    groups = ceil_div(len(position), t)
    padded = np.zeros((groups * t, dim), "<i2")
    padded[: len(position), : position.shape[1]] = position
    tiles = padded.reshape(groups, t, dim // p, p).transpose(0, 2, 1, 3).reshape(-1, t * p)
    width = design.constant_tile_bytes // 2
    out = np.zeros((len(tiles), width), "<i2")
    out[:, : t * p] = tiles
    return out.tobytes()


def frame_bytes(network: Network) -> int:
    """Bytes of one image in memory."""
    vit = network.vit
    return round_up(vit.patches * patch_row_bytes(vit.patch_inputs), ALIGN)


def pack_images(network: Network, images: NDArray[np.uint8]) -> bytes:
    """uint8 [B, S, S, C] -> patch rows in reading order, each and each frame aligned."""
    vit = network.vit
    rows = to_patches(images, vit.patch_size)
    out = np.zeros((len(images), frame_bytes(network)), np.uint8)
    width = patch_row_bytes(vit.patch_inputs)
    body = out[:, : vit.patches * width].reshape(len(images), vit.patches, width)
    body[:, :, : vit.patch_inputs] = rows
    return out.tobytes()


def unpack_logits(network: Network, results: bytes) -> NDArray[np.int32]:
    """Results without their status block -> int32 [frames, classes]."""
    row = logit_row_bytes(network.vit.classes) // 4
    return np.frombuffer(results, "<i4").reshape(-1, row)[:, : network.vit.classes].copy()


def beats_text(content: bytes, width: int) -> str:
    """Memory content for $readmemh: a beat of `width` bytes a line, its highest byte first."""
    padded = content + bytes(-len(content) % width)
    beats = np.frombuffer(padded, np.uint8).reshape(-1, width)[:, ::-1]
    return "".join(f"{beat.tobytes().hex()}\n" for beat in beats)
