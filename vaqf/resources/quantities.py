"""What the size of every RTL module grows with: Design -> numbers of bits, lanes, adders.

benchmarks/unit_costs.py fits what one of each costs in each module; the numbers themselves follow
the structure of rtl/. None falls when a design grows, which the bounds of the search need.
"""

from functools import lru_cache

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import ceil_div
from vaqf.hardware import trees
from vaqf.hardware.design import TABLE_INPUTS, Design
from vaqf.hardware.family import Family
from vaqf.hardware.rtl_numbers import number
from vaqf.resources import parts
from vaqf.resources.parts import Array, ArrayPart, AttentionPart, FramesPart, WeightsPart

BLOCK = number("sizes", "TABLE_BLOCK")  # tables with control registers of their own
LONGEST_CHAIN = number("latency", "LONGEST_CHAIN")  # DSPs
DSP_SUM_BITS = 48  # of either family's

# module -> what it grows with; every module has a fixed part, too. Small ones (requantize,
# multiply_add, ...: INLINE of sim/synth/units.py) are counted in those that use them
MODULES: dict[str, tuple[str, ...]] = {
    "accumulate": ("score_bits", "context_bits", "score_turns", "context_turns"),
    "activations": ("load_bits", "run_bits", "stream_bits", "token_sums"),
    "add_tree": ("tree_luts", "tree_ffs"),
    "attention": (),
    "axi_read": ("port_bits",),
    "axi_write": (),
    "binary_engine": ("acc_bits", "shifted_bits"),
    "commands": (),
    "embed_constants": ("stream_bits", "port_bits"),
    "control": (),
    "deliver": ("records", "port_bits", "head_words"),
    "diagonal": ("turned_bits", "bank_bits", "banks"),
    "exponent": ("exponents", "exponent_bits"),
    "fetch_parameters": (),
    "fetch_weights": (),
    "gelu": ("lanes", "load_bits"),
    "layer_norm": ("norm_lanes", "norm_bits", "wide_norms"),
    "loader": (),
    "logits": ("records",),
    "lookup": ("share",),
    "masked_column": ("mask_bits",),
    "masked_sum": ("operand_bits", "weight_copies"),
    "norm_numbers": ("token_sums", "norm_rows"),
    "normalizer": (),
    "operand_sums": ("token_acc_bits",),
    "operands": ("operand_bits", "load_bits"),
    "parameters": ("records", "head_words"),
    "pixels": ("lanes", "tokens", "records"),
    "products": ("matrix_rows", "matrix_cells", "query_bits", "value_bits"),
    "results": ("lanes", "dropped_bits", "tokens", "records", "wide_results"),
    "ring": ("weights",),
    "row_sums": ("lanes", "tokens"),
    "rows": ("load_bits", "norm_bits", "tokens", "run_words"),
    "score_keys": ("score_bits", "query_rows", "run_bits"),
    "sequencer": (),
    "subset_sums": ("found_bits", "weight_copies", "generator_blocks"),
    "sum_values": ("query_rows", "context_bits", "exp_bits"),
    "table_generator": ("entry_bits", "operand_bits", "generator_blocks"),
    "turn": ("turned_exps", "exp_bits", "query_rows"),
    "vaqf_accelerator": ("load_bits",),
    "weigh": ("score_bits", "exp_bits", "exponent_bits"),
    "write_context": ("run_lanes", "run_bits", "run_words", "context_bits"),
}


def bits_for(most: int) -> int:
    """Bits that hold 0 to `most`; at least 1, as in rtl/packages/sizes.sv."""
    return max(1, most.bit_length())


@lru_cache(maxsize=4096)
def add_tree(count: int, width: int) -> tuple[int, int]:
    """(LUTs, flip-flops) of add_tree.sv: ternary adders of one LUT a bit, and their sums."""
    luts = ffs = 0
    most, leaves = 2**width - 1, 1  # under a number of this level
    while leaves < count:
        given, bits = ceil_div(count, leaves), bits_for(leaves * most)
        for first in range(0, given, 3):
            luts += bits + 1 if given - first > 1 else 0
            ffs += bits_for(min(count - first * leaves, 3 * leaves) * most)
        leaves *= 3
    return luts, ffs


@lru_cache(maxsize=4096)
def packed_tree(count: int, width: int) -> tuple[int, int, int]:
    """(LUTs, flip-flops, DSPs) of packed_tree.sv: pairs of DSPs that make one number of four in
    each of their fields, and the adders behind them."""
    field, fours = width + 2, ceil_div(count, 4)
    return *add_tree(fours, field), 2 * ceil_div(fours, DSP_SUM_BITS // field)


@lru_cache(maxsize=1024)
def chains(inputs: int, bits: int, most: int, family: Family) -> tuple[int, int]:
    """(chains of DSPs that add up so many products of magnitude `most`, bits of a field)."""
    longest = min(LONGEST_CHAIN, max(1, (2 ** (family.dsp_bits - bits - 1) - 1) // most))
    count = ceil_div(inputs, longest)
    return count, bits_for(ceil_div(inputs, count) * most) + 1


def _trees(*trees: tuple[int, int, int]) -> dict[str, float]:
    """Of add_tree.sv: (how many, numbers, their width)."""
    luts = ffs = 0
    for copies, count, width in trees:
        of_one = add_tree(count, width)
        luts, ffs = luts + copies * of_one[0], ffs + copies * of_one[1]
    return {"tree_luts": luts, "tree_ffs": ffs}


def rotator_levels(elements: int) -> int:
    """LUT6 one after the other of a barrel rotator: two stages of multiplexers in one."""
    return ceil_div((elements - 1).bit_length(), 2)


def dsp_sum_quantities(act_bits: int, array: Array, dsp_sums: int) -> dict[str, float]:
    """What so many sums that begin on DSPs change, below zero: adders are fewer."""
    count, width = array[2] // TABLE_INPUTS, act_bits + 2
    return _trees((-dsp_sums, count, width), (dsp_sums, ceil_div(count, 4), width + 2))


def late_sum_ffs(act_bits: int, array: Array, dsp_sums: int) -> int:
    """Flip-flops in which sums of adders wait for those that begin on DSPs (lookup.sv)."""
    tokens, pe, simd = array
    nibbles = simd // TABLE_INPUTS
    late = trees.packed_tree(nibbles) - trees.add_tree(nibbles) if dsp_sums else 0
    return (tokens * pe - dsp_sums) * late * bits_for(nibbles * (2 ** (act_bits + 2) - 1))


def engine_quantities(engine: str, act_bits: int, array: Array, share: int) -> dict[str, float]:
    """Of the T x P x K array alone, all its sums on adders."""
    tokens, pe, simd = array
    a, lanes, entry = act_bits, tokens * pe, act_bits + 2
    if engine == "adder":
        return _trees((lanes, simd // 2, a + 1)) | {
            "mask_bits": lanes * simd // 2 * (a + 1),
            "operand_bits": tokens * simd * a,
            "weight_copies": ceil_div(tokens, 2) * pe * simd,
        }
    nibbles = simd // TABLE_INPUTS
    generators = tokens // share
    pairs, alone = divmod(generators, 2)
    return _trees((lanes, nibbles, entry)) | {
        "found_bits": lanes * nibbles * entry,
        "entry_bits": generators * nibbles * entry,
        "operand_bits": generators * simd * a,
        "generator_blocks": generators * ceil_div(nibbles, BLOCK),
        # tokens that are read together share one
        "weight_copies": (pairs * share + alone * ceil_div(share, 2)) * pe * simd,
    }


@lru_cache(maxsize=4096)
def table_luts(act_bits: int, array: Array, share: int, family: Family) -> int:
    """LUTs of the subset-sum tables, two bits a column, each at a read port of a LUTRAM."""
    tokens, pe, simd = array
    nibbles, entry = simd // TABLE_INPUTS, act_bits + 2
    pairs, alone = divmod(tokens // share, 2)
    full, rest = divmod(nibbles, BLOCK)
    cells = 0
    for size, blocks in ((BLOCK, full), (rest, 1)):
        for generators, count in ((2, pairs), (1, alone)):
            columns = pe * size * ceil_div(generators * entry, 2)
            cells += blocks * count * share * ceil_div(columns, family.lutram_ports)
    return cells * family.lutram_luts


def array_quantities(part: ArrayPart, family: Family) -> dict[str, float]:
    """Of the array, and of what is as wide: in front of it the layer norm, behind it results."""
    a, (t, p, simd), norm_tokens = part.act_bits, part.array, part.norm_tokens
    run, acc_bits, lanes, norm_lanes = part.run_words, part.acc_bits, t * p, norm_tokens * p
    residual, narrow = widths.RESIDUAL_BITS, family.dsp_bits < widths.OPERAND_BITS
    trees = _trees((t // run, run * p, a), (2 * t, p, residual), (t, p, residual - 1))
    engine = engine_quantities(part.engine, a, part.array, part.share)
    on_dsps = dsp_sum_quantities(a, part.array, part.dsp_sums)
    return _sum(trees, engine, on_dsps) | {
        "one": 1,
        part.engine: 1,
        "lanes": lanes,
        "tokens": t,
        "token_sums": t,
        "token_acc_bits": t * acc_bits,
        "acc_bits": lanes * acc_bits,
        "shifted_bits": lanes * acc_bits * (widths.pixel_digits(a) - 1),
        "dropped_bits": lanes * max(0, acc_bits - widths.OPERAND_BITS),
        "load_bits": lanes * a,
        "stream_bits": lanes * residual,
        "share": part.share,
        "weights": p * simd,
        "records": p,
        "run_words": run,
        "norm_lanes": norm_lanes,
        "norm_bits": norm_lanes * a,
        "norm_rows": norm_tokens // min(norm_tokens, run),
        # products of operands, for which a DSP may be too narrow
        "wide_results": lanes if narrow else 0,
        "wide_norms": norm_lanes if narrow else 0,
    }


def frame_quantities(part: FramesPart) -> dict[str, float]:
    """Of the rotators in front of the memories of frames and behind them, and their addresses."""
    c, a, (t, p, _), banks, frames = (
        part.capacity,
        part.act_bits,
        part.array,
        part.banks,
        part.frames,
    )
    groups = part.groups
    depth = groups * t * ceil_div(c.attention // p, banks)
    stream = groups * (c.dim // p)
    turned = bank_bits = 0
    for copies, n, width, addresses in (
        (1, t, widths.RESIDUAL_BITS * p, bits_for(frames * stream)),
        (1, t, a * p, bits_for(stream)),
        (frames, banks, a * p, 2 * bits_for(depth)),
        (2, banks, a * p, 2 * bits_for(frames * depth)),
        (1, t, 8 * p, bits_for(c.pixels)),
    ):
        bits = copies * n * (2 * width + addresses)
        turned += bits * rotator_levels(n)
        bank_bits += bits
    return {
        "turned_bits": turned,
        "bank_bits": bank_bits,
        "banks": (frames + 2) * banks + 3 * t,
    }


def attention_quantities(part: AttentionPart, family: Family) -> dict[str, float]:
    """Of the attention engine."""
    a, r, lanes, exponents = part.act_bits, part.rows, part.lanes, part.softmax_lanes
    exp, score = widths.exp_bits(a), widths.score_bits(a, part.head)
    signed = widths.signed_limit(a)
    context, beats = part.context_bits, part.head // lanes
    scores = chains(lanes, a, signed**2, family)
    values = chains(r, a, widths.unsigned_limit(exp) * signed, family)
    return _trees((1, r, exp), (r, *scores), (lanes, *values)) | {
        "head_words": lanes // part.pe,
        "run_lanes": lanes,
        "run_bits": lanes * a,
        "query_rows": r,
        "query_bits": r * a,
        "value_bits": lanes * a,
        "score_bits": r * score,
        "context_bits": lanes * context,
        "exp_bits": r * exp,
        "turned_exps": r * exp * rotator_levels(r),
        "exponents": exponents,
        "exponent_bits": exponents * score,
        # rings of so many words, which are no LUTRAM below three
        "score_turns": r * score * ceil_div(r, 32) if r > 2 else 0,
        "context_turns": lanes * context * ceil_div(r * beats, 32) if r * beats > 2 else 0,
        "matrix_rows": lanes + r,
        "matrix_cells": lanes * r,
    }


def weight_quantities(part: WeightsPart) -> dict[str, float]:
    """Of the ring's ports."""
    return {"port_bits": part.ports}


def quantities(design: Design, family: Family) -> dict[str, float]:
    """Every quantity of MODULES, and `one` for what does not grow."""
    every = parts.of(design)
    return _sum(
        array_quantities(every.array, family),
        frame_quantities(every.frames),
        attention_quantities(every.attention, family),
        weight_quantities(every.weights),
    )


def _sum(*parts: dict[str, float]) -> dict[str, float]:
    """Quantities of parts together: only adders are in more than one."""
    found: dict[str, float] = {}
    for part in parts:
        for name, amount in part.items():
            found[name] = found.get(name, 0.0) + amount
    return found
