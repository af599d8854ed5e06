"""Shapes of the vision transformers we know: one frozen dataclass and the model zoo."""

from dataclasses import dataclass
from fractions import Fraction

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Vit:
    """A plain (DeiT-family) vision transformer; the defaults are deit_tiny's."""

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
        """Hidden channels of the MLP, dim * mlp_ratio (a whole number)."""
        return int(Fraction(str(self.mlp_ratio)) * self.dim)
