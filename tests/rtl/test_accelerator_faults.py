"""vaqf_accelerator.sv when things go wrong: a status says so, and the next run is right."""

import random
from collections.abc import Callable
from functools import cache
from typing import Any

import cocotb
import pytest
from accelerator_bench import (
    CAPABILITY,
    COMMAND_CYCLES,
    DESIGN,
    DESIGN_ID,
    ERROR,
    FRAMES_DONE,
    LOOK_UPS,
    PORTS,
    RUN_CYCLES,
    RUNNING,
    START,
    STOPPED_AT,
    Host,
    Work,
    in_environment,
    of_environment,
    work,
)
from axi_memory import DECODE_ERROR, SLAVE_ERROR, Pace
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge
from cocotb.utils import get_sim_time
from hls_bench import design_for, small_vit
from rtl_bench import CLOCK_NS
from schedule_bench import COMMAND_BYTES, Command, bits, decoded, schedule

from vaqf.arithmetic.widths import ceil_div
from vaqf.hardware.command import MAX_COMMANDS, Opcode, Status
from vaqf.hardware.config import design_id
from vaqf.hardware.layout import STATUS_BYTES
from vaqf.hardware.registers import MAP_VERSION, mask

# its images are padded in memory: beats that no result waits for
VIT = small_vit(depth=1, dim=8, mlp_ratio=1.0, classes=3)
WATCHDOG = 500  # cycles; longer than anything that a good run waits for
LIMIT = 20_000  # cycles; twice what two frames take, and the watchdog three times
NOTHING = 0xFFFF
TIMED_OUT = mask("error", "timed_out")
CHANNELS = {port: ("aw", "w", "b") if port == "results" else ("ar", "r") for port in PORTS}


def test_faults(simulate: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    shape = {"tokens": 2, "pe": 2, "simd": 64, "norm_tokens": 1}
    attention = {"attention_rows": 1, "attention_lanes": 2}
    design = design_for([VIT], engine="adder", act_bits=3, **shape, **attention)
    monkeypatch.setenv(DESIGN, in_environment(design))
    simulate(__file__, "vaqf_accelerator", {"WATCHDOG": WATCHDOG}, design=design)


@cache
def frames(count: int) -> Work:
    """So many frames of the one network."""
    return work(of_environment(), VIT, "extreme", count)


def commands() -> list[Command]:
    return decoded(frames(1).program.commands)


def as_bytes(values: list[Command]) -> bytes:
    return b"".join(bits(command).to_bytes(COMMAND_BYTES, "little") for command in values)


async def powered(dut: Any, seed: int) -> Host:
    host = Host(dut, seed)
    await host.power_up()
    host.pace(Pace(latency=5))
    return host


async def transfers(host: Host) -> dict[tuple[str, str], int]:
    """What a good run of two frames does on each channel."""
    before = {
        (p, c): host.memories[p].passed[c] for p, channels in CHANNELS.items() for c in channels
    }
    await host.run(frames(2))
    return {(p, c): host.memories[p].passed[c] - count for (p, c), count in before.items()}


def cycle() -> int:
    return int(get_sim_time("ns")) // CLOCK_NS


@cocotb.test()
async def counts(dut: Any) -> None:
    host = await powered(dut, 1)
    design = of_environment()
    table = int(design.engine == "table")
    assert await host.read(CAPABILITY) == MAP_VERSION | design.act_bits << 8 | table << 16
    assert await host.read(DESIGN_ID) == design_id(design)
    await host.start(frames(1))
    begun = cycle()
    running = set()
    while not int(dut.interrupt.value):
        running.add(await host.read(RUNNING))
    seen = cycle() - begun
    await host.finish()
    await host.check(frames(1))
    took = await host.read(RUN_CYCLES)
    assert abs(took - seen) < 40  # the last look at a register
    assert await host.read(RUNNING) == NOTHING << 16 | NOTHING
    runs = {run.index for run in schedule(commands(), design.frames_in_flight, 1)}
    look_ups = total = 0
    for index, command in enumerate(commands()):
        cycles = await host.read(COMMAND_CYCLES + 4 * index)
        total += cycles
        groups = ceil_div(command["tokens"], design.tokens)
        if index not in runs:
            assert cycles == 0
        elif command["opcode"] == Opcode.MATMUL:
            least = groups * command["weight_words"] * command["digits"]
            look_ups += least
            assert NOTHING << 16 | index in running
            assert least < cycles, (index, cycles, least)
        else:
            assert index << 16 | NOTHING in running
            assert command["heads"] * command["tokens"] < cycles
    assert await host.read(LOOK_UPS) == look_ups
    # one frame: one command at a time, and the list before them
    assert 0.5 * took < total + 22 * len(commands()) < took
    last = COMMAND_CYCLES + 4 * max(runs)
    kept = await host.read(last)
    await host.start(frames(1), count=0)  # a run that runs nothing
    await host.finish()
    assert await host.read(last) == kept > 0
    assert await host.read(LOOK_UPS) == 0 and await host.read(RUN_CYCLES) < 60


@cocotb.test()
async def starts_once(dut: Any) -> None:
    """A start while it runs does nothing; nor do arguments that are written meanwhile."""
    host = await powered(dut, 2)
    await host.start(frames(2))
    for moment in (1, 300, 900):
        await ClockCycles(dut.ap_clk, moment)
        await FallingEdge(dut.ap_clk)
        await host.set(n_frames=77, n_commands=0, results=0, control=START)
    await host.finish()
    await host.check(frames(2))
    await ClockCycles(dut.ap_clk, 300)
    await FallingEdge(dut.ap_clk)
    assert not int(dut.interrupt.value)
    await host.run(frames(1))


@cocotb.test()
async def forgets_at_a_reset(dut: Any) -> None:
    host = await powered(dut, 3)
    cycles = await host.run(frames(2))
    for part in (0.01, 0.1, 0.3, 0.55, 0.8, 0.98):
        host.pace(host.rng.choice([Pace(latency=5), Pace(0.4, 0.6, 0.5, 30)]))
        await host.start(frames(2))
        await ClockCycles(dut.ap_clk, int(part * cycles))
        await host.reset()
        assert await host.read(ERROR) == 0 and await host.read(FRAMES_DONE) == 0
        await host.run(frames(1))


@cocotb.test()
async def refuses_arguments(dut: Any) -> None:
    host = await powered(dut, 4)
    for count in (0, MAX_COMMANDS + 1, 2**31):
        await host.start(frames(1), count=count)
        await host.finish()
        assert host.block() == (Status.BAD_ARGUMENTS, 0, 0)
        assert await host.read(ERROR) == Status.BAD_ARGUMENTS
        assert not any(host.memories[port].bursts for port in PORTS[:3])
    await host.run(frames(1))


@cocotb.test()
async def refuses_commands(dut: Any) -> None:
    host = await powered(dut, 5)
    await host.run(frames(1))
    spoilt = {"opcode": 0, "source": 9, "weight_words": 2**32 - 1, "tokens": 0, "frame_offset": 5}
    good = commands()
    for field, value in spoilt.items():
        index = host.rng.choice([i for i, c in enumerate(good) if c["opcode"] == Opcode.MATMUL])
        bad = [{**c, field: value} if i >= index else c for i, c in enumerate(good)]
        read = [len(host.memories[port].bursts) for port in ("weights", "images")]
        await host.start(frames(1), as_bytes(bad))
        await host.finish()
        assert host.block() == (Status.BAD_COMMAND, index, 0), field
        assert await host.read(ERROR) == Status.BAD_COMMAND
        assert await host.read(STOPPED_AT) == index and await host.read(FRAMES_DONE) == 0
        assert read == [len(host.memories[port].bursts) for port in ("weights", "images")]
        await host.run(frames(1))


@cocotb.test()
async def ends_at_a_bus_error(dut: Any) -> None:
    host = await powered(dut, 6)
    rng = host.rng
    await host.run(frames(2))
    count = len(commands())
    for number, port in enumerate(PORTS):
        memory = host.memories[port]
        # the results of two frames, and the status block last
        bursts = list(memory.bursts)
        for response in (SLAVE_ERROR, DECODE_ERROR):
            burst = bursts[-1] if response == DECODE_ERROR else rng.choice(bursts[:-1] or bursts)
            beat = 0 if port == "results" else rng.randrange(burst.beats)
            address = burst.address + beat * memory.width()
            memory.responses = {address: response}
            await host.start(frames(2))
            await host.finish()
            memory.responses = {}
            assert await host.read(ERROR) == Status.BUS_ERROR | response << 8 + 2 * number
            stopped_at, done = await host.read(STOPPED_AT), await host.read(FRAMES_DONE)
            assert stopped_at < count and done <= 2
            if address != host.memories["results"].base:
                assert host.block() == (Status.BUS_ERROR, stopped_at, done)
                assert done < 2
            await host.run(frames(1))


async def stops(host: Host, port: str, channel: str, behind: int) -> None:
    """A run in which a channel stops answering behind so many transfers; it stays so."""
    memory = host.memories[port]
    memory.stops = {channel: memory.passed[channel] + behind}
    await host.start(frames(2))
    await host.finish(LIMIT)
    assert await host.read(ERROR) == Status.WATCHDOG | TIMED_OUT, (port, channel, behind)
    if port != "results":
        assert host.block()[0] == Status.WATCHDOG
        assert host.block()[2] == await host.read(FRAMES_DONE) <= 2


@cocotb.test()
async def ends_when_a_memory_does_not_answer(dut: Any) -> None:
    host = await powered(dut, 7)
    usual = await transfers(host)
    rng = random.Random(8)
    for (port, channel), count in usual.items():
        memory = host.memories[port]
        # the first and the last, which is the status block's, or pads an image
        ends = port in ("images", "results")
        for behind in (0, count - 1) if ends else (rng.randrange(count),):
            await stops(host, port, channel, behind)
            memory.stops = {}  # it wakes up, and gives what it owes
            await host.run(frames(1))


@cocotb.test()
async def waits_for_what_a_port_owes(dut: Any) -> None:
    host = await powered(dut, 9)
    for port, channel, cure in (("weights", "r", "wakes"), ("results", "b", "reset")):
        memory = host.memories[port]
        await stops(host, port, channel, 1)
        await stops(host, port, channel, 0)  # the next run does not begin
        if cure == "reset":
            memory.stops = {}
            await host.reset()
            await host.run(frames(1))
        else:
            await host.start(frames(1))
            await ClockCycles(dut.ap_clk, WATCHDOG // 2)
            memory.stops = {}
            await host.finish()
            await host.check(frames(1))


@cocotb.test()
async def keeps_nothing_of_a_run_that_broke_off(dut: Any) -> None:
    """An error of the first frame's logits, around the cycle in which the second's would leave."""
    host = await powered(dut, 11)
    results = host.memories["results"]
    await host.start(frames(2))
    left = []
    for _ in range(2):
        await RisingEdge(dut.results_valid)
        left.append(cycle())
    await host.finish()
    for sooner in range(2, 10):
        results.stops = {"b": results.passed["b"]}
        results.responses = {results.base + STATUS_BYTES: SLAVE_ERROR}
        await host.start(frames(2))
        await RisingEdge(dut.results_valid)
        await ClockCycles(dut.ap_clk, left[1] - left[0] - sooner)
        await FallingEdge(dut.ap_clk)
        results.stops = {}
        await host.finish()
        results.responses = {}
        assert host.block()[0] == Status.BUS_ERROR and host.block()[2] < 2, sooner
        await host.run(frames(1))
