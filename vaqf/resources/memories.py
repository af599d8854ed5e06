"""The memories of a design, and what each takes: width x depth on block RAMs, or on LUTs."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import ceil_div, round_up
from vaqf.hardware.command import COMMAND_WORDS, MAX_COMMANDS
from vaqf.hardware.design import PORT_BITS, Design
from vaqf.hardware.family import Family
from vaqf.hardware.rtl_numbers import number
from vaqf.resources import parts, storage
from vaqf.resources.parts import ArrayPart, AttentionPart, FramesPart, ScoresPart, WeightsPart

SUMS_BITS = widths.ROW_SUM_BITS + widths.ROW_SQUARE_BITS
# what buffers of the RTL hold
LOADS, GROUPS, READ_BUFFER = (
    number("sizes", name) for name in ("LOADS", "GROUP_SUMS", "READ_BEATS")
)
SELECTED_BITS = number("storage", "SELECTED_BITS")
# what the chip keeps of one channel's requantization, in two memories: biases are read later
RECORD_PARTS = {"mults": widths.MULT_BITS, "biases": widths.BIAS_BITS}


class Memory(NamedTuple):
    """`copies` memories of `depth` words of `width` bits, one read and one write port each."""

    module: str  # of rtl/ whose counts have it
    name: str
    copies: int
    width: int
    depth: int
    registers: int = 2  # of a read


class MemoryUse(NamedTuple):
    """What memories take: LUTs (of them LUTRAM), flip-flops behind them, 18 Kbit blocks."""

    lut: int
    lutram: int
    ff: int
    blocks: int


def bram18(width: int, depth: int, family: Family) -> int:
    """18 Kbit blocks of one memory."""
    return memory_use(width, depth, 2, family).blocks


@lru_cache(maxsize=4096)
def memory_use(width: int, depth: int, registers: int, family: Family) -> MemoryUse:
    """One memory: with two registers of a read that of rtl/memory/memory.sv, cut into rows.

    Yosys leaves the second register of a block beside it, where Vivado takes it inside.
    """
    if registers < 2:
        return _row_use(width, depth, registers, family)
    rows = storage.rows(width, depth, family)
    uses = [_row_use(width, words, registers, family) for words in rows]
    choosing = width if len(rows) > 1 else 0
    selects = (len(rows) - 1) * (1 + ceil_div(width, SELECTED_BITS))
    return MemoryUse(
        sum(use.lut for use in uses) + choosing,
        sum(use.lutram for use in uses),
        sum(use.ff for use in uses) + selects,
        sum(use.blocks for use in uses),
    )


def _row_use(width: int, depth: int, registers: int, family: Family) -> MemoryUse:
    """One row; LUTs alone are read without a register."""
    if registers == 0 or storage.on_luts(width, depth, family):
        luts = storage.luts(width, depth, family)
        return MemoryUse(luts, storage.lutrams(width, depth, family), registers * width, 0)
    words = storage.power(depth)
    choosing = width * (words // storage.WHOLE_BITS // 2)
    return MemoryUse(choosing, 0, (registers - 1) * width, storage.blocks(width, words))


def activation_memories(part: FramesPart) -> Iterator[Memory]:
    """The memories that hold whole frames, as banks of words of pe channels (docs/rtl.md).

    Word w of token t lies in bank (t + w) mod their number. Residual, q, k and v exist once per
    frame in flight, of which all but q, that the context overwrites, lie behind each other in the
    same banks; the hidden activations live within one phase of the binary engine and exist once.
    """
    c, (tokens, pe, _), groups = part.capacity, part.array, part.groups
    residual, hidden, head_words = (
        ceil_div(channels, pe) for channels in (c.dim, c.hidden, c.attention)
    )
    word, act_word = widths.RESIDUAL_BITS * pe, part.act_bits * pe
    yield Memory("diagonal", "residual", tokens, word, part.frames * groups * residual)
    yield Memory("diagonal", "hidden", tokens, act_word, groups * hidden)
    depth = groups * tokens * ceil_div(head_words, part.banks)
    yield Memory("diagonal", "q", part.frames * part.banks, act_word, depth)
    yield Memory("diagonal", "k_v", 2 * part.banks, act_word, part.frames * depth)


def frame_memories(part: FramesPart) -> Iterator[Memory]:
    """Those of whole frames, and the sums of their rows."""
    yield from activation_memories(part)
    yield Memory("activations", "sums", 1, part.array[0] * SUMS_BITS, part.frames * part.groups)


def array_memories(part: ArrayPart) -> Iterator[Memory]:
    """The memories around the array, and what the accelerator has once."""
    c, (t, p, _), acc_bits = part.capacity, part.array, part.acc_bits
    # rows of two token groups: one in use, one being fetched
    row_bytes = round_up(c.pixels, PORT_BITS // 8)
    yield Memory("diagonal", "pixels", t, widths.PIXEL_BITS * p, 2 * ceil_div(row_bytes, p))
    yield Memory("rows", "loads", 1, t * p * part.act_bits, LOADS, 0)
    yield Memory("operand_sums", "groups", 1, t * acc_bits, GROUPS, 0)
    yield Memory(
        "binary_engine", "partial_sums", 1, t * p * acc_bits, max(1, c.partial_outputs // p)
    )
    # two halves of each: records in use, records that arrive
    norm_words = min(part.norm_tokens, part.run_words)
    for name, bits in RECORD_PARTS.items():
        norm_depth = 2 * ceil_div(c.dim // p, norm_words)
        yield Memory("parameters", f"norm_{name}", norm_words, bits * p, norm_depth)
        yield Memory("parameters", name, 1, bits * p, 2 * (c.outputs // p))
    yield Memory("axi_read", "read_buffers", 2, PORT_BITS, READ_BUFFER, 1)
    yield Memory("logits", "logits", 1, widths.LOGIT_BITS * p, c.outputs // p, 1)
    yield Memory("commands", "commands", 1, 32 * COMMAND_WORDS, MAX_COMMANDS)
    yield Memory("command_cycles", "cycles", 1, 32, MAX_COMMANDS)


def attention_memories(part: AttentionPart) -> Iterator[Memory]:
    """The memories of the attention engine, but for the scores'."""
    a, rows, lanes = part.act_bits, part.rows, part.lanes
    for name, bits in RECORD_PARTS.items():
        depth = 2 * (part.channels // lanes)
        yield Memory("parameters", f"context_{name}", lanes // part.pe, bits * part.pe, depth)
    halves = 2 << max(1, (rows - 1).bit_length())  # two, indices of whole bits
    yield Memory("turn", "numerators", rows, widths.exp_bits(a), halves, 1)


def score_memories(part: ScoresPart) -> Iterator[Memory]:
    """One, of rows of scores."""
    yield Memory("weigh", "scores", 1, part.rows * part.score_bits, part.words)


def weight_memories(part: WeightsPart) -> Iterator[Memory]:
    """The ring, and what its ports deliver into."""
    yield Memory("ring", "weight_ring", 1, part.ring_word_bits, part.ring_words)
    yield Memory("axi_read", "weight_buffer", 1, part.ports * PORT_BITS, READ_BUFFER, 1)


def memories(design: Design) -> Iterator[Memory]:
    """Every memory of the accelerator as the banks its engines need."""
    every = parts.of(design)
    yield from array_memories(every.array)
    yield from frame_memories(every.frames)
    yield from attention_memories(every.attention)
    yield from score_memories(every.scores)
    yield from weight_memories(every.weights)
