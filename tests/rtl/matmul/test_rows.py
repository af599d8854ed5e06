"""rows.sv and norm_numbers.sv: every load of every source, from memories that answer garbage to
whatever was not asked for, or is asked for too early or too late."""

import itertools
import json
import os
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import cocotb
import numpy as np
import pytest
from cocotb.triggers import FallingEdge, ReadOnly
from hls_bench import design_for
from numpy.typing import NDArray
from rtl_bench import late_biases, latency, reset, start_clock
from samples import ODD

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import ceil_div, round_up
from vaqf.hardware.command import Source, encode
from vaqf.hardware.config import constants, rtl_sizes
from vaqf.hardware.design import Design, from_json
from vaqf.network.structure import Norm, Requant
from vaqf.sim import golden

IntArray = NDArray[Any]
VIT = replace(ODD, image_size=15, patch_size=5, dim=98)  # 11 tokens, 75 bytes, hidden 294
DESIGNS = {
    "part_of_a_run": {"tokens": 4, "pe": 4, "simd": 32, "norm_tokens": 2, "share": 2},
    "runs_of_rows": {"tokens": 6, "pe": 8, "simd": 64, "norm_tokens": 6, "act_bits": 3},
    # words that are no divisor of a row of pixels
    "single_words": {"tokens": 9, "pe": 12, "simd": 96, "norm_tokens": 3, "attention_lanes": 12},
    "whole_runs": {"tokens": 6, "pe": 4, "simd": 96, "norm_tokens": 6, "share": 3, "act_bits": 5},
    "one_bank": {"tokens": 1, "pe": 4, "simd": 32, "norm_tokens": 1, "act_bits": 6},
}
MEMORY = latency("MEMORY")
DIAGONAL = MEMORY + 2
BEGIN = 60  # cycles to the first load at most, beside a token group through the normalizer


@pytest.mark.parametrize("name", DESIGNS)
def test_rows(simulate: Callable[..., None], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    design = design_for([VIT], **DESIGNS[name])
    monkeypatch.setenv("VAQF_DESIGN", json.dumps(design.to_json()))
    simulate(__file__, "rows", {}, design=design)


def packed(values: IntArray, bits: int) -> int:
    """A flat vector, element 0 in the lowest bits; two's complement."""
    return sum((int(value) & (2**bits - 1)) << i * bits for i, value in enumerate(values.flat))


def loads(design: Design, operands: IntArray, planes: int) -> Iterator[int]:
    """The loads of operands [digits, tokens, k], in the order of docs/rtl.md."""
    t, c = design.tokens, design.run_words
    slice_words = design.simd // design.pe
    digits, tokens, k = operands.shape
    padded = np.zeros((digits, round_up(tokens, t), round_up(k, design.simd)), np.int64)
    padded[:, :tokens, :k] = operands
    words = padded.reshape(digits, padded.shape[1], -1, design.pe)
    for first in range(0, padded.shape[1], t):
        for _ in range(planes):
            for digit in range(digits):
                for begin in range(0, words.shape[2], slice_words):
                    for f in range(design.share):
                        for h in range(c // design.share):
                            for run in range(begin, begin + slice_words, c):
                                rows = [first + h * design.share + f + c * j for j in range(t // c)]
                                yield packed(words[digit, rows, run : run + c], design.act_bits)


class Case:
    """A command, what the memories hold for it, and the loads that must come."""

    def __init__(self, design: Design, rng: np.random.Generator, source: Source, **shape: int):
        self.design, self.source, self.rng = design, source, rng
        self.tokens, self.channels = shape["tokens"], shape["channels"]
        self.prefix = shape.get("prefix", 0)
        self.planes = shape.get("planes", 1)
        self.size = constants(design) | rtl_sizes(design)
        t, p, a = design.tokens, design.pe, design.act_bits
        self.words = ceil_div(self.channels, p)
        self.groups = ceil_div(self.tokens, t)
        self.stored: list[int] = []  # groups of pixels in memory
        self.values: dict[str, int] = {
            "source": source,
            "tokens": self.tokens,
            "k_words": self.words,
            "planes": self.planes,
            "digits": 1,
            "prefix_tokens": self.prefix,
        }
        self.records: list[int] = []
        self.sums: list[int] = []
        if source in (Source.NORM, Source.NORM_PREFIX):
            operands = self.norm()
        elif source == Source.PIXELS:
            operands = self.pixels()
        else:
            self.data = np.zeros((self.tokens, self.words * p), np.int64)
            self.data[:, : self.channels] = rng.integers(0, 2**a, (self.tokens, self.channels))
            operands = self.data[None]
        self.loads = list(loads(design, operands, self.planes))
        self.command = int.from_bytes(encode(self.values), "little")

    def norm(self) -> IntArray:
        """Residual stream, sums and records."""
        design, rng, dim, joins = self.design, self.rng, self.channels, self.source
        t, a = design.tokens, design.act_bits
        rows = self.prefix if joins == Source.NORM_PREFIX else self.tokens
        self.data = rng.integers(-(2**15), 2**15, (rows, dim))
        self.data[0] = rng.integers(-300, 300, dim)
        shift = 17 + 16 - a
        requant = Requant(
            rng.integers(-(2**17), 2**17, dim), rng.integers(0, 2 ** (a + shift), dim), shift
        )
        eps = int(rng.integers(1, 2**40))
        self.values |= {
            "dim": dim,
            "norm_shift": shift,
            "eps_low": eps & 0xFFFFFFFF,
            "eps_high": eps >> 32,
        }
        sum_bits, square_bits = self.size["row_sum_bits"], self.size["row_square_bits"]
        for first in range(0, rows, t):
            word = random.getrandbits(t * (sum_bits + square_bits))
            for i, row in enumerate(self.data[first : first + t]):
                own = int((row**2).sum()) << sum_bits | int(row.sum()) & (2**sum_bits - 1)
                word = replaced(word, i, sum_bits + square_bits, own)
            self.sums.append(word)
        bits, mult_bits = self.size["record_bits"], self.size["mult_bits"]
        lanes = self.size["norm_words"] * design.pe
        for first in range(0, dim, lanes):
            word = random.getrandbits(lanes * bits)
            for i in range(first, min(first + lanes, dim)):
                record = int(requant.bias[i]) << mult_bits
                record |= int(requant.mult[i]) & (2**mult_bits - 1)
                word = replaced(word, i - first, bits, record)
            self.records.append(word)
        normal = golden.layer_norm(self.data, Norm(eps, requant), a).astype(np.int64)
        if joins == Source.NORM:
            return normal[None]
        joined = np.zeros((self.prefix, round_up(dim, design.simd)), np.int64)
        joined[:, :dim] = normal
        if self.prefix > 1:
            self.values["k_words"] = joined.size // design.pe
        return joined.reshape(1, 1, -1)

    def pixels(self) -> IntArray:
        """Bytes and their digits."""
        a, count = self.design.act_bits, self.channels
        digits = widths.pixel_digits(a)
        row_bytes = round_up(count, 16)
        self.values |= {"digits": digits, "pixel_bytes": row_bytes}
        self.data = self.rng.integers(0, 256, (self.tokens, row_bytes))
        seen = self.data[:, : self.words * self.design.pe].copy()
        seen[: self.prefix] = 0
        return np.stack([seen >> a * digit & (2**a - 1) for digit in range(digits)])

    @property
    def beats(self) -> int:
        """Cycles of a load."""
        norm = self.source in (Source.NORM, Source.NORM_PREFIX)
        return self.design.tokens // self.design.norm_tokens if norm else 1

    def find(self, bank: int, address: int) -> tuple[int, int]:
        """Token and word there; the word is out of range if there is none."""
        t = self.design.tokens
        if self.source == Source.CONTEXT:
            banks = self.design.banks
            token, place = divmod(address, ceil_div(self.words, banks))
            return token, place * banks + (bank - token - place * banks) % banks
        if self.source == Source.PIXELS:
            half, word = divmod(address, self.size["pixel_words"])
            group = next((group for group in self.stored if group % 2 == half), self.groups)
        else:
            group, word = divmod(address, self.words)
        return group * t + (bank - word) % t, word

    def read(self, first: int, addresses: list[int], bits: int) -> int:
        """What a diagonal memory answers."""
        p = self.design.pe
        banks = self.design.banks if self.source == Source.CONTEXT else self.design.tokens
        answer = random.getrandbits(len(addresses) * p * bits)
        for e, address in enumerate(addresses):
            token, word = self.find((first + e) % banks, address)
            if token < len(self.data) and token >= (self.prefix if bits == 8 else 0):
                own = self.data[token, word * p : (word + 1) * p]
                for i, value in enumerate(own):
                    answer = replaced(answer, e * p + i, bits, int(value))
        return answer


def replaced(vector: int, index: int, bits: int, value: int) -> int:
    """The flat vector with another element."""
    mask = 2**bits - 1
    return vector & ~(mask << index * bits) | (value & mask) << index * bits


class Memories:
    """Answers the read ports, latency cycles later; what nobody asked for is noise."""

    PORTS: Mapping[Source, str] = {
        Source.PIXELS: "pixels",
        Source.NORM: "residual",
        Source.NORM_PREFIX: "residual",
        Source.CONTEXT: "q",
        Source.HIDDEN: "hidden",
    }

    def __init__(self, dut: Any, design: Design) -> None:
        self.dut = dut
        size = constants(design) | rtl_sizes(design)
        self.bits = {"pixels": 8, "residual": 16, "q": design.act_bits, "hidden": design.act_bits}
        self.elements = {
            name: design.norm_tokens if name == "residual" else design.tokens for name in self.bits
        }
        self.asked: deque[tuple[int, int]] = deque([(0, 0)] * DIAGONAL)
        self.sums: deque[int] = deque([0] * latency("NORM_SUMS"))
        self.records: deque[int] = deque([0] * latency("RECORDS"))
        self.record_before = 0
        self.records_in_word = size["norm_words"] * design.pe
        self.empty = {
            "sums": design.tokens * size["sums_bits"],
            "norm_record": self.records_in_word * size["record_bits"],
        } | {name: self.elements[name] * design.pe * self.bits[name] for name in self.bits}

    def step(self, case: Case) -> None:
        """Take this cycle's addresses, give the words of those that were taken before."""
        dut, port = self.dut, self.PORTS[case.source]
        for name, bits in self.empty.items():
            getattr(dut, f"{name}_data").value = random.getrandbits(bits)
        first, vector = (int(getattr(dut, f"{port}_{name}").value) for name in ("first", "address"))
        self.asked.append((first, vector))
        first, vector = self.asked.popleft()
        count = self.elements[port]
        width = len(getattr(dut, f"{port}_address")) // count
        addresses = [vector >> e * width & (2**width - 1) for e in range(count)]
        getattr(dut, f"{port}_data").value = case.read(first, addresses, self.bits[port])
        for name, asked, words in (
            ("sums", self.sums, case.sums),
            ("norm_record", self.records, case.records),
        ):
            asked.append(int(getattr(dut, f"{name}_address").value))
            address = asked.popleft()
            word = random.getrandbits(self.empty[name])
            if address < len(words):
                word = words[address]
            if name == "norm_record":
                word, self.record_before = (
                    late_biases(word, self.record_before, self.records_in_word),
                    word,
                )
            getattr(dut, f"{name}_data").value = word


def cases(design: Design, rng: np.random.Generator) -> Iterator[Case]:
    """Every source: several groups and slices, and the smallest."""
    for source, shape in (
        (Source.NORM, {"tokens": 11, "channels": 98}),
        (Source.PIXELS, {"tokens": 11, "channels": 75, "prefix": 2, "planes": 2}),
        (Source.CONTEXT, {"tokens": 11, "channels": 56}),
        (Source.HIDDEN, {"tokens": 8, "channels": 294}),
        (Source.NORM_PREFIX, {"tokens": 1, "channels": 98, "prefix": 2, "planes": 2}),
        (Source.NORM, {"tokens": 5, "channels": 7}),
        (Source.NORM, {"tokens": 11, "channels": 35}),
        (Source.PIXELS, {"tokens": 4, "channels": 9, "prefix": 1}),
        (Source.NORM_PREFIX, {"tokens": 1, "channels": 61, "prefix": 1, "planes": 3}),
        (Source.CONTEXT, {"tokens": 8, "channels": 40}),
        (Source.HIDDEN, {"tokens": 6, "channels": 150}),
        (Source.HIDDEN, {"tokens": 1, "channels": 1}),
        (Source.PIXELS, {"tokens": 11, "channels": 60, "prefix": 1, "planes": 1}),
    ):
        yield Case(design, rng, source, **shape)


@cocotb.test()
async def gives_every_load(dut: Any) -> None:
    design = from_json(json.loads(os.environ["VAQF_DESIGN"]))
    rng = random.Random(1)
    start_clock(dut)
    dut.start.value = dut.loads_ready.value = dut.pixels_stored.value = 0
    await reset(dut)
    memories = Memories(dut, design)
    for number, case in enumerate(cases(design, np.random.default_rng(1))):
        await run(dut, memories, case, rng, 1.0 if number < 5 else rng.choice([0.3, 0.7]))


async def run(dut: Any, memories: Memories, case: Case, rng: random.Random, accept: float) -> None:
    """One command; the engine is ready with a probability."""
    taken: list[int] = []  # cycle of each load
    waited: int | None = None
    next_group = released = 0
    cycle = -rng.randrange(3)  # pixels may come before the command
    while len(taken) < len(case.loads):
        dut.start.value = int(cycle == 0)
        dut.command.value = case.command if cycle >= 0 else rng.getrandbits(512)
        stores = (
            case.source == Source.PIXELS
            and next_group < case.groups
            and len(case.stored) < 2
            and (accept == 1.0 or rng.random() < 0.05)
        )
        dut.pixels_stored.value = int(stores)
        if stores:
            case.stored.append(next_group)
            next_group += 1
        ready = rng.random() < accept
        dut.loads_ready.value = int(ready)
        memories.step(case)
        await ReadOnly()
        if int(dut.loads_valid.value):
            load = int(dut.loads_data.value)
            assert waited in (None, load), "a load changed while it waited"
            waited = None if ready else load
            if ready:
                wanted = case.loads[len(taken)]
                assert load == wanted, f"{case.source!r} load {len(taken)}: {load:x} {wanted:x}"
                taken.append(cycle)
        else:
            assert waited is None, "a load was withdrawn"
        if int(dut.pixels_release.value):
            case.stored.pop(0)
            released += 1
        assert cycle - (taken[-1] if taken else 0) < 400, f"{case.source!r} stops at {len(taken)}"
        await FallingEdge(dut.clk)
        cycle += 1
    dut.loads_ready.value = 1
    for _ in range(3):
        memories.step(case)
        await ReadOnly()
        assert not int(dut.loads_valid.value), "a load more than the command has"
        await FallingEdge(dut.clk)
    assert released == (case.groups if case.source == Source.PIXELS else 0)
    if accept == 1.0:
        check_pace(case, taken)


def check_pace(case: Case, taken: list[int]) -> None:
    """A load every `beats` cycles; a few more at the start, and between long groups."""
    assert taken[0] < BEGIN + case.design.tokens
    size = len(taken) // case.groups
    for i, (before, after) in enumerate(itertools.pairwise(taken)):
        new_group = (i + 1) % size == 0
        assert after - before <= case.beats + (4 if new_group else 0), (case.source, i)
