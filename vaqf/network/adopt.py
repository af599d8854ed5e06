"""Tensors under any known names -> exactly the parameters of a model.

What another layout says in other words is said in ours: LayerScale is folded into the layer before
it, a position embedding without the prefix tokens gets zeros for them, one of another grid is
interpolated, and the one head of a distilled model becomes two. `notes` tells of it.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vaqf.errors import InputError
from vaqf.files.fields import nearest, shown
from vaqf.model import public, zoo
from vaqf.model.layers import Kind
from vaqf.model.vit import Vit
from vaqf.network.names import CLASS_TOKENS, timm_name, unwrapped
from vaqf.network.parameters import FloatArray, array_shapes
from vaqf.network.unsupported import unsupported

_SCALED = {"ls1": Kind.PROJ, "ls2": Kind.FC2}  # LayerScale, and the layer whose outputs it scales


@dataclass(frozen=True, eq=False)
class FloatModel:
    """A float model from a file."""

    params: dict[str, FloatArray]  # those of parameters.array_shapes, float32
    notes: tuple[str, ...] = ()  # what was changed or left out, for people


@dataclass(eq=False)
class _Found:
    """Tensors of a file on their way to a model's parameters."""

    path: Path
    ours: bool  # whether vaqf wrote it: then every token before the patches has a position
    params: dict[str, FloatArray] = field(default_factory=dict)  # by timm's names
    original: dict[str, str] = field(default_factory=dict)  # their names in the file
    notes: list[str] = field(default_factory=list)

    def copy(self) -> "_Found":
        """One that may be changed; the arrays are shared."""
        parts = dict(self.params), dict(self.original), list(self.notes)
        return _Found(self.path, self.ours, *parts)


def adopt(
    path: Path, tensors: Mapping[str, FloatArray], vit: Vit, ours: bool = False
) -> FloatModel:
    """The tensors of a file, of `ours` or another library's, as the parameters of a model.

    Raises InputError that names what the accelerator does not compute, or the first tensor which
    is missing, unknown, of another shape, or holds NaN or infinity.
    """
    read = _named(_Found(path, ours), tensors)
    found = _settled(read.copy(), vit)
    params, original, expected = found.params, found.original, array_shapes(vit)
    if {name: array.shape for name, array in params.items()} != expected:
        _refuse(read, found, vit)
    return FloatModel(
        {name: _float32(path, original[name], params[name]) for name in expected},
        tuple(found.notes),
    )


def _named(found: _Found, tensors: Mapping[str, FloatArray]) -> _Found:
    """By timm's names, without what no classifier reads, and query, key and value in one."""
    path, left_out = found.path, []
    for name in tensors:
        if not isinstance(name, str):
            raise InputError(f"{path}: a tensor is named {shown(name)}, which is no text")
    prefix = _prefix(path, tensors)
    if prefix:
        found.notes.append(f"names are read without {shown(prefix)} before them")
    for name, array in tensors.items():
        known = timm_name(unwrapped(name).removeprefix(prefix))
        if known is None:
            left_out.append(name)
            continue
        if known in found.params:
            raise InputError(f"{path}: {found.original[known]} and {name} are the same parameter")
        found.params[known], found.original[known] = array, name
    if left_out:
        found.notes.append(f"{', '.join(left_out)}: left out, no classifier reads it")
    _fuse(found)
    return found


def _prefix(path: Path, names: Iterable[str]) -> str:
    """What stands before the class token's name, and so before others': where a larger model has
    this one in it (backbone., student.)."""
    found = set()
    for name in map(unwrapped, names):
        if name.endswith(CLASS_TOKENS):
            starts = [0, *(place + 1 for place, letter in enumerate(name) if letter == ".")]
            first = next(start for start in starts if timm_name(name[start:]) == "cls_token")
            found.add(name[:first])
    if len(found) > 1 and "" not in found:
        raise InputError(
            f"{path}: holds {len(found)} models, their names begin with"
            f" {' and '.join(map(shown, sorted(found)))}; save the state dict of one"
        )
    return "" if "" in found else next(iter(found), "")


def _fuse(found: _Found) -> None:
    """Replace each attn.q, attn.k and attn.v by one attn.qkv."""
    params, original = found.params, found.original
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


def _settled(found: _Found, vit: Vit) -> _Found:
    """In our layout, as far as it can be told."""
    _fold_layer_scale(found, vit)
    _place_positions(found, vit)
    _double_head(found, vit)
    return found


def _fold_layer_scale(found: _Found, vit: Vit) -> None:
    """gamma * (W a + b) is (gamma W) a + gamma b (LayerScale, arXiv 2103.17239)."""
    folded = False
    for block in range(vit.depth):
        for scale, kind in _SCALED.items():
            gamma = found.params.get(f"blocks.{block}.{scale}.gamma")
            names = [f"{kind.of(block)}.{leaf}" for leaf in ("weight", "bias")]
            arrays = [found.params.get(name) for name in names]
            if gamma is None or gamma.ndim != 1 or gamma.dtype.kind != "f":
                continue
            if any(array is None or array.shape[:1] != gamma.shape for array in arrays):
                continue
            for name, array in zip(names, arrays, strict=True):
                wide = np.asarray(array, np.float64)
                scaled = (wide.T * gamma.astype(np.float64)).T
                found.params[name] = scaled.astype(np.float32)
            del found.params[f"blocks.{block}.{scale}.gamma"]
            folded = True
    if folded:
        found.notes.append("LayerScale is folded into attn.proj and mlp.fc2")


def _place_positions(found: _Found, vit: Vit) -> None:
    """A position for every token of the model: zeros where the file has none, interpolated where
    it is of another grid."""
    given = found.params.get("pos_embed")
    if given is None or given.ndim != 3 or given.shape[0] != 1 or given.shape[2] != vit.dim:
        return
    rows, grid = given.shape[1], math.isqrt(vit.patches)
    # tokens that have a position beside the patches: all before them, those of the head, none
    kinds = {vit.prefix_tokens} if found.ours else {vit.prefix_tokens, vit.head_tokens, 0}
    readings = [n for n in sorted(kinds) if rows > n and math.isqrt(rows - n) ** 2 == rows - n]
    if not readings:
        return
    if len(readings) > 1:
        said = (f"{n} tokens and {math.isqrt(rows - n)} x {math.isqrt(rows - n)}" for n in readings)
        raise InputError(
            f"{found.path}: the {rows} rows of pos_embed may be those of {' or of '.join(said)}"
            f" patches; save it with a row for each of the {vit.prefix_tokens} tokens before the"
            " patches, zeros where it has none, and at another image size"
        )
    (first,) = readings
    old = math.isqrt(rows - first)
    prefix, patches = given[:, :first], given[:, first:]
    if old != grid:
        patches = interpolated(patches, grid)
        found.notes.append(
            f"pos_embed is interpolated from {old} x {old} to {grid} x {grid} patches"
        )
    zeros = np.zeros((1, vit.prefix_tokens - first, vit.dim), given.dtype)
    found.params["pos_embed"] = np.concatenate([prefix, zeros, patches], axis=1)


def interpolated(patches: FloatArray, grid: int) -> FloatArray:
    """Positions of a square grid [1, old * old, D] for another [1, grid * grid, D], float32.

    Bicubic with antialiasing, as timm does it: torch's filter of that name is Pillow's.
    """
    from PIL import Image

    old = math.isqrt(patches.shape[1])
    planes = patches.reshape(old, old, -1).astype(np.float32)
    resized = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(planes[:, :, channel])).resize(
                (grid, grid), Image.Resampling.BICUBIC
            )
        )
        for channel in range(planes.shape[2])
    ]
    return np.stack(resized, axis=-1).reshape(1, grid * grid, -1)


def _double_head(found: _Found, vit: Vit) -> None:
    """A distillation token and one head, on the class token (transformers' DeiT): the mean of two
    heads is that one if it is doubled and the other one is zero."""
    params = found.params
    if not vit.distilled or "dist_token" not in params or "head.weight" not in params:
        return
    if any(name.startswith("head_dist.") for name in params):
        return
    for name in [name for name in params if name.startswith("head.")]:
        other = f"head_dist.{name.removeprefix('head.')}"
        params[name], params[other] = 2 * params[name], np.zeros_like(params[name])
        found.original[other] = found.original[name]
    found.notes.append(
        "it has a distillation token and one head, which reads the class token: the distillation"
        " head is zero"
    )


def _refuse(read: _Found, found: _Found, vit: Vit) -> None:
    """InputError for parameters that are not the model's."""
    path, params, original = found.path, found.params, found.original
    others = _fitting(read, vit)
    advice = f"; {_offer(others)}" if others else ""
    if not others:
        lacking = unsupported({name: array.shape for name, array in params.items()}, vit)
        if lacking is not None:
            raise InputError(f"{path}: {lacking}")
        advice = f"; the file does not fit {vit.name}: check --model"
    expected = array_shapes(vit)
    for name, shape in expected.items():
        if name not in params:
            raise InputError(f"{path}: {name} is missing{advice}")
        if params[name].shape != shape:
            raise InputError(
                f"{path}: {original[name]} is {list(params[name].shape)}, {vit.name} needs"
                f" {list(shape)}{advice}"
            )
    name = next(name for name in params if name not in expected)
    raise InputError(
        f"{path}: {shown(original[name])} is no parameter of {vit.name}"
        f"{nearest(name, expected)}{advice}"
    )


def _offer(names: list[str]) -> str:
    """What is said of models that a file fits."""
    if len(names) == 1:
        return f"the file fits --model {names[0]}"
    return (
        f"the file fits the shapes of {', '.join(names)}, which prepare pictures differently: take"
        " --model by where it is from"
    )


def _fitting(read: _Found, vit: Vit) -> list[str]:
    """Other known models with just these tensors, of the library whose names the file has."""
    own = set(read.original.values())
    names = public.torchvision_names() if any("in_proj_weight" in name for name in own) else []
    if any("patch_embeddings" in name for name in own):
        names = public.hugging_face_names()
    others = ((name, zoo.load(name)) for name in names or [*zoo.names(), *public.timm_names()])
    found = {model: name for name, model in reversed([*others]) if _fits(read, model)}
    return [name for model, name in reversed(found.items()) if model != vit]


def _fits(read: _Found, vit: Vit) -> bool:
    """Whether these are the parameters of a model, at its own image size."""
    expected = array_shapes(vit)
    weight = read.params.get("patch_embed.proj.weight")
    if weight is None or weight.shape != expected["patch_embed.proj.weight"]:
        return False  # before anything is computed
    position = read.params.get("pos_embed")
    if position is None or position.ndim != 3 or position.shape[1] > vit.tokens:
        return False
    if vit.patches > position.shape[1]:
        return False
    try:
        found = _settled(read.copy(), vit)
    except InputError:  # of positions that may be read in two ways
        return False
    return {name: array.shape for name, array in found.params.items()} == expected


def _float32(path: Path, name: str, array: FloatArray) -> FloatArray:
    if array.dtype.kind != "f":
        raise InputError(f"{path}: {name} holds {array.dtype}; float weights are needed")
    with np.errstate(over="ignore"):
        real = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(real).all():
        raise InputError(f"{path}: {name} holds NaN or infinity; save the weights again")
    return real
