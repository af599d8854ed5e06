"""Design -> LUT, LUTRAM, FF, DSP, BRAM: fitted costs times quantities, memories by their sizes."""

import math
from collections.abc import Mapping

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import ceil_div, round_up
from vaqf.hardware.board import RESOURCES, Board
from vaqf.hardware.design import TABLE_INPUTS, Capacity, Design, accumulator_bits
from vaqf.resources import unit_costs
from vaqf.resources.memories import Array, memories, memory_use
from vaqf.resources.quantities import engine_quantities, quantities, table_luts

Costs = Mapping[str, float]


def _price(amounts: Mapping[str, float], costs: Costs) -> float:
    total = 0.0
    for name, cost in costs.items():
        if name in amounts:
            total += cost * amounts[name]
    return total


def least_logic(
    engine: str, array: Array, act_bits: int, capacity: Capacity, series_7: bool
) -> dict[str, float]:
    """LUT, LUTRAM and FF that any design around this array uses: what the array itself takes, most
    tokens sharing a table generator, and the lanes behind it."""
    tokens, pe, simd = array
    lanes, acc = tokens * pe, accumulator_bits(act_bits, capacity)
    amounts = engine_quantities(engine, act_bits, array, tokens if engine == "table" else 1)
    amounts |= {
        "one": 1.0,
        engine: 1.0,
        "lanes": lanes,
        "tokens": tokens,
        "records": pe,
        "weights": pe * simd,
        "load_bits": lanes * act_bits,
        "acc_bits": lanes * acc,
        "weight_copies": tokens // 2 * pe * simd,
    }
    costs = unit_costs.of_quantities()
    lutram = _price(amounts, costs["lutram"])
    if engine == "table":
        # columns of two bits, were none left over
        columns = lanes * simd / TABLE_INPUTS * (act_bits + 2) / 2
        lutram += columns * (4 / 3 if series_7 else 8 / 7)
    return {
        "lut": lutram + _price(amounts, costs["lut"]),
        "lutram": lutram,
        "ff": _price(amounts, costs["ff"]),
    }


# -- DSPs, which are counted and not fitted --------------------------------------------------------


def multiplier(a: int, b: int, series_7: bool, signed: bool = True) -> int:
    """DSPs of one product: a DSP48E2 multiplies signed 27 x 18 bits, a DSP48E1 25 x 18."""
    wide, narrow = (25 if series_7 else 27), 18
    if not signed:
        wide, narrow = wide - 1, narrow - 1
    return min(
        ceil_div(a, wide) * ceil_div(b, narrow),
        ceil_div(a, narrow) * ceil_div(b, wide),
    )


def products_dsps(rows: int, lanes: int) -> int:
    """DSPs of QK^T and AV: two products in each, of two rows or of two channels."""
    return lanes * ceil_div(rows, 2) + rows * ceil_div(lanes, 2)


def softmax_lanes(design: Design) -> int:
    """Exponents per cycle: R scores in as many cycles as a head has parts."""
    return ceil_div(design.attention_rows, design.capacity.head // design.attention_lanes)


def dsps(design: Design, series_7: bool) -> int:
    """DSPs of attention and vector unit, and what else multiplies once."""
    c, a, p = design.capacity, design.act_bits, design.pe
    rows, lanes = design.attention_rows, design.attention_lanes
    mult, mantissa = widths.MULT_BITS, widths.NORM_VALUE_BITS + 1
    context = widths.context_bits(a, round_up(c.tokens, design.tokens))
    fraction = widths.NORM_FRACTION_BITS
    score = widths.score_bits(a, c.head)
    result = multiplier(widths.OPERAND_BITS, mult, series_7)
    square = multiplier(widths.RESIDUAL_BITS, widths.RESIDUAL_BITS, series_7)
    norm = (
        multiplier(widths.RESIDUAL_BITS, 17, series_7)
        + multiplier(widths.OPERAND_BITS, mantissa, series_7)
        + multiplier(fraction + 6, mult, series_7)
    )
    mean = multiplier(context, mantissa, series_7) + multiplier(a + fraction, mult, series_7)
    exponent = multiplier(score, widths.SCORE_MULT_BITS, series_7, signed=False)
    # the normalizer: square of a row's sum, its sum of squares times dim; and two interpolations
    sums, squares = widths.ROW_SUM_BITS, widths.ROW_SQUARE_BITS + 1
    once = multiplier(sums, sums, series_7) + 2
    once += multiplier(squares, widths.MAX_DIM.bit_length() + 1, series_7)
    return (
        design.tokens * p * (result + square)
        + design.norm_tokens * p * norm
        + lanes * mean
        + softmax_lanes(design) * exponent
        + products_dsps(rows, lanes)
        + once
    )


# -- everything ------------------------------------------------------------------------------------


def gelu_luts(lanes: int, act_bits: int) -> int:
    """LUTRAM of the gelu tables: 256 words, read and written at one address, 4 LUTs a bit."""
    return lanes * act_bits * (1 << widths.GELU_INDEX_BITS) // 64


def resources(design: Design, board: Board) -> dict[str, float]:
    """LUT, LUTRAM, FF, DSP and BRAM36 (halves are BRAM18) of the design on the board's family.

    LUT includes LUTRAM. What memories, tables and DSPs take follows from their sizes, the rest from
    costs that benchmarks/unit_costs.py fitted to synthesized accelerators, before placement.
    """
    series_7 = board.is_series_7
    acc = accumulator_bits(design.act_bits, design.capacity)
    amounts = quantities(design, acc, series_7) | {"one": 1.0, design.engine: 1.0}
    costs = unit_costs.of_quantities()
    lutram: float = gelu_luts(design.tokens * design.pe, design.act_bits)
    if design.engine == "table":
        array = (design.tokens, design.pe, design.simd)
        lutram += table_luts(design.act_bits, array, design.share, series_7)
    lut = ff = blocks = 0.0
    for memory in memories(design, acc):
        use = memory_use(memory.width, memory.depth, memory.registers, series_7)
        lut += memory.copies * (use.lut - use.lutram)
        lutram += memory.copies * use.lutram
        ff += memory.copies * use.ff
        blocks += memory.copies * use.blocks
    lutram += _price(amounts, costs["lutram"])
    return {
        "lut": round(lut + lutram + _price(amounts, costs["lut"])),
        "lutram": round(lutram),
        "ff": round(ff + _price(amounts, costs["ff"])),
        "dsp": dsps(design, series_7),
        "bram36": blocks / 2,
    }


def worst_share(use: Mapping[str, float], budget: Mapping[str, int]) -> tuple[float, str]:
    """The highest used / budget and its resource; a design fits if it is at most 1."""
    return max(
        (use[key] / budget[key] if budget[key] else (math.inf if use[key] else 0.0), key)
        for key in RESOURCES
        if key in use
    )


def largest_share(use: Mapping[str, float], available: Mapping[str, int]) -> float:
    """The highest used / available over all resources: the size of a design."""
    return max(
        use[key] / available[key] if available[key] else 0.0 for key in RESOURCES if key in use
    )
