"""docs/arithmetic.md in torch: the integer network as model.eval() runs it.

Written from the formulas, not from sim/golden.py, so that a test can hold one against the other.
Integers travel as int64; a product runs in float32 or float64, whichever holds every partial sum.
All functions take a batch in their first axis.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from vaqf.arithmetic import tables, widths
from vaqf.network.structure import Block, Linear, Network, Norm, Requant

_RESIDUAL_TOP = 2 ** (widths.RESIDUAL_BITS - 1) - 1
_LOGIT_TOP = 2 ** (widths.LOGIT_BITS - 1) - 1
_INDEX_TOP = 2 ** (widths.GELU_INDEX_BITS - 1) - 1
_BATCH_VALUES = 2**21  # values of the largest layer that are in flight at once

Record = Callable[[str, Tensor], None]


def _ignore(name: str, value: Tensor) -> None:
    """The default record: keep nothing."""


@contextmanager
def exact_products(device: torch.device) -> Iterator[None]:
    """Autocast and TF32 off: both would round the integers."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def product(a: Tensor, b: Tensor, largest: int) -> Tensor:
    """Integers [..., m, k] @ [..., k, n] whose partial sums stay within `largest`."""
    if largest > 2**53:
        raise ValueError(f"sums of up to {largest} are not exact in float64")
    real = torch.float32 if largest <= 2**24 else torch.float64
    return torch.matmul(a.to(real), b.to(real)).to(torch.int64)


def _vector(values: np.ndarray, like: Tensor) -> Tensor:
    return torch.from_numpy(values.astype(np.int64)).to(like.device)


def rescale(acc: Tensor, requant: Requant, low: int, high: int) -> Tensor:
    """clamp((acc * mult + bias) >> shift, low, high); channels in the last axis."""
    value = acc * _vector(requant.mult, acc) + _vector(requant.bias, acc)
    return (value >> requant.shift).clamp(low, high)


def _exponent(x: Tensor) -> Tensor:
    """floor(log2(x)) of positive integers, by comparison with the powers of two."""
    powers = 2 ** torch.arange(1, 63, device=x.device)
    return torch.bucketize(x, powers, right=True)


def _mantissa(x: Tensor, exponent: Tensor, table: tables.OctaveTable) -> Tensor:
    """f(x / 2**exponent) of a tabulated f on [1, 2), in units of 2**-NORM_VALUE_BITS."""
    wanted = widths.NORM_INDEX_BITS + widths.NORM_OFFSET_BITS
    fraction = x - (1 << exponent)
    shift = exponent - wanted
    fraction = torch.where(
        shift >= 0, fraction >> shift.clamp(min=0), fraction << (-shift).clamp(min=0)
    )
    entry = fraction >> widths.NORM_OFFSET_BITS
    offset = fraction - (entry << widths.NORM_OFFSET_BITS)
    value, slope = _vector(table.value, x), _vector(table.slope, x)
    return value[entry] - (slope[entry] * offset >> widths.NORM_OFFSET_BITS)


def layer_norm(x: Tensor, norm: Norm, act_bits: int) -> Tensor:
    """Residual stream [..., D] -> unsigned act_bits."""
    dim = x.shape[-1]
    total = x.sum(-1, keepdim=True)
    spread = dim * (x * x).sum(-1, keepdim=True) - total * total + norm.eps
    exponent = _exponent(spread)
    even, odd = tables.rsqrt_tables()
    root = torch.where(
        exponent % 2 == 0, _mantissa(spread, exponent, even), _mantissa(spread, exponent, odd)
    )
    shift = widths.NORM_VALUE_BITS + exponent // 2 - widths.NORM_FRACTION_BITS
    normal = ((dim * x - total) * root) >> shift
    return rescale(normal, norm.requant, 0, widths.unsigned_limit(act_bits))


def softmax_numerators(scores: Tensor, mult: int, shift: int, act_bits: int) -> Tensor:
    """Scores [..., T] -> 2**-(distance to the row's maximum), unsigned exp_bits, half up."""
    bits = widths.exp_bits(act_bits)
    step = ((scores.amax(-1, keepdim=True) - scores) * mult) >> shift
    whole = (step >> widths.EXP2_FRACTION_BITS).clamp(max=bits + 1)
    part = step % 2**widths.EXP2_FRACTION_BITS
    value = _vector(tables.exp2_table(), scores)[part] * widths.unsigned_limit(bits)
    drop = whole + widths.EXP2_VALUE_BITS
    return (value + (1 << (drop - 1))) >> drop


def context(e: Tensor, v: Tensor, act_bits: int) -> Tensor:
    """sum(e * v) / sum(e), [..., T, T] and [..., T, C], in units of 2**-NORM_FRACTION_BITS."""
    numerator_top = widths.unsigned_limit(widths.exp_bits(act_bits))
    sums = product(e, v, e.shape[-1] * numerator_top * widths.signed_limit(act_bits))
    total = e.sum(-1, keepdim=True)
    exponent = _exponent(total)
    inverse = _mantissa(total, exponent, tables.reciprocal_table())
    shift = widths.NORM_VALUE_BITS + exponent - widths.NORM_FRACTION_BITS
    return (sums * inverse) >> shift


def _binary(x: Tensor, linear: Linear, act_bits: int) -> Tensor:
    top = linear.weight.shape[1] * widths.unsigned_limit(act_bits)
    return product(x, torch.from_numpy(linear.weight).to(x.device).T, top)


def _fixed(x: Tensor, linear: Linear, input_bits: int) -> Tensor:
    k = linear.weight.shape[1]
    top = k * widths.unsigned_limit(input_bits) * 2 ** (widths.FIXED_WEIGHT_BITS - 1)
    acc = product(x, torch.from_numpy(linear.weight).to(x.device).T, top)
    return acc >> widths.pre_shift(widths.fixed_acc_bits(input_bits, k))


def _add(x: Tensor, acc: Tensor, requant: Requant) -> Tensor:
    """Residual addition, each step saturated to 16 bits."""
    update = rescale(acc, requant, -_RESIDUAL_TOP - 1, _RESIDUAL_TOP)
    return (x + update).clamp(-_RESIDUAL_TOP - 1, _RESIDUAL_TOP)


def _embed(network: Network, images: Tensor) -> Tensor:
    """uint8 [B, S, S, C] -> [B, T, D]; prefix tokens see black pixels."""
    vit = network.vit
    p, grid = vit.patch_size, vit.image_size // vit.patch_size
    tiles = images.to(torch.int64).permute(0, 3, 1, 2)  # [B, C, S, S]
    tiles = tiles.unfold(2, p, p).unfold(3, p, p)  # [B, C, grid, grid, p, p]
    rows = tiles.permute(0, 2, 3, 1, 4, 5).reshape(len(images), grid * grid, vit.patch_inputs)
    prefix = rows.new_zeros(len(images), vit.prefix_tokens, vit.patch_inputs)
    acc = _fixed(torch.cat([prefix, rows], dim=1), network.embed, widths.PIXEL_BITS)
    return _add(_vector(network.position, acc), acc, network.embed.requant)


def _attention(x: Tensor, layer: Block, heads: int, act_bits: int, record: Record) -> Tensor:
    """Normalized tokens [B, T, D] -> context [B, T, D], both unsigned act_bits."""
    top = widths.signed_limit(act_bits)
    qkv = rescale(_binary(x, layer.qkv, act_bits), layer.qkv.requant, -top, top)
    record("attn.qkv", qkv)
    q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in qkv.chunk(3, dim=-1))
    scores = product(q, k.transpose(-1, -2), q.shape[-1] * top * top)
    a = layer.attention
    e = softmax_numerators(scores, a.score_mult, a.score_shift, act_bits)
    record("attn.softmax", e)
    mean = context(e, v, act_bits).transpose(1, 2).flatten(2)
    return rescale(mean, a.context, 0, widths.unsigned_limit(act_bits))


def _block(x: Tensor, layer: Block, heads: int, act_bits: int, record: Record) -> Tensor:
    a = layer_norm(x, layer.norm1, act_bits)
    record("norm1", a)
    a = _attention(a, layer, heads, act_bits, record)
    record("attn.context", a)
    x = _add(x, _binary(a, layer.proj, act_bits), layer.proj.requant)
    record("attn.proj", x)
    a = layer_norm(x, layer.norm2, act_bits)
    record("norm2", a)
    acc = _binary(a, layer.fc1, act_bits)
    index = rescale(acc, layer.fc1.requant, -_INDEX_TOP - 1, _INDEX_TOP)
    record("mlp.index", index)
    hidden = _vector(layer.gelu, x)[index + _INDEX_TOP + 1]
    record("mlp.fc1", hidden)
    x = _add(x, _binary(hidden, layer.fc2, act_bits), layer.fc2.requant)
    record("mlp.fc2", x)
    return x


def _batch(network: Network, images: Tensor, record: Record) -> Tensor:
    vit, act_bits = network.vit, network.act_bits
    x = _embed(network, images)
    record("embed", x)
    for i, layer in enumerate(network.blocks):

        def record_block(name: str, value: Tensor, prefix: str = f"blocks.{i}") -> None:
            record(f"{prefix}.{name}", value)

        x = _block(x, layer, vit.heads, act_bits, record_block)
    a = layer_norm(x[:, : vit.head_tokens], network.norm, act_bits)
    record("norm", a)
    acc = _fixed(a.flatten(1), network.head, act_bits)
    logits = rescale(acc, network.head.requant, -_LOGIT_TOP - 1, _LOGIT_TOP)
    record("head", logits)
    return logits


@torch.no_grad()
def run(network: Network, images: Tensor, record: Record = _ignore) -> Tensor:
    """Integer logits [B, classes] of uint8 images [B, S, S, C], on the images' device.

    `record` gets every layer's output, and what vaqf.sim.golden calls INSIDE, by golden's names.
    """
    vit = network.vit
    widest = vit.tokens * max(vit.hidden, 3 * vit.dim, vit.heads * vit.tokens)
    step = max(1, _BATCH_VALUES // widest)
    with exact_products(images.device):
        parts = [_batch(network, part, record) for part in images.split(step)]
    return torch.cat(parts) if parts else images.new_zeros((0, vit.classes), dtype=torch.int64)
