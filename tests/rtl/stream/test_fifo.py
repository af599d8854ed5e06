"""fifo.sv: every word once, in order, unchanged while it waits."""

import random
from collections.abc import Callable
from typing import Any

import cocotb
import pytest
from cocotb.triggers import FallingEdge, ReadOnly
from rtl_bench import reset, start_clock, stream

WIDTH = 12


@pytest.mark.parametrize(("depth", "deep"), [(1, 0), (2, 0), (5, 0), (4, 1), (64, 1)])
def test_fifo(simulate: Callable[..., None], depth: int, deep: int) -> None:
    simulate(__file__, "fifo", {"WIDTH": WIDTH, "DEPTH": depth, "DEEP": deep})


@cocotb.test()
async def passes_every_word_once(dut: Any) -> None:
    start_clock(dut)
    await reset(dut)
    rng = random.Random(1)
    for offer, accept in [(1, 1), (0.5, 0.5), (1, 0.2), (0.2, 1), (0.9, 0.9), (0.05, 0.05)]:
        words = [rng.getrandbits(WIDTH) for _ in range(400 if offer > 0.1 else 60)]
        assert await stream(dut, words, rng, offer, accept) == words


@cocotb.test()
async def is_empty_after_a_reset(dut: Any) -> None:
    start_clock(dut)
    await reset(dut)
    dut.in_valid.value, dut.out_ready.value = 1, 0
    for _ in range(3):
        await FallingEdge(dut.clk)
    dut.in_valid.value = 0
    await reset(dut)
    await ReadOnly()
    assert not int(dut.out_valid.value) and int(dut.in_ready.value)


@cocotb.test()
async def holds_what_it_should(dut: Any) -> None:
    start_clock(dut)
    await reset(dut)
    dut.in_valid.value, dut.out_ready.value = 1, 0
    taken = 0
    for cycle in range(80):
        dut.in_data.value = cycle
        await ReadOnly()
        taken += int(dut.in_ready.value)
        await FallingEdge(dut.clk)
    # a deep one has its read port and its output register beside the memory
    assert taken == int(dut.DEPTH.value) + 2 * int(dut.DEEP.value)
