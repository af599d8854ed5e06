"""binary_engine.sv and operand_sums.sv: whole matmuls against numpy, every side stalling."""

import json
import os
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import cocotb
import numpy as np
import pytest
from cocotb.triggers import FallingEdge, ReadOnly
from hls_bench import design_for
from numpy.typing import NDArray
from rtl_bench import latency, reset, start_clock, to_signed
from samples import ODD

from vaqf.hardware.command import encode
from vaqf.hardware.config import acc_bits
from vaqf.hardware.design import Design, from_json
from vaqf.program import packing

IntArray = NDArray[Any]
DESIGNS = {
    "shared": {"tokens": 4, "pe": 4, "simd": 32, "share": 2, "act_bits": 8, "dsp_sums": 5},
    "rows": {"tokens": 6, "pe": 8, "simd": 16, "norm_tokens": 1, "act_bits": 3, "share": 2},
    "adder": {"tokens": 3, "pe": 4, "simd": 32, "norm_tokens": 1, "act_bits": 5, "engine": "adder"},
}
VIT = replace(ODD, image_size=20, patch_size=5, dim=98)  # 18 tokens
# tokens, inputs, outputs, planes, digits (0: as many as a pixel has), within the capacity
MATMULS = (
    (9, 70, 20, 1, 1),
    (5, 32, 4, 1, 1),
    (13, 20, 36, 1, 1),
    (7, 27, 12, 8, 0),
    (1, 90, 8, 8, 1),
)


@pytest.mark.parametrize("name", DESIGNS)
def test_binary_engine(
    simulate: Callable[..., None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = design_for([VIT], **DESIGNS[name])
    monkeypatch.setenv("VAQF_DESIGN", json.dumps(design.to_json()))
    simulate(__file__, "binary_engine", {}, design=design)


def loads(design: Design, operands: IntArray, planes: int) -> Iterator[int]:
    """The loads of a matmul, as docs/rtl.md orders them; operands are [digits, tokens, k]."""
    t, p, c = design.tokens, design.pe, design.run_words
    digits, tokens, k = operands.shape
    slice_words = design.simd // p
    slices = -(-k // design.simd)
    padded = np.zeros((digits, -(-tokens // t) * t, slices * design.simd), np.int64)
    padded[:, :tokens, :k] = operands
    words = padded.reshape(digits, -1, slices * slice_words, p)
    for first in range(0, padded.shape[1], t):
        for _ in range(planes):
            for digit in range(digits):
                for begin in range(0, slices * slice_words, slice_words):
                    for f in range(design.share):
                        for h in range(c // design.share):
                            for run in range(begin, begin + slice_words, c):
                                rows = range(first + h * design.share + f, first + t, c)
                                load = words[digit, rows][:, run : run + c].reshape(-1)
                                yield sum(int(a) << design.act_bits * i for i, a in enumerate(load))


class Matmul:
    """One command with its operands, weights and what must come out."""

    def __init__(self, design: Design, rng: np.random.Generator, shape: tuple[int, ...]) -> None:
        tokens, k, outputs, planes, digits = shape
        p, a = design.pe, design.act_bits
        digits = digits or -(-8 // a)
        k, n = -(-k // p) * p, -(-outputs // p) * p
        top = 2 ** (8 if digits > 1 else a)
        values = rng.integers(0, top, (tokens, k))
        values[0] = top - 1
        stored = rng.integers(-128, 128, (n, k)) if planes > 1 else rng.integers(0, 2, (n, k))
        stored[0] = -128 if planes > 1 else 1
        bits = np.stack([stored >> plane & 1 for plane in range(planes)]).astype(np.uint8)
        image = packing.pack_weights(bits, design)
        size = design.ring_word_bits // 8
        parts = np.stack([values >> a * d & 2**a - 1 for d in range(digits)])
        self.command = int.from_bytes(
            encode(
                {
                    "tokens": tokens,
                    "k_words": k // p,
                    "n_words": n // p,
                    "planes": planes,
                    "digits": digits,
                }
            ),
            "little",
        )
        self.ring = [
            int.from_bytes(image[i : i + size], "little") for i in range(0, len(image), size)
        ]
        self.loads = list(loads(design, parts, planes))
        self.binary = planes == 1
        self.tokens, self.groups, self.words = tokens, -(-tokens // design.tokens), n // p
        self.value = values @ (2 * stored - 1 if self.binary else stored).T
        self.sums = values.sum(axis=1)


@cocotb.test()
async def matmuls_are_exact(dut: Any) -> None:
    design = from_json(json.loads(os.environ["VAQF_DESIGN"]))
    rng, np_rng = random.Random(1), np.random.default_rng(1)
    start_clock(dut)
    dut.start.value = dut.load_valid.value = dut.sums_ready.value = 0
    dut.allowed.value = dut.ring_available.value = 1
    await reset(dut)
    for number, shape in enumerate(MATMULS):
        matmul = Matmul(design, np_rng, shape)
        smooth = number == 0
        await run(dut, design, matmul, rng, 1.0 if smooth else 0.7)


async def run(dut: Any, design: Design, matmul: Matmul, rng: random.Random, chance: float) -> None:
    """One command; load, ring, results and sums each go on with a probability."""
    t, p, bits = design.tokens, design.pe, acc_bits(design)
    dut.command.value = matmul.command
    dut.start.value = 1
    await FallingEdge(dut.clk)
    dut.start.value = 0
    addresses = deque([0] * latency("RING"), maxlen=latency("RING"))
    tiles: list[list[int]] = []
    sums: list[list[int]] = []
    sent = released = idle = 0
    offered = False
    results = matmul.groups * matmul.words
    while len(tiles) < results or len(sums) < matmul.groups:
        offered = sent < len(matmul.loads) and (offered or rng.random() < chance)
        dut.load_valid.value = int(offered)
        dut.load_data.value = matmul.loads[sent] if offered else rng.getrandbits(len(dut.load_data))
        dut.ring_data.value = matmul.ring[addresses[0]]
        dut.ring_available.value = int(rng.random() < chance)
        dut.allowed.value = int(rng.random() < chance)
        dut.sums_ready.value = int(len(tiles) >= (len(sums) + 1) * matmul.words)
        await ReadOnly()
        addresses.append(min(int(dut.ring_offset.value), len(matmul.ring) - 1))
        sent += offered and int(dut.load_ready.value)
        offered = offered and not int(dut.load_ready.value)
        released += int(dut.ring_release.value)
        idle += 1
        if int(dut.acc_valid.value):
            word = int(dut.acc_data.value)
            tiles.append(to_signed([word >> i * bits & 2**bits - 1 for i in range(t * p)], bits))
            idle = 0
        if int(dut.sums_valid.value) and int(dut.sums_ready.value):
            word = int(dut.sums_data.value)
            sums.append([word >> i * bits & 2**bits - 1 for i in range(t)])
        assert idle < 20_000, f"nothing comes after {len(tiles)} of {results} tiles"
        await FallingEdge(dut.clk)
    assert sent == len(matmul.loads) and released == len(matmul.ring)
    found = np.array(tiles).reshape(matmul.groups, matmul.words, t, p)
    found = found.transpose(0, 2, 1, 3).reshape(matmul.groups * t, -1)[: matmul.tokens]
    if matmul.binary:
        operands = np.array(sums).reshape(-1)[: matmul.tokens]
        assert np.array_equal(operands, matmul.sums)
        found = 2 * found - operands[:, None]
    assert np.array_equal(found, matmul.value)
