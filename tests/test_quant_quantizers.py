"""quant/quantizers.py: the grids the hardware has, and straight-through gradients."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("brevitas")

from brevitas.nn import QuantLinear  # noqa: E402
from brevitas.proxy import ActQuantProxyFromInjector  # noqa: E402

from quant import quantizers  # noqa: E402
from vaqf import arithmetic  # noqa: E402
from vaqf.integerize import Unsigned, binarize  # noqa: E402


def binary_layer(weight: np.ndarray) -> QuantLinear:
    layer = QuantLinear(
        weight.shape[1], weight.shape[0], False, weight_quant=quantizers.BinaryWeight
    )
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
    return layer


def test_binary_weight_is_row_mean_times_sign_and_zero_is_plus() -> None:
    weight = np.array([[0.5, -0.25, 0.0, -0.0], [3.0, 1.0, -1.0, -3.0]], np.float32)
    got = binary_layer(weight).quant_weight().value.detach().numpy()
    np.testing.assert_array_equal(
        got, np.array([[0.1875, -0.1875, 0.1875, 0.1875], [2, 2, -2, -2]], np.float32)
    )


def test_binary_weight_equals_what_integerize_exports() -> None:
    weight = np.random.default_rng(0).standard_normal((24, 40), dtype=np.float32)
    got = binary_layer(weight).quant_weight().value.detach().numpy()
    exported = binarize(weight)
    np.testing.assert_array_equal(np.sign(got), exported.sign)
    np.testing.assert_allclose(np.abs(got[:, 0]), exported.alpha, rtol=1e-6)


def test_latent_binary_weights_get_the_straight_through_gradient() -> None:
    layer = binary_layer(np.array([[0.5, -0.25]], np.float32))
    layer(torch.tensor([[3.0, 5.0]])).sum().backward()
    # alpha * x straight through, and d(mean|w|)/dw = sign / 2 times sum(x * sign) = -2
    expected = 0.375 * np.array([3.0, 5.0]) + np.array([1, -1]) / 2 * -2.0
    np.testing.assert_allclose(layer.weight.grad.numpy()[0], expected, rtol=1e-6)


@pytest.mark.parametrize("act_bits", range(2, 9))
def test_unsigned_values_are_what_the_integers_stand_for(act_bits: int) -> None:
    quantizer = quantizers.unsigned(act_bits)
    assert isinstance(quantizer.act_quant, ActQuantProxyFromInjector)
    limit = arithmetic.unsigned_limit(act_bits)
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
    limit = arithmetic.signed_limit(act_bits)
    np.testing.assert_allclose(got, [-limit, -1, 0, 1, limit], rtol=1e-6)


def test_gelu_index_is_eight_bits_twos_complement() -> None:
    quantizer = quantizers.index()
    quantizers.learned(quantizer).set_grid(Unsigned(0.5, 0))
    got = quantizer(torch.tensor([-1e4, 1e4])).detach().numpy() / 0.5
    np.testing.assert_allclose(got, [-128, 127], rtol=1e-6)


@pytest.mark.parametrize("act_bits", range(2, 9))
def test_softmax_numerators_have_the_maximum_at_full_scale(act_bits: int) -> None:
    top = arithmetic.unsigned_limit(arithmetic.exp_bits(act_bits))
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
