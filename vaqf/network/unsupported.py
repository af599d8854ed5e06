"""What a float model has that the accelerator does not: named, with what would be needed."""

import re
from collections.abc import Callable, Mapping

from vaqf.model.vit import MAX_REGISTERS, Vit

Shapes = Mapping[str, tuple[int, ...]]  # of the parameters, by timm's names where they are known
YET = "which is not supported yet"
# a parameter's name, and what its model is
_NAMED = (
    (
        re.compile(r"^fc_norm\.|^attn_pool\."),
        f"a mean-pooled head, {YET}: the accelerator's head reads the class token; use a model"
        " with one (timm: global_pool='token')",
    ),
    (
        re.compile(r"\.attn\.[qk]_norm\."),
        f"normalized queries and keys, {YET}: the accelerator has no layer norm there; use a model"
        " without",
    ),
    (
        re.compile(r"^norm_pre\."),
        f"a layer norm before the first block (CLIP), {YET}; use a model without",
    ),
    (
        re.compile(r"\.mlp\.(fc1_g|fc1_x|w12|w3|weights_in|weights_out)\b"),
        f"a gated MLP (SwiGLU), {YET}: the accelerator's MLP is fc1, GELU, fc2; use a model with"
        " one",
    ),
    (
        re.compile(r"relative_position|rel_pos|\.attn\.(q|v)_bias$"),
        f"a relative position bias (BEiT), {YET}; use a model with pos_embed",
    ),
)


def unsupported(shapes: Shapes, vit: Vit) -> str | None:
    """One clause that says what a model has and what to do; None if nothing here is known."""
    for pattern, what in _NAMED:
        for name in shapes:
            if pattern.search(name):
                return f"{name[:60]} belongs to {what}"
    checks: tuple[Callable[[Shapes, Vit], str | None], ...] = (
        _size,
        _distilled,
        _registers,
        _position,
        _qkv_bias,
        _head,
    )
    return next((found for check in checks if (found := check(shapes, vit))), None)


def _size(shapes: Shapes, vit: Vit) -> str | None:
    """Another depth; another width is told by the first tensor of another shape."""
    if not _as_wide(shapes, vit):
        return None
    numbers = (re.match(r"blocks\.(\d+)\.", name) for name in shapes)
    depth = 1 + max((int(found[1][:9]) for found in numbers if found), default=-1)
    if depth == vit.depth:
        return None
    return (
        f"it has {depth} blocks and {vit.name} {vit.depth}; take a model file with depth: {depth}"
    )


def _as_wide(shapes: Shapes, vit: Vit) -> bool:
    return shapes.get("cls_token", ())[-1:] == (vit.dim,)


def _distilled(shapes: Shapes, vit: Vit) -> str | None:
    """A distillation token where the model has none, and the other way round."""
    there = "dist_token" in shapes
    if there == vit.distilled or not _as_wide(shapes, vit):
        return None
    return (
        f"it has {'a' if there else 'no'} distillation token and {vit.name}"
        f" {'none' if there else 'one'}; take a model file with distilled: {str(there).lower()}"
    )


def _registers(shapes: Shapes, vit: Vit) -> str | None:
    """Another number of register tokens."""
    shape = shapes.get("reg_token", (1, 0, vit.dim))
    if len(shape) != 3 or shape[0] != 1 or shape[2] != vit.dim or shape[1] == vit.registers:
        return None
    if shape[1] > MAX_REGISTERS:
        return f"it has {shape[1]} register tokens; the accelerator takes {MAX_REGISTERS}"
    return (
        f"it has {shape[1]} register tokens and {vit.name} {vit.registers}; take a model file with"
        f" registers: {shape[1]}"
    )


def _position(shapes: Shapes, vit: Vit) -> str | None:
    """A position embedding of a grid that is no square: what is one was interpolated before."""
    shape = shapes.get("pos_embed", ())
    if len(shape) != 3 or shape[0] != 1 or shape[2] != vit.dim or shape[1] == vit.tokens:
        return None
    return (
        f"pos_embed has {shape[1]} rows, which is no square grid of patches with the"
        f" {vit.prefix_tokens} tokens before them or without; use a model of square images"
    )


def _qkv_bias(shapes: Shapes, vit: Vit) -> str | None:
    """Queries, keys and values with a bias where the model has none, and the other way round."""
    there = "blocks.0.attn.qkv.bias" in shapes
    if there == vit.qkv_bias or "blocks.0.attn.qkv.weight" not in shapes:
        return None
    return (
        f"its qkv {'have a bias' if there else 'have no bias'} and those of {vit.name}"
        f" {'have none' if there else 'have one'}; take a model file with qkv_bias:"
        f" {str(there).lower()}"
    )


def _head(shapes: Shapes, vit: Vit) -> str | None:
    """No head, one of another number of classes, one that reads more than the class token."""
    if not any(name.startswith("head") for name in shapes) and "norm.weight" in shapes:
        return (
            "it has no classifier (a backbone, as timm saves with num_classes=0); save it with the"
            " head that was trained on it"
        )
    shape = shapes.get("head.weight", ())
    if len(shape) == 2 and shape[1] == 2 * vit.dim and _as_wide(shapes, vit):
        return (
            f"its head reads the class token beside the mean of the patches (DINOv2), {YET}: the"
            " accelerator's head reads the class token alone; train such a head"
        )
    if len(shape) != 2 or shape[1] != vit.dim or shape[0] == vit.classes:
        return None
    return (
        f"head.weight tells {shape[0]} classes apart and {vit.name} {vit.classes}; take a model"
        f" file with classes: {shape[0]}"
    )
