"""Float parameters of a vision transformer by timm's names: expected, random, or from a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaqf.errors import InputError
from vaqf.files.fields import nearest, shown
from vaqf.model import zoo
from vaqf.model.layers import BINARY, Kind, Op, of_block, of_frame
from vaqf.model.vit import Vit
from vaqf.model.workload import MatMul, sizes
from vaqf.network.names import HF_PREFIX, HF_UNUSED, timm_name
from vaqf.network.unsupported import unsupported

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
    for block in range(vit.depth):
        out |= _block_shapes(vit, block)
    out |= _with_bias("norm", (d,))
    for head in ("head", "head_dist") if vit.distilled else ("head",):
        out |= _with_bias(head, (vit.classes, d))
    return out


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
        elif len(shape) == 1 or name in ("cls_token", "dist_token", "pos_embed"):
            params[name] = np.float32(0.1) * draw
        else:
            params[name] = draw / np.float32(np.sqrt(np.prod(shape[1:])))
        if kind is Kind.QKV:
            params[name][: 2 * vit.dim] *= np.float32(np.sqrt(RANDOM_SCORE_STD))
    return params


def _fuse(params: dict[str, FloatArray], original: dict[str, str]) -> None:
    """Replace each attn.q, attn.k and attn.v by one attn.qkv."""
    for name in [name for name in params if ".attn.q." in name]:
        parts = [name.replace(".attn.q.", f".attn.{part}.") for part in "qkv"]
        fused = name.replace(".attn.q.", ".attn.qkv.")
        if all(part in params for part in parts) and fused not in params:
            arrays = [params.pop(part) for part in parts]
            original[fused] = original[name]
            if len({array.shape[1:] for array in arrays}) == 1 and arrays[0].ndim:
                params[fused] = np.concatenate(arrays)
            else:
                params[fused] = arrays[0]  # its shape is refused with the others


def adopt(path: Path, tensors: Mapping[str, FloatArray], vit: Vit) -> dict[str, FloatArray]:
    """Tensors of a file under any known names -> exactly the parameters of the model, float32.

    Raises InputError that names the first tensor which is missing, unknown, of another shape, or
    holds NaN or infinity.
    """
    params: dict[str, FloatArray] = {}
    original: dict[str, str] = {}
    for name, array in tensors.items():
        if not isinstance(name, str):
            raise InputError(f"{path}: a tensor is named {shown(name)}, which is no text")
        if HF_PREFIX.sub("", name).startswith(HF_UNUSED):
            continue
        known = timm_name(name)
        if known in params:
            raise InputError(f"{path}: {original[known]} and {name} are the same parameter")
        params[known], original[known] = array, name
    _fuse(params, original)
    expected = array_shapes(vit)
    lacking = unsupported({name: array.shape for name, array in params.items()}, vit)
    if lacking is not None and not _fits_another(params, vit):
        raise InputError(f"{path}: {lacking}")
    for name, shape in expected.items():
        if name not in params:
            raise InputError(f"{path}: {name} is missing{_advice(params, vit)}")
        if params[name].shape != shape:
            raise InputError(
                f"{path}: {original[name]} is {list(params[name].shape)}, {vit.name} needs"
                f" {list(shape)}{_advice(params, vit)}"
            )
    for name in params:
        if name not in expected:
            raise InputError(
                f"{path}: {shown(original[name])} is no parameter of {vit.name}"
                f"{nearest(name, expected)}{_advice(params, vit)}"
            )
    return {name: _float32(path, original[name], params[name]) for name in expected}


def _advice(params: Mapping[str, FloatArray], vit: Vit) -> str:
    """Which known model the tensors fit, if one."""
    name = _fits_another(params, vit)
    if name is not None:
        return f"; the file fits --model {name}"
    return f"; the file does not fit {vit.name}: check --model"


def _fits_another(params: Mapping[str, FloatArray], vit: Vit) -> str | None:
    """Another known model with just these tensors."""
    given = {name: array.shape for name, array in params.items()}
    others = (name for name in zoo.names() if name != vit.name)
    return next((name for name in others if array_shapes(zoo.load(name)) == given), None)


def _float32(path: Path, name: str, array: FloatArray) -> FloatArray:
    if array.dtype.kind != "f":
        raise InputError(f"{path}: {name} holds {array.dtype}; float weights are needed")
    with np.errstate(over="ignore"):
        real = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(real).all():
        raise InputError(f"{path}: {name} holds NaN or infinity; save the weights again")
    return real
