"""command_cycles.sv: cycles from each start to its done, whatever the two engines do."""

import random
from collections.abc import Callable
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge
from rtl_bench import latency, reset, start_clock

from vaqf.hardware.command import MAX_COMMANDS

ENGINES = ("matmul", "attention")


def test_command_cycles(simulate: Callable[..., None]) -> None:
    simulate(__file__, "command_cycles", {})


@cocotb.test()
async def counts_every_command(dut: Any) -> None:
    start_clock(dut)
    pulses = [f"{engine}_{what}" for engine in ENGINES for what in ("start", "done")]
    for name in ("stored", *pulses):
        getattr(dut, name).value = 0
    await reset(dut)
    rng = random.Random(1)
    wanted: dict[int, int] = {}
    for index in range(MAX_COMMANDS):
        dut.stored.value, dut.stored_index.value = 1, index
        wanted[index] = 0
        await FallingEdge(dut.clk)
    dut.stored.value = 0
    running: dict[str, tuple[int, int]] = {}  # engine -> command, cycle of its start
    together = 0
    for cycle in range(3000):
        done = [name for name in running if rng.random() < 0.1]
        if len(running) == 2 and rng.random() < 0.05:
            done = list(ENGINES)
        together += len(done) == 2
        for name in ENGINES:
            getattr(dut, f"{name}_done").value = int(name in done)
            starts = name not in running and rng.random() < 0.3
            getattr(dut, f"{name}_start").value = int(starts)
            if starts:
                taken = [index for index, _ in running.values()]
                index = rng.choice([i for i in (0, 1, 7, 100, 511) if i not in taken])
                running[name] = (index, cycle)
                getattr(dut, f"{name}_index").value = index
        for name in done:
            index, start = running.pop(name)
            wanted[index] = cycle - start
        await FallingEdge(dut.clk)
    assert together > 10
    for name in ENGINES:
        getattr(dut, f"{name}_done").value = 0
    await FallingEdge(dut.clk)
    for index in range(MAX_COMMANDS):
        dut.index.value = index
        for _ in range(latency("MEMORY")):
            await FallingEdge(dut.clk)
        assert int(dut.data.value) == wanted[index], index
