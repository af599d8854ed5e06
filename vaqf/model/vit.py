"""Shapes of the vision transformers we know: one frozen dataclass and the model zoo."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from vaqf.arithmetic import widths as arithmetic
from vaqf.errors import InputError
from vaqf.files import yamlfile
from vaqf.files.fields import (
    check_choice,
    check_flag,
    check_keys,
    check_name,
    check_number,
    check_whole,
    nearest,
    shown,
)

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos")
MAX_DEPTH = 50  # what the accelerator's command list holds, command.MAX_COMMANDS
MAX_HIDDEN = 8192
MAX_HEADS = 1023  # the heads of a command have 10 bits
MAX_CLASSES = 65_535  # the outputs of a command have 16 bits
MAX_PATCH_INPUTS = 16_384  # the accumulator of 8-bit digits and weights stays within 31 bits


@dataclass(frozen=True)
class Vit:
    """A plain (DeiT-family) vision transformer; the defaults are deit_tiny's.

    Images are square uint8; mean and std (one per channel) apply to pixels / 255. `crop` is the
    share of the resized image that is kept. Every field is checked at construction: InputError
    names the field, its value and what is allowed.
    """

    name: str = "deit_tiny"
    image_size: int = 224
    patch_size: int = 16
    channels: int = 3
    dim: int = 192
    depth: int = 12
    heads: int = 3
    mlp_ratio: float = 4.0
    classes: int = 1000
    distilled: bool = False
    qkv_bias: bool = True
    ln_eps: float = 1e-6
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    crop: float = 0.9
    interpolation: str = "bicubic"

    def __post_init__(self) -> None:
        check_name(self.name, "model: name")
        m = f"model {self.name}:"
        check_whole(self.image_size, f"{m} image_size", 1, 4096)
        check_whole(self.patch_size, f"{m} patch_size", 1, self.image_size)
        check_whole(self.channels, f"{m} channels", 1, 16)
        check_whole(self.dim, f"{m} dim", 1, arithmetic.MAX_DIM)
        check_whole(self.depth, f"{m} depth", 1, MAX_DEPTH)
        check_whole(self.heads, f"{m} heads", 1, min(self.dim, MAX_HEADS))
        check_whole(self.classes, f"{m} classes", 1, MAX_CLASSES)
        check_flag(self.distilled, f"{m} distilled")
        check_flag(self.qkv_bias, f"{m} qkv_bias")
        check_number(self.mlp_ratio, f"{m} mlp_ratio", 1 / self.dim, MAX_HIDDEN)
        check_number(self.ln_eps, f"{m} ln_eps", 0.0, 1.0)
        check_number(self.crop, f"{m} crop", 0.01, 1.0)
        check_choice(self.interpolation, f"{m} interpolation", INTERPOLATIONS)
        self._check_channel_values("mean", -10.0, 10.0)
        self._check_channel_values("std", 1e-6, 10.0)
        self._check_divisions()

    def _check_channel_values(self, field: str, low: float, high: float) -> None:
        values = getattr(self, field)
        what = f"model {self.name}: {field}"
        if not isinstance(values, tuple) or len(values) != self.channels:
            raise InputError(
                f"{what} is {shown(values)}; it must be {self.channels} number(s), one per channel"
            )
        for value in values:
            check_number(value, what, low, high)

    def _check_divisions(self) -> None:
        m = f"model {self.name}:"
        if self.dim % self.heads:
            raise InputError(
                f"{m} dim is {self.dim}, which {self.heads} heads do not divide; "
                "dim must be a multiple of heads"
            )
        if self.image_size % self.patch_size:
            raise InputError(
                f"{m} image_size is {self.image_size}; it must be a multiple of patch_size "
                f"{self.patch_size}"
            )
        if abs(self.mlp_ratio * self.dim - round(self.mlp_ratio * self.dim)) > 1e-6 * self.dim:
            raise InputError(
                f"{m} mlp_ratio is {self.mlp_ratio:g}; dim * mlp_ratio must be a whole number "
                f"and is {self.mlp_ratio * self.dim:g}"
            )
        for value, what, high in (
            (self.tokens, "tokens (patches + class tokens)", arithmetic.MAX_TOKENS),
            (self.hidden, "dim * mlp_ratio", MAX_HIDDEN),
            (self.patch_inputs, "channels * patch_size^2", MAX_PATCH_INPUTS),
        ):
            if value > high:
                raise InputError(f"{m} {what} is {value}; it must be at most {high}")

    @property
    def patches(self) -> int:
        """Patches per image."""
        return (self.image_size // self.patch_size) ** 2

    @property
    def prefix_tokens(self) -> int:
        """Class token, and the distillation token where there is one."""
        return 2 if self.distilled else 1

    @property
    def tokens(self) -> int:
        """Rows of every encoder matmul."""
        return self.patches + self.prefix_tokens

    @property
    def patch_inputs(self) -> int:
        """Inputs of the patch embedding: channels * patch_size**2."""
        return self.channels * self.patch_size**2

    @property
    def head_dim(self) -> int:
        """Channels of one attention head."""
        return self.dim // self.heads

    @property
    def hidden(self) -> int:
        """Hidden channels of the MLP: dim * mlp_ratio, a whole number up to decimal notation."""
        return round(self.mlp_ratio * self.dim)


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


_OURS = ("vit_digits", "vit_shapes")
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
    known = _known(text.strip().lower().removeprefix("timm/"))
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

    facebook/deit-* resizes to 256 (438 for 384), cropping the middle; google/vit-* resizes to the
    image size with bilinear interpolation, crops nothing and has 1,000 classes.
    """
    model = _TIMM.get(name.replace("-", "_"))
    if model is None or (owner, name.partition("-")[0]) not in (
        ("facebook", "deit"),
        ("google", "vit"),
    ):
        return None
    model = replace(model, name=f"{owner}-{name}", ln_eps=1e-12)
    if owner == "facebook":
        return replace(model, crop=model.image_size / (256 if model.image_size == 224 else 438))
    return replace(model, crop=1.0, interpolation="bilinear")


def from_mapping(content: Mapping[str, Any], default_name: str, where: str) -> Vit:
    """A model from the keys of a YAML file; what is missing is deit_tiny's."""
    check_keys(content, [field.name for field in fields(Vit)], where)
    values = {"name": default_name, **content}
    for key in ("mean", "std"):
        if isinstance(values.get(key), list):
            values[key] = tuple(values[key])
    if "channels" in values and not {"mean", "std"} & set(values) and values["channels"] != 3:
        raise InputError(
            f"{where} has channels {shown(values['channels'])}; give mean and std, one number "
            "per channel"
        )
    return Vit(**values)
