"""memory.sv, rotate.sv and diagonal.sv: what was written where is read from there, on time."""

import random
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import cocotb
import pytest
from cocotb.triggers import FallingEdge, Timer
from rtl_bench import latency, start_clock

from vaqf.hardware.family import ULTRASCALE_PLUS as FAMILY
from vaqf.resources import storage

WIDTH = 11
MEMORY = latency("MEMORY")
DIAGONAL = MEMORY + 2
DIAGONAL_WRITE = latency("DIAGONAL_WRITE")


# (width, depth) -> rows; those of words over 512 bits have a register for every 512 of them
ROWS = {
    (WIDTH, 1): (1,),
    (WIDTH, 13): (13,),
    (WIDTH, 96): (96,),
    (520, 1100): (1024, 64, 12),
    (36, 1025): (1024, 1),
    (36, 1537): (1024, 512, 1),
    (64, 5000): (4096, 904),
}


@pytest.mark.parametrize(("width", "depth"), ROWS)
def test_memory(simulate: Callable[..., None], width: int, depth: int) -> None:
    assert storage.rows(width, depth, FAMILY) == ROWS[width, depth]
    simulate(__file__, "memory", {"WIDTH": width, "DEPTH": depth})


@pytest.mark.parametrize(("elements", "back"), [(6, 0), (7, 1), (16, 0)])
def test_rotate(simulate: Callable[..., None], elements: int, back: int) -> None:
    simulate(__file__, "rotate", {"ELEMENTS": elements, "WIDTH": 5, "BACK": back})


@pytest.mark.parametrize(
    ("banks", "elements", "depth"), [(1, 1, 4), (4, 4, 9), (8, 3, 7), (5, 5, 1), (6, 4, 6)]
)
def test_diagonal(simulate: Callable[..., None], banks: int, elements: int, depth: int) -> None:
    sizes = {"BANKS": banks, "ELEMENTS": elements, "WIDTH": WIDTH, "DEPTH": depth}
    simulate(__file__, "diagonal", sizes)


@cocotb.test()
async def works(dut: Any) -> None:
    await {"memory": memory, "rotate": rotate, "diagonal": diagonal}[dut._name](dut)


def packed(values: Sequence[int], bits: int) -> int:
    """A flat vector, element 0 in the lowest bits."""
    return sum(value << i * bits for i, value in enumerate(values))


def unpacked(vector: int, count: int, bits: int) -> list[int]:
    """The elements of a flat vector."""
    return [vector >> i * bits & (2**bits - 1) for i in range(count)]


async def rotate(dut: Any) -> None:
    """Every distance, random elements."""
    elements, width, back = (
        int(getattr(dut, name).value) for name in ("ELEMENTS", "WIDTH", "BACK")
    )
    rng = random.Random(elements)
    for by in list(range(elements)) * 4:
        data = [rng.getrandbits(width) for _ in range(elements)]
        dut.by.value, dut.data.value = by, packed(data, width)
        await Timer(1, unit="ns")
        shift = by if back else -by
        expected = [data[(place + shift) % elements] for place in range(elements)]
        assert unpacked(int(dut.rotated.value), elements, width) == expected


async def memory(dut: Any) -> None:
    """A write and a read in most cycles, often at the same address, often where a row ends."""
    start_clock(dut)
    width, depth = int(dut.WIDTH.value), int(dut.DEPTH.value)
    ends = list(accumulate(storage.rows(width, depth, FAMILY)))
    edges = [end + side for end in ends for side in (-1, 0) if end + side < depth]
    rng = random.Random(depth)
    kept = [0] * depth
    expected: list[int] = []
    for cycle in range(depth + 1000):
        await FallingEdge(dut.clk)
        if cycle > depth + MEMORY:
            assert int(dut.read_data.value) == expected[-MEMORY]
        write = cycle < depth or rng.random() < 0.5
        address = cycle if cycle < depth else rng.choice([rng.randrange(depth), *edges])
        read = address if rng.random() < 0.3 else rng.choice([rng.randrange(depth), *edges])
        data = rng.getrandbits(width)
        dut.write.value, dut.write_address.value, dut.write_data.value = int(write), address, data
        dut.read_address.value = read
        expected.append(kept[read])
        if write:
            kept[address] = data


async def diagonal(dut: Any) -> None:
    """Accesses of all elements from any bank on, at addresses of any pattern, in every cycle."""
    start_clock(dut)
    banks, elements, depth = (
        int(getattr(dut, name).value) for name in ("BANKS", "ELEMENTS", "DEPTH")
    )
    address_bits = max(1, (depth - 1).bit_length())
    rng = random.Random(banks)
    kept = [[0] * depth for _ in range(banks)]
    on_their_way: list[list[tuple[int, int, int]]] = [[] for _ in range(DIAGONAL_WRITE)]
    expected: list[list[int]] = []
    fill = depth * banks
    for cycle in range(fill + 1500):
        for bank, address, data in on_their_way.pop(0):
            kept[bank][address] = data
        await FallingEdge(dut.clk)
        if cycle > fill + DIAGONAL:
            found = unpacked(int(dut.read_data.value), elements, WIDTH)
            assert found == expected[-DIAGONAL], cycle

        first = cycle % banks if cycle < fill else rng.randrange(banks)
        addresses = [rng.randrange(depth) for _ in range(elements)]
        if cycle < fill:
            addresses = [cycle // banks] * elements
        words = [rng.getrandbits(WIDTH) for _ in range(elements)]
        enables = [cycle < fill or rng.random() < 0.5 for _ in range(elements)]
        dut.write.value = packed([int(enable) for enable in enables], 1)
        dut.write_first.value, dut.write_address.value = first, packed(addresses, address_bits)
        dut.write_data.value = packed(words, WIDTH)
        access = zip(enables, addresses, words, strict=True)
        on_their_way.append(
            [((first + e) % banks, a, w) for e, (enable, a, w) in enumerate(access) if enable]
        )

        first = rng.randrange(banks)
        addresses = [rng.randrange(depth) for _ in range(elements)]
        dut.read_first.value, dut.read_address.value = first, packed(addresses, address_bits)
        expected.append([kept[(first + e) % banks][a] for e, a in enumerate(addresses)])
