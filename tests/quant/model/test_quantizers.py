"""quantizers.py: grids of the hardware, gradients past the rounding, gradual binarization."""

import numpy as np
import pytest
import torch
from brevitas.nn import QuantLinear
from brevitas.proxy import ActQuantProxyFromInjector

from vaqf.arithmetic import widths
from vaqf.network.integerize import Unsigned, binarize
from vaqf.quant.model import quantizers

STYLES = [(c, s) for c in (False, True) for s in ("tensor", "row", "learned")]
WEIGHT = np.random.default_rng(0).standard_normal((24, 40), dtype=np.float32) + np.float32(0.3)


def binary_layer(
    weight: np.ndarray, centred: bool = False, scale: str = "row", seed: int = 0
) -> QuantLinear:
    """A layer as a stage starts it; the scale and the mask come from its weight and a seed."""
    chosen = quantizers.binary_weight(centred, scale)
    layer = QuantLinear(weight.shape[1], weight.shape[0], False, weight_quant=chosen)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
    generator = torch.Generator().manual_seed(seed)
    quantizers.binary_grid(layer).begin(layer.weight, generator)
    return layer


def value(layer: QuantLinear, share: float = 1.0, masked: bool = False) -> np.ndarray:
    """What the layer multiplies by when a share of its weights is binary."""
    grid = quantizers.binary_grid(layer)
    grid.binary, grid.masked = share, masked
    return layer.quant_weight().value.detach().numpy()


def test_binary_weight_is_row_mean_times_sign_and_zero_is_plus() -> None:
    weight = np.array([[0.5, -0.25, 0.0, -0.0], [3.0, 1.0, -1.0, -3.0]], np.float32)
    expected = np.array([[0.1875, -0.1875, 0.1875, 0.1875], [2, 2, -2, -2]], np.float32)
    np.testing.assert_array_equal(value(binary_layer(weight)), expected)


def test_centred_rows_lose_their_mean_before_the_sign() -> None:
    weight = np.array([[1.0, 2.0, 3.0, 6.0], [-1.0, -1.0, -1.0, -5.0]], np.float32)
    expected = np.array([[-1.5, -1.5, 1.5, 1.5], [1.5, 1.5, 1.5, -1.5]], np.float32)
    np.testing.assert_array_equal(value(binary_layer(weight, centred=True)), expected)


@pytest.mark.parametrize(("centred", "scale"), STYLES)
def test_binary_weight_equals_what_integerize_exports(centred: bool, scale: str) -> None:
    layer = binary_layer(WEIGHT, centred, scale)
    got, exported = value(layer), quantizers.binarized(layer)
    np.testing.assert_array_equal(np.sign(got), exported.sign)
    np.testing.assert_array_equal(np.abs(got), exported.alpha[:, None] + np.zeros_like(got))
    latent = WEIGHT - WEIGHT.mean(axis=1, keepdims=True) if centred else WEIGHT
    expected = binarize(latent)
    np.testing.assert_array_equal(exported.sign, expected.sign)
    alpha = np.full(24, np.abs(latent).mean()) if scale == "tensor" else expected.alpha
    np.testing.assert_allclose(exported.alpha, alpha, rtol=1e-5)


def test_learned_scale_is_a_parameter_per_row_and_moves_freely() -> None:
    layer = binary_layer(WEIGHT, scale="learned")
    scale = quantizers.binary_grid(layer).log_scale
    assert scale.shape == (24, 1)
    with torch.no_grad():
        scale.add_(1.0)
    np.testing.assert_allclose(np.abs(value(layer)[:, 0]), 2 * np.abs(WEIGHT).mean(1), rtol=1e-5)
    with torch.no_grad():
        layer.weight.mul_(5.0)  # without a say in the scale
    np.testing.assert_allclose(np.abs(value(layer)[:, 0]), 2 * np.abs(WEIGHT).mean(1), rtol=1e-5)


def test_a_row_of_equal_weights_has_a_finite_learned_scale() -> None:
    weight = np.full((2, 4), 0.25, np.float32)
    got = value(binary_layer(weight, centred=True, scale="learned"))
    np.testing.assert_allclose(got, quantizers.SMALLEST_SCALE, rtol=1e-5)


@pytest.mark.parametrize(("centred", "scale"), STYLES)
@pytest.mark.parametrize("masked", [True, False])
def test_a_weight_goes_from_real_to_binary(masked: bool, centred: bool, scale: str) -> None:
    layer = binary_layer(WEIGHT, centred, scale)
    np.testing.assert_array_equal(value(layer, 0.0, masked), WEIGHT)
    final = quantizers.binarized(layer)
    np.testing.assert_array_equal(value(layer, 1.0, masked), final.sign * final.alpha[:, None])


def test_masks_are_nested_of_the_right_share_and_seeded() -> None:
    weight = np.random.default_rng(1).standard_normal((100, 100), dtype=np.float32)
    layer = binary_layer(weight)
    final = value(layer)
    before = np.zeros(weight.shape, bool)
    for share in (0.1, 0.35, 0.6, 0.99):
        got = value(layer, share, masked=True)
        binary = got == final
        np.testing.assert_array_equal(got[~binary], weight[~binary])
        assert not (before & ~binary).any()  # what was binary stays so
        assert binary.mean() == pytest.approx(share, abs=0.02)  # 4 standard deviations
        before = binary
    again, other = (value(binary_layer(weight, seed=s), 0.35, masked=True) for s in (0, 1))
    np.testing.assert_array_equal(again, value(layer, 0.35, masked=True))
    assert not np.array_equal(other, again)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_a_blend_is_linear_between_real_and_binary(share: float) -> None:
    layer = binary_layer(WEIGHT, centred=True)
    expected = (1 - share) * WEIGHT + share * value(layer)
    np.testing.assert_allclose(value(layer, share), expected, rtol=1e-5, atol=1e-7)


def gradient(layer: QuantLinear, share: float = 1.0, masked: bool = False) -> np.ndarray:
    """Of sum(x * weight), x = 3, 5, by the latent weight."""
    grid = quantizers.binary_grid(layer)
    grid.binary, grid.masked = share, masked
    layer.weight.grad = None
    layer(torch.tensor([[3.0, 5.0]])).sum().backward()
    return layer.weight.grad.numpy()


def test_latent_binary_weights_get_the_straight_through_gradient() -> None:
    # alpha * x straight through, and d(mean|w|)/dw = sign / 2 times sum(x * sign) = -2
    expected = 0.375 * np.array([[3.0, 5.0]]) + np.array([1, -1]) / 2 * -2.0
    layer = binary_layer(np.array([[0.5, -0.25]], np.float32))
    np.testing.assert_allclose(gradient(layer), expected, rtol=1e-6)


def test_a_learned_scale_has_its_own_gradient() -> None:
    layer = binary_layer(np.array([[0.5, -0.25]], np.float32), scale="learned")
    np.testing.assert_allclose(gradient(layer), 0.375 * np.array([[3.0, 5.0]]), rtol=1e-6)
    # 2**log_scale * (3 - 5): by the logarithm times ln 2
    got = float(quantizers.binary_grid(layer).log_scale.grad)
    assert got == pytest.approx(0.375 * -2.0 * np.log(2), rel=1e-5)


def test_centring_takes_the_rows_mean_out_of_the_gradient() -> None:
    layer = binary_layer(np.array([[0.5, -0.25]], np.float32), centred=True, scale="learned")
    np.testing.assert_allclose(gradient(layer), 0.375 * np.array([[-1.0, 1.0]]), rtol=1e-6)


def test_partly_binary_weights_get_their_parts_of_the_gradient() -> None:
    layer = binary_layer(np.array([[0.5, -0.25]], np.float32), scale="learned")
    real, binary = np.array([[3.0, 5.0]]), 0.375 * np.array([[3.0, 5.0]])
    np.testing.assert_allclose(gradient(layer, 0.25), 0.75 * real + 0.25 * binary, rtol=1e-6)
    quantizers.binary_grid(layer).field = torch.tensor([[0.1, 0.9]])
    np.testing.assert_allclose(gradient(layer, 0.5, masked=True), [[binary[0, 0], real[0, 1]]])
    np.testing.assert_array_equal(gradient(layer, 0.0, masked=True), real)
    scale = quantizers.binary_grid(layer).log_scale
    assert scale.grad is not None  # DistributedDataParallel waits for every gradient


@pytest.mark.parametrize("act_bits", range(2, 9))
def test_unsigned_values_are_what_the_integers_stand_for(act_bits: int) -> None:
    quantizer = quantizers.unsigned(act_bits)
    assert isinstance(quantizer.act_quant, ActQuantProxyFromInjector)
    limit = widths.unsigned_limit(act_bits)
    wanted = Unsigned(0.03125, limit // 3)
    quantizers.learned(quantizer).set_grid(wanted)
    grid = quantizers.learned(quantizer).grid()
    assert grid.zero == wanted.zero
    assert grid.scale == pytest.approx(wanted.scale, rel=1e-6)  # kept as a float32 logarithm
    x = np.arange(-10, 10, 0.0101, dtype=np.float32)  # no ties: those may fall either way
    got = quantizer(torch.from_numpy(x)).detach().numpy()
    integers = np.clip(np.rint(x / 0.03125) + wanted.zero, 0, limit)
    np.testing.assert_allclose(got, (integers - wanted.zero) * 0.03125, rtol=1e-6)


@pytest.mark.parametrize("act_bits", range(2, 9))
def test_signed_values_are_symmetric_and_narrow(act_bits: int) -> None:
    quantizer = quantizers.signed(act_bits)
    quantizers.learned(quantizer).set_grid(Unsigned(0.25, 0))
    got = quantizer(torch.tensor([-1e4, -0.3, 0.0, 0.3, 1e4])).detach().numpy() / 0.25
    limit = widths.signed_limit(act_bits)
    np.testing.assert_allclose(got, [-limit, -1, 0, 1, limit], rtol=1e-6)


def test_gelu_index_is_eight_bits_twos_complement() -> None:
    quantizer = quantizers.index()
    quantizers.learned(quantizer).set_grid(Unsigned(0.5, 0))
    got = quantizer(torch.tensor([-1e4, 1e4])).detach().numpy() / 0.5
    np.testing.assert_allclose(got, [-128, 127], rtol=1e-6)


@pytest.mark.parametrize("act_bits", range(2, 9))
def test_softmax_numerators_have_the_maximum_at_full_scale(act_bits: int) -> None:
    top = widths.unsigned_limit(widths.exp_bits(act_bits))
    got = quantizers.exponent(act_bits)(torch.linspace(0, 1, 1001)).detach().numpy() * top
    np.testing.assert_allclose(got, np.rint(got), atol=1e-4)
    assert got.max() == pytest.approx(top) and got.min() == 0
    assert len(np.unique(np.rint(got))) == top + 1


def test_gradients_are_those_of_lsq() -> None:
    quantizer = quantizers.unsigned(4)
    grid = quantizers.learned(quantizer)
    grid.set_grid(Unsigned(0.5, 4))
    x = torch.tensor([-9.0, 0.6, 9.0], requires_grad=True)
    quantizer(x).backward(torch.tensor([1.0, 10.0, 100.0]))
    assert x.grad.tolist() == [0, 10, 0]  # clamped values get none
    # d/dscale: -4 below, (1 - 1.2) inside, 11 above; scale = 2**log_top / 15
    slope = 1 * -4 + 10 * (1 - 1.2) + 100 * 11
    assert float(grid.log_top.grad) == pytest.approx(slope * 0.5 * np.log(2), rel=1e-5)
    # the zero point shifts what is clamped: -scale each, times the range of 15
    assert float(grid.zero_share.grad) == pytest.approx(-(1 + 100) * 0.5 * 15, rel=1e-5)


@pytest.mark.parametrize("made", [quantizers.unsigned, quantizers.signed])
def test_precision_changes_the_steps_and_not_the_range(made: object) -> None:
    quantizer = made(8)
    grid = quantizers.learned(quantizer)
    grid.set_grid(Unsigned(0.25, 85 if not grid.signed else 0))
    x = torch.linspace(-100, 100, 20001)
    wide = quantizer(x).detach().unique()
    for act_bits in range(7, 1, -1):
        grid.set_precision(act_bits)
        few = quantizer(x).detach().unique()
        # 85 of 255 is a third of the range, which 2, 4, 6 and 8 bits have a level for
        if grid.signed or act_bits % 2 == 0:
            np.testing.assert_allclose(few[[0, -1]], wide[[0, -1]], rtol=1e-5)
        assert float(few[-1] - few[0]) == pytest.approx(float(wide[-1] - wide[0]), rel=1e-5)
        assert len(few) == (2**act_bits - 1 if grid.signed else 2**act_bits)
        assert (few == 0).any()  # zero stays on the grid
    fresh = made(2)
    quantizers.learned(fresh).set_grid(grid.grid())
    np.testing.assert_allclose(fresh(x).detach(), quantizer(x).detach(), rtol=1e-5)


def test_the_gelu_index_is_as_wide_at_every_precision() -> None:
    quantizer = quantizers.index()
    quantizers.learned(quantizer).set_grid(Unsigned(0.5, 0))
    before = quantizer(torch.linspace(-99, 99, 4001)).detach()
    quantizers.act_grid(quantizer).set_precision(2)
    assert torch.equal(quantizer(torch.linspace(-99, 99, 4001)).detach(), before)


def test_numerators_follow_the_precision() -> None:
    quantizer = quantizers.exponent(8)
    for act_bits in (8, 5, 2):
        quantizers.act_grid(quantizer).set_precision(act_bits)
        levels = quantizer(torch.linspace(0, 1, 5001)).unique()
        assert len(levels) == 2 ** widths.exp_bits(act_bits)
        assert float(levels[-1]) == pytest.approx(1.0)


def test_real_activations_pass_untouched() -> None:
    for quantizer in (quantizers.unsigned(2), quantizers.index(), quantizers.exponent(2)):
        quantizers.act_grid(quantizer).real = True
        x = torch.randn(50, requires_grad=True)
        got = quantizer(x)
        assert torch.equal(got, x)
        got.sum().backward()
        assert torch.equal(x.grad, torch.ones(50))


def test_autocast_does_not_touch_the_rounding() -> None:
    quantizer = quantizers.unsigned(8)
    quantizers.learned(quantizer).set_grid(Unsigned(0.01, 100))
    x = torch.randn(200).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        got = quantizer(x)
    assert got.dtype == torch.float32
    assert torch.equal(got, quantizer(x.float()))
