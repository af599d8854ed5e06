"""packed_tree.sv, dsp_add.sv in it: sums of any count of numbers, a new set in every cycle."""

import random
from collections.abc import Callable
from typing import Any

import cocotb
import pytest
from rtl_bench import draw, start_clock, through, unsigned_range


# A8's fields fill 48 bits, A6's leave 8, A2's are eight; fewer numbers than a DSP takes, a last
# pair with one field or with one number in it
@pytest.mark.parametrize(
    ("count", "width", "family"),
    [
        (1, 10, "portable"),
        (3, 6, "portable"),
        (16, 10, "xcup"),
        (16, 8, "portable"),
        (24, 6, "xc7"),
        (33, 4, "xcup"),
        (37, 9, "portable"),
        (48, 10, "portable"),
    ],
)
def test_packed_tree(simulate: Callable[..., None], count: int, width: int, family: str) -> None:
    parameters = {"COUNT": count, "WIDTH": width}
    simulate(__file__, "packed_tree", parameters, family=family)


def levels(count: int) -> int:
    """How often three numbers become one until one is left."""
    return 0 if count == 1 else 1 + levels(-(-count // 3))


@cocotb.test()
async def adds(dut: Any) -> None:
    start_clock(dut)
    count, width = int(dut.COUNT.value), int(dut.WIDTH.value)
    rng = random.Random(count)
    limits = unsigned_range(width)
    sets = [draw(rng, limits, count) for _ in range(300)]
    # all at the end of the range between sets of zeros: nothing may carry into another field
    sets += [[0] * count, [limits[1]] * count] * 3
    sets += [[limits[1] * (i == one) for i in range(count)] for one in range(count)]
    sets += [[limits[1] * (i != one) for i in range(count)] for one in range(count)]
    words = [sum(number << width * i for i, number in enumerate(numbers)) for numbers in sets]
    found = await through(dut, {"numbers": words}, ["sum"], 2 + levels(-(-count // 4)))
    assert found["sum"] == [sum(numbers) for numbers in sets]
    assert len(dut.sum) == (count * limits[1]).bit_length()
