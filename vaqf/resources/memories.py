"""The memories of a design, and what each takes: width x depth on block RAMs, or on LUTs."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import ceil_div, round_up
from vaqf.hardware.command import COMMAND_WORDS, MAX_COMMANDS
from vaqf.hardware.design import PORT_BITS, Capacity, Design

# (width, depth) of one 18 Kbit block as simple dual port, UG573 table "Port aspect ratios"
_BRAM18_ASPECTS = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))
# how tools weigh an 18 Kbit block against LUTs: Yosys' `cost` in its files of RAMs
_BLOCK_COST = 128.5
# bits of 32 and of 64 words in so many LUTs at such a cost: RAM32M16 and RAM64M8 of UG574, RAM32M
# and RAM64M of UG474
_LUTRAM = {False: (14, 7, 8, 16), True: (6, 3, 4, 8)}  # series 7
SUMS_BITS = widths.ROW_SUM_BITS + widths.ROW_SQUARE_BITS
LOADS, GROUPS = 32, 16  # that wait for the engine, rtl/matmul/rows.sv and operand_sums.sv
READ_BUFFER = 512  # beats of an AXI4 read master, rtl/axi/axi_read.sv
Array = tuple[int, int, int]  # T, P, K
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


@lru_cache(maxsize=4096)
def _blocks(width: int, depth: int) -> tuple[int, int]:
    """(18 Kbit blocks, depth of the shallowest row of them): rows of the aspect ratios that take
    fewest blocks, a shallower one behind the last."""
    found = []
    for w, d in _BRAM18_ASPECTS:
        rows, rest = divmod(depth, d)
        if rows == 0 or rest == 0:
            found.append((ceil_div(width, w) * max(rows, 1), -d))
        else:
            behind, shallow = _blocks(width, rest)
            found.append((ceil_div(width, w) * rows + behind, -shallow))
    blocks, shallow = min(found)
    return blocks, -shallow


def bram18(width: int, depth: int) -> int:
    """18 Kbit blocks of one memory."""
    return _blocks(width, depth)[0]


def lutram_luts(width: int, depth: int, series_7: bool) -> int:
    """LUTs of one shallow memory with one write and one read port."""
    shallow, deep, luts, _ = _LUTRAM[series_7]
    rows_32, rows_64 = ceil_div(depth, 32), ceil_div(depth, 64)
    return luts * min(ceil_div(width, shallow) * rows_32, ceil_div(width, deep) * rows_64)


@lru_cache(maxsize=4096)
def memory_use(width: int, depth: int, registers: int, series_7: bool) -> MemoryUse:
    """One memory, on whichever RAM tools choose, with the registers of a read.

    Rows of blocks, or of LUTRAM, need multiplexers. One of the registers is inside a block.
    """
    shallow, deep, _, cost = _LUTRAM[series_7]
    blocks, row = _blocks(width, depth)
    choosing = width * (ceil_div(depth, row) // 2)
    rows_32, rows_64 = ceil_div(depth, 32), ceil_div(depth, 64)
    on_luts = cost * width * min(rows_32 / shallow, rows_64 / deep)
    if registers == 0 or on_luts + width * (rows_64 // 2) < _BLOCK_COST * blocks + choosing:
        luts = lutram_luts(width, depth, series_7)
        return MemoryUse(luts + width * (rows_64 // 2), luts, registers * width, 0)
    return MemoryUse(choosing, 0, (registers - 1) * width, blocks)


def activation_memories(
    capacity: Capacity, act_bits: int, array: Array, banks: int, frames: int
) -> Iterator[Memory]:
    """The memories that hold whole frames, as banks of words of pe channels (docs/rtl.md).

    Word w of token t lies in bank (t + w) mod their number. Residual, q, k and v exist once per
    frame in flight, of which all but q, that the context overwrites, lie behind each other in the
    same banks; the hidden activations live within one phase of the binary engine and exist once.
    """
    tokens, pe, _ = array
    groups = ceil_div(capacity.tokens, tokens)
    residual, hidden, head_words = (
        ceil_div(channels, pe) for channels in (capacity.dim, capacity.hidden, capacity.attention)
    )
    word, act_word = widths.RESIDUAL_BITS * pe, act_bits * pe
    yield Memory("diagonal", "residual", tokens, word, frames * groups * residual)
    yield Memory("diagonal", "hidden", tokens, act_word, groups * hidden)
    depth = groups * tokens * ceil_div(head_words, banks)
    yield Memory("diagonal", "q", frames * banks, act_word, depth)
    yield Memory("diagonal", "k_v", 2 * banks, act_word, frames * depth)


def frame_memories(design: Design) -> Iterator[Memory]:
    """The memories that grow with the frames in flight."""
    c, t, frames = design.capacity, design.tokens, design.frames_in_flight
    array = (t, design.pe, design.simd)
    yield from activation_memories(c, design.act_bits, array, design.banks, frames)
    yield Memory("activations", "sums", 1, t * SUMS_BITS, frames * ceil_div(c.tokens, t))


def on_luts(design: Design, series_7: bool) -> tuple[int, int, int]:
    """(LUTs, of them LUTRAM, flip-flops) of the memories that grow with the frames in flight."""
    lut = lutram = ff = 0
    for memory in frame_memories(design):
        use = memory_use(memory.width, memory.depth, memory.registers, series_7)
        lut += memory.copies * use.lut
        lutram += memory.copies * use.lutram
        ff += memory.copies * use.ff
    return lut, lutram, ff


def memories(design: Design, acc_bits: int) -> Iterator[Memory]:
    """Every memory of the accelerator as the banks its engines need; partial sums of `acc_bits`."""
    c, p, a, t = design.capacity, design.pe, design.act_bits, design.tokens
    yield from frame_memories(design)
    # rows of two token groups: one in use, one being fetched
    row_bytes = round_up(c.pixels, PORT_BITS // 8)
    yield Memory("diagonal", "pixels", t, widths.PIXEL_BITS * p, 2 * ceil_div(row_bytes, p))
    groups = ceil_div(c.tokens, t)
    yield Memory("rows", "loads", 1, t * p * a, LOADS, 0)
    yield Memory("operand_sums", "groups", 1, t * acc_bits, GROUPS, 0)
    yield Memory(
        "binary_engine", "partial_sums", 1, t * p * acc_bits, max(1, c.partial_outputs // p)
    )
    # two halves of each: records in use, records that arrive
    norm_words = min(design.norm_tokens, design.run_words)
    lanes = design.attention_lanes
    for part, bits in RECORD_PARTS.items():
        norm_depth = 2 * ceil_div(c.dim // p, norm_words)
        yield Memory("parameters", f"norm_{part}", norm_words, bits * p, norm_depth)
        yield Memory("parameters", part, 1, bits * p, 2 * (c.outputs // p))
        depth = 2 * (c.attention // lanes)
        yield Memory("parameters", f"context_{part}", lanes // p, bits * p, depth)
    # of a group of queries, while it is read, and a chunk of the next
    rows = design.attention_rows
    waiting = (ceil_div(groups * t, rows) + 1) * rows
    yield Memory("weigh", "scores", 1, rows * widths.score_bits(a, c.head), waiting)
    exp = widths.exp_bits(a)
    halves = 2 << max(1, (rows - 1).bit_length())  # two, indices of whole bits
    yield Memory("turn", "numerators", rows, exp, halves, 1)
    yield Memory("ring", "weight_ring", 1, design.ring_word_bits, design.ring_words)
    yield Memory("axi_read", "read_buffers", 2, PORT_BITS, READ_BUFFER, 1)
    yield Memory("axi_read", "weight_buffer", 1, design.weight_ports * PORT_BITS, READ_BUFFER, 1)
    yield Memory("logits", "logits", 1, widths.LOGIT_BITS * p, c.outputs // p, 1)
    yield Memory("commands", "commands", 1, 32 * COMMAND_WORDS, MAX_COMMANDS)
