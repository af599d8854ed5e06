"""ternary_add.sv: the carry chain placed by hand adds as the portable twin does."""

import itertools
import random
from collections.abc import Callable
from typing import Any

import cocotb
import pytest
from cocotb.triggers import Timer
from rtl_bench import draw, unsigned_range


@pytest.mark.parametrize("family", ["portable", "xcup", "xc7"])
@pytest.mark.parametrize("width", [1, 3, 8, 17])
def test_ternary_add(simulate: Callable[..., None], width: int, family: str) -> None:
    simulate(__file__, "ternary_add", {"WIDTH": width}, family=family)


@cocotb.test()
async def adds(dut: Any) -> None:
    width = int(dut.WIDTH.value)
    rng = random.Random(width)
    if width <= 3:
        triples = list(itertools.product(range(2**width), repeat=3))
    else:
        low_high = unsigned_range(width)
        triples = list(zip(*(draw(rng, low_high, 3000) for _ in range(3)), strict=True))
    for a, b, c in triples:
        dut.a.value, dut.b.value, dut.c.value = a, b, c
        await Timer(1, unit="ns")
        assert int(dut.sum.value) == a + b + c
