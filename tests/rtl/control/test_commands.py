"""commands.sv: the list as it lies in memory, for each of its readers."""

import random
from collections.abc import Callable
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, Timer
from hls_bench import design_for, small_vit
from rtl_bench import reset, start_clock
from schedule_bench import bits, compiled, decoded

from vaqf.hardware.command import COMMAND_WORDS, MAX_COMMANDS

READERS = 3
INDEX_BITS = (MAX_COMMANDS - 1).bit_length()
BEATS = 32 * COMMAND_WORDS // 128
CHECK = 18  # cycles in which a command is checked


def test_commands(simulate: Callable[..., None]) -> None:
    simulate(__file__, "commands", {"READERS": READERS}, design=design_for([small_vit()]))


async def fill(dut: Any, commands: list[int], rng: random.Random, refused: int | None) -> None:
    """One list, beat by beat; fails if more or fewer are taken, or another command is refused."""
    beats = [command >> (128 * i) & (2**128 - 1) for command in commands for i in range(BEATS)]
    dut.n_commands.value = len(commands)
    dut.start.value = 1
    await FallingEdge(dut.clk)
    dut.start.value = 0
    while not int(dut.request_valid.value):
        await FallingEdge(dut.clk)
    assert int(dut.request_beats.value) == len(beats)
    for _ in range(rng.randrange(4)):
        await FallingEdge(dut.clk)
        assert int(dut.request_valid.value)
    dut.request_ready.value = 1
    await FallingEdge(dut.clk)
    assert not int(dut.request_valid.value)
    dut.request_ready.value = 0
    offer = rng.choice([0.3, 1])
    for beat in beats:
        while rng.random() > offer:
            await FallingEdge(dut.clk)
        dut.in_valid.value, dut.in_data.value = 1, beat
        waited = 0
        while not int(dut.in_ready.value):
            assert not int(dut.filled.value)
            await FallingEdge(dut.clk)
            waited += 1
        assert waited <= CHECK
        await FallingEdge(dut.clk)
        dut.in_valid.value, dut.in_data.value = 0, rng.getrandbits(128)
    for _ in range(CHECK):
        assert not int(dut.filled.value) and not int(dut.in_ready.value)
        await FallingEdge(dut.clk)
    assert int(dut.filled.value)
    assert int(dut.refused.value) == int(refused is not None)
    if refused is not None:
        assert int(dut.refused_index.value) == refused
    await FallingEdge(dut.clk)
    assert not int(dut.filled.value) and not int(dut.in_ready.value)


async def read(dut: Any, commands: list[int], rng: random.Random, cycles: int) -> None:
    """Every reader gets what it asks for, soon; nobody else is answered."""
    index = [0] * READERS
    waiting = [-1] * READERS  # cycles since it asked, or minus those before it asks again
    answers = 0
    for _ in range(cycles):
        for i in range(READERS):
            if waiting[i] == 0:
                index[i] = rng.randrange(len(commands))
        dut.read_request.value = sum(1 << i for i in range(READERS) if waiting[i] >= 0)
        dut.read_index.value = sum(index[i] << (i * INDEX_BITS) for i in range(READERS))
        await Timer(1, "ns")
        answer = int(dut.read_answer.value)
        assert answer & (answer - 1) == 0
        for i in range(READERS):
            if answer >> i & 1:
                assert waiting[i] > 0, "answered without a question"
                assert int(dut.read_command.value) == commands[index[i]]
                answers += 1
                waiting[i] = -rng.randrange(2, 6)  # its reader works on it
            else:
                waiting[i] += 1
                assert waiting[i] < 2 * READERS + 2, "kept waiting"
        await FallingEdge(dut.clk)
    assert answers > cycles // 6


@cocotb.test()
async def answers_every_reader(dut: Any) -> None:
    start_clock(dut)
    for name in ("start", "request_ready", "in_valid", "read_request"):
        getattr(dut, name).value = 0
    await reset(dut)
    rng = random.Random(1)
    good = [bits(command) for command in decoded(compiled(design_for([small_vit()]), 1).commands)]
    for count, refused in ((3, None), (MAX_COMMANDS, 500), (1, 0), (30, None), (5, 1)):
        commands = [rng.choice(good) for _ in range(count)]
        if refused is not None:  # it and all that follow
            commands[refused:] = [rng.getrandbits(508) << 4 for _ in commands[refused:]]
        await fill(dut, commands, rng, refused)
        await read(dut, commands, rng, 600)
        dut.read_request.value = 0
        for _ in range(4):
            await FallingEdge(dut.clk)
