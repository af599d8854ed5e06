"""The integer network: everything the hardware needs to know of a trained model, integers only."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from vaqf.model.vit import Vit

MAX_EPS = 2**40
IntArray = NDArray[Any]


@dataclass(frozen=True)
class Requant:
    """Per-channel (value * mult + bias) >> shift; the bias holds the rounding half."""

    mult: IntArray  # [n] int32, 18 bits signed
    bias: IntArray  # [n] int64, within +-arithmetic.BIAS_LIMIT (48 bits signed)
    shift: int


@dataclass(frozen=True)
class Linear:
    """Integer weights [n, k] and the requantization of the n outputs."""

    weight: IntArray  # int8: -1 or +1 in the encoder, two's complement in embed and head
    requant: Requant


@dataclass(frozen=True)
class Norm:
    """Layer norm: eps in units of (dim * residual scale)**-2, gamma and beta in the requant."""

    eps: int
    requant: Requant


@dataclass(frozen=True)
class Attention:
    """Scores to exponents (2**-(delta * mult >> shift)), and the requantization of the context."""

    score_mult: int
    score_shift: int
    context: Requant  # [dim]


@dataclass(frozen=True)
class Block:
    """One encoder block, in the order of computation."""

    norm1: Norm
    qkv: Linear  # [3 * dim, dim]: q of all heads, then k, then v
    attention: Attention
    proj: Linear  # [dim, dim]
    norm2: Norm
    fc1: Linear  # [hidden, dim], to the 8-bit index of the gelu table
    gelu: IntArray  # uint8 [256], entry i for index i - 128
    fc2: Linear  # [dim, hidden]


@dataclass(frozen=True)
class Network:
    """A whole vision transformer in integers."""

    vit: Vit
    act_bits: int
    origin: str  # "trained ...", "random weights, seed 0", ...
    logit_scale: float  # real value of one logit step; for people, not for the hardware
    embed: Linear  # [dim, channels * patch**2], int8 weights on uint8 pixels
    position: IntArray  # int16 [tokens, dim]: class token, position embedding and embed bias
    blocks: tuple[Block, ...]
    norm: Norm
    head: Linear  # [classes, head_tokens * dim], int8 weights
