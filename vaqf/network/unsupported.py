"""What a float model has that the accelerator does not: named, with what would be needed."""

import math
import re
from collections.abc import Callable, Mapping

from vaqf.model.vit import Vit

Shapes = Mapping[str, tuple[int, ...]]  # of the parameters, by timm's names where they are known
YET = "which is not supported yet"
# a parameter's name, and what its model is
_NAMED = (
    (
        re.compile(r"\.ls[12]\.gamma$|layer_scale"),
        f"LayerScale (DeiT-III, DINOv2), {YET}: its gammas would have to be folded into proj and"
        " fc2; use a model without",
    ),
    (
        re.compile(r"^fc_norm\."),
        f"a mean-pooled head, {YET}: the accelerator's head reads the class token; use a model"
        " with one (timm: global_pool='token')",
    ),
    (
        re.compile(r"(^|\.)reg(ister)?_tokens?$"),
        f"register tokens, {YET}: they would be prefix tokens; use a model without",
    ),
    (
        re.compile(r"^conv_proj\.|^encoder\.layers\.encoder_layer_"),
        "torchvision's names, which are not known; save the same model from timm or transformers",
    ),
)


def unsupported(shapes: Shapes, vit: Vit) -> str | None:
    """One clause that says what a model has and what to do; None if nothing here is known."""
    for pattern, what in _NAMED:
        for name in shapes:
            if pattern.search(name):
                return f"{name[:60]} belongs to {what}"
    checks: tuple[Callable[[Shapes, Vit], str | None], ...] = (_position, _head, _distilled)
    return next((found for check in checks if (found := check(shapes, vit))), None)


def _position(shapes: Shapes, vit: Vit) -> str | None:
    """A position embedding of another grid, or without the class token."""
    shape = shapes.get("pos_embed", ())
    if len(shape) != 3 or shape[0] != 1 or shape[2] != vit.dim or shape[1] == vit.tokens:
        return None
    if shape[1] == vit.patches:
        return (
            f"pos_embed has {shape[1]} rows, a position for every patch and none for the class"
            f" token, {YET}; use a model whose class token has one"
        )
    grid = math.isqrt(max(0, shape[1] - vit.prefix_tokens))
    if grid < 1 or grid**2 + vit.prefix_tokens != shape[1]:
        return None
    return (
        f"pos_embed is of {grid} x {grid} patches, images of {grid * vit.patch_size} pixels, and"
        f" {vit.name} takes {vit.image_size}; give the model file image_size:"
        f" {grid * vit.patch_size} (it is not interpolated)"
    )


def _head(shapes: Shapes, vit: Vit) -> str | None:
    """A head of another number of classes."""
    shape = shapes.get("head.weight", ())
    if len(shape) != 2 or shape[1] != vit.dim or shape[0] == vit.classes:
        return None
    return (
        f"head.weight tells {shape[0]} classes apart and {vit.name} {vit.classes}; give the model"
        f" file classes: {shape[0]}"
    )


def _distilled(shapes: Shapes, vit: Vit) -> str | None:
    """A distillation token and one fine-tuned head."""
    if not vit.distilled or "dist_token" not in shapes or "head_dist.weight" in shapes:
        return None
    if "head.weight" not in shapes:
        return None
    return (
        f"it has a distillation token and one head, {YET}; a distilled model needs head and"
        " head_dist"
    )
