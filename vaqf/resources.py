"""Design -> LUT, LUTRAM, FF, DSP, BRAM: unit costs times counts, memories from width x depth."""

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from vaqf import arithmetic
from vaqf import unit_costs as cost
from vaqf.board import RESOURCES, Board
from vaqf.command import COMMAND_WORDS, MAX_COMMANDS
from vaqf.design import (
    PORT_BITS,
    TABLE_INPUTS,
    Capacity,
    Design,
    banks_for,
    ceil_div,
    round_up,
)

# (width, depth) of one 18 Kbit block as simple dual port, UG573 table "Port aspect ratios"
_BRAM18_ASPECTS = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))
LUTRAM_DEPTH = 64  # shallower memories go to LUTRAM
Array = tuple[int, int, int]  # T, P, K
# what the chip keeps of one channel's requantization
RECORD_BITS = arithmetic.MULT_BITS + arithmetic.BIAS_BITS


class Memory(NamedTuple):
    """`copies` memories of `depth` words of `width` bits, one read and one write port each."""

    name: str
    copies: int
    width: int
    depth: int


@lru_cache(maxsize=4096)
def bram18(width: int, depth: int) -> int:
    """18 Kbit blocks of one memory, at the aspect ratio that takes fewest."""
    return min(-(-width // w) * -(-depth // d) for w, d in _BRAM18_ASPECTS)


def lutram_luts(width: int, depth: int, series_7: bool) -> int:
    """LUTs of one shallow dual-port memory: RAM32M16 (14 bits x 32) or RAM64M8 (7 bits x 64) in
    8 LUTs; RAM32M (6 bits) or RAM64M (3 bits) in 4 on 7-series. UG574, UG474."""
    bits, luts = (6, 4) if series_7 else (14, 8)
    if depth > 32:
        bits //= 2
    return ceil_div(width, bits) * luts


@lru_cache(maxsize=256)
def accumulator_bits(a: int, c: Capacity) -> int:
    """Widest partial sum: binary matmuls, 8-bit weights over pixel digits, and over activations."""
    return max(
        arithmetic.binary_acc_bits(a, max(c.hidden, c.attention, c.dim)),
        arithmetic.fixed_acc_bits(arithmetic.PIXEL_BITS, c.pixels),
        arithmetic.fixed_acc_bits(a, 2 * c.dim),
    )


def activation_memories(
    capacity: Capacity, act_bits: int, array: Array, banks: int, frames: int
) -> Iterator[Memory]:
    """The memories that hold whole frames, as banks of words of pe channels.

    Residual and hidden rows are only read and written by token groups: row t lies in bank
    t mod T. Attention reads runs of one row: word w of token t of q, k, v lies in bank
    (t + w) mod banks; the context overwrites q. Residual, q, k and v exist once per frame in
    flight; the hidden activations live within one phase of the binary engine and exist once.
    """
    tokens, pe, _ = array
    rows = ceil_div(capacity.tokens, tokens)
    residual, hidden, head_words = (
        ceil_div(channels, pe) for channels in (capacity.dim, capacity.hidden, capacity.attention)
    )
    yield Memory("residual", frames * tokens, arithmetic.RESIDUAL_BITS * pe, rows * residual)
    yield Memory("hidden", tokens, act_bits * pe, rows * hidden)
    depth = round_up(capacity.tokens, tokens) * ceil_div(head_words, banks)
    yield Memory("q_k_v", 3 * frames * banks, act_bits * pe, depth)


def memories(design: Design) -> Iterator[Memory]:
    """Every memory of the accelerator as the banks its engines need."""
    c, p, a, banks = design.capacity, design.pe, design.act_bits, design.banks
    array = (design.tokens, p, design.simd)
    yield from activation_memories(c, a, array, banks, design.frames_in_flight)
    # rows of two token groups: one in use, one being fetched
    yield Memory("normalized", design.tokens, a * p, 2 * ceil_div(c.dim, p))
    yield Memory("pixels", design.tokens, arithmetic.PIXEL_BITS * p, 2 * ceil_div(c.pixels, p))
    if c.partial_outputs:
        width = design.tokens * p * accumulator_bits(a, c)
        yield Memory("partial_sums", 1, width, ceil_div(c.partial_outputs, p))
    yield Memory("records", 1, RECORD_BITS * p, 2 * ceil_div(c.outputs, p))
    yield Memory("norm_records", 1, RECORD_BITS * p, 2 * ceil_div(c.dim, p))
    lanes = design.attention_lanes
    yield Memory("context_records", 1, RECORD_BITS * lanes, ceil_div(c.attention, lanes))
    score = arithmetic.score_bits(a, c.head)
    yield Memory("scores", 1, design.attention_rows * score, 2 * c.tokens)
    yield Memory("exponents", 1, design.attention_rows * arithmetic.exp_bits(a), 2 * c.tokens)
    yield Memory("weight_ring", 1, design.ring_word_bits, design.ring_words)
    yield Memory("read_buffers", design.weight_ports + 1, PORT_BITS, 512)
    yield Memory("commands", 1, 32 * COMMAND_WORDS, MAX_COMMANDS)


def _line(coefficients: tuple[float, float], act_bits: int) -> float:
    return coefficients[0] + coefficients[1] * act_bits


def table_lutram_per_mac(act_bits: int, pe: int, series_7: bool) -> float:
    """LUTRAM LUTs per MAC: (A + 2) / 2 columns per 4 inputs, one write port per 7 (3) readers."""
    readers = 3 if series_7 else 7
    return (act_bits + 2) / 2 / TABLE_INPUTS * (pe + ceil_div(pe, readers)) / pe


def array_use(
    engine: str, act_bits: int, array: Array, share: int, series_7: bool
) -> tuple[float, float, float]:
    """(LUT, of them LUTRAM, FF) of the T x P x K binary engine with its table generators.

    FF: reduction registers, weight register copies, and the operands: the table engine holds
    those of the next slice (the tables are the current one), the adder engine both.
    """
    tokens, pe, simd = array
    macs, a = tokens * pe * simd, act_bits
    weights = cost.WEIGHT_REGISTER_COPIES * pe * simd
    operands = tokens * simd * a
    if engine == "adder":
        ff = macs * cost.ADDER_FF_PER_MAC_AND_BIT * (a + 2) + weights + 2 * operands
        return macs * _line(cost.ADDER_LUT_PER_MAC, a), 0.0, ff
    lutram = macs * table_lutram_per_mac(a, pe, series_7)
    generators = tokens * simd / (TABLE_INPUTS * share)
    lut = lutram + macs * _line(cost.TABLE_ADDERS_LUT_PER_MAC, a)
    ff = macs * cost.TABLE_FF_PER_MAC_AND_BIT * (a + 2) + weights + operands
    return lut + generators * _line(cost.GENERATOR_LUT, a), lutram, ff


def lane_luts(act_bits: int, capacity: Capacity) -> float:
    """LUTs of one of T * P result lanes that no unit has: GELU table, partial-sum adder."""
    adder = accumulator_bits(act_bits, capacity) * cost.ACCUMULATE_LUT_PER_BIT
    return _line(cost.GELU_LUT, act_bits) + adder


def rotator_luts(act_bits: int, pe: int, banks: int) -> float:
    """Barrel rotators between lanes and the q, k, v banks: one LUT6 per bit and two levels.

    Requantized write, context write, fetch for proj, and q, k and v read by attention.
    """
    levels = ceil_div(max(banks - 1, 0).bit_length(), 2)
    return float(6 * act_bits * pe * banks * levels)


def least_logic(
    engine: str, array: Array, act_bits: int, capacity: Capacity, series_7: bool
) -> dict[str, float]:
    """LUT, LUTRAM and FF that any design around this array uses: the cheapest of everything."""
    tokens, pe, _ = array
    lut, lutram, ff = array_use(engine, act_bits, array, tokens, series_7)
    lanes = tokens * pe
    for count, unit in (
        (lanes, cost.REQUANTIZE),
        (lanes, cost.RESIDUAL_ADD),
        (lanes, cost.STATISTICS_LANE),
        (2, cost.DMA_PORT),
        (1, cost.CONTROL),
    ):
        lut += count * unit.lut
        ff += count * unit.ff
    rotators = rotator_luts(act_bits, pe, banks_for(tokens, 1))
    lut += lanes * lane_luts(act_bits, capacity) + rotators
    return {"lut": lut, "lutram": lutram, "ff": ff + rotators}


def attention_dsps(design: Design) -> int:
    """DSPs of QK^T and AV: R x L products each, several per DSP."""
    products = design.attention_rows * design.attention_lanes
    return 2 * ceil_div(products, cost.PRODUCTS_PER_DSP[design.act_bits])


def softmax_lanes(design: Design) -> int:
    """Exponents per cycle: R scores every padded_head / L cycles."""
    return ceil_div(design.attention_rows * design.attention_lanes, design.capacity.head)


def _units(design: Design) -> Iterator[tuple[int, cost.UnitCost]]:
    """The vector unit and the infrastructure, as (count, unit)."""
    lanes = design.tokens * design.pe
    norm = design.norm_tokens * design.pe
    yield lanes + design.attention_lanes, cost.REQUANTIZE
    yield lanes, cost.RESIDUAL_ADD
    yield norm, cost.NORM_LANE
    yield lanes - norm, cost.STATISTICS_LANE
    yield softmax_lanes(design), cost.SOFTMAX_LANE
    yield 1, cost.RECIPROCAL
    yield 1, cost.RSQRT
    yield design.weight_ports + 1, cost.DMA_PORT
    yield 1, cost.CONTROL


def dsps(design: Design, series_7: bool) -> int:
    """DSPs of attention and vector unit."""
    total = attention_dsps(design)
    for count, unit in _units(design):
        wide = series_7 and unit is cost.REQUANTIZE
        total += count * (cost.SERIES_7_REQUANTIZE_DSP if wide else unit.dsp)
    return total


def resources(design: Design, board: Board) -> dict[str, float]:
    """LUT, LUTRAM, FF, DSP and BRAM36 (halves are BRAM18) of the design on the board's family.

    LUT includes LUTRAM. Numbers are estimates for the RTL from unit_costs, before placement.
    """
    series_7 = board.is_series_7
    a, lanes = design.act_bits, design.tokens * design.pe
    array = (design.tokens, design.pe, design.simd)
    lut, lutram, ff = array_use(design.engine, a, array, design.share, series_7)
    packed = attention_dsps(design)
    split = cost.SPLIT_LUT_PER_DSP[a] * (cost.SERIES_7_SPLIT_FACTOR if series_7 else 1.0)
    score_adders = design.attention_rows * max(0, ceil_div(design.attention_lanes, 8) - 1)
    lut += packed * split + 24.0 * score_adders
    ff += packed * split + 24.0 * score_adders + design.attention_rows * design.capacity.head * a
    for count, unit in _units(design):
        lut += count * unit.lut
        ff += count * unit.ff
    lut += lanes * lane_luts(a, design.capacity)
    rotators = rotator_luts(a, design.pe, design.banks)
    lut += rotators
    ff += rotators
    blocks = 2  # reciprocal and reciprocal square root tables, 18 Kbit each
    for memory in memories(design):
        if memory.depth <= LUTRAM_DEPTH:
            luts = memory.copies * lutram_luts(memory.width, memory.depth, series_7)
            lut += luts
            lutram += luts
        else:
            blocks += memory.copies * bram18(memory.width, memory.depth)
    return {
        "lut": round(lut),
        "lutram": round(lutram),
        "ff": round(ff),
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
    return max(use[key] / available[key] if available[key] else 0.0 for key in RESOURCES)
