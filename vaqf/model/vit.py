"""Shapes of the vision transformers we know: one frozen dataclass and the model zoo."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from vaqf.arithmetic import widths
from vaqf.errors import InputError
from vaqf.files.fields import (
    check_choice,
    check_flag,
    check_keys,
    check_name,
    check_number,
    check_whole,
    shown,
)

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos")
MAX_DEPTH = 50  # the accelerator's command list is made for it, command.MAX_COMMANDS
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
        check_whole(self.dim, f"{m} dim", 1, widths.MAX_DIM)
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
            (self.tokens, "tokens (patches + class tokens)", widths.MAX_TOKENS),
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
