"""A vision transformer as the list of layers that one frame computes, in order."""

from dataclasses import dataclass
from typing import TypeAlias

from vaqf.model.vit import Vit


@dataclass(frozen=True)
class MatMul:
    """m x k activations times k x n; `count` independent ones (heads)."""

    name: str
    m: int  # tokens
    k: int
    n: int
    count: int = 1

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all `count` products."""
        return self.count * self.m * self.k * self.n


@dataclass(frozen=True)
class Elementwise:
    """A layer without a matrix: layer norm, softmax, gelu, residual add."""

    name: str
    op: str
    rows: int
    channels: int

    @property
    def macs(self) -> int:
        """Counted as none."""
        return 0


Layer: TypeAlias = MatMul | Elementwise


def workload(vit: Vit) -> list[Layer]:
    """The layers of one frame; one image, classifier included."""
    t, d = vit.tokens, vit.dim
    layers: list[Layer] = [MatMul("patch_embed", vit.patches, vit.patch_inputs, d)]
    for i in range(vit.depth):
        b = f"blocks.{i}"
        layers += [
            Elementwise(f"{b}.norm1", "layer_norm", t, d),
            MatMul(f"{b}.attn.qkv", t, d, 3 * d),
            MatMul(f"{b}.attn.scores", t, vit.head_dim, t, count=vit.heads),
            Elementwise(f"{b}.attn.softmax", "softmax", vit.heads * t, t),
            MatMul(f"{b}.attn.context", t, t, vit.head_dim, count=vit.heads),
            MatMul(f"{b}.attn.proj", t, d, d),
            Elementwise(f"{b}.attn.residual", "residual", t, d),
            Elementwise(f"{b}.norm2", "layer_norm", t, d),
            MatMul(f"{b}.mlp.fc1", t, d, vit.hidden),
            Elementwise(f"{b}.mlp.gelu", "gelu", t, vit.hidden),
            MatMul(f"{b}.mlp.fc2", t, vit.hidden, d),
            Elementwise(f"{b}.mlp.residual", "residual", t, d),
        ]
    layers += [
        Elementwise("norm", "layer_norm", vit.prefix_tokens, d),
        MatMul("head", vit.prefix_tokens, d, vit.classes),
    ]
    return layers
