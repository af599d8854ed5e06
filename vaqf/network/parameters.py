"""Float parameters of a vision transformer by timm's names: expected, random, read from files.

A file may use the names of timm, of DeiT's own training ({"model": ...}) or of Hugging Face's
transformers, before and since its version 5.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaqf.errors import InputError
from vaqf.files.fields import nearest, shown
from vaqf.model import vit as zoo
from vaqf.model.vit import Vit

FloatArray = NDArray[Any]

NUMPY_FILES = (".safetensors",)
TORCH_FILES = (".pth", ".pt", ".bin")

RANDOM_SCORE_STD = 3.0  # of random networks: attention far from uniform, far from one-hot


def shapes(vit: Vit) -> dict[str, tuple[int, ...]]:
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
    for i in range(vit.depth):
        b = f"blocks.{i}"
        out |= {
            f"{b}.norm1.weight": (d,),
            f"{b}.norm1.bias": (d,),
            f"{b}.attn.qkv.weight": (3 * d, d),
            f"{b}.attn.proj.weight": (d, d),
            f"{b}.attn.proj.bias": (d,),
            f"{b}.norm2.weight": (d,),
            f"{b}.norm2.bias": (d,),
            f"{b}.mlp.fc1.weight": (vit.hidden, d),
            f"{b}.mlp.fc1.bias": (vit.hidden,),
            f"{b}.mlp.fc2.weight": (d, vit.hidden),
            f"{b}.mlp.fc2.bias": (d,),
        }
        if vit.qkv_bias:
            out[f"{b}.attn.qkv.bias"] = (3 * d,)
    out |= {"norm.weight": (d,), "norm.bias": (d,)}
    for head in ("head", "head_dist") if vit.distilled else ("head",):
        out |= {f"{head}.weight": (vit.classes, d), f"{head}.bias": (vit.classes,)}
    return out


def random(vit: Vit, seed: int) -> dict[str, FloatArray]:
    """Seeded random parameters, scaled so that no layer is trivial.

    Linear rows keep the variance of their inputs; query and key rows are larger, so that scores
    have a standard deviation of about RANDOM_SCORE_STD and attention is not uniform.
    """
    rng = np.random.default_rng(seed)
    params: dict[str, FloatArray] = {}
    for name, shape in shapes(vit).items():
        draw = rng.standard_normal(shape, dtype=np.float32)
        if name.endswith(("norm1.weight", "norm2.weight")) or name == "norm.weight":
            params[name] = 1.0 + np.float32(0.1) * draw
        elif len(shape) == 1 or name in ("cls_token", "dist_token", "pos_embed"):
            params[name] = np.float32(0.1) * draw
        else:
            params[name] = draw / np.float32(np.sqrt(np.prod(shape[1:])))
        if name.endswith("attn.qkv.weight"):
            params[name][: 2 * vit.dim] *= np.float32(np.sqrt(RANDOM_SCORE_STD))
    return params


# Hugging Face's names -> timm's; the first pattern that matches the rest of a block's name wins
_HF_PREFIX = re.compile(r"^(?:vit|deit)\.")
_HF_BLOCK = re.compile(r"^(?:encoder\.)?layers?\.(\d+)\.")
_HF_TOP = {
    "embeddings.cls_token": "cls_token",
    "embeddings.distillation_token": "dist_token",
    "embeddings.position_embeddings": "pos_embed",
    "embeddings.patch_embeddings.projection": "patch_embed.proj",
    "layernorm": "norm",
    "classifier": "head",
    "cls_classifier": "head",
    "distillation_classifier": "head_dist",
}
_HF_IN_BLOCK = {
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
    "attention.attention.query": "attn.q",
    "attention.attention.key": "attn.k",
    "attention.attention.value": "attn.v",
    "attention.output.dense": "attn.proj",
    "attention.q_proj": "attn.q",
    "attention.k_proj": "attn.k",
    "attention.v_proj": "attn.v",
    "attention.o_proj": "attn.proj",
    "intermediate.dense": "mlp.fc1",
    "output.dense": "mlp.fc2",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
_HF_UNUSED = ("pooler.",)  # of ViTModel; a classifier reads the class token itself
_WRAPPER = "module."  # of DistributedDataParallel


def timm_name(name: str) -> str:
    """The name that timm gives to a parameter; its own names come back unchanged.

    Hugging Face's separate query, key and value become `attn.q`, `attn.k` and `attn.v`.
    """
    name = name.removeprefix(_WRAPPER)
    rest = _HF_PREFIX.sub("", name)
    block = _HF_BLOCK.match(rest)
    table, prefix = _HF_TOP, ""
    if block:
        table, prefix, rest = _HF_IN_BLOCK, f"blocks.{block[1]}.", rest[block.end() :]
    stem, _, leaf = rest.rpartition(".")
    if rest in table:
        return prefix + table[rest]
    if stem in table and leaf in ("weight", "bias"):
        return f"{prefix}{table[stem]}.{leaf}"
    return name


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
        if _HF_PREFIX.sub("", name).startswith(_HF_UNUSED):
            continue
        known = timm_name(name)
        if known in params:
            raise InputError(f"{path}: {original[known]} and {name} are the same parameter")
        params[known], original[known] = array, name
    _fuse(params, original)
    expected = shapes(vit)
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
    found = {name: array.shape for name, array in params.items()}
    for name in zoo.names():
        if name != vit.name and shapes(zoo.load(name)) == found:
            return f"; the file fits --model {name}"
    return f"; the file does not fit {vit.name}: check --model"


def _float32(path: Path, name: str, array: FloatArray) -> FloatArray:
    if array.dtype.kind != "f":
        raise InputError(f"{path}: {name} holds {array.dtype}; float weights are needed")
    with np.errstate(over="ignore"):
        real = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(real).all():
        raise InputError(f"{path}: {name} holds NaN or infinity; save the weights again")
    return real


def load(path: Path, vit: Vit) -> dict[str, FloatArray]:
    """The float parameters of a checkpoint file, by timm's names, float32.

    `.safetensors` is read with numpy alone; `.pth`, `.pt` and `.bin` need torch (ToolMissing
    without) and are read without running any code in them. Raises InputError for a file that is
    damaged, of another kind, or does not fit the model.
    """
    suffix = path.suffix.lower()
    if suffix in NUMPY_FILES:
        return adopt(path, read_safetensors(path), vit)
    if suffix not in TORCH_FILES:
        allowed = ", ".join(NUMPY_FILES + TORCH_FILES)
        raise InputError(f"{path}: the name of a checkpoint ends in one of {allowed}")
    import quant

    quant.require()
    from quant.files import weights

    return adopt(path, weights.read(path), vit)


def read_safetensors(path: Path) -> dict[str, FloatArray]:
    """Every tensor of a safetensors file; bfloat16, which numpy lacks, comes as float32."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:  # checks the header and every offset
            if "vaqf" in (file.metadata() or {}):
                raise InputError(f"{path}: holds an integer network already, no float weights")
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except SafetensorError as error:
        raise InputError(f"{path}: damaged or no safetensors file ({error})") from error
    start = 8 + int.from_bytes(data[:8].tobytes(), "little")
    header = json.loads(data[8:start].tobytes())
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            low, high = entry["data_offsets"]
            raw = data[start + low : start + high]
            tensors[name] = _array(path, name, entry["dtype"], raw).reshape(entry["shape"])
    return tensors


def _array(path: Path, name: str, dtype: str, raw: NDArray[np.uint8]) -> FloatArray:
    plain = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}
    if dtype in plain:
        return raw.view(plain[dtype])
    if dtype == "BF16":  # the upper half of a float32
        return (raw.view("<u2").astype(np.uint32) << 16).view(np.float32)
    raise InputError(
        f"{path}: {name} holds {dtype}; float weights are needed (F64, F32, F16 or BF16)"
    )
