"""The accelerator's parameters: what is fixed at synthesis, what is legal, derived sizes.

A Design fits every network whose shapes stay within its Capacity; the network itself (shapes,
scales, tables, weights) is loaded at run time.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import ceil_div, round_up
from vaqf.errors import InputError
from vaqf.files.fields import check_choice, check_flag, check_keys, check_whole, shown
from vaqf.hardware.command import FIELD_BITS
from vaqf.model.vit import MAX_HIDDEN, MAX_PATCH_INPUTS

TABLE_INPUTS = 4  # activations per subset-sum table: 16 entries, one LUT6 column
TABLE_ENTRIES = 2**TABLE_INPUTS
PORT_BITS = 128  # every AXI4 master
RECORD_BYTES = 16  # of one channel's multiplier and bias in memory
WEIGHT_PORTS = (1, 2, 4)  # their words side by side divide the weight image's 64-byte units
ENGINES = ("table", "adder")
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

    tokens: int  # rows of the residual stream
    dim: int  # channels of the residual stream
    hidden: int  # channels between fc1 and fc2
    attention: int  # channels of q (and of k, and of v): heads * padded head
    head: int  # channels of one padded head
    pixels: int  # inputs of the patch embedding
    outputs: int  # most outputs of one matmul
    partial_outputs: int  # most outputs of a matmul that takes more than one pass


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

    engine: str  # "table" or "adder"
    act_bits: int  # A
    tokens: int  # T: token rows per cycle
    pe: int  # P: outputs per cycle, and channels per activation memory word
    simd: int  # K: inputs per cycle
    attention_rows: int  # R: query rows per cycle
    attention_lanes: int  # L: channels of a head per cycle, of each of QK^T and AV
    norm_tokens: int  # token rows normalized per cycle, pe channels each
    frames_in_flight: int  # 2: attention of one frame under the binary engine of the other
    share: int  # F: token rows that share one table generator (1 for the adder engine)
    weight_ports: int  # AXI4 masters of 128 bits that fill the ring
    ring_words: int  # words of pe * simd weight bits
    resident: bool  # all weights stay in the ring; loaded once
    capacity: Capacity

    def __post_init__(self) -> None:
        widths.check_act_bits(self.act_bits)
        rules = (
            (self.engine in ENGINES, "engine", "table or adder"),
            (self.tokens >= 1, "tokens", "at least 1"),
            (self.pe >= 1, "pe", "at least 1"),
            (self.simd >= 1 and self.simd % TABLE_INPUTS == 0, "simd", "a multiple of 4"),
            (self.simd % self.pe == 0, "simd", "a multiple of pe"),
            (self.pe * self.simd % PORT_BITS == 0, "simd", "such that pe * simd is whole 128s"),
            (self.attention_rows >= 1, "attention_rows", "at least 1"),
            (
                self.attention_lanes >= 1 and self.attention_lanes % self.pe == 0,
                "attention_lanes",
                "a multiple of pe",
            ),
            (
                self.norm_tokens >= 1
                and self.tokens % self.norm_tokens == 0
                and legal_norm_tokens(self.norm_tokens, self.run_words),
                "norm_tokens",
                f"a divisor of tokens, and a multiple or a divisor of {self.run_words}, the words"
                " of one token that are read together",
            ),
            (self.frames_in_flight in (1, 2), "frames_in_flight", "1 or 2"),
            (
                self.share >= 1 and self.run_words % self.share == 0,
                "share",
                f"a divisor of {self.run_words}, the words of one token that are read together",
            ),
            (self.engine == "table" or self.share == 1, "share", "1 for the adder engine"),
            (
                self.weight_ports in WEIGHT_PORTS
                and self.pe * self.simd % (self.weight_ports * PORT_BITS) == 0,
                "weight_ports",
                "1, 2 or 4, such that pe * simd is whole reads of all ports",
            ),
            (self.ring_words >= 1, "ring_words", "at least 1"),
        )
        for holds, field, allowed in rules:
            if not holds:
                value = getattr(self, field)
                raise InputError(f"design: {field} is {value}; it must be {allowed}")
        most = asdict(most_capacity(self.pe))
        for field, value in asdict(self.capacity).items():
            if value > most[field]:
                raise InputError(
                    f"design: capacity.{field} is {value}; it must be at most {most[field]}: no"
                    " model needs more, and commands and sums are no wider"
                )

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
        return run_words(self.tokens, max(self.pe, 1), self.simd)

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
    _check_fields(values, Design, "design")
    capacity = values["capacity"]
    if not isinstance(capacity, Mapping):
        raise InputError(f"design: capacity is {shown(capacity)}; it must be a mapping")
    _check_fields(capacity, Capacity, "design: capacity")
    for key, value in capacity.items():
        check_whole(value, f"design: capacity.{key}", 0, 2**24)
    check_flag(values["resident"], "design: resident")
    check_choice(values["engine"], "design: engine", ENGINES)
    for field in fields(Design):
        if field.name not in ("engine", "resident", "capacity"):
            check_whole(values[field.name], f"design: {field.name}", 1, _MOST.get(field.name, 4096))
    if not widths.MIN_ACT_BITS <= values["act_bits"] <= widths.MAX_ACT_BITS:
        raise InputError(
            f"design: act_bits is {values['act_bits']}; it must be {widths.MIN_ACT_BITS} to "
            f"{widths.MAX_ACT_BITS}"
        )
    return Design(**{**values, "capacity": Capacity(**capacity)})


_MOST = {"tokens": 256, "pe": 256, "weight_ports": 32, "ring_words": 2**24}


def _check_fields(content: Mapping[str, Any], record: Any, where: str) -> None:
    known = [field.name for field in fields(record)]
    check_keys(content, known, where)
    missing = [key for key in known if key not in content]
    if missing:
        raise InputError(f"{where} lacks {', '.join(missing)}; take design.json of a build")


@lru_cache(maxsize=256)
def accumulator_bits(a: int, c: Capacity) -> int:
    """Widest partial sum: binary matmuls, 8-bit weights over pixel digits, and over activations."""
    return max(
        widths.binary_acc_bits(a, max(c.hidden, c.attention, c.dim)),
        widths.fixed_acc_bits(widths.PIXEL_BITS, c.pixels),
        widths.fixed_acc_bits(a, widths.MAX_PREFIX_TOKENS * c.dim),
    )
