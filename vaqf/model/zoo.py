"""The models known by name, ours, DeiT's and timm's, and model files."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from vaqf.errors import InputError
from vaqf.files import yamlfile
from vaqf.files.fields import folded, nearest, shown
from vaqf.model.vit import HALF, Vit, from_mapping

_DEIT_384 = Vit(name="deit_tiny_384", image_size=384, crop=1.0)
_AUGREG = Vit(name="vit_tiny", mean=HALF, std=HALF)


def _sized(base: Vit, name: str, dim: int, heads: int, depth: int = 12, **changes: Any) -> Vit:
    return replace(base, name=name, dim=dim, heads=heads, depth=depth, **changes)


def _variants(name: str, dim: int, heads: int, depth: int = 12) -> list[Vit]:
    """An augreg ViT at 224 and 384 pixels; timm evaluates the larger one uncropped."""
    small = _sized(_AUGREG, name, dim, heads, depth)
    return [small, replace(small, name=f"{name}_384", image_size=384, crop=1.0)]


# Widths of DeiT (arXiv 2012.12877, table 1) and of the augreg ViTs (arXiv 2106.10270, table 2);
# normalization, crop and interpolation are those of timm's configurations of the same weights.
_MODELS = (
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
    Vit(
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
    ),
    Vit(
        name="vit_mnist",
        image_size=28,
        patch_size=7,
        channels=1,
        dim=64,
        depth=4,
        heads=4,
        classes=10,
        mean=(0.5,),
        std=(0.5,),
        crop=1.0,
    ),
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
_ZOO = {model.name: model for model in _MODELS}


def _timm_name(model: Vit) -> str:
    """deit_base_distilled_384 is timm's deit_base_distilled_patch16_384."""
    stem = model.name.removesuffix("_384").removesuffix("_patch32")
    return f"{stem}_patch{model.patch_size}_{model.image_size}"


_OURS = ("vit_digits", "vit_mnist", "vit_shapes")
_TIMM = {_timm_name(model): model for model in _MODELS if model.name not in _OURS}
# timm's tags of the weights with these normalizations; other tags have other classes or statistics
_TIMM_TAGS = {
    "deit": ("fb_in1k",),
    "vit": ("augreg_in1k", "augreg_in21k_ft_in1k"),
}


def names() -> list[str]:
    """The short names of the zoo."""
    return list(_ZOO)


def load(text: str) -> Vit:
    """A model by short, timm or Hugging Face name (any case), or from a YAML file.

    InputError for an unknown name (the nearest is offered) or a file that is no valid model.
    """
    if re.search(r"\.ya?ml$", text, re.IGNORECASE):
        path = Path(text)
        return from_mapping(yamlfile.read_mapping(path), path.stem, text)
    known = _known(folded(text).removeprefix("timm/"))
    if known is not None:
        return known
    if yamlfile.exists(text):
        return from_mapping(yamlfile.read_mapping(Path(text)), Path(text).stem, text)
    hint = nearest(text, [*_ZOO, *_TIMM])
    raise InputError(
        f"unknown model {shown(text)}{hint}; known are {', '.join(_ZOO)}, or give a YAML file"
    )


def _known(word: str) -> Vit | None:
    owner, slash, rest = word.rpartition("/")
    if slash:
        return _hugging_face(owner, rest)
    stem, dot, tag = word.partition(".")
    if dot and tag not in _TIMM_TAGS.get(stem.partition("_")[0], ()):
        return None
    return _TIMM.get(stem) or (_ZOO.get(word) if not dot else None)


def _hugging_face(owner: str, name: str) -> Vit | None:
    """The same shapes with the eps and preprocessing of transformers' configurations.

    Their image processors squash a picture to a square: facebook/deit-* to 256 (438 for 384),
    cropping the middle; google/vit-* to the image size with bilinear interpolation, cropping
    nothing; it has 1,000 classes.
    """
    model = _TIMM.get(name.replace("-", "_"))
    if model is None or (owner, name.partition("-")[0]) not in (
        ("facebook", "deit"),
        ("google", "vit"),
    ):
        return None
    model = replace(model, name=f"{owner}-{name}", ln_eps=1e-12, resize="squash")
    if owner == "facebook":
        return replace(model, crop=model.image_size / (256 if model.image_size == 224 else 438))
    return replace(model, crop=1.0, interpolation="bilinear")
