"""Activation scales of a float model, from images: a numpy forward pass that watches its values.

The forward uses the binary encoder weights that the hardware will have, and real activations.
Accuracy needs training (vaqf train); this only makes the integers represent the float model's
values as well as they can.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaqf.arithmetic import widths
from vaqf.errors import InputError
from vaqf.images.patches import to_patches
from vaqf.model.layers import Kind
from vaqf.model.vit import Vit
from vaqf.network.integerize import (
    BlockScales,
    Scales,
    Unsigned,
    binarize,
    binary_layers,
    gelu,
    integerize,
)
from vaqf.network.parameters import prefix_names
from vaqf.network.structure import Network

FloatArray = NDArray[Any]

RESIDUAL_HEADROOM = 2.0  # of the residual stream's scale, over the largest value seen
_SAMPLE = 2**15  # values per quantizer that the clipping search looks at
_CLIPS = np.linspace(1.0, 0.2, 17)


def _sample(values: FloatArray) -> FloatArray:
    if not np.isfinite(values).all():
        raise InputError("the activations overflow float32; check the scale of the weights")
    flat = values.reshape(-1)
    return flat[:: max(1, flat.size // _SAMPLE)].astype(np.float64)


def _grid(low: float, high: float, act_bits: int) -> Unsigned:
    """The unsigned grid over [low, high]; zero is always on it."""
    low, high = min(low, 0.0), max(high, 0.0)
    limit = widths.unsigned_limit(act_bits)
    scale = max(high - low, 1e-6) / limit
    return Unsigned(scale, int(np.clip(np.rint(-low / scale), 0, limit)))


def unsigned_scale(values: FloatArray, act_bits: int) -> Unsigned:
    """Grid of the least mean squared error for values of any shape, over a few clipping ranges."""
    sample = _sample(values)
    low, high = float(sample.min()), float(sample.max())
    limit = widths.unsigned_limit(act_bits)

    def error(grid: Unsigned) -> float:
        integer = np.clip(np.rint(sample / grid.scale) + grid.zero, 0, limit)
        return float(np.square((integer - grid.zero) * grid.scale - sample).mean())

    return min((_grid(low * clip, high * clip, act_bits) for clip in _CLIPS), key=error)


def signed_scale(values: FloatArray, limit: int) -> float:
    """Scale of integers within +-limit of the least mean squared error for values of any shape."""
    sample = _sample(values)
    top = max(float(np.abs(sample).max()), 1e-6)

    def error(scale: float) -> float:
        integer = np.clip(np.rint(sample / scale), -limit, limit)
        return float(np.square(integer * scale - sample).mean())

    return min((top * float(clip) / limit for clip in _CLIPS), key=error)


_GELU_REACH = 8.0  # beyond it gelu is 0 or x, to float32
_GELU_STEPS = 2**8  # per unit of x
_GELU_X = np.arange(-_GELU_REACH, _GELU_REACH + 2 / _GELU_STEPS, 1 / _GELU_STEPS)
_GELU_Y = np.array([gelu(x) for x in _GELU_X], np.float32)


def _gelu(x: FloatArray) -> FloatArray:
    """GELU by linear interpolation (numpy has no erf), float32."""
    position = (np.clip(x, -_GELU_REACH, _GELU_REACH) + _GELU_REACH) * _GELU_STEPS
    entry = position.astype(np.int32)
    low = _GELU_Y[entry]
    inside = low + (position - entry).astype(np.float32) * (_GELU_Y[entry + 1] - low)
    return np.where(x > _GELU_REACH, x, inside)


def _layer_norm(x: FloatArray, weight: FloatArray, bias: FloatArray, eps: float) -> FloatArray:
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    normal: FloatArray = centred / np.sqrt(variance + eps) * weight + bias
    return normal


def _softmax(scores: FloatArray) -> FloatArray:
    numerators = np.exp(scores - scores.max(axis=-1, keepdims=True))
    normal: FloatArray = numerators / numerators.sum(axis=-1, keepdims=True)
    return normal


def scales(
    vit: Vit,
    act_bits: int,
    params: Mapping[str, FloatArray],
    weights: Mapping[str, FloatArray],
    images: NDArray[np.uint8],
) -> Scales:
    """Observe every activation on images [B, S, S, C] and choose its scale.

    weights: what the encoder's linear layers multiply by, [n, k] by layer name (binary_layers).

    Raises InputError when there is nothing to scale by: every token is zero.
    """

    def linear(name: str, x: FloatArray) -> FloatArray:
        product: FloatArray = np.matmul(x, weights[name].T)
        product += params.get(f"{name}.bias", 0.0)
        return product

    def norm(name: str, x: FloatArray) -> FloatArray:
        return _layer_norm(x, params[f"{name}.weight"], params[f"{name}.bias"], vit.ln_eps)

    batch, d = len(images), vit.dim
    std = np.repeat(np.array(vit.std, np.float32), vit.patch_size**2)
    mean = np.repeat(np.array(vit.mean, np.float32), vit.patch_size**2)
    rows = (to_patches(images, vit.patch_size).astype(np.float32) / 255 - mean) / std
    patches = rows @ params["patch_embed.proj.weight"].reshape(d, -1).T
    patches = patches + params["patch_embed.proj.bias"]
    prefix = [params[name] for name in prefix_names(vit)]
    tokens = [np.broadcast_to(token, (batch, *token.shape[1:])) for token in prefix]
    x = np.concatenate([*tokens, patches], axis=1) + params["pos_embed"]
    peak = float(np.abs(x).max())
    blocks = []
    limit = widths.signed_limit(act_bits)
    for i in range(vit.depth):
        a = norm(Kind.NORM1.of(i), x)
        norm1 = unsigned_scale(a, act_bits)
        qkv = linear(Kind.QKV.of(i), a).reshape(batch, vit.tokens, 3, vit.heads, vit.head_dim)
        q, k, v = qkv.transpose(2, 0, 3, 1, 4)
        attention = _softmax(q @ k.swapaxes(-1, -2) / math.sqrt(vit.head_dim))
        context = (attention @ v).transpose(0, 2, 1, 3).reshape(batch, vit.tokens, d)
        x = x + linear(Kind.PROJ.of(i), context)
        peak = max(peak, float(np.abs(x).max()))
        a = norm(Kind.NORM2.of(i), x)
        index = linear(Kind.FC1.of(i), a)
        index_scale = signed_scale(index, 2 ** (widths.GELU_INDEX_BITS - 1) - 1)
        hidden = _gelu(index)
        x = x + linear(Kind.FC2.of(i), hidden)
        peak = max(peak, float(np.abs(x).max()))
        blocks.append(
            BlockScales(
                norm1=norm1,
                q=signed_scale(q, limit),
                k=signed_scale(k, limit),
                v=signed_scale(v, limit),
                context=unsigned_scale(context, act_bits),
                norm2=unsigned_scale(a, act_bits),
                gelu=index_scale,
                hidden=unsigned_scale(hidden, act_bits),
            )
        )
    final = norm("norm", x[:, : vit.head_tokens])
    if peak == 0.0:
        raise InputError(f"the tokens of {vit.name} are zero for every image; check the weights")
    residual = RESIDUAL_HEADROOM * peak / (2 ** (widths.RESIDUAL_BITS - 1) - 1)
    return Scales(residual, tuple(blocks), unsigned_scale(final, act_bits))


def calibrate(
    vit: Vit,
    act_bits: int,
    params: Mapping[str, FloatArray],
    images: NDArray[np.uint8],
    origin: str,
) -> Network:
    """Binarize float parameters (timm's names); scales are observed on images [B, S, S, C]."""
    binary = {name: binarize(params[f"{name}.weight"]) for name in binary_layers(vit)}
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused by a sentence
        real = {name: weight.real() for name, weight in binary.items()}
        observed = scales(vit, act_bits, params, real, images)
    return integerize(vit, act_bits, params, binary, observed, origin)
