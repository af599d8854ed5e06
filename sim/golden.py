"""docs/arithmetic.md in numpy: what every operation of the accelerator computes, exactly.

Products run on BLAS in float32 or float64, whichever holds every partial sum exactly.
All functions take a batch of images in their first axis.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaqf.arithmetic import tables, widths
from vaqf.images.patches import to_patches
from vaqf.network.structure import Attention, Block, Linear, Network, Norm, Requant
from vaqf.reporting import Report, silent

IntArray = NDArray[Any]
Record = Callable[[str, IntArray], None]

_RESIDUAL_LIMIT = 2 ** (widths.RESIDUAL_BITS - 1)
_LOGIT_LIMIT = 2 ** (widths.LOGIT_BITS - 1)
_INDEX_LIMIT = 2 ** (widths.GELU_INDEX_BITS - 1)
_BATCH_TOKEN_CHANNELS = 2**21  # images per batch, so that a batch stays in some 100 MB
INSIDE = ("attn.softmax", "mlp.index")  # recorded, but no layer's output: the C++ has no such rows


def _ignore(name: str, value: IntArray) -> None:
    """The default record: keep nothing."""


def exact_matmul(a: IntArray, b: IntArray, bound: int) -> IntArray:
    """Integers [..., m, k] @ [..., k, n]; no partial sum may exceed `bound` in magnitude."""
    if bound >= 2**53:
        raise ValueError(f"products of up to {bound} do not fit float64")
    dtype: type = np.float32 if bound <= 2**24 else np.float64
    product: IntArray = np.matmul(a.astype(dtype), b.astype(dtype))
    return product.astype(np.int32 if bound < 2**31 else np.int64)


def requantize(value: IntArray, requant: Requant, low: int, high: int, pre: int = 0) -> IntArray:
    """clamp(((value >> pre) * mult + bias) >> shift, low, high) of [..., channels], int64."""
    wide = value.astype(np.int64)
    if pre:
        wide >>= pre
    wide *= requant.mult
    wide += requant.bias
    wide >>= requant.shift
    return np.clip(wide, low, high, out=wide)


def saturate(value: IntArray) -> IntArray:
    """Any shape, clamped to the int16 of the residual stream."""
    return np.clip(value, -_RESIDUAL_LIMIT, _RESIDUAL_LIMIT - 1).astype(np.int16)


def _bit_length(value: IntArray) -> IntArray:
    """Bits of positive integers below 2**53."""
    return np.frexp(value.astype(np.float64))[1].astype(np.int64)


def _octave_position(value: IntArray, exponent: IntArray) -> tuple[IntArray, IntArray]:
    """(index, offset) of value / 2**exponent in [1, 2) in an OctaveTable."""
    bits = widths.NORM_INDEX_BITS + widths.NORM_OFFSET_BITS
    up, down = np.maximum(bits - exponent, 0), np.maximum(exponent - bits, 0)
    fraction = ((value << up) >> down) & (2**bits - 1)
    return (
        fraction >> widths.NORM_OFFSET_BITS,
        fraction & (2**widths.NORM_OFFSET_BITS - 1),
    )


def _interpolate(table: tables.OctaveTable, index: IntArray, offset: IntArray) -> IntArray:
    return table.value[index] - ((table.slope[index] * offset) >> widths.NORM_OFFSET_BITS)


_reciprocal_table = cache(tables.reciprocal_table)
_rsqrt_tables = cache(tables.rsqrt_tables)
_exp2_table = cache(tables.exp2_table)


def reciprocal(value: IntArray) -> tuple[IntArray, IntArray]:
    """Mantissa r and exponent e of positive integers: 1/value ~ r * 2**-(NORM_VALUE_BITS + e)."""
    value = value.astype(np.int64)
    exponent = _bit_length(value) - 1
    index, offset = _octave_position(value, exponent)
    return _interpolate(_reciprocal_table(), index, offset), exponent


def rsqrt(value: IntArray) -> tuple[IntArray, IntArray]:
    """Mantissa r and half exponent h: 1/sqrt(value) ~ r * 2**-(NORM_VALUE_BITS + h)."""
    value = value.astype(np.int64)
    exponent = _bit_length(value) - 1
    index, offset = _octave_position(value, exponent)
    even, odd = _rsqrt_tables()
    mantissa = np.where(
        exponent & 1, _interpolate(odd, index, offset), _interpolate(even, index, offset)
    )
    return mantissa, exponent >> 1


def layer_norm(x: IntArray, norm: Norm, act_bits: int) -> IntArray:
    """int16 [..., D] -> unsigned act_bits [..., D]."""
    dim = x.shape[-1]
    wide = x.astype(np.int64)
    total = wide.sum(axis=-1, keepdims=True)
    squares = (wide * wide).sum(axis=-1, keepdims=True)
    mantissa, half = rsqrt(dim * squares - total * total + norm.eps)
    centred = dim * wide - total
    shift = widths.NORM_VALUE_BITS - widths.NORM_FRACTION_BITS + half
    normal = (centred * mantissa) >> shift
    return requantize(normal, norm.requant, 0, widths.unsigned_limit(act_bits)).astype(np.uint8)


def exponents(scores: IntArray, mult: int, shift: int, act_bits: int) -> IntArray:
    """Scores [..., tokens] -> unsigned numerators of softmax, the row's maximum at full scale."""
    bits = widths.exp_bits(act_bits)
    delta = scores.max(axis=-1, keepdims=True).astype(np.int64) - scores
    step = (delta * mult) >> shift
    whole = np.minimum(step >> widths.EXP2_FRACTION_BITS, bits + 1)
    value = _exp2_table()[step & (2**widths.EXP2_FRACTION_BITS - 1)]
    drop = widths.EXP2_VALUE_BITS + whole
    scaled: IntArray = (value * widths.unsigned_limit(bits) + (1 << (drop - 1))) >> drop
    return scaled.astype(np.uint8)


def weighted_mean(weights: IntArray, values: IntArray, act_bits: int) -> IntArray:
    """sum(e * v) / sum(e) in units of 2**-NORM_FRACTION_BITS: [..., m, k] x [..., k, n]."""
    tokens = weights.shape[-1]
    e_limit = widths.unsigned_limit(widths.exp_bits(act_bits))
    bound = tokens * e_limit * widths.signed_limit(act_bits)
    sums = exact_matmul(weights, values, bound).astype(np.int64)
    mantissa, exponent = reciprocal(weights.astype(np.int64).sum(axis=-1, keepdims=True))
    shift = widths.NORM_VALUE_BITS - widths.NORM_FRACTION_BITS + exponent
    mean: IntArray = (sums * mantissa) >> shift
    return mean


def binary_matmul(x: IntArray, linear: Linear, act_bits: int) -> IntArray:
    """Accumulators of unsigned act_bits [..., k] times {-1,+1} [n, k]."""
    bound = linear.weight.shape[1] * widths.unsigned_limit(act_bits)
    return exact_matmul(x, linear.weight.T, bound)


def fixed_matmul(x: IntArray, linear: Linear, input_bits: int) -> tuple[IntArray, int]:
    """Accumulators of unsigned input_bits [..., k] times int8 [n, k], and their pre-shift."""
    k = linear.weight.shape[1]
    bound = k * widths.unsigned_limit(input_bits) * 2 ** (widths.FIXED_WEIGHT_BITS - 1)
    pre = widths.pre_shift(widths.fixed_acc_bits(input_bits, k))
    return exact_matmul(x, linear.weight.T, bound), pre


def attention(
    qkv: IntArray, layer: Attention, heads: int, act_bits: int, record: Record = _ignore
) -> IntArray:
    """[B, T, 3D] signed -> context [B, T, D] unsigned."""
    batch, tokens, width = qkv.shape
    head_dim = width // (3 * heads)
    q, k, v = qkv.reshape(batch, tokens, 3, heads, head_dim).transpose(2, 0, 3, 1, 4)
    bound = head_dim * widths.signed_limit(act_bits) ** 2
    scores = exact_matmul(q, k.swapaxes(-1, -2), bound)
    weights = exponents(scores, layer.score_mult, layer.score_shift, act_bits)
    record("attn.softmax", weights)
    mean = weighted_mean(weights, v, act_bits)
    mean = mean.transpose(0, 2, 1, 3).reshape(batch, tokens, heads * head_dim)
    return requantize(mean, layer.context, 0, widths.unsigned_limit(act_bits)).astype(np.uint8)


def add_residual(x: IntArray, acc: IntArray, requant: Requant, pre: int = 0) -> IntArray:
    """x + requantize(acc), both [..., D]; both steps saturated to int16."""
    update = requantize(acc, requant, -_RESIDUAL_LIMIT, _RESIDUAL_LIMIT - 1, pre)
    return saturate(x.astype(np.int64) + update)


def embed(network: Network, images: IntArray) -> IntArray:
    """uint8 [B, S, S, C] -> residual stream int16 [B, T, D]; prefix tokens have no pixels."""
    vit = network.vit
    rows = to_patches(images, vit.patch_size)
    pixels = np.zeros((len(images), vit.tokens, vit.patch_inputs), np.uint8)
    pixels[:, vit.prefix_tokens :] = rows
    acc, pre = fixed_matmul(pixels, network.embed, widths.PIXEL_BITS)
    return add_residual(network.position, acc, network.embed.requant, pre)


def block(x: IntArray, layer: Block, heads: int, act_bits: int, record: Record) -> IntArray:
    """One encoder block on the residual stream, int16 [B, T, D]."""
    q_limit = widths.signed_limit(act_bits)
    a = layer_norm(x, layer.norm1, act_bits)
    record("norm1", a)
    acc = binary_matmul(a, layer.qkv, act_bits)
    qkv = requantize(acc, layer.qkv.requant, -q_limit, q_limit).astype(np.int8)
    record("attn.qkv", qkv)
    context = attention(qkv, layer.attention, heads, act_bits, record)
    record("attn.context", context)
    x = add_residual(x, binary_matmul(context, layer.proj, act_bits), layer.proj.requant)
    record("attn.proj", x)
    a = layer_norm(x, layer.norm2, act_bits)
    record("norm2", a)
    acc = binary_matmul(a, layer.fc1, act_bits)
    index = requantize(acc, layer.fc1.requant, -_INDEX_LIMIT, _INDEX_LIMIT - 1)
    record("mlp.index", index)
    hidden = layer.gelu[index + _INDEX_LIMIT]
    record("mlp.fc1", hidden)
    x = add_residual(x, binary_matmul(hidden, layer.fc2, act_bits), layer.fc2.requant)
    record("mlp.fc2", x)
    return x


def _run_batch(network: Network, images: IntArray, record: Record) -> IntArray:
    vit = network.vit
    x = embed(network, images)
    record("embed", x)
    for i, layer in enumerate(network.blocks):

        def record_block(name: str, value: IntArray, prefix: str = f"blocks.{i}") -> None:
            record(f"{prefix}.{name}", value)

        x = block(x, layer, vit.heads, network.act_bits, record_block)
    a = layer_norm(x[:, : vit.head_tokens], network.norm, network.act_bits)
    record("norm", a)
    row = a.reshape(len(images), vit.head_tokens * vit.dim)
    acc, pre = fixed_matmul(row, network.head, network.act_bits)
    logits = requantize(acc, network.head.requant, -_LOGIT_LIMIT, _LOGIT_LIMIT - 1, pre)
    record("head", logits.astype(np.int32))
    return logits.astype(np.int32)


def run(
    network: Network,
    images: IntArray,
    report: Report = silent,
    record: Record = _ignore,
) -> IntArray:
    """Logits int32 [B, classes] of uint8 images [B, S, S, C].

    `record` gets every layer's output and what is INSIDE, by name, a few images at a time.
    """
    check_images(network, images)
    vit = network.vit
    step = max(1, _BATCH_TOKEN_CHANNELS // (vit.tokens * max(vit.hidden, vit.tokens * vit.heads)))
    parts = [np.zeros((0, vit.classes), np.int32)]
    for start in range(0, len(images), step):
        parts.append(_run_batch(network, images[start : start + step], record))
        report("golden", min(start + step, len(images)), len(images))
    return np.concatenate(parts)


def with_layers(
    network: Network, images: IntArray, report: Report = silent
) -> tuple[IntArray, dict[str, IntArray]]:
    """As `run`; and every layer's output for the first image, by layer name, in order."""
    first: dict[str, IntArray] = {}

    def record(name: str, value: IntArray) -> None:
        if name not in first and not name.endswith(INSIDE):
            first[name] = value[0].copy()  # a view would keep all images' values in memory

    return run(network, images, report, record), first


def layers(network: Network, image: IntArray) -> dict[str, IntArray]:
    """Every layer's output for one uint8 image [S, S, C], by layer name, in order."""
    return with_layers(network, image[None])[1]


def check_images(network: Network, images: IntArray) -> None:
    """Raise ValueError unless images are uint8 [B, S, S, C] of the network's size."""
    vit = network.vit
    wanted = (vit.image_size, vit.image_size, vit.channels)
    if images.dtype != np.uint8 or images.shape[1:] != wanted:
        raise ValueError(f"images are {images.dtype} {images.shape}, not uint8 [B, {wanted}]")


def labels(logits: IntArray) -> IntArray:
    """Logits [B, classes] -> class of each row [B]; ties go to the lowest index."""
    classes: IntArray = logits.argmax(axis=-1)
    return classes
