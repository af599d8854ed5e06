"""scale_by.sv against the formula of docs/arithmetic.md: floor(x * mantissa / 2**places)."""

import random
from collections.abc import Callable
from typing import Any

import cocotb
import pytest
from rtl_bench import draw, latency, signed_range, start_clock, through, to_signed, unsigned_range

from vaqf.arithmetic import widths

LATENCY, BEHIND = latency("SCALE_BY"), latency("SCALE_PRODUCT") - 1


@pytest.mark.parametrize(
    ("bits", "family"), [(17, "portable"), (27, "portable"), (27, "xcup"), (24, "xc7"), (31, "xc7")]
)
def test_scale_by(simulate: Callable[..., None], bits: int, family: str) -> None:
    simulate(__file__, "scale_by", {"BITS": bits}, family=family)


@cocotb.test()
async def equals_the_formula(dut: Any) -> None:
    start_clock(dut)
    rng = random.Random(1)
    bits, out = int(dut.BITS.value), widths.OPERAND_BITS
    fixed = widths.NORM_VALUE_BITS - widths.NORM_FRACTION_BITS
    values = draw(rng, signed_range(bits), 2000)
    mantissas = draw(rng, unsigned_range(widths.NORM_VALUE_BITS), 2000)
    exponents = [rng.randrange(40) for _ in values]
    expected = [x * m >> (fixed + e) for x, m, e in zip(values, mantissas, exponents, strict=True)]
    # what leaves the multiplier's port cannot occur: arithmetic.md bounds the result
    inside = [i for i, wanted in enumerate(expected) if abs(wanted) < 2 ** (out - 1)]
    assert len(inside) > 1500
    inputs = {"x": values, "mantissa": mantissas, "exponent": exponents}
    kept = {name: [column[i] for i in inside] for name, column in inputs.items()}
    # an exponent comes a cycle before its product
    kept["exponent"] = kept["exponent"][:1] * BEHIND + kept["exponent"][:-BEHIND]
    found = await through(dut, kept, ["result"], LATENCY)
    assert to_signed(found["result"], out)[:-BEHIND] == [expected[i] for i in inside][:-BEHIND]
