"""Float parameters and activation scales -> the integer network.

Formulas in docs/arithmetic.md, "From floats to integers". The binary weights arrive as signs and
row scales, so that whoever trained them decides how they were binarized.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaqf.arithmetic import widths
from vaqf.errors import InputError
from vaqf.model.layers import BINARY, Kind, of_frame
from vaqf.model.vit import Vit
from vaqf.network.parameters import prefix_names
from vaqf.network.structure import MAX_EPS, Attention, Block, Linear, Network, Norm, Requant

FloatArray = NDArray[Any]


@dataclass(frozen=True)
class Unsigned:
    """Unsigned A-bit activations: real = scale * (a - zero)."""

    scale: float
    zero: int


@dataclass(frozen=True)
class BlockScales:
    """What the quantizers of one encoder block learned or observed."""

    norm1: Unsigned
    q: float  # signed, symmetric: real = scale * integer
    k: float
    v: float
    context: Unsigned
    norm2: Unsigned
    gelu: float  # of the 8-bit index
    hidden: Unsigned


@dataclass(frozen=True)
class Scales:
    """Every activation scale of a network."""

    residual: float
    blocks: tuple[BlockScales, ...]
    norm: Unsigned


@dataclass(frozen=True)
class Binary:
    """A binarized weight: alpha[n] * sign[n, k]."""

    sign: NDArray[np.int8]  # -1 or +1
    alpha: FloatArray  # [n]

    def real(self) -> NDArray[np.float32]:
        """What the layer multiplies by, [n, k]."""
        return self.sign * self.alpha.astype(np.float32)[:, None]


def binarize(weight: FloatArray) -> Binary:
    """mean|w| of each row of [n, k] times the sign, sign(0) = +1 (XNOR-Net, VAQF section 4)."""
    wide = weight.astype(np.float64)
    sign = np.where(wide >= 0, 1, -1).astype(np.int8)
    return Binary(sign, np.abs(wide).mean(axis=1))


def binary_layers(vit: Vit) -> list[str]:
    """Names of the linear layers whose weights are binary."""
    return [layer.name for layer in of_frame(vit.depth) if layer.kind in BINARY]


def _requant(
    name: str, gain: FloatArray, offset: FloatArray, correction: FloatArray | int = 0
) -> Requant:
    """Integers for round(gain * (value - correction) + offset), per channel.

    The shift is the largest for which every multiplier has 18 bits and no bias passes BIAS_LIMIT;
    the zero point's correction is folded in with the rounded multiplier, so it cancels exactly.
    """
    gain = np.asarray(gain, np.float64)
    offset = np.broadcast_to(np.asarray(offset, np.float64), gain.shape)
    if not (np.isfinite(gain).all() and np.isfinite(offset).all()):
        raise InputError(f"{name}: a weight or a scale is not finite; train or calibrate again")
    mult_limit = 2 ** (widths.MULT_BITS - 1) - 1
    for shift in range(widths.MAX_SHIFT, -1, -1):
        mult = np.rint(np.ldexp(gain, shift))
        if np.abs(mult).max(initial=0) > mult_limit:
            continue
        half = 2.0 ** (shift - 1) if shift else 0.0
        fixed = np.rint(np.ldexp(offset, shift)) + half - mult * correction
        if np.abs(fixed).max(initial=0) <= widths.BIAS_LIMIT:
            return Requant(mult.astype(np.int32), fixed.astype(np.int64), shift)
    worst = int(np.abs(gain).argmax())
    raise InputError(
        f"{name}: channel {worst} scales by {gain[worst]:.3g}, which no 18-bit multiplier holds;"
        " rescale its weights"
    )


def _norm(
    name: str, params: Mapping[str, FloatArray], vit: Vit, residual: float, out: Unsigned
) -> Norm:
    eps = round(vit.ln_eps * (vit.dim / residual) ** 2)
    if eps >= MAX_EPS:
        raise InputError(f"{name}: residual scale {residual:.3g} is too small for eps {vit.ln_eps}")
    unit = 2.0**-widths.NORM_FRACTION_BITS
    gain = params[f"{name}.weight"].astype(np.float64) * unit / out.scale
    offset = params[f"{name}.bias"].astype(np.float64) / out.scale + out.zero
    return Norm(max(1, eps), _requant(name, gain, offset))


def _binary(
    name: str,
    weight: Binary,
    bias: FloatArray,
    source: Unsigned,
    out_scale: FloatArray | float,
) -> Linear:
    gain = weight.alpha * source.scale / out_scale
    sums = weight.sign.sum(axis=1, dtype=np.int64)
    requant = _requant(name, gain, bias.astype(np.float64) / out_scale, sums * source.zero)
    return Linear(weight.sign, requant)


def gelu(x: float) -> float:
    """x * Phi(x), exactly (Hendrycks and Gimpel, arXiv 1606.08415)."""
    return 0.5 * x * (1.0 + math.erf(x / math.sqrt(2.0)))


def _gelu_table(index_scale: float, out: Unsigned, act_bits: int) -> NDArray[np.uint8]:
    half = 2 ** (widths.GELU_INDEX_BITS - 1)
    x = [i * index_scale for i in range(-half, half)]
    y = np.array([gelu(v) for v in x])
    integers = np.clip(np.rint(y / out.scale) + out.zero, 0, widths.unsigned_limit(act_bits))
    table: NDArray[np.uint8] = integers.astype(np.uint8)
    return table


def _attention(index: int, vit: Vit, scales: BlockScales) -> Attention:
    step = scales.q * scales.k / math.sqrt(vit.head_dim) * math.log2(math.e)
    step *= 2**widths.EXP2_FRACTION_BITS
    shift = widths.MAX_SHIFT
    while shift and round(step * 2**shift) >= 2**widths.SCORE_MULT_BITS:
        shift -= 1
    mult = round(step * 2**shift)
    if mult >= 2**widths.SCORE_MULT_BITS:
        name = Kind.SCORES.of(index)
        raise InputError(f"{name}: they scale by {step:.3g}, more than the softmax can express")
    unit = 2.0**-widths.NORM_FRACTION_BITS
    gain = np.full(vit.dim, scales.v * unit / scales.context.scale)
    offset = np.full(vit.dim, float(scales.context.zero))
    return Attention(mult, shift, _requant(Kind.CONTEXT.of(index), gain, offset))


def _block(
    vit: Vit,
    act_bits: int,
    index: int,
    params: Mapping[str, FloatArray],
    binary: Mapping[str, Binary],
    scales: BlockScales,
    residual: float,
) -> Block:
    def norm(kind: Kind, out: Unsigned) -> Norm:
        return _norm(kind.of(index), params, vit, residual, out)

    def linear(kind: Kind, source: Unsigned, out_scale: FloatArray | float) -> Linear:
        name = kind.of(index)
        weight = binary[name]
        bias = params.get(f"{name}.bias", np.zeros(len(weight.alpha)))
        return _binary(name, weight, bias, source, out_scale)

    qkv_scale = np.repeat([scales.q, scales.k, scales.v], vit.dim)
    return Block(
        norm1=norm(Kind.NORM1, scales.norm1),
        qkv=linear(Kind.QKV, scales.norm1, qkv_scale),
        attention=_attention(index, vit, scales),
        proj=linear(Kind.PROJ, scales.context, residual),
        norm2=norm(Kind.NORM2, scales.norm2),
        fc1=linear(Kind.FC1, scales.norm2, scales.gelu),
        gelu=_gelu_table(scales.gelu, scales.hidden, act_bits),
        fc2=linear(Kind.FC2, scales.hidden, residual),
    )


def _fixed_weight(weight: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """Row-wise symmetric 8-bit weights and their scales."""
    limit = 2 ** (widths.FIXED_WEIGHT_BITS - 1) - 1
    scale = np.abs(weight).max(axis=1) / limit
    scale[scale == 0] = 1.0
    return np.rint(weight / scale[:, None]).astype(np.int8), scale


def fold_normalization(
    vit: Vit, weight: FloatArray, bias: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Patch weights [D, C, p, p] and bias on normalized pixels -> [D, C*p*p], [D] on 0..255."""
    wide = weight.astype(np.float64)
    std, mean = np.array(vit.std), np.array(vit.mean)
    folded = wide / (255.0 * std)[None, :, None, None]
    shift = (wide.sum(axis=(2, 3)) * (mean / std)).sum(axis=1)
    return folded.reshape(len(wide), -1), bias.astype(np.float64) - shift


def _embed(
    vit: Vit, params: Mapping[str, FloatArray], residual: float
) -> tuple[Linear, NDArray[np.int16]]:
    """The patch embedding and the constants added to it (prefix tokens, positions, bias)."""
    weight, bias = fold_normalization(
        vit, params["patch_embed.proj.weight"], params["patch_embed.proj.bias"]
    )
    integers, scale = _fixed_weight(weight)
    pre = widths.pre_shift(widths.fixed_acc_bits(widths.PIXEL_BITS, vit.patch_inputs))
    requant = _requant("patch_embed", scale / residual * 2.0**pre, np.zeros(vit.dim))
    added = params["pos_embed"].reshape(vit.tokens, vit.dim).astype(np.float64).copy()
    prefix = [params[name].reshape(-1, vit.dim) for name in prefix_names(vit)]
    added[: vit.prefix_tokens] += np.concatenate(prefix)
    added[vit.prefix_tokens :] += bias
    limit = 2 ** (widths.RESIDUAL_BITS - 1)
    position = np.clip(np.rint(added / residual), -limit, limit - 1).astype(np.int16)
    return Linear(integers, requant), position


def head_weight(vit: Vit, params: Mapping[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Head [classes, head tokens * D] and bias; distilled models average their two heads."""
    weight, bias = params["head.weight"], params["head.bias"]
    if vit.distilled:
        weight = np.concatenate([weight, params["head_dist.weight"]], axis=1) / 2
        bias = (bias + params["head_dist.bias"]) / 2
    return weight.astype(np.float64), bias.astype(np.float64)


def _head(
    vit: Vit, act_bits: int, params: Mapping[str, FloatArray], source: Unsigned
) -> tuple[Linear, float]:
    """The head and the real value of one logit step: the finest that cannot saturate."""
    weight, bias = head_weight(vit, params)
    integers, scale = _fixed_weight(weight)
    limit = widths.unsigned_limit(act_bits)
    sums = integers.sum(axis=1, dtype=np.int64) * source.zero
    reach = np.abs(integers.astype(np.int64)).sum(axis=1) * limit * scale * source.scale
    largest = float((reach + np.abs(bias)).max())
    logit_scale = max(largest, 1e-30) / (2 ** (widths.LOGIT_BITS - 1) - 2)
    pre = widths.pre_shift(widths.fixed_acc_bits(act_bits, weight.shape[1]))
    gain = scale * source.scale / logit_scale * 2.0**pre
    requant = _requant("head", gain, bias / logit_scale, sums / 2.0**pre)
    return Linear(integers, requant), logit_scale


@contextmanager
def _defined() -> Iterator[None]:
    """InputError where numpy would make any integer of what is undefined."""
    try:
        with np.errstate(invalid="raise", divide="raise"):
            yield
    except FloatingPointError as error:
        raise InputError(
            "a weight or a scale is too small or too large for integers to be made of it;"
            " train or calibrate again"
        ) from error


def integerize(
    vit: Vit,
    act_bits: int,
    params: Mapping[str, FloatArray],
    binary: Mapping[str, Binary],
    scales: Scales,
    origin: str,
) -> Network:
    """The integer network of a float model.

    params: float arrays by timm's names; binary: the encoder's linear weights by layer name
    (binary_layers); scales: every activation quantizer. Raises InputError for values that no
    integer of the accelerator holds.
    """
    if not math.isfinite(scales.residual):
        raise InputError(
            f"the residual stream's scale is {scales.residual}; train or calibrate again"
        )
    with _defined():
        embed, position = _embed(vit, params, scales.residual)
        blocks = tuple(
            _block(vit, act_bits, i, params, binary, block, scales.residual)
            for i, block in enumerate(scales.blocks)
        )
        head, logit_scale = _head(vit, act_bits, params, scales.norm)
        return Network(
            vit=vit,
            act_bits=act_bits,
            origin=origin,
            logit_scale=logit_scale,
            embed=embed,
            position=position,
            blocks=blocks,
            norm=_norm("norm", params, vit, scales.residual, scales.norm),
            head=head,
        )
