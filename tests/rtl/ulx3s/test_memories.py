"""read_memory.sv and write_memory.sv: bursts of AXI on one side, a host's words on the other."""

import random
from collections.abc import Callable
from typing import Any

import cocotb
import pytest
from cocotb.triggers import FallingEdge, ReadOnly
from rtl_bench import reset, start_clock

LINES = 40  # no power of two
BASE = 0x2000_0000
ERROR = 2
LANES = 4  # words of a line


@pytest.mark.parametrize("module", ["read_memory", "write_memory"])
def test_memory(simulate: Callable[..., None], module: str) -> None:
    simulate(__file__, module, {"DEPTH": LINES, "BASE": BASE})


async def burst(dut: Any, rng: random.Random, first: int, beats: int) -> list[tuple[int, int, int]]:
    """Data, response and last of a read burst's beats."""
    dut.arvalid.value, dut.araddr.value, dut.arlen.value = 1, BASE + 16 * first, beats - 1
    found: list[tuple[int, int, int]] = []
    waited: tuple[int, int, int] | None = None
    for _ in range(20 * beats + 20):
        dut.rready.value = ready = int(rng.random() < 0.6)
        await ReadOnly()
        taken = int(dut.arvalid.value) and int(dut.arready.value)
        if int(dut.rvalid.value):
            beat = (int(dut.rdata.value), int(dut.rresp.value), int(dut.rlast.value))
            assert waited in (None, beat), "a beat changed while it waited"
            waited = None if ready else beat
            found += [beat] if ready else []
        else:
            assert waited is None, "a beat was withdrawn"
        await FallingEdge(dut.clk)
        if taken:
            dut.arvalid.value = 0
        if len(found) == beats:
            break
    return found


async def reads(dut: Any) -> None:
    rng = random.Random(6)
    for name in ("write", "arvalid", "rready"):
        getattr(dut, name).value = 0
    await reset(dut)
    words = [rng.getrandbits(32) for _ in range(LANES * LINES)]
    for index, word in enumerate(words):
        dut.write.value, dut.write_address.value, dut.write_data.value = 1, 4 * index, word
        await FallingEdge(dut.clk)
        dut.write.value = 0
        if rng.random() < 0.3:
            await FallingEdge(dut.clk)
    lines = [
        sum(word << 32 * lane for lane, word in enumerate(words[LANES * i : LANES * (i + 1)]))
        for i in range(LINES)
    ]
    for _ in range(30):
        first = rng.randrange(LINES)
        beats = rng.randint(1, LINES - first)
        found = await burst(dut, rng, first, beats)
        assert [data for data, _, _ in found] == lines[first : first + beats]
        assert [last for _, _, last in found] == [0] * (beats - 1) + [1]
        assert not any(response for _, response, _ in found)
    for first, beats in ((LINES - 1, 2), (LINES, 1), (2**20, 1)):
        found = await burst(dut, rng, first, beats)
        assert [response for _, response, _ in found] == [ERROR] * beats
    assert len(await burst(dut, rng, 0, 3)) == 3  # and goes on


async def put(dut: Any, rng: random.Random, first: int, lines: list[int]) -> int:
    """Write a burst; its response."""
    dut.awvalid.value, dut.awaddr.value, dut.awlen.value = 1, BASE + 16 * first, len(lines) - 1
    sent = 0
    response: int | None = None
    for _ in range(20 * len(lines) + 20):
        offered = sent < len(lines) and rng.random() < 0.7
        dut.wvalid.value = int(offered)
        dut.wdata.value = lines[sent] if offered else 0
        dut.wlast.value = int(sent == len(lines) - 1)
        dut.bready.value = int(rng.random() < 0.5)
        await ReadOnly()
        address = int(dut.awvalid.value) and int(dut.awready.value)
        sent += int(offered and int(dut.wready.value))
        if int(dut.bvalid.value) and int(dut.bready.value):
            response = int(dut.bresp.value)
        await FallingEdge(dut.clk)
        if address:
            dut.awvalid.value = 0
        if response is not None:
            break
    assert response is not None and sent == len(lines)
    dut.bready.value = dut.wvalid.value = 0
    return response


async def writes(dut: Any) -> None:
    rng = random.Random(7)
    for name in ("awvalid", "wvalid", "bready"):
        getattr(dut, name).value = 0
    dut.wstrb.value = 2**16 - 1
    await reset(dut)
    content = [0] * LINES
    assert await put(dut, rng, 0, content) == 0
    for _ in range(20):
        first = rng.randrange(LINES)
        lines = [rng.getrandbits(128) for _ in range(rng.randint(1, LINES - first))]
        content[first : first + len(lines)] = lines
        assert await put(dut, rng, first, lines) == 0
    assert await put(dut, rng, LINES - 1, [1, 2]) == ERROR
    assert await put(dut, rng, 2**20, [3]) == ERROR
    for index in range(LANES * LINES):
        dut.read_address.value = 4 * index
        for _ in range(3):
            await FallingEdge(dut.clk)
        want = content[index // LANES] >> 32 * (index % LANES) & (2**32 - 1)
        assert int(dut.read_data.value) == want, index


@cocotb.test()
async def both_ways(dut: Any) -> None:
    """The same file has both modules' benches; ports say which one this is."""
    start_clock(dut)
    await (reads(dut) if hasattr(dut, "arvalid") else writes(dut))
