"""add_tree.sv: sums of any count of numbers, a new set in every cycle."""

import random
from collections.abc import Callable
from typing import Any

import cocotb
import pytest
from rtl_bench import draw, start_clock, through, unsigned_range


@pytest.mark.parametrize(
    ("count", "width", "family"),
    [
        (2, 1, "portable"),
        (3, 10, "xcup"),
        (4, 4, "portable"),
        (8, 5, "xc7"),
        (16, 10, "portable"),
        (16, 10, "xcup"),
        (29, 3, "portable"),
    ],
)
def test_add_tree(simulate: Callable[..., None], count: int, width: int, family: str) -> None:
    parameters = {"COUNT": count, "WIDTH": width}
    simulate(__file__, "add_tree", parameters, family=family)


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
    sets += [[0] * count, [limits[1]] * count]
    sets += [[limits[1] * (i == one) for i in range(count)] for one in range(count)]
    sets += [[limits[1] * (i != one) for i in range(count)] for one in range(count)]
    words = [sum(number << width * i for i, number in enumerate(numbers)) for numbers in sets]
    found = await through(dut, {"numbers": words}, ["sum"], levels(count))
    assert found["sum"] == [sum(numbers) for numbers in sets]
    assert len(dut.sum) == (count * limits[1]).bit_length()
