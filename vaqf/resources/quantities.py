"""What the size of every RTL module grows with: Design -> numbers of bits, lanes, adders.

benchmarks/unit_costs.py fits what one of each costs in each module; the numbers themselves follow
the structure of rtl/. None falls when a design grows, which the bounds of the search need.
"""

from functools import lru_cache

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import ceil_div
from vaqf.hardware.design import TABLE_INPUTS, Design

BLOCK = 16  # tables with control registers of their own, rtl/engine/lookup.sv
LONGEST_CHAIN = 16  # DSPs, rtl/packages/latency.sv

# module -> what it grows with; every module has a fixed part, too
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
    "exponent": ("exponents", "exponent_bits", "outer_exponents"),
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


@lru_cache(maxsize=1024)
def chains(inputs: int, bits: int, most: int, series_7: bool) -> tuple[int, int]:
    """(chains of DSPs that add up so many products of magnitude `most`, bits of a field)."""
    port = 25 if series_7 else 27
    longest = min(LONGEST_CHAIN, max(1, (2 ** (port - bits - 1) - 1) // most))
    count = ceil_div(inputs, longest)
    return count, bits_for(ceil_div(inputs, count) * most) + 1


def rotator_levels(elements: int) -> int:
    """LUT6 one after the other of a barrel rotator: two stages of multiplexers in one."""
    return ceil_div((elements - 1).bit_length(), 2)


def engine_quantities(
    engine: str, act_bits: int, array: tuple[int, int, int], share: int
) -> dict[str, float]:
    """Of the T x P x K array alone."""
    tokens, pe, simd = array
    a, lanes, entry = act_bits, tokens * pe, act_bits + 2
    if engine == "adder":
        luts, ffs = add_tree(simd // 2, a + 1)
        return {
            "tree_luts": lanes * luts,
            "tree_ffs": lanes * ffs,
            "mask_bits": lanes * simd // 2 * (a + 1),
            "operand_bits": tokens * simd * a,
            "weight_copies": ceil_div(tokens, 2) * pe * simd,
        }
    nibbles = simd // TABLE_INPUTS
    luts, ffs = add_tree(nibbles, entry)
    generators = tokens // share
    pairs, alone = divmod(generators, 2)
    return {
        "tree_luts": lanes * luts,
        "tree_ffs": lanes * ffs,
        "found_bits": lanes * nibbles * entry,
        "entry_bits": generators * nibbles * entry,
        "operand_bits": generators * simd * a,
        "generator_blocks": generators * ceil_div(nibbles, BLOCK),
        # tokens that are read together share one
        "weight_copies": (pairs * share + alone * ceil_div(share, 2)) * pe * simd,
    }


@lru_cache(maxsize=4096)
def table_luts(act_bits: int, array: tuple[int, int, int], share: int, series_7: bool) -> int:
    """LUTs of the subset-sum tables, two bits a column: RAM32M16 has seven read ports of them in 8
    LUTs, RAM32M three in 4."""
    tokens, pe, simd = array
    nibbles, entry = simd // TABLE_INPUTS, act_bits + 2
    ports, luts = (3, 4) if series_7 else (7, 8)
    pairs, alone = divmod(tokens // share, 2)
    full, rest = divmod(nibbles, BLOCK)
    total = 0
    for size, blocks in ((BLOCK, full), (rest, 1)):
        for generators, count in ((2, pairs), (1, alone)):
            columns = pe * size * ceil_div(generators * entry, 2)
            total += blocks * count * share * ceil_div(columns, ports) * luts
    return total


def quantities(design: Design, acc_bits: int, series_7: bool) -> dict[str, float]:
    """Every quantity of MODULES, and `one` for what does not grow."""
    c, a, t, p = design.capacity, design.act_bits, design.tokens, design.pe
    r, lanes_l, banks = design.attention_rows, design.attention_lanes, design.banks
    run, slots = design.run_words, design.frames_in_flight
    lanes, norm_lanes = t * p, design.norm_tokens * p
    exp, score = widths.exp_bits(a), widths.score_bits(a, c.head)
    signed = widths.signed_limit(a)
    context = widths.context_bits(a, ceil_div(c.tokens, t) * t)
    beats = c.head // lanes_l
    exponents = ceil_div(r, beats)
    residual = widths.RESIDUAL_BITS
    found = engine_quantities(design.engine, a, (t, p, design.simd), design.share)

    trees = [(t // run, run * p, a), (2 * t, p, residual), (t, p, residual - 1), (1, r, exp)]
    score_chains, field = chains(lanes_l, a, signed**2, series_7)
    trees.append((r, score_chains, field))
    value_chains, field = chains(r, a, widths.unsigned_limit(exp) * signed, series_7)
    trees.append((lanes_l, value_chains, field))
    for count, numbers, width in trees:
        luts, ffs = add_tree(numbers, width)
        found["tree_luts"] += count * luts
        found["tree_ffs"] += count * ffs

    # rotators of data that are written and read, and of the addresses of each
    depth = ceil_div(c.tokens, t) * t * ceil_div(c.attention // p, banks)
    stream = ceil_div(c.tokens, t) * (c.dim // p)
    turned = bank_bits = 0
    for copies, n, width, addresses in (
        (1, t, residual * p, bits_for(slots * stream)),
        (1, t, a * p, bits_for(stream)),
        (slots, banks, a * p, 2 * bits_for(depth)),
        (2, banks, a * p, 2 * bits_for(slots * depth)),
        (1, t, 8 * p, bits_for(c.pixels)),
    ):
        bits = copies * n * (2 * width + addresses)
        turned += bits * rotator_levels(n)
        bank_bits += bits
    return found | {
        "one": 1,
        "lanes": lanes,
        "tokens": t,
        "token_sums": t,
        "token_acc_bits": t * acc_bits,
        "acc_bits": lanes * acc_bits,
        "shifted_bits": lanes * acc_bits * (widths.pixel_digits(a) - 1),
        "dropped_bits": lanes * max(0, acc_bits - widths.OPERAND_BITS),
        "load_bits": lanes * a,
        "stream_bits": lanes * residual,
        "share": design.share,
        "weights": p * design.simd,
        "records": p,
        "port_bits": design.weight_ports,
        "run_words": run,
        "norm_lanes": norm_lanes,
        "norm_bits": norm_lanes * a,
        "norm_rows": design.norm_tokens // min(design.norm_tokens, run),
        "turned_bits": turned,
        "bank_bits": bank_bits,
        "banks": (slots + 2) * banks + 3 * t,
        "head_words": lanes_l // p,
        "run_lanes": lanes_l,
        "run_bits": lanes_l * a,
        "query_rows": r,
        "query_bits": r * a,
        "value_bits": lanes_l * a,
        "score_bits": r * score,
        "context_bits": lanes_l * context,
        "exp_bits": r * exp,
        "turned_exps": r * exp * rotator_levels(r),
        "exponents": exponents,
        "exponent_bits": exponents * score,
        # rings of so many words, which are no LUTRAM below three
        "score_turns": r * score * ceil_div(r, 32) if r > 2 else 0,
        "context_turns": lanes_l * context * ceil_div(r * beats, 32) if r * beats > 2 else 0,
        "matrix_rows": lanes_l + r,
        "matrix_cells": lanes_l * r,
        # products of 27 bits, for which a DSP48E1 is too narrow
        "wide_results": lanes if series_7 else 0,
        "wide_norms": norm_lanes if series_7 else 0,
        # with registers that Yosys takes into a DSP48E1 and leaves outside a DSP48E2
        "outer_exponents": 0 if series_7 else exponents,
    }
