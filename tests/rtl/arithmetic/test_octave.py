"""octave.sv and normalize.sv against golden: 1 / x and 1 / sqrt(x)."""

import random
from collections.abc import Callable
from typing import Any

import cocotb
import numpy as np
import pytest
from rtl_bench import draw, latency, start_clock, through

from vaqf.sim import golden


@pytest.mark.parametrize("root", [0, 1])
@pytest.mark.parametrize("bits", [9, 20, 52])
def test_octave(simulate: Callable[..., None], bits: int, root: int) -> None:
    simulate(__file__, "octave", {"BITS": bits, "ROOT": root})


@cocotb.test()
async def equals_golden(dut: Any) -> None:
    start_clock(dut)
    bits, root = int(dut.BITS.value), int(dut.ROOT.value)
    levels = (bits - 1).bit_length()
    cycles = levels + latency("OCTAVE_TABLE")
    rng = random.Random(bits)
    values = [2**i + d for i in range(bits) for d in (-1, 0, 1)]
    values += [2 ** rng.randrange(bits) + v for v in draw(rng, (0, 2**bits // 2 - 1), 600)]
    values = [v for v in values if 1 <= v < 2**bits]
    found = await through(dut, {"x": values}, ("mantissa", "exponent"), cycles)
    expected = (golden.rsqrt if root else golden.reciprocal)(np.array(values))
    for name, wanted in zip(("mantissa", "exponent"), expected, strict=True):
        assert found[name] == wanted.tolist()
