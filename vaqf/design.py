"""The accelerator's parameters: what is fixed at synthesis, what is legal, derived sizes.

A Design fits every network whose shapes stay within its Capacity; the network itself (shapes,
scales, tables, weights) is loaded at run time.
"""

from dataclasses import asdict, dataclass
from typing import Any

from vaqf import arithmetic
from vaqf.errors import InputError
from vaqf.vit import Vit

TABLE_INPUTS = 4  # activations per subset-sum table: 16 entries, one LUT6 column
TABLE_ENTRIES = 2**TABLE_INPUTS
PORT_BITS = 128  # every AXI4 master
ENGINES = ("table", "adder")


def ceil_div(a: int, b: int) -> int:
    """a / b, rounded up."""
    return -(-a // b)


def round_up(a: int, b: int) -> int:
    """Smallest multiple of b that is at least a."""
    return ceil_div(a, b) * b


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
    pixels: int  # inputs of the patch embedding
    outputs: int  # most outputs of one matmul
    partial_outputs: int  # most outputs of a matmul that takes more than one pass


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
        arithmetic.check_act_bits(self.act_bits)
        rules = (
            (self.engine in ENGINES, "engine", f"one of {', '.join(ENGINES)}"),
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
                self.norm_tokens >= 1 and self.tokens % self.norm_tokens == 0,
                "norm_tokens",
                "a divisor of tokens",
            ),
            (self.frames_in_flight in (1, 2), "frames_in_flight", "1 or 2"),
            (self.share >= 1 and self.tokens % self.share == 0, "share", "a divisor of tokens"),
            (self.weight_ports >= 1, "weight_ports", "at least 1"),
            (self.ring_words >= 1, "ring_words", "at least 1"),
        )
        for holds, field, allowed in rules:
            if not holds:
                value = getattr(self, field)
                raise InputError(f"design: {field} is {value}; it must be {allowed}")

    @property
    def macs_per_cycle(self) -> int:
        """Binary MACs per cycle, T * P * K."""
        return self.tokens * self.pe * self.simd

    @property
    def banks(self) -> int:
        """Banks of every activation memory: T rows of a tile and one head read without conflict.

        Word w (P channels) of token t lies in bank (t + w) mod banks, a power of two.
        """
        return int(2 ** (max(self.tokens, self.attention_lanes // self.pe) - 1).bit_length())

    @property
    def ring_word_bits(self) -> int:
        """Weight bits read per cycle."""
        return self.pe * self.simd

    def padded_head(self, head_dim: int) -> int:
        """Channels one head takes in memory: whole reads of attention_lanes."""
        return round_up(head_dim, self.attention_lanes)

    def passes(self, k: int) -> int:
        """K slices of a matmul with k inputs."""
        return ceil_div(k, self.simd)

    def to_json(self) -> dict[str, Any]:
        """The content of design.json."""
        return asdict(self)


@dataclass(frozen=True)
class MatMulShape:
    """One matmul as the binary engine runs it."""

    m: int  # token rows
    k: int  # inputs, padded to whole words
    n: int  # outputs, padded to whole words
    planes: int  # 1 for binary weights, 8 for two's complement ones
    digits: int  # 1, or the digits of a pixel

    def passes(self, simd: int) -> int:
        """Accumulating passes over the outputs of one token group."""
        return ceil_div(self.k, simd) * self.planes * self.digits


def matmul_shapes(vit: Vit, act_bits: int, pe: int, padded_head: int) -> dict[str, MatMulShape]:
    """The matmuls of one frame by layer name without the block: embed, qkv, proj, fc1, fc2, head."""
    dim, hidden = round_up(vit.dim, pe), round_up(vit.hidden, pe)
    attention = vit.heads * padded_head
    tokens, planes = vit.tokens, arithmetic.FIXED_WEIGHT_BITS
    digits = arithmetic.pixel_digits(act_bits)
    return {
        "embed": MatMulShape(tokens, round_up(vit.patch_inputs, pe), dim, planes, digits),
        "qkv": MatMulShape(tokens, dim, 3 * attention, 1, 1),
        "proj": MatMulShape(tokens, attention, dim, 1, 1),
        "fc1": MatMulShape(tokens, dim, hidden, 1, 1),
        "fc2": MatMulShape(tokens, hidden, dim, 1, 1),
        "head": MatMulShape(
            1, vit.prefix_tokens * dim, round_up(vit.classes, pe), planes, 1
        ),
    }


def capacity_for(vit: Vit, act_bits: int, pe: int, simd: int, lanes: int) -> Capacity:
    """The smallest capacity that runs this model on a design with these parameters."""
    padded_head = round_up(vit.head_dim, lanes)
    shapes = matmul_shapes(vit, act_bits, pe, padded_head)
    partial = [s.n for s in shapes.values() if s.passes(simd) > 1]
    return Capacity(
        tokens=vit.tokens,
        dim=round_up(vit.dim, pe),
        hidden=round_up(vit.hidden, pe),
        attention=vit.heads * padded_head,
        pixels=shapes["embed"].k,
        outputs=max(s.n for s in shapes.values()),
        partial_outputs=max(partial),
    )
