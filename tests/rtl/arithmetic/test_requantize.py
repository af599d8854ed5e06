"""requantize.sv against golden."""

import random
from collections.abc import Callable
from typing import Any

import cocotb
import numpy as np
import pytest
from rtl_bench import draw, latency, signed_range, start_clock, through, to_signed

from vaqf.arithmetic import widths
from vaqf.network.structure import Requant
from vaqf.sim import golden

LATENCY = latency("REQUANTIZE")


@pytest.mark.parametrize(
    ("operand_bits", "out_bits", "family"),
    [(20, 5, "portable"), (27, 24, "portable"), (27, 16, "xcup"), (20, 5, "xc7")],
)
def test_requantize(
    simulate: Callable[..., None], operand_bits: int, out_bits: int, family: str
) -> None:
    parameters = {"OPERAND_BITS": operand_bits, "OUT_BITS": out_bits}
    simulate(__file__, "requantize", parameters, family=family)


@cocotb.test()
async def equals_golden(dut: Any) -> None:
    start_clock(dut)
    rng = random.Random(1)
    operands = signed_range(int(dut.OPERAND_BITS.value))
    biases = (-widths.BIAS_LIMIT, widths.BIAS_LIMIT)
    lowest, highest = signed_range(int(dut.OUT_BITS.value))
    for shift in [0, 1, 7, 8, 9, 31, widths.MAX_SHIFT, *(rng.randrange(48) for _ in range(20))]:
        low, high = rng.choice([(lowest, highest), (0, highest), (-highest, highest)])
        dut.shift.value, dut.low.value, dut.high.value = shift, low, high
        value = draw(rng, operands, 200)
        mult = draw(rng, signed_range(widths.MULT_BITS), 200)
        bias = draw(rng, biases, 200)
        # random biases swamp most products: every other is the rounding half alone
        bias = [b if i % 2 else 2**shift // 2 for i, b in enumerate(bias)]
        # a bias comes a cycle behind its value
        operands_of = {"value": value, "mult": mult, "bias": [0, *bias[:-1]]}
        found = (await through(dut, operands_of, ["result"], LATENCY))["result"]
        found, value, mult, bias = found[:-1], value[:-1], mult[:-1], bias[:-1]
        requant = Requant(mult=np.array(mult), bias=np.array(bias), shift=shift)
        expected = golden.requantize(np.array(value), requant, low, high).tolist()
        assert to_signed(found, int(dut.OUT_BITS.value)) == expected
