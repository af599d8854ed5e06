"""Brevitas quantizers of the network: what the integers of the hardware can represent."""

import math
from typing import Any

import torch
from brevitas.function.ops_ste import binary_sign_ste, round_ste
from brevitas.inject.enum import (
    BitWidthImplType,
    QuantType,
    ScalingPerOutputType,
)
from brevitas.nn import QuantIdentity, QuantLinear
from brevitas.quant.scaled_int import Int8WeightPerChannelFloat
from brevitas.quant.solver import ActQuantSolver, WeightQuantSolver
from torch import Tensor, nn

from vaqf.arithmetic import widths
from vaqf.network.integerize import Binary, Unsigned

SMALLEST_SCALE = 1e-8  # of a row of equal weights, whose learned scale is a logarithm


class BinaryGrid(nn.Module):
    """Brevitas `tensor_quant` of a weight [n, k]: a scale per row times the sign, sign(0) = +1.

    x -> (binary x, scale, zero point, bit width). `centred` subtracts the row's mean before the
    sign (BiViT); the scale is mean|w| of the tensor (VAQF) or of the row (XNOR-Net), or a
    parameter that starts at the row's. While `binary` is below 1 the weight is only partly binary:
    with `masked`, that share of its elements, nested as it grows (VAQF's random mask); without, a
    blend of both.
    """

    def __init__(self, scaling_shape: tuple[int, ...], centred: bool, row_scale: str) -> None:
        super().__init__()
        self.centred = centred
        self.masked = False
        self.ramping = False
        self.whole = row_scale == "tensor"
        if row_scale == "learned":
            self.log_scale = nn.Parameter(torch.zeros(scaling_shape))
        self.register_buffer("zero", torch.tensor(0.0), persistent=False)
        self.register_buffer("bit_width", torch.tensor(1.0), persistent=False)
        self.register_buffer("field", torch.empty(0), persistent=False)
        self.register_buffer("share", torch.tensor(1.0), persistent=False)

    @property
    def binary(self) -> float:
        """The share of the weight that is binary; a tensor inside, so that a compiled model can
        follow it without being compiled anew."""
        return float(self.share)

    @binary.setter
    def binary(self, share: float) -> None:
        self.share.fill_(share)
        self.ramping = share < 1.0

    def centre(self, weight: Tensor) -> Tensor:
        """The latent weight whose sign counts."""
        return weight - weight.mean(dim=1, keepdim=True) if self.centred else weight

    def scale(self, latent: Tensor) -> Tensor:
        """The scale of each row, [n, 1]."""
        if hasattr(self, "log_scale"):
            return torch.exp2(self.log_scale)
        mean = latent.abs().mean(dim=1, keepdim=True)
        return mean.mean().expand_as(mean) if self.whole else mean

    def forward(self, weight: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        latent = self.centre(weight)
        scale = self.scale(latent)
        value = scale * binary_sign_ste(latent)
        if self.ramping and self.masked:
            value = torch.where(self.field < self.share, value, weight)
        elif self.ramping:
            value = torch.lerp(weight, value, self.share)
        return value, scale, self.zero, self.bit_width

    @torch.no_grad()
    def begin(self, weight: Tensor, generator: torch.Generator) -> None:
        """Start from a real weight: a learned scale at mean|w|, and a new random mask."""
        if hasattr(self, "log_scale"):
            mean = self.centre(weight).abs().mean(dim=1, keepdim=True)
            self.log_scale.copy_(mean.clamp(min=SMALLEST_SCALE).log2())
        self.field = torch.rand(weight.shape, generator=generator).to(weight.device)


class BinaryWeight(WeightQuantSolver):
    """The encoder's weights, one bit each."""

    quant_type = QuantType.BINARY
    bit_width = 1
    bit_width_impl_type = BitWidthImplType.CONST
    signed = True
    narrow_range = True
    scaling_per_output_type = ScalingPerOutputType.CHANNEL
    tensor_quant = BinaryGrid
    centred = False
    row_scale = "row"


class FixedWeight(Int8WeightPerChannelFloat):
    """8-bit symmetric weights of the patch embedding and the head: the row's largest is 127."""


class _Round(torch.autograd.Function):
    """scale * (clamp(round(x / scale) + zero, low, high) - zero), with straight-through gradients.

    Inside the range the rounding passes the gradient on; the scale's is that of LSQ (Esser et
    al., arXiv 1902.08153); the zero point moves when values are clamped. One function instead of
    Brevitas's chain of operations, and a mask of floats instead of torch.where: on a CPU the
    quantizers' passes over memory are much of a training step.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, zero: Tensor, low: int, high: int) -> Tensor:
        steps = x / scale
        integers = steps.round().add_(zero).clamp_(low, high).sub_(zero)
        inside = (integers - steps).abs_().le_(0.5)
        slope = torch.addcmul(integers, steps, inside, value=-1.0)
        ctx.save_for_backward(slope, inside, scale)
        return integers.mul_(scale)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None, None, None]:
        slope, inside, scale = ctx.saved_tensors
        grad_x = grad * inside
        grad_scale = slope.mul(grad).sum() if ctx.needs_input_grad[1] else None
        grad_zero = (grad_x.sum() - grad.sum()) * scale if ctx.needs_input_grad[2] else None
        return grad_x, grad_scale, grad_zero, None, None


class ActGrid(nn.Module):
    """Brevitas `tensor_quant` of activations whose precision may change while training.

    x -> (rounded x, scale, zero point, bit width), in float32 under autocast too. While `real`
    is set, x passes unchanged.
    """

    bit_width: Tensor

    def __init__(self, bit_width: int) -> None:
        super().__init__()
        self.real = False
        self.register_buffer("bit_width", torch.tensor(0.0), persistent=False)
        self.register_buffer("no_zero", torch.tensor(0.0), persistent=False)
        self.set_bits(bit_width)

    def set_bits(self, bit_width: int) -> None:
        """Round to this many bits from now on; the real range stays what it is."""
        self.bit_width.fill_(float(bit_width))
        self.low, self.high = self.limits(bit_width)

    def set_precision(self, act_bits: int) -> None:
        """The network's activations have act_bits from now on."""
        self.set_bits(act_bits)

    def limits(self, bit_width: int) -> tuple[int, int]:
        """The least and the greatest integer."""
        return 0, widths.unsigned_limit(bit_width)

    def scale_and_zero(self) -> tuple[Tensor, Tensor]:
        """The real value of one step, and the integer that stands for zero."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        scale, zero = self.scale_and_zero()
        if not self.real:
            x = _Round.apply(x.float(), scale, zero, self.low, self.high)
        return x, scale, zero, self.bit_width


class LearnedGrid(ActGrid):
    """A learned scale and, if unsigned, a learned whole zero point.

    `log_top` is the base-2 logarithm of the real width of the positive part for signed grids, of
    the whole range for unsigned ones: it stays positive, an optimizer's step is relative, and it
    means the same at every precision. `zero_share` is the zero point's share of the range.
    """

    def __init__(self, bit_width: int, signed: bool, narrow_range: bool) -> None:
        self.signed, self.narrow_range = signed, narrow_range
        super().__init__(bit_width)
        self.log_top = nn.Parameter(torch.tensor(0.0))
        if not signed:
            self.zero_share = nn.Parameter(torch.tensor(0.0))

    def limits(self, bit_width: int) -> tuple[int, int]:
        if not self.signed:
            return super().limits(bit_width)
        return -(2 ** (bit_width - 1)) + self.narrow_range, 2 ** (bit_width - 1) - 1

    def scale_and_zero(self) -> tuple[Tensor, Tensor]:
        scale = torch.exp2(self.log_top) / self.high
        if self.signed:
            return scale, self.no_zero
        return scale, round_ste(self.zero_share.clamp(0.0, 1.0) * self.high)

    def grid(self) -> Unsigned:
        """The scale and zero point that forward uses."""
        with torch.no_grad():
            scale, zero = self.scale_and_zero()
        return Unsigned(float(scale), round(float(zero)))

    def set_grid(self, wanted: Unsigned) -> None:
        """Start from an observed scale and zero point."""
        with torch.no_grad():
            self.log_top.fill_(math.log2(wanted.scale * self.high))
            if not self.signed:
                self.zero_share.fill_(wanted.zero / self.high)


class IndexGrid(LearnedGrid):
    """The index of the gelu table, as wide at every precision."""

    def set_precision(self, act_bits: int) -> None:
        """Nothing changes."""


class UnitGrid(ActGrid):
    """[0, 1], nothing learned: numerators of the softmax."""

    def set_precision(self, act_bits: int) -> None:
        self.set_bits(widths.exp_bits(act_bits))

    def scale_and_zero(self) -> tuple[Tensor, Tensor]:
        return 1.0 / torch.full_like(self.no_zero, self.high), self.no_zero


class UnsignedAct(ActQuantSolver):
    """Unsigned activations with a learned scale and a learned whole zero point."""

    quant_type = QuantType.INT
    tensor_quant = LearnedGrid
    signed = False
    narrow_range = False


class SignedAct(UnsignedAct):
    """q, k and v: symmetric, narrow range, learned scale."""

    signed = True
    narrow_range = True


class IndexAct(UnsignedAct):
    """The index of the gelu table: two's complement, learned scale."""

    tensor_quant = IndexGrid
    signed = True
    bit_width = widths.GELU_INDEX_BITS


class ExponentAct(UnsignedAct):
    """Numerators of the softmax in [0, 1], full scale at the row's maximum."""

    tensor_quant = UnitGrid


def binary_weight(centred: bool, scale: str) -> type[BinaryWeight]:
    """The weight quantizer of one style, for QuantLinear(weight_quant=...)."""
    chosen: type[BinaryWeight] = BinaryWeight.let(centred=centred, row_scale=scale)
    return chosen


def unsigned(act_bits: int) -> QuantIdentity:
    """Real values on the unsigned grid of act_bits."""
    return QuantIdentity(act_quant=UnsignedAct, bit_width=act_bits)


def signed(act_bits: int) -> QuantIdentity:
    """Real values on the symmetric grid of act_bits."""
    return QuantIdentity(act_quant=SignedAct, bit_width=act_bits)


def index() -> QuantIdentity:
    """Real values on the grid of the gelu table."""
    return QuantIdentity(act_quant=IndexAct)


def exponent(act_bits: int) -> QuantIdentity:
    """exp(score - max) on the grid of the softmax's numerators."""
    return QuantIdentity(act_quant=ExponentAct, bit_width=widths.exp_bits(act_bits))


def act_grid(quantizer: QuantIdentity) -> ActGrid:
    """The module that rounds for an activation quantizer."""
    grid: ActGrid = quantizer.act_quant.fused_activation_quant_proxy.tensor_quant
    return grid


def learned(quantizer: QuantIdentity) -> LearnedGrid:
    """The module that holds an activation quantizer's parameters."""
    grid = act_grid(quantizer)
    assert isinstance(grid, LearnedGrid)
    return grid


def binary_grid(layer: QuantLinear) -> BinaryGrid:
    """The module that makes a layer's weight binary."""
    grid: BinaryGrid = layer.weight_quant.tensor_quant
    return grid


def binarized(layer: QuantLinear) -> Binary:
    """Signs [n, k] and row scales [n] of a layer's weight, as its training forward has them."""
    grid = binary_grid(layer)
    with torch.no_grad():
        latent = grid.centre(layer.weight)
        signs = torch.where(latent >= 0, 1, -1).to(torch.int8)
        alpha = grid.scale(latent).flatten().double()
    return Binary(signs.cpu().numpy(), alpha.cpu().numpy())
