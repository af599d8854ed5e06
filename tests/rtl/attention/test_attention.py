"""attention.sv against golden: layers of several networks, memories of the right latency."""

import json
import os
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cocotb
import numpy as np
import pytest
from cocotb.triggers import FallingEdge
from hls_bench import design_for
from numpy.typing import NDArray
from rtl_bench import draw, late_biases, latency, reset, signed_range, start_clock
from samples import ODD

from vaqf.arithmetic.widths import (
    BIAS_BITS,
    BIAS_LIMIT,
    MULT_BITS,
    NORM_FRACTION_BITS,
    ceil_div,
    round_up,
    signed_limit,
)
from vaqf.hardware.command import Opcode, encode
from vaqf.hardware.config import constants
from vaqf.hardware.design import Design, from_json
from vaqf.network.structure import Attention, Requant
from vaqf.sim import golden

IntArray = NDArray[Any]
MEMORY = latency("MEMORY")
DIAGONAL = MEMORY + 2
# of each: the design, tokens and channels of the largest attention, channels of its largest head
DESIGNS: dict[str, tuple[dict[str, int], int, int, int]] = {
    "whole heads": ({"attention_rows": 3, "attention_lanes": 8}, 14, 24, 8),
    "parts of heads": ({"attention_rows": 5, "attention_lanes": 4, "act_bits": 3}, 11, 36, 12),
    "single rows": ({"attention_rows": 1, "attention_lanes": 4, "act_bits": 2}, 6, 16, 8),
    "few tokens": (
        {"attention_rows": 6, "attention_lanes": 6, "pe": 2, "simd": 64, "tokens": 2},
        5,
        12,
        6,
    ),
}
# cycles of a layer beyond its groups and one more: what lies between reading and writing
LAG = {"whole heads": 53, "parts of heads": 63, "single rows": 44, "few tokens": 58}


@pytest.mark.parametrize("name", DESIGNS)
def test_attention(
    simulate: Callable[..., None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes, tokens, attention, head = DESIGNS[name]
    design = design_for([ODD], **changes)
    capacity = replace(design.capacity, tokens=tokens, attention=attention, head=head)
    design = replace(design, capacity=capacity)
    monkeypatch.setenv("VAQF_DESIGN", json.dumps(design.to_json()))
    monkeypatch.setenv("VAQF_LAG", str(LAG[name]))
    simulate(__file__, "attention", {}, design=design)


@dataclass(frozen=True)
class Layer:
    """One attention layer: q, k and v of one frame, and what becomes of them."""

    tokens: int
    heads: int
    head_dim: int
    qkv: IntArray  # [tokens, 3 * heads * head_dim]
    parameters: Attention


def random_shape(rng: random.Random, design: Design) -> tuple[int, int]:
    """Tokens and channels of a head."""
    rows, longest = design.attention_rows, design.capacity.tokens
    tokens = rng.choice([longest, rng.randint(2, longest), max(2, longest // rows * rows)])
    return tokens, rng.randint(1, design.capacity.head)


def random_layer(rng: random.Random, design: Design, tokens: int, head_dim: int) -> Layer:
    """Any numbers; or every score equal, or as far apart as can be."""
    a, lanes = design.act_bits, design.attention_lanes
    heads = rng.randint(1, design.capacity.attention // round_up(head_dim, lanes))
    most = signed_limit(a)
    size = heads * head_dim
    qkv = np.array(draw(rng, (-most, most), 3 * tokens * size)).reshape(tokens, 3 * size)
    kind = rng.randrange(4)
    if kind == 0:
        qkv[:, :size] = 0
    elif kind == 1:
        qkv = np.where(qkv < 0, -most, most)
        qkv[:, 2 * size :] = qkv[0, 2 * size]  # the largest sums of values
        qkv[0, :size] = qkv[rng.choice([0, -1]), size : 2 * size]  # its maximum: first or last
    # most numerators, and most of the context, between the ends of their ranges
    scores = qkv[:, :head_dim] @ qkv[:, size : size + head_dim].T  # of one head
    mult = round(2 ** rng.uniform(0, 17.9))
    steps = (mult * max(1, int(np.ptp(scores)))).bit_length()
    shift = max(0, steps - rng.randint(8, 13))
    spread = NORM_FRACTION_BITS + MULT_BITS - 1 + rng.randint(-2, 0)
    requant = Requant(
        np.array(draw(rng, signed_range(MULT_BITS), size)),
        np.array([rng.randrange(2 ** (a + spread)) for _ in range(size)]),
        spread,
    )
    requant.bias[: size // 8] = rng.choice([-BIAS_LIMIT, 0, BIAS_LIMIT])
    parameters = Attention(mult, shift, requant)
    return Layer(tokens, heads, head_dim, qkv, parameters)


def join(values: Sequence[int], bits: int) -> int:
    """Fields of a word, the lowest first; negative numbers too."""
    return sum((int(value) & 2**bits - 1) << i * bits for i, value in enumerate(values))


class Memory:
    """Banks of words, full of noise where nothing was written, read with their latency."""

    def __init__(self, design: Design, rng: random.Random) -> None:
        base = constants(design)
        self.design, self.rng = design, rng
        self.bits = design.pe * design.act_bits
        words = ceil_div(base["max_attention"] // design.pe, design.banks)
        self.depth = base["max_tokens"] * words
        self.words = [
            [rng.getrandbits(self.bits) for _ in range(self.depth)] for _ in range(design.banks)
        ]
        self.coming = deque([0] * DIAGONAL)

    def place(self, token: int, word: int, words: int) -> tuple[int, int]:
        """Bank and address, as docs/rtl.md has them."""
        banks = self.design.banks
        return (token + word) % banks, token * ceil_div(words, banks) + word // banks

    def store(self, rows: IntArray) -> None:
        """Whole tokens."""
        pe = self.design.pe
        words = rows.shape[1] // pe
        for token, row in enumerate(rows.tolist()):
            for word in range(words):
                bank, address = self.place(token, word, words)
                values = row[word * pe : (word + 1) * pe]
                self.words[bank][address] = join(values, self.design.act_bits)

    def places(self, first: int, addresses: int) -> list[tuple[int, int]]:
        """Of the elements of one access."""
        bits = max((self.depth - 1).bit_length(), 1)
        count = self.design.attention_lanes // self.design.pe
        return [
            ((first + i) % self.design.banks, addresses >> i * bits & (2**bits - 1))
            for i in range(count)
        ]

    def read(self, first: int, addresses: int) -> int:
        """What was asked for some cycles ago."""
        places = self.places(first, addresses)
        self.coming.append(join([self.words[bank][address] for bank, address in places], self.bits))
        return self.coming.popleft()


def padded(design: Design, layer: Layer, values: IntArray) -> IntArray:
    """Channels of heads as they lie in memory, the rest 0: [..., heads * head_dim]."""
    head = round_up(layer.head_dim, design.attention_lanes)
    split = values.reshape(*values.shape[:-1], layer.heads, layer.head_dim)
    wide = np.zeros((*split.shape[:-1], head), np.int64)
    wide[..., : layer.head_dim] = split
    return wide.reshape(*values.shape[:-1], layer.heads * head)


class Bench:
    """The engine, its memories and its records."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.design = from_json(json.loads(os.environ["VAQF_DESIGN"]))
        self.rng = random.Random(7)
        self.memories = {name: Memory(self.design, self.rng) for name in "qkv"}
        self.records: list[int] = []
        self.coming = deque([0] * (latency("RECORDS") + 1))
        dut.start.value = 0

    async def cycle(self) -> None:
        """One cycle of the memories: reads see writes of cycles before."""
        dut = self.dut
        await FallingEdge(dut.clk)
        for name, memory in self.memories.items():
            first = int(getattr(dut, f"{name}_read_first").value)
            addresses = int(getattr(dut, f"{name}_read_address").value)
            getattr(dut, f"{name}_read_data").value = memory.read(first, addresses)
        wanted = int(dut.record_address.value)
        known = wanted < len(self.records)
        self.coming.append(self.records[wanted] if known else 0)
        before = self.coming.popleft()
        dut.record_data.value = late_biases(self.coming[0], before, self.design.attention_lanes)

    def write(self) -> None:
        """Store what the engine writes in this cycle."""
        dut, memory = self.dut, self.memories["q"]
        enables = int(dut.q_write.value)
        if not enables:
            return
        places = memory.places(int(dut.q_write_first.value), int(dut.q_write_address.value))
        data = int(dut.q_write_data.value)
        for i, (bank, address) in enumerate(places):
            if enables >> i & 1:
                memory.words[bank][address] = data >> i * memory.bits & (2**memory.bits - 1)

    def prepare(self, layer: Layer) -> None:
        """Memories, records and command of a layer."""
        design, requant = self.design, layer.parameters.context
        for name, part in zip("qkv", np.split(layer.qkv, 3, axis=1), strict=True):
            self.memories[name].store(padded(design, layer, part))
        mult, bias = (padded(design, layer, each) for each in (requant.mult, requant.bias))
        words = [
            join([m], MULT_BITS) | join([b], BIAS_BITS) << MULT_BITS
            for m, b in zip(mult, bias, strict=True)
        ]
        lanes = design.attention_lanes
        self.records = [
            join(words[i : i + lanes], MULT_BITS + BIAS_BITS) for i in range(0, len(words), lanes)
        ]
        head = round_up(layer.head_dim, lanes)
        command = {
            "opcode": Opcode.ATTENTION,
            "tokens": layer.tokens,
            "heads": layer.heads,
            "head_words": head // design.pe,
            "n_words": layer.heads * head // design.pe,
            "score_mult": layer.parameters.score_mult,
            "score_shift": layer.parameters.score_shift,
            "shift": requant.shift,
        }
        self.dut.command.value = int.from_bytes(encode(command), "little")

    async def start(self) -> None:
        """A pulse; the cycle in which it is seen is the first."""
        await self.cycle()
        self.dut.start.value = 1
        await self.cycle()
        self.dut.start.value = 0

    async def run(self, layer: Layer) -> int:
        """The layer's cycles from start to done, when q must hold the context and nothing else."""
        self.prepare(layer)
        q = self.memories["q"]
        wanted = Memory(self.design, self.rng)
        wanted.words = [list(bank) for bank in q.words]
        context = golden.attention(
            layer.qkv[None], layer.parameters, layer.heads, self.design.act_bits
        )[0]
        wanted.store(padded(self.design, layer, context))
        await self.start()
        cycles = 0
        while not int(self.dut.done.value):
            self.write()
            await self.cycle()
            cycles += 1
            assert cycles < 20_000, "it does not end"
        assert q.words == wanted.words
        return cycles


@cocotb.test()
async def equals_golden(dut: Any) -> None:
    start_clock(dut)
    await reset(dut)
    bench = Bench(dut)
    design = bench.design
    beats = design.capacity.head // design.attention_lanes
    longest, widest = design.capacity.tokens, design.capacity.head
    shapes = [(longest, 1), (longest, widest)] * 2
    for shape in [*shapes, *(random_shape(bench.rng, design) for _ in range(6))]:
        layer = random_layer(bench.rng, design, *shape)
        chunks = ceil_div(layer.tokens, design.attention_rows)
        group = chunks * design.attention_rows * beats
        cycles = await bench.run(layer)
        assert cycles == (layer.heads * chunks + 1) * group + int(os.environ["VAQF_LAG"])
        for _ in range(bench.rng.choice([0, 0, 1, 40])):
            await bench.cycle()
            assert not int(dut.done.value) and not int(dut.q_write.value)


@cocotb.test()
async def begins_anew_after_a_reset(dut: Any) -> None:
    start_clock(dut)
    await reset(dut)
    bench = Bench(dut)
    for _ in range(4):
        shapes = [random_shape(bench.rng, bench.design) for _ in range(2)]
        bench.prepare(random_layer(bench.rng, bench.design, *shapes[0]))
        await bench.start()
        for _ in range(bench.rng.randrange(150)):
            await bench.cycle()
        await reset(dut)
        await bench.run(random_layer(bench.rng, bench.design, *shapes[1]))
