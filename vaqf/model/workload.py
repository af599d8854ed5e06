"""A vision transformer as the layers that one frame computes, in order, with their sizes."""

from dataclasses import dataclass
from typing import TypeAlias

from vaqf.model.layers import Kind, Layer, of_frame
from vaqf.model.vit import Vit


@dataclass(frozen=True)
class MatMul:
    """m x k activations times k x n; `count` independent ones (heads)."""

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

    rows: int
    channels: int

    @property
    def macs(self) -> int:
        """Counted as none."""
        return 0


Size: TypeAlias = MatMul | Elementwise


@dataclass(frozen=True)
class Work:
    """One layer of one frame, and how large it is."""

    layer: Layer
    size: Size

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.layer.name

    @property
    def op(self) -> str:
        """What it computes, in a word: matmul, layer_norm, softmax, gelu, residual."""
        return "matmul" if isinstance(self.size, MatMul) else self.layer.kind.op.value

    @property
    def macs(self) -> int:
        """Multiply-accumulates; none without a matrix."""
        return self.size.macs


def sizes(vit: Vit) -> dict[Kind, Size]:
    """How large every kind of layer is, for one image; classifier included."""
    t, d = vit.tokens, vit.dim
    return {
        Kind.EMBED: MatMul(vit.patches, vit.patch_inputs, d),
        Kind.NORM1: Elementwise(t, d),
        Kind.QKV: MatMul(t, d, 3 * d),
        Kind.SCORES: MatMul(t, vit.head_dim, t, count=vit.heads),
        Kind.SOFTMAX: Elementwise(vit.heads * t, t),
        Kind.CONTEXT: MatMul(t, t, vit.head_dim, count=vit.heads),
        Kind.PROJ: MatMul(t, d, d),
        Kind.RESIDUAL1: Elementwise(t, d),
        Kind.NORM2: Elementwise(t, d),
        Kind.FC1: MatMul(t, d, vit.hidden),
        Kind.GELU: Elementwise(t, vit.hidden),
        Kind.FC2: MatMul(t, vit.hidden, d),
        Kind.RESIDUAL2: Elementwise(t, d),
        Kind.NORM: Elementwise(vit.head_tokens, d),
        Kind.HEAD: MatMul(vit.head_tokens, d, vit.classes),
    }


def workload(vit: Vit) -> list[Work]:
    """The layers of one frame."""
    size = sizes(vit)
    return [Work(layer, size[layer.kind]) for layer in of_frame(vit.depth)]
