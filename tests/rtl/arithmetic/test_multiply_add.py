"""multiply_add.sv and the dsp48.sv in it: a * b + c with any registers, on both families."""

import random
from collections.abc import Callable
from typing import Any

import cocotb
import pytest
from rtl_bench import draw, signed_range, start_clock, through, to_signed


@pytest.mark.parametrize("family", ["portable", "xcup", "xc7"])
@pytest.mark.parametrize(("operands", "product"), [(1, 1), (1, 0), (0, 1), (0, 0)])
def test_multiply_add(
    simulate: Callable[..., None], operands: int, product: int, family: str
) -> None:
    bits = {"A_BITS": 25 if family == "xc7" else 27, "B_BITS": 18}
    parameters = {**bits, "OPERANDS": operands, "PRODUCT": product}
    simulate(__file__, "multiply_add", parameters, family=family)


def test_operands_wider_than_the_port(simulate: Callable[..., None]) -> None:
    """27 bits on a DSP48E1, which has 25."""
    simulate(__file__, "multiply_add", {"A_BITS": 27, "B_BITS": 18}, family="xc7")


@cocotb.test()
async def equals_the_formula(dut: Any) -> None:
    start_clock(dut)
    rng = random.Random(1)
    registers = int(dut.OPERANDS.value) + int(dut.PRODUCT.value)
    a, b, c = (draw(rng, signed_range(len(port)), 500) for port in (dut.a, dut.b, dut.c))
    found = (await through(dut, {"a": a, "b": b, "c": c}, ["sum"], registers + 1))["sum"]
    behind = registers - 1  # of c
    for i, total in enumerate(to_signed(found, 48)):
        if 0 <= i + behind < len(c):
            expected = a[i] * b[i] + c[i + behind]
            assert (total - expected) % 2**48 == 0, i
