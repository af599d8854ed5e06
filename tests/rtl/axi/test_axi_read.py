"""axi_read.sv and axi_bursts.sv on a memory that answers at random and minds AXI's rules."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import cocotb
import pytest
from axi_memory import (
    DECODE_ERROR,
    SLAVE_ERROR,
    Pace,
    ReadMemory,
    Request,
    as_items,
    cut,
    offer,
    some_requests,
)
from cocotb.triggers import FallingEdge, ReadOnly
from rtl_bench import reset, start_clock

BASE = 0xAB_FFFF8000  # a carry into the upper half
SIZE = 0x10000


@pytest.mark.parametrize(
    ("bits", "burst", "depth"), [(128, 64, 512), (512, 64, 512), (128, 16, 33)]
)
def test_axi_read(simulate: Callable[..., None], bits: int, burst: int, depth: int) -> None:
    parameters = {"DATA_BITS": bits, "BURST": burst, "DEPTH": depth}
    simulate(__file__, "axi_read", parameters)


class Bench:
    """The module on its memory, quiet after a reset."""

    def __init__(self, dut: Any, seed: int) -> None:
        self.dut = dut
        self.rng = random.Random(seed)
        self.width = int(dut.DATA_BITS.value) // 8
        self.burst, self.depth = int(dut.BURST.value), int(dut.DEPTH.value)
        content = bytearray(self.rng.randbytes(SIZE))
        self.memory = ReadMemory(dut, BASE, content, self.rng)
        self.asked = self.taken = 0  # beats

    async def start(self) -> None:
        start_clock(self.dut)
        for name in ("request_valid", "data_ready", "clear_error", "flush"):
            getattr(self.dut, name).value = 0
        self.memory.start()
        await reset(self.dut)

    def expected(self, requests: Sequence[Request]) -> list[int]:
        beats = [address + i * self.width for address, n in requests for i in range(n)]
        content = self.memory.content
        return [
            int.from_bytes(content[at : at + self.width], "little")
            for at in (address - BASE for address in beats)
        ]

    async def ask(self, requests: Sequence[Request], chance: float) -> None:
        for request in requests:
            await offer(self.dut, "request", as_items([request]), self.rng, chance)
            self.asked += request[1]

    async def take(self, count: int, chance: float, patience: int = 2000) -> list[int]:
        """The next words; fails if a waiting one changes, or more is asked for than fits."""
        dut = self.dut
        found = list[int]()
        waited: int | None = None
        quiet = 0
        while len(found) < count:
            ready = self.rng.random() < chance
            dut.data_ready.value = int(ready)
            await ReadOnly()
            assert int(dut.rready.value)
            assert int(dut.idle.value) == (self.asked == self.taken)
            quiet += 1
            assert quiet < patience, f"nothing comes after {len(found)} of {count} words"
            if int(dut.data_valid.value):
                word = int(dut.data.value)
                assert waited in (None, word), "a word changed while it waited"
                waited = None if ready else word
                if ready:
                    found.append(word)
                    self.taken += 1
                    quiet = 0
            else:
                assert waited is None, "a word was withdrawn"
            promised = sum(burst.beats for burst in self.memory.bursts)
            assert promised - self.taken <= self.depth, "more is asked for than has room"
            await FallingEdge(dut.clk)
        dut.data_ready.value = 0
        return found

    async def read(
        self, requests: Sequence[Request], ask: float = 1.0, take: float = 1.0
    ) -> list[int]:
        task = cocotb.start_soon(self.ask(requests, ask))
        found = await self.take(sum(beats for _, beats in requests), take)
        await task
        await ReadOnly()
        assert int(self.dut.idle.value) and not int(self.dut.data_valid.value)
        await FallingEdge(self.dut.clk)
        return found


PACES = [
    (Pace(), 1.0, 1.0),
    (Pace(latency=40), 1.0, 1.0),
    (Pace(address=0.2, data=0.9, latency=5), 0.5, 0.5),
    (Pace(address=0.9, data=0.3, latency=90), 1.0, 0.9),
    (Pace(data=0.8), 1.0, 0.1),
]


@cocotb.test()
async def reads_what_is_asked_for(dut: Any) -> None:
    bench = Bench(dut, 1)
    await bench.start()
    memory = bench.memory
    for pace, ask, take in PACES:
        memory.pace = pace
        requests = some_requests(bench.rng, 12, bench.width, BASE, SIZE)
        first = len(memory.bursts)
        assert await bench.read(requests, ask, take) == bench.expected(requests)
        bursts = [(burst.address, burst.beats) for burst in memory.bursts[first:]]
        assert bursts == cut(requests, bench.width, bench.burst)


@cocotb.test()
async def does_not_wait_for_data(dut: Any) -> None:
    """Neither between the bursts of a request nor between requests."""
    bench = Bench(dut, 2)
    await bench.start()
    latency = max(1, bench.depth - bench.burst - 24)
    bench.memory.pace = Pace(latency=latency)
    beats = min(4 * bench.depth, SIZE // bench.width)
    few = [(BASE + at * bench.width, 4) for at in range(0, beats, 4)]
    for requests in ([(BASE, beats)], few):
        before = bench.memory.cycle
        assert await bench.read(requests) == bench.expected(requests)
        assert bench.memory.cycle - before < beats + latency + 24


@cocotb.test()
async def asks_for_what_has_room(dut: Any) -> None:
    bench = Bench(dut, 3)
    await bench.start()
    beats = SIZE // bench.width
    asking = cocotb.start_soon(bench.ask([(BASE, beats)], 1.0))
    for _ in range(3 * bench.depth):
        await FallingEdge(dut.clk)
    promised = sum(burst.beats for burst in bench.memory.bursts)
    assert bench.depth - bench.burst < promised <= bench.depth
    assert bench.memory.arrived == len(bench.memory.bursts)
    assert asking.done()
    assert await bench.take(beats, 1.0) == bench.expected([(BASE, beats)])


@cocotb.test()
async def keeps_the_first_error(dut: Any) -> None:
    bench = Bench(dut, 4)
    await bench.start()
    width = bench.width
    memory = bench.memory
    memory.pace = Pace(data=0.5, latency=3)
    for first, second in [(SLAVE_ERROR, DECODE_ERROR), (DECODE_ERROR, SLAVE_ERROR)]:
        memory.responses = {}
        assert await bench.read([(BASE, 30)]) == bench.expected([(BASE, 30)])
        assert int(dut.error.value) == 0
        memory.responses = {BASE + 7 * width: first, BASE + 20 * width: second}
        assert await bench.read([(BASE, 30)]) == bench.expected([(BASE, 30)])
        assert int(dut.error.value) == first
        dut.clear_error.value = 1
        await FallingEdge(dut.clk)
        dut.clear_error.value = 0


@cocotb.test()
async def swallows_what_is_on_its_way(dut: Any) -> None:
    """A flush at any moment: no more is asked for than is offered, and the next run is right."""
    bench = Bench(dut, 5)
    await bench.start()
    memory = bench.memory
    for pace in (Pace(), Pace(latency=40), Pace(address=0.1, data=0.5, latency=5)):
        memory.pace = pace
        for _ in range(6):
            asking = cocotb.start_soon(bench.ask([(BASE, 7 * bench.burst), (BASE, 5)], 1.0))
            dut.data_ready.value = int(bench.rng.random() < 0.5)
            for _ in range(bench.rng.randrange(4 * bench.burst)):
                await FallingEdge(dut.clk)
            asking.cancel()
            dut.request_valid.value, dut.flush.value = 0, 1
            asked = len(memory.bursts)
            for _ in range(3000):
                await FallingEdge(dut.clk)
                if int(dut.idle.value):
                    break
            assert int(dut.idle.value) and memory.arrived == len(memory.bursts) <= asked + 1
            dut.flush.value = dut.data_ready.value = 0
            await FallingEdge(dut.clk)
            assert not int(dut.data_valid.value)
            bench.asked = bench.taken = 0
            memory.bursts.clear()
            memory.arrived = 0
            requests = [(BASE + 64 * bench.width, 20)]
            assert await bench.read(requests) == bench.expected(requests)
