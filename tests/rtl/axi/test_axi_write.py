"""axi_write.sv and axi_bursts.sv on a memory that answers at random and minds AXI's rules."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import cocotb
import pytest
from axi_memory import (
    DECODE_ERROR,
    SLAVE_ERROR,
    Pace,
    Request,
    WriteMemory,
    as_items,
    cut,
    offer,
    some_requests,
)
from cocotb.triggers import FallingEdge, ReadOnly
from rtl_bench import reset, start_clock

BASE = 0x12_FFFF8000  # a carry into the upper half
SIZE = 0x10000


@pytest.mark.parametrize(("bits", "burst"), [(128, 16), (512, 64)])
def test_axi_write(simulate: Callable[..., None], bits: int, burst: int) -> None:
    simulate(__file__, "axi_write", {"DATA_BITS": bits, "BURST": burst})


class Bench:
    """The module on its memory, quiet after a reset."""

    def __init__(self, dut: Any, seed: int) -> None:
        self.dut = dut
        self.rng = random.Random(seed)
        self.width = int(dut.DATA_BITS.value) // 8
        self.burst = int(dut.BURST.value)
        self.memory = WriteMemory(dut, BASE, bytearray(self.rng.randbytes(SIZE)), self.rng)
        self.asked = 0  # bursts of requests that were taken

    async def start(self) -> None:
        start_clock(self.dut)
        for name in ("request_valid", "data_valid", "clear_error", "flush"):
            getattr(self.dut, name).value = 0
        self.memory.start()
        await reset(self.dut)

    async def ask(self, requests: Sequence[Request], chance: float) -> None:
        for request in requests:
            await offer(self.dut, "request", as_items([request]), self.rng, chance)
            self.asked += len(cut([request], self.width, self.burst))

    async def write(self, requests: Sequence[Request], ask: float = 1.0, give: float = 1.0) -> None:
        """Write noise; fails unless exactly that is in memory as soon as the module is idle."""
        dut, memory = self.dut, self.memory
        wanted = bytearray(memory.content)
        data = list[int]()
        for address, beats in requests:
            at = address - BASE
            noise = self.rng.randbytes(beats * self.width)
            wanted[at : at + len(noise)] = noise
            for i in range(0, len(noise), self.width):
                data.append(int.from_bytes(noise[i : i + self.width], "little"))
        first = len(memory.bursts)
        bursts = cut(requests, self.width, self.burst)
        asking = cocotb.start_soon(self.ask(requests, ask))
        items = [{"data": word} for word in data]
        giving = cocotb.start_soon(offer(dut, "data", items, self.rng, give))
        quiet = moved = 0
        while True:
            await ReadOnly()
            done = memory.answered == first + len(bursts)
            if int(dut.idle.value):
                assert memory.answered == self.asked, "idle before the last response"
                if done:
                    break
            before, moved = moved, memory.answered + len(memory.bursts)
            quiet = 0 if moved != before else quiet + 1
            assert quiet < 3000, f"nothing moves after {memory.answered - first} bursts"
            await FallingEdge(dut.clk)
        assert memory.content == wanted
        assert [(burst.address, burst.beats) for burst in memory.bursts[first:]] == bursts
        await FallingEdge(dut.clk)
        await asking
        await giving


PACES = [
    (Pace(), 1.0, 1.0),
    (Pace(latency=60), 1.0, 1.0),
    (Pace(address=0.2, data=0.9, response=0.1, latency=5), 0.5, 0.5),
    (Pace(address=0.9, data=0.3, latency=20), 1.0, 0.9),
    (Pace(data=0.8), 1.0, 0.15),
    (Pace(), 0.03, 1.0),
]


@cocotb.test()
async def writes_what_is_given(dut: Any) -> None:
    bench = Bench(dut, 1)
    await bench.start()
    for i, (pace, ask, give) in enumerate(PACES):
        bench.memory.pace = pace
        bench.memory.patient = ("", "aw", "w")[i % 3]
        requests = some_requests(bench.rng, 10, bench.width, BASE, SIZE)
        await bench.write(requests, ask, give)


@cocotb.test()
async def survives_late_responses(dut: Any) -> None:
    """More bursts than may be without a response."""
    bench = Bench(dut, 2)
    await bench.start()
    bench.memory.pace = Pace(latency=150)
    await bench.write([(BASE + i * bench.width, 1) for i in range(70)])


@cocotb.test()
async def keeps_up(dut: Any) -> None:
    bench = Bench(dut, 3)
    await bench.start()
    bench.memory.pace = Pace(latency=30)
    beats = SIZE // bench.width
    before = bench.memory.cycle
    await bench.write([(BASE, beats)])
    cycles = bench.memory.cycle - before
    # a burst begins in a cycle of its own
    assert cycles < beats * (bench.burst + 1) / bench.burst + bench.burst + 50


@cocotb.test()
async def keeps_the_first_error(dut: Any) -> None:
    bench = Bench(dut, 4)
    await bench.start()
    bench.memory.pace = Pace(response=0.5, latency=3)
    block = bench.burst * bench.width
    for first, second in [(SLAVE_ERROR, DECODE_ERROR), (DECODE_ERROR, SLAVE_ERROR)]:
        bench.memory.responses = {}
        await bench.write([(BASE, 4 * bench.burst)])
        assert int(dut.error.value) == 0
        bench.memory.responses = {BASE + block: first, BASE + 3 * block: second}
        await bench.write([(BASE, 4 * bench.burst)])
        assert int(dut.error.value) == first
        dut.clear_error.value = 1
        await FallingEdge(dut.clk)
        dut.clear_error.value = 0


@cocotb.test()
async def ends_what_has_begun(dut: Any) -> None:
    """A flush at any moment: bursts that have begun come whole, and the next run is right."""
    bench = Bench(dut, 5)
    await bench.start()
    memory = bench.memory
    for pace in (Pace(), Pace(latency=30), Pace(address=0.2, data=0.3, response=0.2, latency=5)):
        memory.pace = pace
        for i in range(6):
            memory.patient = ("", "aw", "w")[i % 3]
            asking = cocotb.start_soon(bench.ask([(BASE, 5 * bench.burst), (BASE, 5)], 1.0))
            words = [{"data": bench.rng.getrandbits(8 * bench.width)} for _ in range(100)]
            giving = cocotb.start_soon(offer(dut, "data", words, bench.rng, 0.9))
            for _ in range(bench.rng.randrange(6 * bench.burst)):
                await FallingEdge(dut.clk)
            asking.cancel()
            giving.cancel()
            dut.request_valid.value, dut.data_valid.value, dut.flush.value = 0, 0, 1
            begun = len(memory.bursts) + int(dut.awvalid.value)
            await FallingEdge(dut.clk)  # it is looked at from the second cycle on
            for _ in range(3000):
                await FallingEdge(dut.clk)
                if int(dut.idle.value):
                    break
            assert int(dut.idle.value) and memory.answered == len(memory.bursts) <= begun + 1
            dut.flush.value = 0
            await FallingEdge(dut.clk)
            bench.asked = memory.answered
            await bench.write([(BASE + 64 * bench.width, 20)])
