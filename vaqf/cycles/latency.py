"""Cycles of the RTL's pipelines: the numbers of rtl/packages/latency.sv, its functions in Python.

tests/rtl/packages/test_latency.py compares the functions with the package's, in a simulator.
"""

from functools import lru_cache

from vaqf.arithmetic.widths import ceil_div
from vaqf.hardware import trees
from vaqf.hardware.design import TABLE_INPUTS
from vaqf.hardware.family import Family
from vaqf.hardware.rtl_numbers import number

add_tree, packed_tree = trees.add_tree, trees.packed_tree


def cycles(name: str) -> int:
    """A constant of the package, by its name there."""
    return number("latency", name)


@lru_cache(maxsize=1024)
def octave(bits: int) -> int:
    """A table over one octave, its argument of so many bits normalized before."""
    return (bits - 1).bit_length() + cycles("OCTAVE_TABLE")


def normalizer(bits: int) -> int:
    """Sums of a row -> 1 / sigma, with so many bits of variance."""
    return cycles("VARIANCE") + octave(bits)


@lru_cache(maxsize=1024)
def sums(table: bool, inputs: int, dsp_sums: int) -> int:
    """Weights -> sums of the inputs they select, those of so many lanes begun on DSPs."""
    if dsp_sums:
        return 2 + packed_tree(inputs // TABLE_INPUTS)
    return 2 + add_tree(inputs // (TABLE_INPUTS if table else 2))


@lru_cache(maxsize=1024)
def products(inputs: int, factor_bits: int, most: int, family: Family) -> int:
    """Factors -> sums of so many products of magnitude `most`, on a family's DSPs."""
    chain = (2 ** (family.dsp_bits - factor_bits - 1) - 1) // most
    chains = ceil_div(inputs, min(chain, cycles("LONGEST_CHAIN")))
    return 2 + ceil_div(inputs, chains) + add_tree(chains)
