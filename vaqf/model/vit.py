"""The shapes of a vision transformer: one frozen dataclass, and the keys of a model file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from vaqf.arithmetic import widths
from vaqf.errors import InputError
from vaqf.files.fields import (
    Choice,
    Flag,
    Number,
    Whole,
    check_fields,
    check_keys,
    check_name,
    check_rule,
    ruled,
    shown,
)

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
MEAN, STD = Number(-10.0, 10.0), Number(1e-6, 10.0)  # of one channel
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos")
RESIZES = ("shorter", "squash")  # the shorter side, keeping the aspect; both sides, to a square
MAX_NAME = 200  # letters of a class's name
MAX_DEPTH = 50  # the accelerator's command list is made for it, command.MAX_COMMANDS
MAX_HIDDEN = 8192
MAX_HEADS = 1023  # the heads of a command have 10 bits
MAX_CLASSES = 65_535  # the outputs of a command have 16 bits
MAX_REGISTERS = widths.MAX_PREFIX_TOKENS - widths.MAX_HEAD_TOKENS
MAX_PATCH_INPUTS = 16_384  # the accumulator of 8-bit digits and weights stays within 31 bits


@dataclass(frozen=True)
class Vit:
    """A plain (DeiT-family) vision transformer; the defaults are deit_tiny's.

    Images are square uint8; mean and std (one per channel) apply to pixels / 255. A picture is
    resized to image_size / crop, its shorter side or (`resize: squash`) both sides, and the middle
    image_size is kept; `background` is the gray level behind what is transparent. `class_names`,
    where they are known, are as many as classes; two models that differ in them alone are equal.
    Every field is checked at construction: InputError names the field, its value and what is
    allowed.
    """

    name: str = "deit_tiny"
    image_size: int = field(default=224, metadata=ruled(Whole(1, 4096)))
    patch_size: int = field(default=16, metadata=ruled(Whole(1, "image_size")))
    channels: int = field(default=3, metadata=ruled(Whole(1, 16)))
    dim: int = field(default=192, metadata=ruled(Whole(1, widths.MAX_DIM)))
    depth: int = field(default=12, metadata=ruled(Whole(1, MAX_DEPTH)))
    heads: int = field(default=3, metadata=ruled(Whole(1, MAX_HEADS)))
    mlp_ratio: float = field(default=4.0, metadata=ruled(Number(0.0, MAX_HIDDEN)))
    classes: int = field(default=1000, metadata=ruled(Whole(1, MAX_CLASSES)))
    distilled: bool = field(default=False, metadata=ruled(Flag()))
    registers: int = field(default=0, metadata=ruled(Whole(0, MAX_REGISTERS)))
    qkv_bias: bool = field(default=True, metadata=ruled(Flag()))
    ln_eps: float = field(default=1e-6, metadata=ruled(Number(0.0, 1.0)))
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    crop: float = field(default=0.9, metadata=ruled(Number(0.01, 1.0)))
    interpolation: str = field(default="bicubic", metadata=ruled(Choice(INTERPOLATIONS)))
    resize: str = field(default="shorter", metadata=ruled(Choice(RESIZES)))
    background: int = field(default=255, metadata=ruled(Whole(0, 255)))
    class_names: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        check_name(self.name, "model: name")
        check_fields(self, f"model {self.name}: ")
        self._check_channel_values("mean", MEAN)
        self._check_channel_values("std", STD)
        self._check_class_names()
        self._check_divisions()

    def _check_class_names(self) -> None:
        names, what = self.class_names, f"model {self.name}: class_names"
        if not isinstance(names, tuple):
            raise InputError(f"{what} is {shown(names)}; it must be a list of names")
        seen = set()
        for name in names:
            if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
                raise InputError(
                    f"{what} has {shown(name)}; a name is a text of 1 to {MAX_NAME} letters, in"
                    " quotes where YAML would read something else"
                )
            if name in seen:
                raise InputError(f"{what} has {shown(name)} twice; every class needs its own name")
            seen.add(name)
        if names and len(names) != self.classes:
            raise InputError(f"{what} has {len(names)} names; classes is {self.classes}")

    def _check_channel_values(self, name: str, rule: Number) -> None:
        values = getattr(self, name)
        what = f"model {self.name}: {name}"
        if not isinstance(values, tuple) or len(values) != self.channels:
            raise InputError(
                f"{what} is {shown(values)}; it must be {self.channels} number(s), one per channel"
            )
        for value in values:
            check_rule(rule, value, what)

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
            check_rule(Whole(1, high), value, f"{m} {what}")

    @property
    def patches(self) -> int:
        """Patches per image."""
        return (self.image_size // self.patch_size) ** 2

    @property
    def head_tokens(self) -> int:
        """Tokens that the head reads: the class token, the distillation token of a distilled
        model. They are the first."""
        return 2 if self.distilled else 1

    @property
    def prefix_tokens(self) -> int:
        """Tokens without pixels: those of the head, then the registers (arXiv 2309.16588)."""
        return self.head_tokens + self.registers

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


LISTS = ("mean", "std", "class_names")  # a tuple here, a list in a file
LATER = ("registers", "resize", "background", "class_names")  # keys that older files of ours lack


def from_mapping(content: Mapping[str, Any], default_name: str, where: str) -> Vit:
    """A model from the keys of a YAML file; what is missing is deit_tiny's."""
    check_keys(content, [one.name for one in fields(Vit)], where)
    values = _with_tuples({"name": default_name, **content})
    if "channels" in values and not {"mean", "std"} & set(values) and values["channels"] != 3:
        raise InputError(
            f"{where} has channels {shown(values['channels'])}; give mean and std, one number "
            "per channel"
        )
    return Vit(**values)


def from_record(described: object) -> Vit:
    """A model from all keys of one, as files of ours have it; InputError says what is wrong."""
    keys = {one.name for one in fields(Vit)}
    if not isinstance(described, dict) or not keys - set(LATER) <= set(described) <= keys:
        raise InputError("its vit entry does not have the keys of a model")
    return Vit(**_with_tuples(described))


def _with_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """The lists of a file as the tuples of a model."""
    return {
        key: tuple(value) if key in LISTS and isinstance(value, list) else value
        for key, value in values.items()
    }
