"""The vision transformer in training: timm's parameter names, Brevitas's quantizers.

The quantizers sit where the integer network rounds, in the order of docs/arithmetic.md. In
evaluation the same parameters run as integers: model.eval()(images) are the hardware's logits.
"""

from dataclasses import dataclass

import numpy as np
import torch
from brevitas.nn import QuantConv2d, QuantLinear
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vaqf.arithmetic import widths
from vaqf.model.vit import Vit
from vaqf.network import calibrate, parameters
from vaqf.network.calibrate import RESIDUAL_HEADROOM
from vaqf.network.integerize import BlockScales, Scales, Unsigned, binary_layers, integerize
from vaqf.network.structure import Network
from vaqf.quant.model import integers, quantizers


class FloatLayers:
    """Layers of the float model, the teacher."""

    def linear(self, k: int, n: int, bias: bool = True) -> nn.Module:
        """A layer that is binary in the quantized model."""
        return nn.Linear(k, n, bias)

    def head(self, k: int, n: int) -> nn.Module:
        """The classifier."""
        return nn.Linear(k, n)

    def embed(self, channels: int, n: int, patch: int) -> nn.Module:
        """The patch embedding."""
        return nn.Conv2d(channels, n, patch, stride=patch)

    def unsigned(self) -> nn.Module:
        """Inputs of binary layers and of the head."""
        return nn.Identity()

    def signed(self) -> nn.Module:
        """q, k and v."""
        return nn.Identity()

    def index(self) -> nn.Module:
        """Input of the gelu."""
        return nn.Identity()

    def exponent(self) -> nn.Module:
        """Numerators of the softmax."""
        return nn.Identity()


@dataclass(frozen=True)
class BinaryStyle:
    """How weights become binary: see quantizers.BinaryGrid."""

    centred: bool = False
    scale: str = "row"  # tensor, row, learned


class QuantLayers(FloatLayers):
    """Layers of the w1aA model."""

    def __init__(self, act_bits: int, style: BinaryStyle) -> None:
        self.act_bits = act_bits
        self.binary = quantizers.binary_weight(style.centred, style.scale)

    def linear(self, k: int, n: int, bias: bool = True) -> nn.Module:
        return QuantLinear(k, n, bias, weight_quant=self.binary)

    def head(self, k: int, n: int) -> nn.Module:
        return QuantLinear(k, n, True, weight_quant=quantizers.FixedWeight)

    def embed(self, channels: int, n: int, patch: int) -> nn.Module:
        return QuantConv2d(channels, n, patch, stride=patch, weight_quant=quantizers.FixedWeight)

    def unsigned(self) -> nn.Module:
        return quantizers.unsigned(self.act_bits)

    def signed(self) -> nn.Module:
        return quantizers.signed(self.act_bits)

    def index(self) -> nn.Module:
        return quantizers.index()

    def exponent(self) -> nn.Module:
        return quantizers.exponent(self.act_bits)


class PatchEmbed(nn.Module):
    """Patches to tokens."""

    def __init__(self, vit: Vit, layers: FloatLayers) -> None:
        super().__init__()
        self.proj = layers.embed(vit.channels, vit.dim, vit.patch_size)

    def forward(self, x: Tensor) -> Tensor:  # [B, C, S, S]
        return self.proj(x).flatten(2).transpose(1, 2)  # [B, patches, D]


class Attention(nn.Module):
    """Multi-head attention; numerators are rounded before they are normalized."""

    def __init__(self, vit: Vit, layers: FloatLayers) -> None:
        super().__init__()
        self.heads = vit.heads
        self.qkv = layers.linear(vit.dim, 3 * vit.dim, vit.qkv_bias)
        self.proj = layers.linear(vit.dim, vit.dim)
        self.act_q, self.act_k, self.act_v = layers.signed(), layers.signed(), layers.signed()
        self.act_exp = layers.exponent()
        self.act_context = layers.unsigned()

    def forward(self, x: Tensor) -> Tensor:  # [B, T, D]
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, heads, T, D / heads]
            for part in self.qkv(x).chunk(3, dim=-1)
        )
        q, k, v = self.act_q(q), self.act_k(k), self.act_v(v)
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
        e = self.act_exp(torch.exp(scores - scores.amax(-1, keepdim=True).detach()))
        mean = (e @ v) / e.sum(-1, keepdim=True)
        return self.proj(self.act_context(mean.transpose(1, 2).flatten(2)))


class Mlp(nn.Module):
    """The two linear layers around the gelu."""

    def __init__(self, vit: Vit, layers: FloatLayers) -> None:
        super().__init__()
        self.fc1 = layers.linear(vit.dim, vit.hidden)
        self.fc2 = layers.linear(vit.hidden, vit.dim)
        self.act_index, self.act_hidden = layers.index(), layers.unsigned()

    def forward(self, x: Tensor) -> Tensor:  # [B, T, D]
        return self.fc2(self.act_hidden(functional.gelu(self.act_index(self.fc1(x)))))


class Block(nn.Module):
    """One encoder block; the residual stream stays real in training, 16 bits in evaluation."""

    def __init__(self, vit: Vit, layers: FloatLayers) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(vit.dim, eps=vit.ln_eps)
        self.attn = Attention(vit, layers)
        self.norm2 = nn.LayerNorm(vit.dim, eps=vit.ln_eps)
        self.mlp = Mlp(vit, layers)
        self.act_norm1, self.act_norm2 = layers.unsigned(), layers.unsigned()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The stream after the block, and its largest magnitude on the way."""
        middle = x + self.attn(self.act_norm1(self.norm1(x)))
        x = middle + self.mlp(self.act_norm2(self.norm2(middle)))
        return x, torch.maximum(middle.detach().abs().max(), x.detach().abs().max())


class FloatVit(nn.Module):
    """The float model: what a model of timm computes, on uint8 images [B, S, S, C]."""

    def __init__(self, vit: Vit, layers: FloatLayers | None = None) -> None:
        super().__init__()
        layers = layers or FloatLayers()
        self.vit = vit
        self.cls_token = nn.Parameter(torch.zeros(1, 1, vit.dim))
        if vit.distilled:
            self.dist_token = nn.Parameter(torch.zeros(1, 1, vit.dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, vit.tokens, vit.dim))
        self.patch_embed = PatchEmbed(vit, layers)
        self.blocks = nn.ModuleList(Block(vit, layers) for _ in range(vit.depth))
        self.norm = nn.LayerNorm(vit.dim, eps=vit.ln_eps)
        self.act_norm = layers.unsigned()
        self.head = layers.head(vit.dim, vit.classes)
        if vit.distilled:
            self.head_dist = layers.head(vit.dim, vit.classes)
        self.register_buffer("mean", torch.tensor(vit.mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(vit.std).view(-1, 1, 1), persistent=False)

    def real(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Real logits [B, classes], and the largest magnitude of the residual stream."""
        x = (images.permute(0, 3, 1, 2) / 255.0 - self.mean) / self.std
        x = self.patch_embed(x)
        prefix = [self.cls_token] + ([self.dist_token] if self.vit.distilled else [])
        x = torch.cat([*(t.expand(len(x), -1, -1) for t in prefix), x], dim=1) + self.pos_embed
        peak = x.detach().abs().max()
        for block in self.blocks:
            x, largest = block(x)
            peak = torch.maximum(peak, largest)
        x = self.act_norm(self.norm(x[:, : self.vit.prefix_tokens]))
        if self.vit.distilled:
            return (self.head(x[:, 0]) + self.head_dist(x[:, 1])) / 2, peak
        return self.head(x[:, 0]), peak

    def forward(self, images: Tensor) -> Tensor:
        return self.real(images)[0]

    def params(self) -> dict[str, NDArray[np.float32]]:
        """Every float parameter by timm's name."""
        state = self.state_dict()
        return {name: state[name].cpu().numpy() for name in parameters.array_shapes(self.vit)}

    def load_params(self, params: dict[str, NDArray[np.float32]]) -> None:
        """Set every float parameter; quantizers stay as they are."""
        own = self.state_dict()
        with torch.no_grad():
            for name in parameters.array_shapes(self.vit):
                own[name].copy_(torch.from_numpy(params[name]))


class QuantVit(FloatVit):
    """The w1aA model: fake-quantized in training, the integer network in evaluation."""

    residual_scale: Tensor

    def __init__(self, vit: Vit, act_bits: int, style: BinaryStyle | None = None) -> None:
        self.style = style or BinaryStyle()
        super().__init__(vit, QuantLayers(act_bits, self.style))
        self.act_bits = act_bits
        self.quantized = True  # activations, not only weights
        self.register_buffer("residual_scale", torch.tensor(1.0))

    def forward(self, images: Tensor) -> Tensor:
        """Real logits in training; in evaluation the integer logits of the present parameters.

        The network is made anew in each call, so that it can never be stale; for many batches
        call network() once and integers.run for each.
        """
        if not self.training:
            return integers.run(self.network("evaluation"), images)
        logits, peak = self.real(images)
        wanted = RESIDUAL_HEADROOM * peak / (2 ** (widths.RESIDUAL_BITS - 1) - 1)
        torch.maximum(self.residual_scale, wanted, out=self.residual_scale)
        return logits

    def binary_layers(self) -> dict[str, QuantLinear]:
        """The layers whose weights are binary, by name."""
        return {name: self.get_submodule(name) for name in binary_layers(self.vit)}

    def begin_binary(self, generator: torch.Generator) -> None:
        """Learned scales from the present weights, and random masks."""
        for layer in self.binary_layers().values():
            quantizers.binary_grid(layer).begin(layer.weight, generator)

    def set_binary(self, share: float, masked: bool) -> None:
        """How much of each weight is binary from now on, and whether by mask or by blend."""
        for layer in self.binary_layers().values():
            grid = quantizers.binary_grid(layer)
            grid.binary, grid.masked = share, masked

    def set_activations(self, act_bits: int | None, learned: bool = True) -> None:
        """Activations of this precision from now on; None leaves them real and their scales be.

        learned: whether the scales are parameters that learn.
        """
        self.quantized = act_bits is not None
        if act_bits is not None:
            self.act_bits = act_bits
        for module in self.modules():
            if isinstance(module, quantizers.ActGrid):
                module.requires_grad_(learned and act_bits is not None)
                module.real = act_bits is None
                if act_bits is not None:
                    module.set_precision(act_bits)

    def scales(self) -> Scales:
        """What every quantizer rounds to."""
        return Scales(
            residual=float(self.residual_scale),
            blocks=tuple(_block_scales(block) for block in self.blocks),
            norm=quantizers.learned(self.act_norm).grid(),
        )

    def set_scales(self, scales: Scales) -> None:
        """Start the quantizers from observed scales."""
        self.residual_scale.fill_(scales.residual)
        quantizers.learned(self.act_norm).set_grid(scales.norm)
        for block, wanted in zip(self.blocks, scales.blocks, strict=True):
            _set_block_scales(block, wanted)

    def calibrate(self, pixels: NDArray[np.uint8]) -> None:
        """Set every activation scale by what the present weights make of images [B, S, S, C]."""
        with torch.no_grad():
            weights = {
                name: layer.quant_weight().value.cpu().numpy()
                for name, layer in self.binary_layers().items()
            }
        self.set_scales(calibrate.scales(self.vit, self.act_bits, self.params(), weights, pixels))

    def network(self, origin: str) -> Network:
        """The integer network of the present parameters: the one way to export and to evaluate."""
        binary = {name: quantizers.binarized(m) for name, m in self.binary_layers().items()}
        return integerize(self.vit, self.act_bits, self.params(), binary, self.scales(), origin)


def _block_scales(block: Block) -> BlockScales:
    attn, mlp = block.attn, block.mlp
    return BlockScales(
        norm1=quantizers.learned(block.act_norm1).grid(),
        q=quantizers.learned(attn.act_q).grid().scale,
        k=quantizers.learned(attn.act_k).grid().scale,
        v=quantizers.learned(attn.act_v).grid().scale,
        context=quantizers.learned(attn.act_context).grid(),
        norm2=quantizers.learned(block.act_norm2).grid(),
        gelu=quantizers.learned(mlp.act_index).grid().scale,
        hidden=quantizers.learned(mlp.act_hidden).grid(),
    )


def _set_block_scales(block: Block, wanted: BlockScales) -> None:
    attn, mlp = block.attn, block.mlp
    for quantizer, grid in (
        (block.act_norm1, wanted.norm1),
        (attn.act_q, Unsigned(wanted.q, 0)),
        (attn.act_k, Unsigned(wanted.k, 0)),
        (attn.act_v, Unsigned(wanted.v, 0)),
        (attn.act_context, wanted.context),
        (block.act_norm2, wanted.norm2),
        (mlp.act_index, Unsigned(wanted.gelu, 0)),
        (mlp.act_hidden, wanted.hidden),
    ):
        quantizers.learned(quantizer).set_grid(grid)
