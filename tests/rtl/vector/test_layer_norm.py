"""normalizer.sv and layer_norm.sv against golden."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import cocotb
import numpy as np
import pytest
from hls_bench import design_for
from numpy.typing import NDArray
from rtl_bench import draw, late_biases, latency, signed_range, start_clock, through
from samples import ODD

from vaqf.arithmetic import widths
from vaqf.hardware.config import constants
from vaqf.network.structure import Norm, Requant
from vaqf.sim import golden

IntArray = NDArray[Any]
BEHIND_SUM = 1
BEHIND_FACTOR = latency("CENTRE")
BEHIND_EXPONENT = BEHIND_FACTOR + latency("SCALE_PRODUCT") - 1
BEHIND_RECORD = BEHIND_FACTOR + latency("SCALE_BY")
BEHIND_BIAS = BEHIND_RECORD + 1
LAYER_NORM = BEHIND_RECORD + latency("REQUANTIZE")
HALVINGS = (constants(design_for([ODD]))["variance_bits"] - 1).bit_length()
NORMALIZER = latency("VARIANCE") + HALVINGS + latency("OCTAVE_TABLE")
EPS_LIMIT = 2**40


def test_normalizer(simulate: Callable[..., None]) -> None:
    simulate(__file__, "normalizer", {})


@pytest.mark.parametrize("act_bits", [8, 3])
def test_layer_norm(simulate: Callable[..., None], act_bits: int) -> None:
    design = design_for([ODD], act_bits=act_bits)
    simulate(__file__, "layer_norm", {}, design=design)


@cocotb.test()
async def equals_golden(dut: Any) -> None:
    start_clock(dut)
    await {"normalizer": normalizer, "layer_norm": layer_norm}[dut._name](dut)


def tokens(rng: random.Random, dim: int) -> Iterator[IntArray]:
    """Rows of the residual stream: the largest variance, none, one channel apart, any."""
    low, high = signed_range(widths.RESIDUAL_BITS)
    yield np.array([low, high] * dim)[:dim]
    yield np.array([high] + [low] * (dim - 1))
    yield np.array([low] * dim)
    yield np.array([high] * dim)
    yield np.array([1] + [0] * (dim - 1))
    for _ in range(3):
        yield np.array(draw(rng, (low, high), dim))
        centre, spread = rng.randint(-20000, 20000), 2 ** rng.randrange(1, 13)
        yield np.array([centre + rng.randint(-spread, spread) for _ in range(dim)])


async def normalizer(dut: Any) -> None:
    """Rows of many lengths, one a cycle; dim and eps belong to the command."""
    rng = random.Random(1)
    for dim in [widths.MAX_DIM, 1, 2, 3, 192, *(rng.randrange(1, 1025) for _ in range(10))]:
        eps = rng.choice([1, EPS_LIMIT, rng.randint(1, EPS_LIMIT), rng.randint(1, 1000)])
        dut.dim.value, dut.eps.value = dim, eps
        rows = list(tokens(rng, dim))
        sums = [int(row.sum()) for row in rows]
        squares = [int((row.astype(np.int64) ** 2).sum()) for row in rows]
        inputs = {"sum": sums, "squares": squares}
        found = await through(dut, inputs, ("mantissa", "exponent"), NORMALIZER)
        variance = [dim * s2 - s * s + eps for s, s2 in zip(sums, squares, strict=True)]
        for name, wanted in zip(found, golden.rsqrt(np.array(variance)), strict=True):
            assert found[name] == wanted.tolist()


async def layer_norm(dut: Any) -> None:
    """A channel in every cycle, token after token; what lanes share comes late."""
    rng = random.Random(1)
    bits = len(dut.act)
    for dim in [widths.MAX_DIM, 1, 2, 21, 60]:
        eps = rng.choice([1, rng.randint(1, EPS_LIMIT)])
        x = np.stack(list(tokens(rng, dim))[: max(2, 500 // dim)])
        norm = Norm(eps, gains(rng, dim, bits))
        wide = x.astype(np.int64)
        total = wide.sum(axis=1)
        mantissa, exponent = golden.rsqrt(dim * (wide * wide).sum(axis=1) - total * total + eps)
        record = [
            (int(b) & (2**widths.BIAS_BITS - 1)) << widths.MULT_BITS
            | (int(m) & (2**widths.MULT_BITS - 1))
            for m, b in zip(norm.requant.mult, norm.requant.bias, strict=True)
        ]

        def late(values: list[int], cycles: int) -> list[int]:
            """Behind x by so many cycles, other numbers around them."""
            return values[-cycles:] + values + values[: BEHIND_BIAS - cycles]

        inputs = {
            "x": wide.reshape(-1).tolist() + [0] * BEHIND_BIAS,
            "minus_sum": late(np.repeat(-total, dim).tolist(), BEHIND_SUM),
            "mantissa": late(np.repeat(mantissa, dim).tolist(), BEHIND_FACTOR),
            "exponent": late(np.repeat(exponent, dim).tolist(), BEHIND_EXPONENT),
            "record": late(record * len(x), BEHIND_RECORD),
        }
        inputs = {name: column[: x.size + BEHIND_BIAS] for name, column in inputs.items()}
        words = inputs["record"]
        inputs["record"] = [
            late_biases(word, before, 1)
            for word, before in zip(words, [words[-1], *words], strict=False)
        ]
        dut.dim.value, dut.shift.value = dim, norm.requant.shift
        found = (await through(dut, inputs, ["act"], LAYER_NORM))["act"]
        expected = golden.layer_norm(x, norm, bits)
        assert found[: x.size] == expected.reshape(-1).tolist()


def gains(rng: random.Random, dim: int, bits: int) -> Requant:
    """Most channels spread over the activation's range, some are extreme."""
    shift = 17 + 16 - bits
    mult = np.array([rng.randint(-(2**17), 2**17 - 1) for _ in range(dim)])
    bias = np.array([rng.randrange(2 ** (bits + shift)) for _ in range(dim)])
    limit = widths.BIAS_LIMIT
    bias[::9] = [rng.choice([-limit, limit, 0]) for _ in bias[::9]]
    mult[::5] = [rng.choice([-(2**17), 2**17 - 1, 0, 1]) for _ in mult[::5]]
    return Requant(mult, bias, shift)
