"""Design -> LUT, LUTRAM, FF, DSP, BRAM: fitted costs times quantities, memories by their sizes.

UltraRAM is not used yet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import ceil_div
from vaqf.hardware.board import Board
from vaqf.hardware.design import TABLE_INPUTS, Capacity, Design, accumulator_bits
from vaqf.hardware.fabric import Resources
from vaqf.hardware.family import DSP_NARROW_BITS, Family
from vaqf.resources import memories, parts, quantities, unit_costs
from vaqf.resources.memories import Memory, memory_use
from vaqf.resources.parts import (
    Array,
    ArrayPart,
    AttentionPart,
    FramesPart,
    Parts,
    ScoresPart,
    WeightsPart,
)


def _logic(amounts: Mapping[str, float]) -> Resources:
    """What so much of each quantity takes of LUT, LUTRAM and FF."""
    costs = unit_costs.of_quantities()
    lut = lutram = ff = 0.0
    for name, amount in amounts.items():
        if name in costs:
            each = costs[name]
            lut += amount * each.lut
            lutram += amount * each.lutram
            ff += amount * each.ff
    return Resources(lut, lutram, ff)


def _storage(kinds: Iterable[Memory], family: Family) -> Resources:
    """What memories take, with the registers behind them."""
    lut = lutram = ff = blocks = 0
    for memory in kinds:
        use = memory_use(memory.width, memory.depth, memory.registers, family)
        lut += memory.copies * use.lut
        lutram += memory.copies * use.lutram
        ff += memory.copies * use.ff
        blocks += memory.copies * use.blocks
    return Resources(lut, lutram, ff, 0, blocks / 2)


def least_logic(
    engine: str, array: Array, act_bits: int, capacity: Capacity, family: Family
) -> Resources:
    """LUT, LUTRAM and FF that any design around this array uses, all its sums on adders: what the
    array itself takes, most tokens sharing a table generator, and the lanes behind it."""
    tokens, pe, simd = array
    lanes, acc = tokens * pe, accumulator_bits(act_bits, capacity)
    shared = tokens if engine == "table" else 1
    amounts = quantities.engine_quantities(engine, act_bits, array, shared) | {
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
    logic = _logic(amounts)
    if engine == "table":
        # columns of two bits, were none left over
        columns = lanes * simd / TABLE_INPUTS * (act_bits + 2) / 2
        luts = columns * family.lutram_luts / family.lutram_ports
        logic += Resources(luts, luts)
    return logic


# -- DSPs, which are counted and not fitted --------------------------------------------------------


@lru_cache(maxsize=256)
def multiplier(a: int, b: int, family: Family, signed: bool = True) -> int:
    """DSPs of one product; unsigned factors may be a bit narrower."""
    wide, narrow = family.dsp_bits, DSP_NARROW_BITS
    if not signed:
        wide, narrow = wide - 1, narrow - 1
    return min(
        ceil_div(a, wide) * ceil_div(b, narrow),
        ceil_div(a, narrow) * ceil_div(b, wide),
    )


def products_dsps(rows: int, lanes: int) -> int:
    """DSPs of QK^T and AV: two products in each, of two rows or of two channels."""
    return lanes * ceil_div(rows, 2) + rows * ceil_div(lanes, 2)


@lru_cache(maxsize=4096)
def array_dsps(part: ArrayPart, family: Family) -> int:
    """Of the vector unit, and what else multiplies once; without those of sums."""
    tokens, pe, _ = part.array
    mult, mantissa = widths.MULT_BITS, widths.NORM_VALUE_BITS + 1
    residual, operand = widths.RESIDUAL_BITS, widths.OPERAND_BITS
    requantize = multiplier(operand, mult, family)
    square = multiplier(residual, residual, family)
    norm = (
        multiplier(residual, 17, family)
        + multiplier(operand, mantissa, family)
        + multiplier(widths.NORM_FRACTION_BITS + 6, mult, family)
    )
    # the normalizer: the square of a row's sum by its halves, its sum of squares times dim by two
    # parts; and two interpolations
    once = 3 + 2 + 2
    return tokens * pe * (requantize + square) + part.norm_tokens * pe * norm + once


def sum_dsps(act_bits: int, array: Array) -> int:
    """Of one sum of the table engine that begins on DSPs."""
    return quantities.packed_tree(array[2] // TABLE_INPUTS, act_bits + 2)[2]


@lru_cache(maxsize=4096)
def attention_dsps(part: AttentionPart, family: Family) -> int:
    """Of the attention engine."""
    a, mult, mantissa = part.act_bits, widths.MULT_BITS, widths.NORM_VALUE_BITS + 1
    mean = multiplier(part.context_bits, mantissa, family)
    mean += multiplier(a + widths.NORM_FRACTION_BITS, mult, family)
    score = widths.score_bits(a, part.head)
    exponent = multiplier(score + 1, widths.SCORE_MULT_BITS, family)
    products = products_dsps(part.rows, part.lanes)
    return part.lanes * mean + part.softmax_lanes * exponent + products


# -- the parts, not rounded ------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def dsp_sums_use(act_bits: int, array: Array, dsp_sums: int) -> Resources:
    """What a table engine takes more with so many sums that begin on DSPs, of LUTs below zero."""
    logic = _logic(quantities.dsp_sum_quantities(act_bits, array, dsp_sums))
    late = quantities.late_sum_ffs(act_bits, array, dsp_sums)
    return logic + Resources(ff=late, dsp=dsp_sums * sum_dsps(act_bits, array))


def gelu_luts(lanes: int, act_bits: int) -> int:
    """LUTRAM of the gelu tables: 256 words, read and written at one address, 4 LUTs a bit."""
    return lanes * act_bits * (1 << widths.GELU_INDEX_BITS) // 64


@lru_cache(maxsize=4096)
def array_use(part: ArrayPart, family: Family) -> Resources:
    """With its tables and those of gelu."""
    if part.dsp_sums:
        without = array_use(part._replace(dsp_sums=0), family)
        return without + dsp_sums_use(part.act_bits, part.array, part.dsp_sums)
    tokens, pe, _ = part.array
    luts = gelu_luts(tokens * pe, part.act_bits)
    if part.engine == "table":
        luts += quantities.table_luts(part.act_bits, part.array, part.share, family)
    logic = _logic(quantities.array_quantities(part, family))
    rest = Resources(luts, luts, 0, array_dsps(part, family))
    return logic + _storage(memories.array_memories(part), family) + rest


@lru_cache(maxsize=4096)
def frames_use(part: FramesPart, family: Family) -> Resources:
    """Of as many frames as are in flight."""
    logic = _logic(quantities.frame_quantities(part))
    return logic + _storage(memories.frame_memories(part), family)


@lru_cache(maxsize=4096)
def attention_use(part: AttentionPart, family: Family) -> Resources:
    """But for the scores that wait."""
    logic = _logic(quantities.attention_quantities(part, family))
    dsps = Resources(dsp=attention_dsps(part, family))
    return logic + _storage(memories.attention_memories(part), family) + dsps


@lru_cache(maxsize=4096)
def scores_use(part: ScoresPart, family: Family) -> Resources:
    """A memory."""
    return _storage(memories.score_memories(part), family)


@lru_cache(maxsize=4096)
def weights_use(part: WeightsPart, family: Family) -> Resources:
    """Of the ring and its ports."""
    logic = _logic(quantities.weight_quantities(part))
    return logic + _storage(memories.weight_memories(part), family)


def resources(design: Design, board: Board) -> Resources:
    """What the design takes on the board's family, in whole LUTs and flip-flops."""
    use = total(parts.of(design), board.generation)
    return replace(use, lut=round(use.lut), lutram=round(use.lutram), ff=round(use.ff))


def total(every: Parts, family: Family) -> Resources:
    """What all parts of a design take together, not rounded.

    What memories, tables and DSPs take follows from their sizes, the rest from costs that
    benchmarks/unit_costs.py fitted to synthesized accelerators, before placement.
    """
    a = array_use(every.array, family)
    f = frames_use(every.frames, family)
    t = attention_use(every.attention, family)
    s = scores_use(every.scores, family)
    w = weights_use(every.weights, family)
    return Resources(
        a.lut + f.lut + t.lut + s.lut + w.lut,
        a.lutram + f.lutram + t.lutram + s.lutram + w.lutram,
        a.ff + f.ff + t.ff + s.ff + w.ff,
        a.dsp + f.dsp + t.dsp + s.dsp + w.dsp,
        a.bram36 + f.bram36 + t.bram36 + s.bram36 + w.bram36,
    )
