"""The models known by a short name: DeiT's, the augreg ViTs, ours."""

from dataclasses import replace
from typing import Any

from vaqf.model.vit import HALF, Vit

_DEIT_384 = Vit(name="deit_tiny_384", image_size=384, crop=1.0)
_AUGREG = Vit(name="vit_tiny", mean=HALF, std=HALF)
_DIGITS = Vit(
    name="vit_digits",
    image_size=8,
    patch_size=2,
    channels=1,
    dim=64,
    depth=4,
    heads=4,
    classes=10,
    mean=(0.5,),
    std=(0.5,),
    crop=1.0,
)


def _sized(base: Vit, name: str, dim: int, heads: int, depth: int = 12, **changes: Any) -> Vit:
    return replace(base, name=name, dim=dim, heads=heads, depth=depth, **changes)


def _variants(name: str, dim: int, heads: int, depth: int = 12) -> list[Vit]:
    """An augreg ViT at 224 and 384 pixels; timm evaluates the larger one uncropped."""
    small = _sized(_AUGREG, name, dim, heads, depth)
    return [small, replace(small, name=f"{name}_384", image_size=384, crop=1.0)]


# Widths of DeiT (arXiv 2012.12877, table 1) and of the augreg ViTs (arXiv 2106.10270, table 2);
# normalization, crop and interpolation are those of timm's configurations of the same weights.
MODELS = (
    Vit(),
    _sized(Vit(), "deit_small", 384, 6),
    _sized(Vit(), "deit_base", 768, 12),
    Vit(name="deit_tiny_distilled", distilled=True),
    _sized(Vit(), "deit_small_distilled", 384, 6, distilled=True),
    _sized(Vit(), "deit_base_distilled", 768, 12, distilled=True),
    _sized(_DEIT_384, "deit_base_384", 768, 12),
    _sized(_DEIT_384, "deit_base_distilled_384", 768, 12, distilled=True),
    *_variants("vit_tiny", 192, 3),
    *_variants("vit_small", 384, 6),
    *_variants("vit_base", 768, 12),
    *_variants("vit_large", 1024, 16, 24),
    *(replace(v, patch_size=32) for v in _variants("vit_small_patch32", 384, 6)),
    *(replace(v, patch_size=32) for v in _variants("vit_base_patch32", 768, 12)),
    _DIGITS,
    replace(_DIGITS, name="vit_mnist", image_size=28, patch_size=7),
    Vit(
        name="vit_shapes",
        image_size=64,
        dim=64,
        depth=4,
        heads=4,
        classes=20,
        mean=HALF,
        std=HALF,
        crop=1.0,
    ),
)
OURS = ("vit_digits", "vit_mnist", "vit_shapes")  # trained here; the others have public weights
