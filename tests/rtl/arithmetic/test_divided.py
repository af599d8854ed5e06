"""divided.sv: quotients of every number, two cycles later."""

import os
from collections.abc import Callable
from typing import Any

import cocotb
import pytest
from cocotb.triggers import FallingEdge
from rtl_bench import start_clock

BY = "VAQF_BENCH_BY"


@pytest.mark.parametrize("by", [1, 3, 6, 8, 12, 255])
def test_divided(simulate: Callable[..., None], monkeypatch: pytest.MonkeyPatch, by: int) -> None:
    monkeypatch.setenv(BY, str(by))
    simulate(__file__, "divided", {"BY": by, "BITS": 11})


@cocotb.test()
async def divides_every_number(dut: Any) -> None:
    by = int(os.environ[BY])
    start_clock(dut)
    numbers = [*range(2**11)]
    for i, number in enumerate([*numbers, 0, 0]):
        dut.number.value = number
        if i >= 2:
            assert int(dut.quotient.value) == numbers[i - 2] // by
        await FallingEdge(dut.clk)
