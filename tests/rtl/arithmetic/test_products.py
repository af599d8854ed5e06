"""products.sv: matrix times vector, a new matrix in every beat, on both families' DSPs."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cocotb
import pytest
from cocotb.triggers import FallingEdge
from hls_bench import design_for
from rtl_bench import draw, dsp, libraries, start_clock, to_signed
from samples import ODD

from vaqf.files.paths import rtl
from vaqf.hardware.family import SERIES_7, ULTRASCALE_PLUS, Family
from vaqf.project.rtl import RTL_PACKAGES, rtl_package
from vaqf.sim.cosim import launch

# outputs, inputs, bits of m, bits of x, largest x, loaded by input
SHAPES = [(3, 8, 8, 8, 127, 0), (1, 1, 2, 3, 3, 1), (4, 40, 8, 8, 127, 0), (5, 7, 3, 4, 7, 1)]
NAMES = ("OUTPUTS", "INPUTS", "M_BITS", "X_BITS", "X_MAX", "BY_INPUT")


@pytest.mark.parametrize("shape", SHAPES)
def test_products(simulate: Callable[..., None], shape: tuple[int, ...]) -> None:
    simulate(__file__, "products", dict(zip(NAMES, shape, strict=True)))


@pytest.mark.parametrize(
    ("family", "shape"),
    [
        (ULTRASCALE_PLUS, (3, 3, 8, 8, 127, 0)),
        (SERIES_7, (3, 5, 8, 8, 127, 0)),
        (SERIES_7, (4, 3, 4, 5, 15, 1)),
    ],
)
def test_products_of_a_family(
    tmp_path: Path, runtime: Path, family: Family, shape: tuple[int, ...]
) -> None:
    package, primitive = tmp_path / "vaqf_pkg.sv", tmp_path / "dsp.v"
    package.write_text(rtl_package(design_for([ODD]), "a bench", family))
    primitive.write_text(dsp(family.yosys))
    # the adders without CARRYs, which have a bench of their own
    portable = tmp_path / "ternary_add.sv"
    adder = rtl("ternary_add").read_text()
    assert adder.count("vaqf_pkg::PRIMITIVES != 0") == 1
    portable.write_text(adder.replace("vaqf_pkg::PRIMITIVES != 0", "0"))
    sources = [rtl(name) for name in (*RTL_PACKAGES, "products")]
    model = launch.compile_model(
        "products",
        [primitive, package, portable, *sources],
        tmp_path / "products",
        dict(zip(NAMES, shape, strict=True)),
        ["-DSYNTHESIS", *libraries()],
        runtime=runtime,
        strict=False,
    )
    outcomes = launch.run_benches(model, Path(__file__), tmp_path / "run")
    assert not [outcome for outcome in outcomes if outcome.failure], outcomes


def cycles(inputs: int, m_bits: int, most: int) -> int:
    """Latency of the portable and UltraScale+ module, or of the longest chain it may have."""
    chain = min(16, (2 ** (27 - m_bits - 1) - 1) // most)
    chains = -(-inputs // chain)
    levels, left = 0, chains
    while left > 1:
        levels, left = levels + 1, -(-left // 3)
    return 2 + -(-inputs // chains) + levels


def cycles_of_series_7(inputs: int, m_bits: int, most: int) -> int:
    """The same with a port of 25 bits."""
    return cycles(inputs, m_bits + 2, most)


def matrix(rng: random.Random, rows: int, columns: int, most: int) -> list[list[int]]:
    """Any numbers, or all at the end of the range."""
    kind = rng.randrange(4)
    if kind < 2:
        return [[most if kind else -most] * columns for _ in range(rows)]
    return [draw(rng, (-most, most), columns) for _ in range(rows)]


def flat(values: list[int], bits: int) -> int:
    """Numbers side by side, the first one lowest."""
    return sum((value & (2**bits - 1)) << i * bits for i, value in enumerate(values))


@cocotb.test()
async def equals_matrix_times_vector(dut: Any) -> None:
    start_clock(dut)
    outputs, inputs, m_bits, x_bits, x_max, by_input = (
        int(getattr(dut, name).value) for name in NAMES
    )
    y_bits, m_max = int(dut.Y_BITS.value), 2 ** (m_bits - 1) - 1
    narrow = int(dut.SHIFT.value) + m_bits == 25
    latency = (cycles_of_series_7 if narrow else cycles)(inputs, m_bits, m_max * x_max)
    rng = random.Random(inputs)
    loads = inputs if by_input else outputs
    current: list[list[int]] | None = None
    expected: list[list[int] | None] = []
    checked = 0
    for beat in range(60):
        coming = matrix(rng, outputs, inputs, m_max)
        lines = [list(column) for column in zip(*coming, strict=True)] if by_input else coming
        idle = rng.choice([0, 0, 1, 20])
        order = list(range(loads)) if by_input else rng.sample(range(loads), loads)
        for cycle in range(idle + loads):
            await FallingEdge(dut.clk)
            if len(expected) >= latency and (wanted := expected[-latency]) is not None:
                found = int(dut.y.value)
                values = [found >> o * y_bits & (2**y_bits - 1) for o in range(outputs)]
                assert to_signed(values, y_bits) == wanted, f"beat {beat}, cycle {cycle}"
                checked += 1
            # loads end with the beat: the next one swaps, and may load again in the same cycle
            line = order[cycle - idle] if cycle >= idle else None
            dut.load.value = 0 if line is None else 1 << line
            junk = rng.getrandbits(m_bits * len(lines[0]))
            dut.m.value = junk if line is None else flat(lines[line], m_bits)
            dut.swap.value = int(cycle == 0)
            x = matrix(rng, 1, inputs, x_max)[0]
            dut.x.value = flat(x, x_bits)
            product = None
            if current is not None:
                product = [sum(a * b for a, b in zip(row, x, strict=True)) for row in current]
            expected.append(product)
        current = coming
    assert checked > 100
