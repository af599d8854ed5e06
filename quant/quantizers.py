"""Brevitas quantizers of the network: what the integers of the hardware can represent."""

import math
from typing import Any

import torch
from brevitas.function.ops_ste import round_ste
from brevitas.inject.enum import (
    BitWidthImplType,
    QuantType,
    RestrictValueType,
    ScalingImplType,
    ScalingPerOutputType,
    StatsOp,
)
from brevitas.nn import QuantIdentity
from brevitas.quant.scaled_int import Int8WeightPerChannelFloat
from brevitas.quant.solver import ActQuantSolver, WeightQuantSolver
from torch import Tensor, nn

from vaqf import arithmetic
from vaqf.integerize import Unsigned


class BinaryWeight(WeightQuantSolver):
    """mean|w| of each row times sign(w), sign(0) = +1 (XNOR-Net; vaqf.integerize.binarize)."""

    quant_type = QuantType.BINARY
    bit_width = 1
    bit_width_impl_type = BitWidthImplType.CONST
    signed = True
    narrow_range = True
    scaling_impl_type = ScalingImplType.STATS
    scaling_stats_op = StatsOp.AVE
    scaling_per_output_type = ScalingPerOutputType.CHANNEL
    restrict_scaling_type = RestrictValueType.FP


class FixedWeight(Int8WeightPerChannelFloat):
    """8-bit symmetric weights of the patch embedding and the head: the row's largest is 127."""


class _Round(torch.autograd.Function):
    """scale * (clamp(round(x / scale) + zero, low, high) - zero), with straight-through gradients.

    Inside the range the rounding passes the gradient on; the scale's is that of LSQ (Esser et
    al., arXiv 1902.08153); the zero point moves when values are clamped. One function instead of
    Brevitas's chain of operations: 69 ms a step, not 97 (vit_digits, batch 64, one core).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, zero: Tensor, low: int, high: int) -> Tensor:
        steps = x / scale
        integers = steps.round().add_(zero).clamp_(low, high).sub_(zero)
        error = integers - steps
        inside = error.abs() <= 0.5
        ctx.save_for_backward(torch.where(inside, error, integers), inside, scale)
        return integers * scale

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None, None, None]:
        slope, inside, scale = ctx.saved_tensors
        grad_x = torch.where(inside, grad, 0.0)
        grad_scale = (grad * slope).sum() if ctx.needs_input_grad[1] else None
        grad_zero = (grad_x.sum() - grad.sum()) * scale if ctx.needs_input_grad[2] else None
        return grad_x, grad_scale, grad_zero, None, None


class LearnedGrid(nn.Module):
    """Brevitas `tensor_quant` with a learned scale and, if wanted, a learned whole zero point.

    x -> (rounded x, scale, zero point, bit width). `log_top` is the base-2 logarithm of the real
    width of the positive part for signed grids, of the whole range for unsigned ones: it stays
    positive and an optimizer's step is relative. `zero_share` is the zero point's share of the
    range, so that a step means as much at 2 bits as at 8.
    """

    def __init__(self, bit_width: int, signed: bool, narrow_range: bool) -> None:
        super().__init__()
        self.low = -(2 ** (bit_width - 1)) + narrow_range if signed else 0
        self.high = 2 ** (bit_width - 1) - 1 if signed else arithmetic.unsigned_limit(bit_width)
        self.log_top = nn.Parameter(torch.tensor(0.0))
        if not signed:
            self.zero_share = nn.Parameter(torch.tensor(0.0))
        self.register_buffer("bit_width", torch.tensor(float(bit_width)), persistent=False)
        self.register_buffer("no_zero", torch.tensor(0.0), persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        scale = torch.exp2(self.log_top) / self.high
        zero = self.no_zero
        if self.low == 0:
            zero = round_ste(self.zero_share.clamp(0.0, 1.0) * self.high)
        return _Round.apply(x, scale, zero, self.low, self.high), scale, zero, self.bit_width

    def grid(self) -> Unsigned:
        """The scale and zero point that forward uses."""
        with torch.no_grad():
            _, scale, zero, _ = self(self.log_top)
        return Unsigned(float(scale), round(float(zero)))

    def set_grid(self, wanted: Unsigned) -> None:
        """Start from an observed scale and zero point."""
        with torch.no_grad():
            self.log_top.fill_(math.log2(wanted.scale * self.high))
            if self.low == 0:
                self.zero_share.fill_(wanted.zero / self.high)


class UnitGrid(nn.Module):
    """Brevitas `tensor_quant` of [0, 1] on unsigned bit_width, nothing learned."""

    def __init__(self, bit_width: int) -> None:
        super().__init__()
        self.high = arithmetic.unsigned_limit(bit_width)
        self.register_buffer("scale", torch.tensor(1.0 / self.high), persistent=False)
        self.register_buffer("zero", torch.tensor(0.0), persistent=False)
        self.register_buffer("bit_width", torch.tensor(float(bit_width)), persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        rounded = _Round.apply(x, self.scale, self.zero, 0, self.high)
        return rounded, self.scale, self.zero, self.bit_width


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

    signed = True
    bit_width = arithmetic.GELU_INDEX_BITS


class ExponentAct(UnsignedAct):
    """Numerators of the softmax in [0, 1], full scale at the row's maximum."""

    tensor_quant = UnitGrid


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
    return QuantIdentity(act_quant=ExponentAct, bit_width=arithmetic.exp_bits(act_bits))


def learned(quantizer: QuantIdentity) -> LearnedGrid:
    """The module that holds an activation quantizer's parameters."""
    grid: LearnedGrid = quantizer.act_quant.fused_activation_quant_proxy.tensor_quant
    return grid
