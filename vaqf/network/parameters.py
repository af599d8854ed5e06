"""Float parameters of a vision transformer by timm's names: expected, or random."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaqf.model.layers import BINARY, Kind, Op, of_block, of_frame
from vaqf.model.vit import Vit
from vaqf.model.workload import MatMul, sizes

FloatArray = NDArray[Any]

MAX_SEED = 2**32 - 1
RANDOM_SCORE_STD = 3.0  # of random networks: attention far from uniform, far from one-hot


def array_shapes(vit: Vit) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every parameter."""
    d, p = vit.dim, vit.patch_size
    out: dict[str, tuple[int, ...]] = {
        "cls_token": (1, 1, d),
        "pos_embed": (1, vit.tokens, d),
        "patch_embed.proj.weight": (d, vit.channels, p, p),
        "patch_embed.proj.bias": (d,),
    }
    if vit.distilled:
        out["dist_token"] = (1, 1, d)
    if vit.registers:
        out["reg_token"] = (1, vit.registers, d)
    for block in range(vit.depth):
        out |= _block_shapes(vit, block)
    out |= _with_bias("norm", (d,))
    for head in ("head", "head_dist") if vit.distilled else ("head",):
        out |= _with_bias(head, (vit.classes, d))
    return out


def prefix_names(vit: Vit) -> list[str]:
    """The parameters [1, n, D] of the tokens without pixels, in the order of the tokens."""
    optional = (("dist_token", vit.distilled), ("reg_token", vit.registers))
    return ["cls_token", *(name for name, there in optional if there)]


def _with_bias(name: str, weight: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": weight, f"{name}.bias": weight[:1]}


def _block_shapes(vit: Vit, block: int) -> dict[str, tuple[int, ...]]:
    """Of one encoder block; the bias that some models lack is the last of them to be drawn."""
    out: dict[str, tuple[int, ...]] = {}
    by_kind = sizes(vit)
    for layer in of_block(block):
        size = by_kind[layer.kind]
        if layer.kind in BINARY and isinstance(size, MatMul):
            out |= _with_bias(layer.name, (size.n, size.k))
        elif layer.kind.op is Op.LAYER_NORM:
            out |= _with_bias(layer.name, (vit.dim,))
    name = f"{Kind.QKV.of(block)}.bias"
    bias = out.pop(name)
    if vit.qkv_bias:
        out[name] = bias
    return out


def random(vit: Vit, seed: int) -> dict[str, FloatArray]:
    """Seeded random parameters, scaled so that no layer is trivial.

    Linear rows keep the variance of their inputs; query and key rows are larger, so that scores
    have a standard deviation of about RANDOM_SCORE_STD and attention is not uniform.
    """
    rng = np.random.default_rng(seed)
    params: dict[str, FloatArray] = {}
    weights = {f"{layer.name}.weight": layer.kind for layer in of_frame(vit.depth)}
    for name, shape in array_shapes(vit).items():
        draw = rng.standard_normal(shape, dtype=np.float32)
        kind = weights.get(name)
        if kind is not None and kind.op is Op.LAYER_NORM:
            params[name] = 1.0 + np.float32(0.1) * draw
        elif len(shape) == 1 or name in (*prefix_names(vit), "pos_embed"):
            params[name] = np.float32(0.1) * draw
        else:
            params[name] = draw / np.float32(np.sqrt(np.prod(shape[1:])))
        if kind is Kind.QKV:
            params[name][: 2 * vit.dim] *= np.float32(np.sqrt(RANDOM_SCORE_STD))
    return params
