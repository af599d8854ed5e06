"""The constants that the C++ and SystemVerilog of one design are compiled with.

Both flavours generate their constants from these names; neither states a width of its own.
"""

import json
import zlib

from vaqf.arithmetic import widths
from vaqf.arithmetic.tables import exp2_table, reciprocal_table, rsqrt_tables
from vaqf.arithmetic.widths import ceil_div, round_up
from vaqf.hardware import layout
from vaqf.hardware.command import COMMAND_WORDS, MAX_COMMANDS
from vaqf.hardware.design import MIN_INTERVAL, PORT_BITS, TABLE_ENTRIES, Design, accumulator_bits


def acc_bits(design: Design) -> int:
    """Bits of the binary engine's accumulators for everything that fits the capacity."""
    return accumulator_bits(design.act_bits, design.capacity)


def constants(design: Design) -> dict[str, int]:
    """Name -> value, in the order of the generated files."""
    a, capacity = design.act_bits, design.capacity
    exp_bits = widths.exp_bits(a)
    tokens = round_up(capacity.tokens, design.tokens)
    return {
        # the design
        "act_bits": a,
        "tokens": design.tokens,
        "pe": design.pe,
        "simd": design.simd,
        "attention_rows": design.attention_rows,
        "attention_lanes": design.attention_lanes,
        "head_words": design.attention_lanes // design.pe,
        "norm_tokens": design.norm_tokens,
        "frames_in_flight": design.frames_in_flight,
        "share": design.share,
        "dsp_sums": design.dsp_sums,
        "weight_ports": design.weight_ports,
        "ring_words": design.ring_words,
        "resident": int(design.resident),
        "banks": design.banks,
        "run_words": design.run_words,
        # the largest network
        "max_tokens": tokens,
        "max_head_tokens": min(widths.MAX_HEAD_TOKENS, tokens),
        "max_dim": capacity.dim,
        "max_hidden": capacity.hidden,
        "max_attention": capacity.attention,
        "max_head_words": capacity.head // design.pe,
        "max_pixels": capacity.pixels,
        "max_pixel_bytes": layout.patch_row_bytes(capacity.pixels),
        "max_outputs": capacity.outputs,
        "partial_words": capacity.partial_outputs // design.pe,
        "max_commands": MAX_COMMANDS,
        "score_depth": 2 * tokens,
        # widths
        "acc_bits": acc_bits(design),
        "residual_bits": widths.RESIDUAL_BITS,
        "operand_bits": widths.OPERAND_BITS,
        "mult_bits": widths.MULT_BITS,
        "bias_bits": widths.BIAS_BITS,
        "logit_bits": widths.LOGIT_BITS,
        "fixed_weight_bits": widths.FIXED_WEIGHT_BITS,
        "port_bits": PORT_BITS,
        "row_sum_bits": widths.ROW_SUM_BITS,
        "row_square_bits": widths.ROW_SQUARE_BITS,
        "variance_bits": widths.VARIANCE_BITS,
        "score_bits": widths.score_bits(a, capacity.head),
        "score_mult_bits": widths.SCORE_MULT_BITS,
        "exp_bits": exp_bits,
        "exp_sum_bits": widths.exp_sum_bits(a, tokens),
        "context_bits": widths.context_bits(a, tokens),
        "exp2_fraction_bits": widths.EXP2_FRACTION_BITS,
        "exp2_value_bits": widths.EXP2_VALUE_BITS,
        "norm_fraction_bits": widths.NORM_FRACTION_BITS,
        "norm_index_bits": widths.NORM_INDEX_BITS,
        "norm_offset_bits": widths.NORM_OFFSET_BITS,
        "norm_value_bits": widths.NORM_VALUE_BITS,
        # limits and sizes
        "act_max": widths.unsigned_limit(a),
        "signed_max": widths.signed_limit(a),
        "exp_max": widths.unsigned_limit(exp_bits),
        "residual_max": 2 ** (widths.RESIDUAL_BITS - 1) - 1,
        "logit_max": 2 ** (widths.LOGIT_BITS - 1) - 1,
        "max_shift": widths.MAX_SHIFT,
        "gelu_entries": 2**widths.GELU_INDEX_BITS,
        "norm_entries": 2**widths.NORM_INDEX_BITS,
        "table_entries": TABLE_ENTRIES,
        "pixel_digits": widths.pixel_digits(a),
        "min_interval": MIN_INTERVAL,
        # memory formats
        "align_bytes": layout.ALIGN,
        "status_bytes": layout.STATUS_BYTES,
        "command_words": COMMAND_WORDS,
        "constant_tile_words": ceil_div(design.constant_tile_bytes, design.weight_read_bytes),
    }


def rtl_sizes(design: Design) -> dict[str, int]:
    """What follows from the constants: names that the SystemVerilog alone needs, docs/rtl.md."""
    t, p, k, a = design.tokens, design.pe, design.simd, design.act_bits
    base = constants(design)
    run = base["run_words"]
    groups = base["max_tokens"] // t
    dim_words, attention_words = base["max_dim"] // p, base["max_attention"] // p
    slice_words = k // p
    inputs = max(base[f"max_{name}"] for name in ("dim", "hidden", "attention", "pixels"))
    token_words = round_up(ceil_div(inputs, p), slice_words)
    joined_words = base["max_head_tokens"] * round_up(dim_words, slice_words)
    # words of one token that are normalized in a cycle, whatever tokens there are beside it
    norm_words = min(design.norm_tokens, run)
    # words of records: of a layer norm, a matmul's outputs, the context
    norm_record_depth = ceil_div(dim_words, norm_words)
    output_words = base["max_outputs"] // p
    context_runs = base["max_attention"] // design.attention_lanes
    return {
        # what moves in a cycle: bits, but for the first three
        "tile": t * p,  # results
        "slice_words": slice_words,
        "runs": k // p // run,  # loads of one token's slice
        "rows": t // run,  # tokens of a load, run_words words each
        "norm_words": norm_words,
        "act_word": p * a,
        "residual_word": p * base["residual_bits"],
        "load_bits": t * p * a,
        "slice_sum_bits": a + k.bit_length(),
        "record_bits": widths.RECORD_BITS,
        "sums_bits": base["row_sum_bits"] + base["row_square_bits"],
        "weight_bits": design.weight_ports * PORT_BITS,
        "ring_word": design.ring_word_bits,
        # depths of memories, in words
        "groups": groups,
        "residual_depth": groups * dim_words,
        "hidden_depth": groups * (base["max_hidden"] // p),
        "attention_depth": base["max_tokens"] * ceil_div(attention_words, design.banks),
        "attention_elements": max(t, base["head_words"]),
        "pixel_words": ceil_div(base["max_pixel_bytes"], p),
        "output_words": output_words,
        "norm_record_depth": norm_record_depth,
        "context_runs": context_runs,
        "record_depth": max(norm_record_depth, output_words, context_runs),  # the deepest of them
        # most words of one matmul's inputs, whole slices: of a token, of a row of joined tokens too
        "token_words": token_words,
        "input_words": max(token_words, joined_words),
    }


def design_id(design: Design) -> int:
    """What a register of the hardware shows: CRC-32 of all constants, as JSON without spaces."""
    known = {"engine": design.engine, **constants(design), **rtl_sizes(design)}
    return zlib.crc32(json.dumps(known, separators=(",", ":")).encode())


def tables() -> dict[str, list[int]]:
    """Name -> entries of the constant tables."""
    reciprocal = reciprocal_table()
    even, odd = rsqrt_tables()
    arrays = {
        "reciprocal_value": reciprocal.value,
        "reciprocal_slope": reciprocal.slope,
        "rsqrt_even_value": even.value,
        "rsqrt_even_slope": even.slope,
        "rsqrt_odd_value": odd.value,
        "rsqrt_odd_slope": odd.slope,
        "exp2": exp2_table(),
    }
    return {name: [int(entry) for entry in array] for name, array in arrays.items()}
