"""Widths, rounding and tables of widths.py."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaqf.arithmetic import tables, widths


@pytest.mark.parametrize("act_bits", [-1, 0, 1, 9, 16])
def test_activations_of_other_widths_are_refused(act_bits):
    with pytest.raises(ValueError, match=f"{act_bits}; it must be 2 to 8"):
        widths.check_act_bits(act_bits)


def test_limits_and_digits_by_precision():
    table = {
        bits: (
            widths.signed_limit(bits),
            widths.unsigned_limit(bits),
            widths.exp_bits(bits),
            widths.pixel_digits(bits),
        )
        for bits in range(2, 9)
    }
    assert table == {
        2: (1, 3, 2, 4),
        3: (3, 7, 3, 3),
        4: (7, 15, 4, 2),
        5: (15, 31, 5, 2),
        6: (31, 63, 6, 2),
        7: (63, 127, 7, 2),
        8: (127, 255, 7, 1),
    }
    for bits in table:
        widths.check_act_bits(bits)


@given(st.integers(0, 2**60))
def test_signed_bits_are_the_least_that_hold_a_magnitude(magnitude):
    bits = widths.signed_bits(magnitude)
    assert magnitude < 2 ** (bits - 1)
    assert bits == 1 or magnitude >= 2 ** (bits - 2)


@given(st.integers(2, 8), st.integers(1, 20_000))
def test_accumulators_hold_both_extremes_and_no_spare_bit(act_bits, k):
    top = k * (2**act_bits - 1)
    bits = widths.binary_acc_bits(act_bits, k)
    assert top < 2 ** (bits - 1) <= 2 * top
    bits = widths.fixed_acc_bits(act_bits, k)
    assert top * 128 < 2 ** (bits - 1) <= 2 * top * 128


def test_accumulators_of_known_layers():
    assert widths.binary_acc_bits(8, 3072) == 21
    assert widths.binary_acc_bits(8, 4096) == 21
    assert widths.binary_acc_bits(8, 8192) == 22
    assert widths.fixed_acc_bits(8, 16 * 16 * 3) == 26
    assert widths.fixed_acc_bits(8, 32 * 32 * 3) == 28
    assert widths.fixed_acc_bits(8, 2 * widths.MAX_DIM) == 27


def test_pre_shift_starts_where_the_port_ends():
    assert [widths.pre_shift(bits) for bits in (1, 26, 27, 28, 31)] == [0, 0, 0, 1, 4]
    last = 2056  # docs/arithmetic.md: more patch inputs need a pre-shift
    assert widths.pre_shift(widths.fixed_acc_bits(8, last)) == 0
    assert widths.pre_shift(widths.fixed_acc_bits(8, last + 1)) == 1


def test_bias_limit_is_the_largest_that_cannot_overflow():
    low, high = -(2**26) * (2**17 - 1), 2**26 * 2**17  # of a 27 x 18 bit product
    limit = widths.BIAS_LIMIT
    assert limit + high == 2**47 - 1
    assert -limit + low >= -(2**47)


def check_octave(table, f):
    """Value and slope against a formula, at the entries and between them."""
    x = 1 + np.arange(128) / 128
    exact = np.array([f(v) for v in x]) * 2**17
    assert np.abs(table.value - exact).max() <= 1.0  # f(1) is cut to 17 bits
    assert np.abs(table.value - exact)[1:].max() <= 0.5
    assert table.value.min() >= 2**16 and table.value.max() == min(round(exact[0]), 2**17 - 1)
    assert table.slope.min() > 0 and table.slope.max() < 2**10
    assert (table.value[:-1] - table.slope[:-1] == table.value[1:]).all()
    assert table.value[-1] - table.slope[-1] == round(f(2.0) * 2**17)


def test_octave_tables_are_rounded_samples():
    check_octave(tables.reciprocal_table(), lambda x: 1 / x)
    even, odd = tables.rsqrt_tables()
    check_octave(even, lambda x: 1 / math.sqrt(x))
    check_octave(odd, lambda x: 1 / math.sqrt(2 * x))


def test_exp2_table_is_rounded_to_17_bits():
    table = tables.exp2_table()
    exact = [2.0 ** (16 - i / 256) for i in range(256)]
    assert table[0] == 2**16 and len(table) == 256
    assert np.abs(table - exact).max() <= 0.5
    assert (np.diff(table) < 0).all()
