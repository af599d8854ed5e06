"""exponent.sv against golden's softmax numerators."""

import random
from collections.abc import Callable
from typing import Any

import cocotb
import numpy as np
import pytest
from hls_bench import design_for
from rtl_bench import draw, latency, start_clock, through
from samples import ODD

from vaqf.arithmetic import widths
from vaqf.sim import golden

LATENCY = latency("EXPONENT")


@pytest.mark.parametrize("act_bits", [2, 5, 8])
def test_exponent(simulate: Callable[..., None], act_bits: int) -> None:
    simulate(__file__, "exponent", {}, design=design_for([ODD], act_bits=act_bits))


@cocotb.test()
async def equals_golden(dut: Any) -> None:
    start_clock(dut)
    score_bits, exp_bits = int(dut.SCORE_BITS.value), int(dut.EXP_BITS.value)
    rng = random.Random(score_bits)
    most = 2**score_bits - 1
    for _ in range(25):
        # steps of a fraction, of a few, and of many powers of two over the range of scores
        shift = rng.randrange(widths.MAX_SHIFT + 1)
        mult = min(max(1, round(2.0 ** (shift + rng.uniform(0, 14) - score_bits))), 2**18 - 1)
        dut.mult.value, dut.shift.value = mult, shift
        deltas = [0, 1, most, *draw(rng, (0, most), 200)]
        found = await through(dut, {"delta": deltas}, ["result"], LATENCY)
        scores = np.array([0, *(-delta for delta in deltas)])[None]
        expected = golden.exponents(scores, mult, shift, exp_bits)[0, 1:]
        assert found["result"] == expected.tolist()
