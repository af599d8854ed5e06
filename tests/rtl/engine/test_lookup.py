"""lookup.sv and masked_sum.sv: what weights select of a slice while the next is prepared."""

import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cocotb
import pytest
from cocotb.triggers import FallingEdge, ReadOnly
from hls_bench import design_for
from rtl_bench import reset, start_clock
from samples import ODD

ENTRIES = 16


# P = 1 has two blocks of nibbles, T = 3 no runs and three generators, the others shared generators;
# of sums that begin on DSPs there are none, some that the others wait for, some as slow, all
@pytest.mark.parametrize(
    ("tokens", "pe", "simd", "act_bits", "share", "dsp_sums", "family"),
    [
        (2, 1, 128, 8, 1, 0, "portable"),
        (3, 4, 32, 3, 1, 5, "portable"),
        (4, 2, 64, 2, 2, 8, "xcup"),
        (2, 2, 64, 6, 1, 1, "xc7"),
        (2, 1, 128, 7, 1, 1, "portable"),
        (4, 4, 32, 4, 4, 0, "portable"),
    ],
)
def test_lookup(
    simulate: Callable[..., None],
    tokens: int,
    pe: int,
    simd: int,
    act_bits: int,
    share: int,
    dsp_sums: int,
    family: str,
) -> None:
    shape = {"tokens": tokens, "pe": pe, "simd": simd, "act_bits": act_bits, "share": share}
    design = design_for([ODD], norm_tokens=1, dsp_sums=dsp_sums, **shape)
    simulate(__file__, "lookup", {}, design=design, family=family)


@pytest.mark.parametrize(("tokens", "pe", "simd", "act_bits"), [(2, 4, 32, 8), (3, 2, 64, 3)])
def test_masked_sum(
    simulate: Callable[..., None], tokens: int, pe: int, simd: int, act_bits: int
) -> None:
    shape = {"tokens": tokens, "pe": pe, "simd": simd, "act_bits": act_bits}
    design = design_for([ODD], engine="adder", norm_tokens=1, **shape)
    simulate(__file__, "masked_sum", {}, design=design)


@dataclass(frozen=True)
class Shape:
    """What the bench must know of the design."""

    table: bool
    tokens: int
    pe: int
    simd: int
    act_bits: int
    share: int
    sum_bits: int
    on_dsps: bool

    @property
    def most(self) -> int:
        """The greatest activation."""
        return (1 << self.act_bits) - 1

    @property
    def latency(self) -> int:
        """Cycles from weights to their sums: two registers, on DSPs fours in two cycles become one,
        then threes."""
        numbers = self.simd // (4 if self.table else 2)
        levels = 0
        if self.on_dsps:
            numbers, levels = -(-numbers // 4), 2
        while numbers > 1:
            numbers, levels = -(-numbers // 3), levels + 1
        return 2 + levels

    @property
    def slice_cycles(self) -> int:
        """Cycles that preparing one slice takes if nothing waits."""
        return max(self.simd // self.pe, ENTRIES * self.share if self.table else 0)

    def loads(self, acts: list[list[int]]) -> list[int]:
        """The loads of one slice in the order of docs/rtl.md; acts[token][input]."""
        run = math.gcd(self.tokens, self.simd // self.pe)
        found = []
        for f in range(self.share):
            for h in range(run // self.share):
                for r in range(self.simd // self.pe // run):
                    load, place = 0, 0
                    for j in range(self.tokens // run):
                        for i in range(run):
                            first = (r * run + i) * self.pe
                            for act in acts[h * self.share + f + run * j][first : first + self.pe]:
                                load |= act << place
                                place += self.act_bits
                    found.append(load)
        return found

    def sums(self, acts: list[list[int]], weights: int) -> int:
        """What the weights of one look-up select, as the port has it."""
        total = 0
        for t, row in enumerate(acts):
            for p in range(self.pe):
                mask = weights >> p * self.simd
                chosen = sum(act for k, act in enumerate(row) if mask >> k & 1)
                total |= chosen << (t * self.pe + p) * self.sum_bits
        return total


def shape_of(dut: Any) -> Shape:
    """The shape, from parameters and ports."""
    table = hasattr(dut, "GENERATORS")
    pe, simd = int(dut.OUTPUTS.value), int(dut.SIMD.value)
    tokens = int(dut.TOKENS.value)
    share = tokens // int(dut.GENERATORS.value) if table else 1
    act_bits = len(dut.load_data) // (tokens * pe)
    sum_bits = len(dut.sums) // (tokens * pe)
    on_dsps = table and int(dut.DSP_SUMS.value) > 0
    return Shape(table, tokens, pe, simd, act_bits, share, sum_bits, on_dsps)


def some_acts(rng: random.Random, shape: Shape) -> list[list[int]]:
    """A slice of all tokens: any numbers, or a corner."""
    most, kind = shape.most, rng.randrange(6)

    def act(k: int, hot: int) -> int:
        if kind == 0:
            return most
        if kind == 1:
            return most * (k % 4 == hot)
        if kind == 2:
            return rng.choice([0, 1, most])
        return rng.randint(0, most)

    hots = [rng.randrange(4) for _ in range(shape.tokens)]
    return [[act(k, hot) for k in range(shape.simd)] for hot in hots]


def some_weights(rng: random.Random, shape: Shape) -> int:
    """The weights of one look-up: any bits, or a corner."""
    bits, kind = shape.pe * shape.simd, rng.randrange(8)
    if kind == 0:
        return (1 << bits) - 1
    if kind == 1:
        return 0
    if kind == 2:  # the same bit of every nibble
        return ((1 << bits) - 1) // 15 << rng.randrange(4)
    if kind == 3:  # one input
        return 1 << rng.randrange(bits)
    return rng.getrandbits(bits)


async def run(
    dut: Any, seed: int, words: list[int], offer: float, ask: float, rest: int = 0
) -> tuple[list[int], list[int]]:
    """Prepare and read one slice for each of `words`, so many look-ups of it.

    `offer` and `ask` are the probabilities of a load and of a look-up in a cycle; after each slice
    there is none for up to `rest` cycles. Returns the cycles in which slices were prepared, and in
    which they were read to their end.
    """
    shape = shape_of(dut)
    rng = random.Random(seed)
    slices = [some_acts(rng, shape) for _ in words]
    loads = [load for acts in slices for load in shape.loads(acts)]
    expected: dict[int, int] = {}
    prepared: list[int] = []
    freed: list[int] = []
    sent = read = pause = 0
    offered = False
    await FallingEdge(dut.clk)
    for cycle in range(100_000):
        if cycle in expected:
            assert int(dut.sums.value) == expected.pop(cycle), (cycle, len(freed), read)
        if int(dut.prepared.value):
            prepared.append(cycle)
            assert len(prepared) - len(freed) <= 2, "three halves"
        if len(freed) == len(words) and not expected:
            assert sent == len(loads) and len(prepared) == len(words)
            break
        weights, bank, free = some_weights(rng, shape), rng.randrange(2), 0
        pause = max(0, pause - 1)
        if len(freed) < len(prepared) and not pause and rng.random() < ask:
            this = len(freed)
            bank = this % 2
            expected[cycle + shape.latency] = shape.sums(slices[this], weights)
            read += 1
            if read == words[this]:
                freed.append(cycle)
                read, free, pause = 0, 1, rng.randint(0, rest)
        dut.weights.value, dut.bank.value, dut.free.value = weights, bank, free
        offered = offered or (sent < len(loads) and rng.random() < offer)
        dut.load_valid.value = int(offered)
        dut.load_data.value = loads[sent] if offered else rng.getrandbits(len(dut.load_data))
        await ReadOnly()
        if offered and int(dut.load_ready.value):
            sent, offered = sent + 1, False
        await FallingEdge(dut.clk)
    else:
        raise AssertionError(f"nothing moves after {len(freed)} of {len(words)} slices")
    dut.load_valid.value = 0
    return prepared, freed


def distances(cycles: list[int]) -> list[int]:
    """From each to the next."""
    return [b - a for a, b in itertools.pairwise(cycles)]


async def begin(dut: Any) -> None:
    """A clock, and a reset."""
    dut.load_valid.value, dut.free.value = 0, 0
    start_clock(dut)
    await reset(dut)


@cocotb.test()
async def sums_what_weights_select(dut: Any) -> None:
    await begin(dut)
    rng = random.Random(1)
    for offer, ask, rest in [(1, 1, 0), (0.5, 0.5, 20), (1, 0.3, 100), (0.2, 1, 0)]:
        # an even number: the halves of the next run begin with the first again
        await run(
            dut, rng.randrange(1000), [rng.randint(4, 60) for _ in range(8)], offer, ask, rest
        )


@cocotb.test()
async def prepares_without_a_bubble(dut: Any) -> None:
    await begin(dut)
    prepared, _ = await run(dut, 2, [4] * 8, 1, 1)
    assert distances(prepared) == [shape_of(dut).slice_cycles] * 7


@cocotb.test()
async def keeps_up_with_a_reader(dut: Any) -> None:
    await begin(dut)
    words = shape_of(dut).slice_cycles + 8
    _, freed = await run(dut, 3, [words] * 8, 1, 1)
    assert distances(freed) == [words] * 7


@cocotb.test()
async def forgets_at_a_reset(dut: Any) -> None:
    await begin(dut)
    shape = shape_of(dut)
    for loads in (1, shape.simd // shape.pe, 5 * shape.simd // shape.pe + 1):
        dut.load_valid.value = 1
        for _ in range(loads):
            await FallingEdge(dut.clk)
        dut.load_valid.value = 0
        await reset(dut)
        await run(dut, loads, [5, 5, 5], 1, 1)
        await reset(dut)
