"""Leaf operations in C++ against golden, and our integer types against AMD's, by equality."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hls_bench import QUIET, design_for, small_vit

from vaqf.arithmetic import widths
from vaqf.network.structure import Norm, Requant
from vaqf.sim import golden

HERE = Path(__file__).parent
ACT_BITS = range(widths.MIN_ACT_BITS, widths.MAX_ACT_BITS + 1)
REQUANTIZE, LAYER_NORM, EXPONENT, RECIPROCAL, RSQRT, MEAN, ADD = range(7)
# enough tokens and channels that the widths are those of large models
VIT = small_vit(image_size=63, patch_size=1, dim=1024, heads=8, name="wide")
DESIGN = {"pe": 16, "simd": 16, "attention_lanes": 128, "norm_tokens": 1, "engine": "adder"}


def run(program, cases):
    """int64 results of blocks (operation, records), or of plain records."""
    done = subprocess.run([program], input=cases, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return np.frombuffer(done.stdout, "<i8")


def block(operation, columns):
    records = np.stack(np.broadcast_arrays(*columns), axis=-1).astype("<i8")
    return np.array([operation, len(records)], "<i8").tobytes() + records.tobytes()


def signed(rng, bits, count):
    """Numbers of every magnitude up to `bits` bits, and the extremes."""
    values = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), count)
    values >>= rng.integers(0, bits, count)
    values[:4] = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 0, -1][:count]
    return values


def requant_cases(rng, count):
    """Values with multiplier, bias and shift each over its whole legal range."""
    value = signed(rng, widths.OPERAND_BITS, count)
    mult = rng.permutation(signed(rng, widths.MULT_BITS, count))
    limit = widths.BIAS_LIMIT
    bias = np.clip(rng.permutation(signed(rng, widths.BIAS_BITS, count)), -limit, limit)
    return value, mult, bias, rng.integers(0, widths.MAX_SHIFT + 1, count)


def golden_requantize(value, mult, bias, shift, low, high):
    """golden, one shift at a time."""
    out = np.empty(len(value), np.int64)
    for s in np.unique(shift):
        at = shift == s
        requant = Requant(mult[at].astype(np.int32), bias[at], int(s))
        out[at] = golden.requantize(value[at][None], requant, low, high)[0]
    return out


def layer_norm_cases(rng, act_bits):
    """Rows of many kinds with their sums, and golden's result."""
    columns, expected = [], []
    kinds = [(1, 9, 1), (3, 2**15, 1), (64, 1000, 77), (193, 0, 1), (384, 1, 2**40)]
    kinds += [(1000, 2**15, 5), (1024, 2**15, 2**40)]
    for dim, scale, eps in kinds:
        x = np.clip(rng.normal(0, scale, dim) if scale else np.full(dim, 123), -(2**15), 2**15 - 1)
        x = x.astype(np.int16)
        if dim == 1024:
            x[:512], x[512:] = -(2**15), 2**15 - 1  # the largest variance there is
        _, mult, bias, _ = requant_cases(rng, dim)
        shift = int(rng.integers(10, 40))
        bias >>= max(0, 40 - shift)
        norm = Norm(eps, Requant(mult.astype(np.int32), bias, shift))
        expected.append(golden.layer_norm(x[None], norm, act_bits)[0])
        wide = x.astype(np.int64)
        sums = (wide.sum(), (wide * wide).sum())
        columns.append(np.broadcast_arrays(dim, *sums, eps, wide, mult, bias, shift))
    return [np.concatenate(column) for column in zip(*columns, strict=True)], np.concatenate(
        expected
    )


def all_cases(act_bits, constants):
    """Blocks of every operation, and golden's results."""
    rng = np.random.default_rng(act_bits)
    blocks, expected = [], []

    def add(operation, columns, results):
        blocks.append(block(operation, columns))
        expected.append(np.asarray(results, np.int64).reshape(-1))

    for low, high in (
        (-(2**23), 2**23 - 1),
        (0, 2**act_bits - 1),
        (-128, 127),
        (-(2**15), 2**15 - 1),
    ):
        case = requant_cases(rng, 2000)
        add(REQUANTIZE, [*case, low, high], golden_requantize(*case, low, high))
    columns, results = layer_norm_cases(rng, act_bits)
    add(LAYER_NORM, columns, results)
    top = 2 * constants["head"] * widths.signed_limit(act_bits) ** 2
    delta = np.concatenate([rng.integers(0, top + 1, 2000), [0, 1, top]])
    delta >>= rng.integers(0, 16, len(delta))
    for shift in (0, 5, 17, 47, 63):
        mult = int(rng.integers(0, 2**18))
        scores = np.stack([np.zeros_like(delta), -delta], axis=-1)
        results = golden.exponents(scores, mult, shift, act_bits)[:, 1]
        add(EXPONENT, [delta, mult, shift], results)
    most = constants["tokens"] * widths.unsigned_limit(widths.exp_bits(act_bits))
    total = np.unique(np.concatenate([np.arange(1, 2000), rng.integers(1, most + 1, 2000), [most]]))
    mantissa, exponent = golden.reciprocal(total)
    add(RECIPROCAL, [total], np.stack([mantissa, exponent], axis=-1))
    variance = np.exp2(rng.uniform(0, 51.5, 5000)).astype(np.int64)
    powers = 2 ** np.arange(52)
    variance = np.concatenate([np.arange(1, 2000), variance, powers, powers[1:] - 1])
    add(RSQRT, [variance], np.stack(golden.rsqrt(variance), axis=-1))
    limit = total * widths.signed_limit(act_bits)  # |sum(e * v)| <= sum(e) * max|v|
    weighted = np.rint(rng.uniform(-1, 1, len(total)) * limit).astype(np.int64)
    weighted[:2], weighted[-2:] = limit[:2], -limit[-2:]
    mean = (weighted * mantissa) >> (widths.NORM_VALUE_BITS - widths.NORM_FRACTION_BITS + exponent)
    add(MEAN, [weighted, total], mean)
    a, b = signed(rng, 16, 2000), rng.permutation(signed(rng, 16, 2000))
    add(ADD, [a, b], golden.saturate(a + b))
    return b"".join(blocks), np.concatenate(expected)


def check_operations(bench, act_bits, types, flags):
    design = design_for([VIT], act_bits=act_bits, **DESIGN)
    source = (HERE / "operations.cpp").read_text()
    program = bench.driver("operations", source, design, types, flags)
    capacity = {"head": design.capacity.head, "tokens": design.capacity.tokens}
    cases, expected = all_cases(act_bits, capacity)
    results = run(program, cases)
    assert results.shape == expected.shape
    wrong = np.flatnonzero(results != expected)
    assert wrong.size == 0, f"{wrong.size} differ, first {wrong[:5]}"


@pytest.mark.parametrize("act_bits", ACT_BITS)
def test_operations_equal_golden(bench, act_bits):
    check_operations(bench, act_bits, None, ["-O1"])


def test_operations_equal_golden_under_sanitizers(bench):
    flags = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    check_operations(bench, 8, None, flags)


@pytest.mark.parametrize("act_bits", [2, 8])
def test_operations_with_vendor_types(bench, vendor_types, act_bits):
    check_operations(bench, act_bits, vendor_types, ["-O1", *QUIET.split()])


def integer_pairs():
    rng = np.random.default_rng(0)
    x = signed(rng, 63, 1000)
    y = rng.permutation(signed(rng, 63, 1000))
    corners = np.array([0, 1, -1, 2, -2, 127, 128, -128, 2**15, 2**31 - 1, -(2**31), 2**62], "<i8")
    pairs = np.stack([np.repeat(corners, 12), np.tile(corners, 12)], axis=-1)
    return np.concatenate([np.stack([x, y], axis=-1), pairs]).astype("<i8").tobytes()


def test_native_integers_equal_the_vendors(bench, vendor_types):
    source = (HERE / "integers.cpp").read_text()
    design = design_for([small_vit()])
    flags = ["-O1", "-std=c++11", *QUIET.split()]
    checked = [*flags, "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    ours = run(bench.driver("integers", source, design, None, checked), integer_pairs())
    theirs = run(bench.driver("integers", source, design, vendor_types, flags), integer_pairs())
    assert ours.size > 500_000
    wrong = np.flatnonzero(ours != theirs)
    assert wrong.size == 0, f"{wrong.size} differ, first {wrong[:5]}"
