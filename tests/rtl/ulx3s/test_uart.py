"""uart_receive.sv and uart_send.sv: bytes over a line whose other end has a clock of its own."""

import random
from collections.abc import Callable
from typing import Any

import cocotb
import pytest
from cocotb.triggers import FallingEdge, Timer
from rtl_bench import CLOCK_NS, reset, start_clock

OFF = (1.0, 0.98, 1.02)  # how long the other end's bits are


@pytest.mark.parametrize("cycles", [8, 50])
def test_uart_receive(simulate: Callable[..., None], cycles: int) -> None:
    simulate(__file__, "uart_receive", {"CYCLES": cycles})


@pytest.mark.parametrize("cycles", [4, 50])
def test_uart_send(simulate: Callable[..., None], cycles: int) -> None:
    simulate(__file__, "uart_send", {"CYCLES": cycles})


def bits(byte: int) -> list[int]:
    """A byte on the line, in time."""
    return [0, *((byte >> place) & 1 for place in range(8)), 1]


class Heard:
    """The bytes that a receiver gives, and how often it says that the line is broken."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.data: list[int] = []
        self.broken = 0
        cocotb.start_soon(self._listen())

    async def _listen(self) -> None:
        while True:
            await FallingEdge(self.dut.clk)
            if int(self.dut.valid.value):
                self.data.append(int(self.dut.data.value))
            self.broken += int(self.dut.broken.value)


async def hold(dut: Any, level: int, bit_times: float, off: float = 1.0) -> None:
    """The line at a level for so many of the other end's bits."""
    dut.line.value = level
    picoseconds = bit_times * off * int(dut.CYCLES.value) * CLOCK_NS * 1000
    await Timer(round(picoseconds / 2) * 2, "ps")


@cocotb.test()
async def both_ways(dut: Any) -> None:
    """The same file has both modules' benches; ports say which one this is."""
    start_clock(dut)
    if hasattr(dut, "ready"):
        await sends(dut)
    else:
        await receives(dut)


async def receives(dut: Any) -> None:
    dut.line.value = 1
    await reset(dut)
    heard = Heard(dut)
    rng = random.Random(3)
    sent = [0x00, 0xFF, 0x55, 0xAA, *rng.randbytes(12)]
    for off in OFF:
        for byte in sent:
            for level in bits(byte):
                await hold(dut, level, 1, off)
            if rng.random() < 0.3:
                await hold(dut, 1, rng.random() * 5)
        await hold(dut, 1, 2)
    assert heard.data == sent * len(OFF) and not heard.broken
    await hold(dut, 0, 0.2)  # shorter than half a bit: no start
    await hold(dut, 1, 3)
    await hold(dut, 0, 30)  # a break is no byte, and one break
    await hold(dut, 1, 2)
    assert heard.data == sent * len(OFF) and heard.broken == 1
    for level in bits(0x4B):
        await hold(dut, level, 1)
    await hold(dut, 1, 1)
    assert heard.data[-1] == 0x4B and len(heard.data) == len(sent) * len(OFF) + 1


async def sends(dut: Any) -> None:
    dut.valid.value = 0
    await reset(dut)
    rng = random.Random(4)
    sent = [0x00, 0xFF, *rng.randbytes(6)]
    levels: list[int] = []
    cycles = int(dut.CYCLES.value)

    async def watch() -> None:
        while True:
            await FallingEdge(dut.clk)
            levels.append(int(dut.line.value))

    cocotb.start_soon(watch())
    for byte in sent:
        dut.valid.value, dut.data.value = 1, byte
        while not int(dut.ready.value):
            await FallingEdge(dut.clk)
        await FallingEdge(dut.clk)
        dut.valid.value = 0
        for _ in range(rng.choice((0, 0, 17))):
            await FallingEdge(dut.clk)
    while not int(dut.ready.value):
        await FallingEdge(dut.clk)
    found, at = [], 0
    while 0 in levels[at:]:
        at += levels[at:].index(0)
        frame = levels[at : at + 10 * cycles]
        assert all(len(set(frame[i : i + cycles])) == 1 for i in range(0, 9 * cycles, cycles))
        found.append(frame[::cycles])
        at += 10 * cycles - 1
    assert found == [bits(byte) for byte in sent]
