"""lutram.sv: the portable memories and the primitives keep what was written, port by port."""

import random
from collections.abc import Callable
from typing import Any

import cocotb
import pytest
from cocotb.triggers import FallingEdge, ReadOnly
from rtl_bench import start_clock


@pytest.mark.parametrize("family", ["portable", "xcup", "xc7"])
@pytest.mark.parametrize(("ports", "width"), [(1, 2), (7, 2), (5, 8)])
def test_lutram(simulate: Callable[..., None], ports: int, width: int, family: str) -> None:
    simulate(__file__, "lutram", {"PORTS": ports, "WIDTH": width}, family=family)


@cocotb.test()
async def keeps_what_was_written(dut: Any) -> None:
    start_clock(dut)
    ports, width = int(dut.PORTS.value), int(dut.WIDTH.value)
    rng = random.Random(ports)
    kept: dict[int, int] = {}
    for cycle in range(800):
        await FallingEdge(dut.clk)
        address = cycle if cycle < 32 else rng.randrange(32)
        data = rng.getrandbits(width * ports)
        write = cycle < 32 or rng.random() < 0.3
        reads = [rng.randrange(min(cycle + 1, 32)) for _ in range(ports)]
        dut.write.value, dut.write_address.value, dut.write_data.value = int(write), address, data
        dut.read_address.value = sum(read << 5 * port for port, read in enumerate(reads))
        await ReadOnly()
        if cycle:
            found = int(dut.read_data.value)
            for port, read in enumerate(reads):
                if read in kept:  # the word of this cycle is written at its end
                    mask = 2**width - 1 << width * port
                    assert found & mask == kept[read] & mask
        if write:
            kept[address] = data
