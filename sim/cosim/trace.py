"""What the RTL computed for frame 0, layer by layer, out of the writes that cosim_layers.sv saw.

layers.txt has a line for every write of an activation and every load that a layer norm made:
kind, command, which elements, first bank, addresses and data, the last two in hexadecimal with
element 0 in the lowest bits. Where a word lies is in docs/rtl.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaqf.arithmetic.widths import RESIDUAL_BITS, ceil_div
from vaqf.errors import InputError
from vaqf.hardware.command import Source
from vaqf.hardware.config import rtl_sizes
from vaqf.hardware.design import Design
from vaqf.project.reference import IntArray, Layer


@dataclass(frozen=True)
class Seen:
    """What the hardware wrote: values [rows, channels], and which of them came at all."""

    values: IntArray
    there: NDArray[np.bool_]


@dataclass(frozen=True)
class _Line:
    kind: str
    command: int
    mask: int
    first: int
    addresses: int
    data: int


def findings(
    layers: Sequence[Layer], trace: Path, design: Design, commands: Sequence[Mapping[str, int]]
) -> Iterator[tuple[str, int]]:
    """A sentence for every layer that differs from golden, and how many of its values do."""
    lines: dict[tuple[int, bool], list[_Line]] = {}
    with trace.open(encoding="ascii") as file:
        for line in map(_line, file):
            lines.setdefault((line.command, line.kind == "load"), []).append(line)
    for layer in layers:
        if layer.command >= len(commands):
            raise InputError("layers.bin has a bad layer; build the project again")
        command = commands[layer.command]
        mine = lines.get((layer.command, layer.normalized_input), [])
        if layer.normalized_input:
            seen = _normalized(mine, design, command)
        else:
            seen = _written(mine, design, command)
        yield from _compared(layer, seen)


def _line(text: str) -> _Line:
    kind, command, mask, first, addresses, data = text.split()
    return _Line(kind, int(command), int(mask), int(first), int(addresses, 16), int(data, 16))


def _elements(lines: Sequence[_Line], count: int, bits: int, signed: bool) -> IntArray:
    """The data of the lines as [lines, count] integers of `bits` bits."""
    width = ceil_div(count * bits, 8)
    raw = np.frombuffer(b"".join(line.data.to_bytes(width, "little") for line in lines), np.uint8)
    if not lines:
        return np.zeros((0, count), np.int32)
    single = np.unpackbits(raw.reshape(len(lines), width), axis=1, bitorder="little")
    weights = 2 ** np.arange(bits, dtype=np.int32)
    if signed:
        weights[-1] = -weights[-1]
    return single[:, : count * bits].reshape(len(lines), count, bits).astype(np.int32) @ weights


def _normalized(lines: Sequence[_Line], design: Design, command: Mapping[str, int]) -> Seen:
    """Loads in the order of docs/rtl.md, those of the first plane -> rows and channels."""
    t, p, run = design.tokens, design.pe, design.run_words
    runs, turns = design.simd // p // run, run // design.share
    slices = ceil_div(command["k_words"] * p, design.simd)
    groups = ceil_div(command["tokens"], t)
    # group, plane, slice, f, h, r; of a load: j, i, channel
    order = (groups, command["planes"], slices, design.share, turns, runs)
    shape = (*order, t // run, run, p)
    wanted = int(np.prod(order))
    found = _elements(lines[:wanted], t * p, design.act_bits, signed=False)
    values = np.zeros((wanted, t * p), np.int32)
    values[: len(found)] = found
    there = np.arange(wanted) < len(found)
    arranged = [
        array.reshape(shape)[:, 0].transpose(0, 5, 3, 2, 1, 4, 6, 7).reshape(groups * t, -1)
        for array in (values, np.repeat(there, t * p))
    ]
    if command["source"] == Source.NORM_PREFIX:  # joined: each begins a slice
        prefixes = command["prefix_tokens"]
        arranged = [array[0].reshape(prefixes, -1) for array in arranged]
    return Seen(arranged[0], arranged[1].astype(bool))


def _written(lines: Sequence[_Line], design: Design, command: Mapping[str, int]) -> Seen:
    """Words where their banks and addresses say they lie; the last write of a word counts."""
    p, sizes = design.pe, rtl_sizes(design)
    rows = ceil_div(command["tokens"], design.tokens) * design.tokens
    words = command["n_words"]
    values = np.zeros((rows, words, p), np.int32)
    there = np.zeros((rows, words), bool)
    for kind in {line.kind for line in lines}:
        mine = [line for line in lines if line.kind == kind]
        bits = RESIDUAL_BITS if kind == "residual" else design.act_bits
        count = design.attention_lanes // p if kind == "context" else design.tokens
        signed = kind in ("residual", "qkv")
        data = _elements(mine, count * p, bits, signed).reshape(len(mine), count, p)
        for line, elements in zip(mine, data, strict=True):
            for row, word, element in _places(line, design, words, sizes, count):
                if 0 <= row < rows and 0 <= word < words:
                    values[row, word] = elements[element]
                    there[row, word] = True
    return Seen(values.reshape(rows, words * p), np.repeat(there, p, axis=1))


def _places(
    line: _Line, design: Design, words: int, sizes: Mapping[str, int], count: int
) -> Iterator[tuple[int, int, int]]:
    """Row, word and element of everything that one line writes."""
    if line.kind in ("residual", "hidden"):  # word w of row t in bank (t + w) mod T
        group, word = divmod(line.addresses, words)
        for element in range(count):
            row = (line.first + element - word) % design.tokens
            yield group * design.tokens + row, word, element
        return
    banks, bits = design.banks, max((sizes["attention_depth"] - 1).bit_length(), 1)
    of_one = words // 3 if line.kind == "qkv" else words
    memory = line.mask.bit_length() - 1 if line.kind == "qkv" else 0
    stride = ceil_div(of_one, banks)
    for element in range(count):
        if line.kind == "context" and not line.mask >> element & 1:
            continue
        address = line.addresses >> element * bits & 2**bits - 1
        row, base = divmod(address, stride)
        word = base * banks + (line.first + element - row) % banks
        if word < of_one:
            yield row, memory * of_one + word, element


def _compared(layer: Layer, seen: Seen) -> Iterator[tuple[str, int]]:
    """What differs in one layer."""
    rows, columns = layer.values.shape
    column = np.arange(columns)
    channel = column // layer.head_dim * layer.padded_head + column % layer.head_dim
    if rows > seen.values.shape[0] or channel[-1] >= seen.values.shape[1]:
        yield f"layer {layer.name}: the command has no room for golden's {rows} x {columns}", 1
        return
    values, there = seen.values[:rows][:, channel], seen.there[:rows][:, channel]
    wrong = there & (values != layer.values)
    if wrong.any():
        row, col = np.argwhere(wrong)[0]
        yield (
            f"layer {layer.name}, token {row}, channel {col}: hardware {values[row, col]},"
            f" golden {layer.values[row, col]} ({wrong.sum()} of {wrong.size} values differ)",
            int(wrong.sum()),
        )
    if not there.all():
        yield (
            f"layer {layer.name}: {there.sum()} values computed, golden has {there.size}",
            1,
        )
