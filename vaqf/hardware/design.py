"""The accelerator's parameters: what is fixed at synthesis, what is legal, derived sizes.

A Design fits every network whose shapes stay within its Capacity; the network itself (shapes,
scales, tables, weights) is loaded at run time.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from functools import lru_cache
from typing import Any

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import ceil_div, round_up
from vaqf.errors import InputError
from vaqf.files.fields import Choice, Flag, Whole, check_fields, check_keys, ruled, shown
from vaqf.hardware.command import FIELD_BITS
from vaqf.model.vit import MAX_HIDDEN, MAX_PATCH_INPUTS

TABLE_INPUTS = 4  # activations per subset-sum table: 16 entries, one LUT6 column
TABLE_ENTRIES = 2**TABLE_INPUTS
PORT_BITS = 128  # every AXI4 master
RECORD_BYTES = 16  # of one channel's multiplier and bias in memory
WEIGHT_PORTS = (1, 2, 4)  # their words side by side divide the weight image's 64-byte units
ENGINES = ("table", "adder")
LANES = Whole(1, 4096)
SIZE = Whole(0, 2**24)  # of a Capacity
MIN_INTERVAL = 4  # cycles between two additions to one partial sum: read, add, write


def run_words(tokens: int, pe: int, simd: int) -> int:
    """Words of one token that are read together: whole runs fill a slice, whole tokens a load.

    A load is tokens words in all: of tokens / run_words tokens at a time (docs/rtl.md).
    """
    return max(1, math.gcd(tokens, simd // pe))


def legal_norm_tokens(norm_tokens: int, run: int) -> bool:
    """Whether the layer norm's lanes take whole runs, or whole parts of one."""
    return norm_tokens % run == 0 or run % norm_tokens == 0


def banks_for(tokens: int, head_words: int) -> int:
    """Banks for tiles of so many rows and runs of so many words: a power of two, at least both."""
    return int(2 ** (max(tokens, head_words) - 1).bit_length())


@dataclass(frozen=True)
class Capacity:
    """The largest network a design runs; every memory of the accelerator follows from it.

    Channels are counted as they lie in memory: rounded up to whole words of `pe` channels, and
    heads to whole reads of `attention_lanes` channels.
    """

    tokens: int = field(metadata=ruled(SIZE))  # rows of the residual stream
    dim: int = field(metadata=ruled(SIZE))  # channels of the residual stream
    hidden: int = field(metadata=ruled(SIZE))  # channels between fc1 and fc2
    # channels of q (and of k, and of v): heads * padded head
    attention: int = field(metadata=ruled(SIZE))
    head: int = field(metadata=ruled(SIZE))  # channels of one padded head
    pixels: int = field(metadata=ruled(SIZE))  # inputs of the patch embedding
    outputs: int = field(metadata=ruled(SIZE))  # most outputs of one matmul
    # most outputs of a matmul that takes more than one pass
    partial_outputs: int = field(metadata=ruled(SIZE))


@lru_cache(maxsize=256)
def most_capacity(pe: int) -> Capacity:
    """What the hardware can count: the largest model, and what fits the fields of a command."""
    outputs = 2 ** FIELD_BITS["outputs"] - 1
    attention = outputs // 3  # of q, k and v together
    return Capacity(
        tokens=widths.MAX_TOKENS,
        dim=round_up(widths.MAX_DIM, pe),
        hidden=round_up(MAX_HIDDEN, pe),
        attention=attention,
        head=attention,
        pixels=round_up(MAX_PATCH_INPUTS, pe),
        outputs=round_up(outputs, pe),
        partial_outputs=round_up(outputs, pe),
    )


@dataclass(frozen=True)
class Design:
    """One accelerator: T x P x K binary engine, attention engine, vector unit, weight ring."""

    engine: str = field(metadata=ruled(Choice(ENGINES)))
    # A
    act_bits: int = field(metadata=ruled(Whole(widths.MIN_ACT_BITS, widths.MAX_ACT_BITS)))
    tokens: int = field(metadata=ruled(Whole(1, 256)))  # T: token rows per cycle
    # P: outputs per cycle, and channels per activation memory word
    pe: int = field(metadata=ruled(Whole(1, 256)))
    simd: int = field(metadata=ruled(LANES))  # K: inputs per cycle
    attention_rows: int = field(metadata=ruled(LANES))  # R: query rows per cycle
    # L: channels of a head per cycle, of each of QK^T and AV
    attention_lanes: int = field(metadata=ruled(LANES))
    norm_tokens: int = field(metadata=ruled(LANES))  # token rows normalized per cycle, pe channels
    # 2: attention of one frame under the binary engine of the other
    frames_in_flight: int = field(metadata=ruled(Whole(1, 2)))
    # F: token rows that share one table generator (1 for the adder engine)
    share: int = field(metadata=ruled(LANES))
    # of the T * P outputs of a cycle, those whose sums begin on DSPs (0 for the adder engine)
    dsp_sums: int = field(default=0, kw_only=True, metadata=ruled(Whole(0, 2**16)))
    # AXI4 masters of 128 bits that fill the ring
    weight_ports: int = field(metadata=ruled(Whole(1, max(WEIGHT_PORTS))))
    ring_words: int = field(metadata=ruled(Whole(1, 2**24)))  # words of pe * simd weight bits
    resident: bool = field(metadata=ruled(Flag()))  # all weights stay in the ring; loaded once
    capacity: Capacity

    def __post_init__(self) -> None:
        check_fields(self, "design: ")
        for name, allowed in self._misfits():
            raise InputError(f"design: {name} is {getattr(self, name)}; it must be {allowed}")
        has, most = vars(self.capacity), vars(most_capacity(self.pe))
        for name, value in has.items():
            if value > most[name]:
                raise InputError(
                    f"design: capacity.{name} is {value}; it must be at most {most[name]}: no"
                    " model needs more, and commands and sums are no wider"
                )

    def _misfits(self) -> Iterator[tuple[str, str]]:
        """Fields that do not go with the others, and what they must be."""
        run, word = self.run_words, self.ring_word_bits
        if self.simd % TABLE_INPUTS:
            yield "simd", "a multiple of 4"
        if self.simd % self.pe:
            yield "simd", "a multiple of pe"
        if word % PORT_BITS:
            yield "simd", "such that pe * simd is whole 128s"
        if self.attention_lanes % self.pe:
            yield "attention_lanes", "a multiple of pe"
        read_together = f"{run}, the words of one token that are read together"
        if self.tokens % self.norm_tokens or not legal_norm_tokens(self.norm_tokens, run):
            yield (
                "norm_tokens",
                f"a divisor of tokens, and a multiple or a divisor of {read_together}",
            )
        if run % self.share:
            yield "share", f"a divisor of {read_together}"
        if self.engine != "table" and self.share != 1:
            yield "share", "1 for the adder engine"
        if self.dsp_sums > self.tokens * self.pe:
            yield "dsp_sums", f"at most {self.tokens * self.pe}, tokens * pe"
        if self.engine != "table" and self.dsp_sums:
            yield "dsp_sums", "0 for the adder engine"
        if self.weight_ports not in WEIGHT_PORTS or word % (self.weight_ports * PORT_BITS):
            yield "weight_ports", "1, 2 or 4, such that pe * simd is whole reads of all ports"

    @property
    def macs_per_cycle(self) -> int:
        """Binary MACs per cycle, T * P * K."""
        return self.tokens * self.pe * self.simd

    @property
    def banks(self) -> int:
        """Banks of every activation memory: T rows of a tile and one head read without conflict.

        Word w (P channels) of token t lies in bank (t + w) mod banks, a power of two.
        """
        return banks_for(self.tokens, self.attention_lanes // self.pe)

    @property
    def run_words(self) -> int:
        """Words of one token that are read together; at least 1, however odd the shape."""
        return run_words(self.tokens, self.pe, self.simd)

    @property
    def ring_word_bits(self) -> int:
        """Weight bits read per cycle."""
        return self.pe * self.simd

    @property
    def weight_read_bytes(self) -> int:
        """Bytes of one read of all weight ports."""
        return self.weight_ports * PORT_BITS // 8

    @property
    def constant_tile_bytes(self) -> int:
        """Bytes of one T x P tile of 16-bit constants, in whole reads of all weight ports."""
        tile = self.tokens * self.pe * widths.RESIDUAL_BITS // 8
        return round_up(tile, self.weight_read_bytes)

    def padded_head(self, head_dim: int) -> int:
        """Channels one head takes in memory: whole reads of attention_lanes."""
        return round_up(head_dim, self.attention_lanes)

    def passes(self, k: int) -> int:
        """K slices of a matmul with k inputs."""
        return ceil_div(k, self.simd)

    def to_json(self) -> dict[str, Any]:
        """The content of design.json."""
        return asdict(self)


def from_json(content: Mapping[str, Any]) -> Design:
    """The design in a design.json; InputError for a key, type or value that is not allowed."""
    if not isinstance(content, Mapping):
        raise InputError(f"design is {shown(content)}; it must be a mapping of its fields")
    values = dict(content)
    _check_keys(values, Design, "design")
    capacity = values["capacity"]
    if not isinstance(capacity, Mapping):
        raise InputError(f"design: capacity is {shown(capacity)}; it must be a mapping")
    _check_keys(capacity, Capacity, "design: capacity")
    sizes = Capacity(**capacity)
    check_fields(sizes, "design: capacity.")
    return Design(**{**values, "capacity": sizes})


def _check_keys(content: Mapping[str, Any], record: Any, where: str) -> None:
    known = [one.name for one in fields(record)]
    check_keys(content, known, where)
    # what came later has a default, so that a file of before is still one
    needed = [one.name for one in fields(record) if one.default is MISSING]
    missing = [key for key in needed if key not in content]
    if missing:
        raise InputError(f"{where} lacks {', '.join(missing)}; take design.json of a build")


@lru_cache(maxsize=256)
def accumulator_bits(a: int, c: Capacity) -> int:
    """Widest partial sum: binary matmuls, 8-bit weights over pixel digits, and over activations."""
    return max(
        widths.binary_acc_bits(a, max(c.hidden, c.attention, c.dim)),
        widths.fixed_acc_bits(widths.PIXEL_BITS, c.pixels),
        widths.fixed_acc_bits(a, widths.MAX_HEAD_TOKENS * c.dim),
    )
