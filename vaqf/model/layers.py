"""The layers of a vision transformer in the order of computation: told here and nowhere else.

Shapes, parameters, commands, cycles and traces ask here for order and names. Golden and the
integers in torch say both once more on purpose: they are what the rest is compared with.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from itertools import pairwise


class Op(Enum):
    """What a layer computes."""

    FIXED = "fixed matmul"  # activations times 8-bit weights
    BINARY = "binary matmul"  # activations times weights of one bit
    PRODUCT = "product"  # activations times activations, head by head
    LAYER_NORM = "layer_norm"
    SOFTMAX = "softmax"
    GELU = "gelu"
    RESIDUAL = "residual"  # added to the residual stream


class Kind(StrEnum):
    """A kind of layer: its name (timm's where timm has one) and what it computes."""

    EMBED = "embed", "patch_embed", Op.FIXED
    # an encoder block
    NORM1 = "norm1", "blocks.{}.norm1", Op.LAYER_NORM
    QKV = "qkv", "blocks.{}.attn.qkv", Op.BINARY
    SCORES = "scores", "blocks.{}.attn.scores", Op.PRODUCT
    SOFTMAX = "softmax", "blocks.{}.attn.softmax", Op.SOFTMAX
    CONTEXT = "context", "blocks.{}.attn.context", Op.PRODUCT
    PROJ = "proj", "blocks.{}.attn.proj", Op.BINARY
    RESIDUAL1 = "residual1", "blocks.{}.attn.residual", Op.RESIDUAL
    NORM2 = "norm2", "blocks.{}.norm2", Op.LAYER_NORM
    FC1 = "fc1", "blocks.{}.mlp.fc1", Op.BINARY
    GELU = "gelu", "blocks.{}.mlp.gelu", Op.GELU
    FC2 = "fc2", "blocks.{}.mlp.fc2", Op.BINARY
    RESIDUAL2 = "residual2", "blocks.{}.mlp.residual", Op.RESIDUAL
    # behind the last block, of the head's tokens
    NORM = "norm", "norm", Op.LAYER_NORM
    HEAD = "head", "head", Op.FIXED

    op: Op
    template: str

    def __new__(cls, word: str, template: str, op: Op) -> "Kind":
        kind = str.__new__(cls, word)
        kind._value_, kind.template, kind.op = word, template, op
        return kind

    @property
    def in_block(self) -> bool:
        """Whether every encoder block has one."""
        return "{}" in self.template

    def of(self, block: int) -> str:
        """The layer's name: that of a block counts from 0, the others have no number."""
        return self.template.format(block)


@dataclass(frozen=True)
class Layer:
    """One layer of a frame."""

    kind: Kind
    block: int  # it stands in, before (embed: 0) or behind (norm, head: the last)

    @property
    def name(self) -> str:
        """As in reports and timm's checkpoints: patch_embed, blocks.0.attn.qkv, head."""
        return self.kind.of(self.block)


BINARY = tuple(kind for kind in Kind if kind.op is Op.BINARY)
FIXED = tuple(kind for kind in Kind if kind.op is Op.FIXED)
# matmul -> the layer norm that its inputs pass
NORM_BEFORE = {kind: norm for norm, kind in pairwise(Kind) if norm.op is Op.LAYER_NORM}


def of_block(block: int) -> list[Layer]:
    """The layers of one encoder block."""
    return [Layer(kind, block) for kind in Kind if kind.in_block]


def of_frame(depth: int) -> list[Layer]:
    """All layers of a model with `depth` blocks."""
    blocks = [layer for block in range(depth) for layer in of_block(block)]
    behind = [Layer(kind, depth - 1) for kind in (Kind.NORM, Kind.HEAD)]
    return [Layer(Kind.EMBED, 0), *blocks, *behind]
