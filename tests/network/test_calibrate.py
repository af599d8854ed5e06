"""calibrate.py: scales that fit what was seen, by a forward pass that sees it right."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from samples import RGB, noise

from vaqf.arithmetic import widths
from vaqf.errors import InputError
from vaqf.network import calibrate, parameters
from vaqf.network.integerize import Unsigned, binarize, binary_layers
from vaqf.network.networkfile import sha256

VIT = replace(RGB, depth=2)
PIXELS = noise(VIT, 3)


@pytest.mark.parametrize("act_bits", range(2, 9))
def test_values_on_a_grid_are_kept(act_bits: int) -> None:
    limit = widths.unsigned_limit(act_bits)
    values = (np.arange(limit + 1) - limit // 3) * 0.125
    assert calibrate.unsigned_scale(values, act_bits) == Unsigned(0.125, limit // 3)
    signed = np.arange(-limit, limit + 1) * 0.5
    assert calibrate.signed_scale(signed, limit) == 0.5


def test_zero_is_always_on_the_grid() -> None:
    for low, high in ((3.0, 5.0), (-5.0, -3.0), (-1.0, 1.0), (0.0, 0.0)):
        grid = calibrate.unsigned_scale(np.linspace(low, high, 100), 4)
        assert grid.scale > 0 and 0 <= grid.zero <= 15
        covered = grid.scale * (0 - grid.zero), grid.scale * (15 - grid.zero)
        assert covered[0] <= 0 <= covered[1]


def test_one_outlier_is_clipped_away_at_few_bits() -> None:
    values = np.concatenate([np.random.default_rng(0).standard_normal(2**14), [40.0]])
    clipped = calibrate.unsigned_scale(values, 3)
    assert clipped.scale * 7 < 30
    assert calibrate.signed_scale(values, 3) * 3 < 30


def test_gelu_is_gelu() -> None:
    x = np.concatenate([np.linspace(-9, 9, 20_001), [-1e6, 1e6, 8.0, -8.0]]).astype(np.float32)
    exact = np.array([0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in x.astype(np.float64)])
    np.testing.assert_allclose(calibrate._gelu(x), exact, rtol=1e-6, atol=3e-6)


@pytest.mark.parametrize("distilled", [False, True])
def test_the_forward_pass_is_the_float_models(
    distilled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("brevitas")
    from vaqf.quant.model.vit import FloatVit

    vit = replace(VIT, distilled=distilled)
    params = parameters.random(vit, 3)
    binary = {name: binarize(params[f"{name}.weight"]) for name in binary_layers(vit)}
    seen: list[np.ndarray] = []
    keep = calibrate.unsigned_scale

    def spy(values: np.ndarray, act_bits: int) -> Unsigned:
        seen.append(values)
        return keep(values, act_bits)

    monkeypatch.setattr(calibrate, "unsigned_scale", spy)
    calibrate.scales(vit, 8, params, {n: w.real() for n, w in binary.items()}, PIXELS)
    model = FloatVit(vit).eval()
    model.load_params(
        params | {f"{n}.weight": (b.sign * b.alpha[:, None]) for n, b in binary.items()}
    )
    expected: list[np.ndarray] = []
    watched = [m for n, m in model.named_modules() if n.endswith(("norm1", "norm2", "context"))]
    watched += [model.act_norm] + [b.mlp.act_hidden for b in model.blocks]
    for module in {*watched}:
        module.register_forward_hook(lambda m, i, out: expected.append(out.numpy()))
    with torch.no_grad():
        model(torch.from_numpy(PIXELS))
    assert len(seen) == 4 * vit.depth + 1

    def key(array: np.ndarray) -> tuple[tuple[int, ...], float]:
        return array.shape, round(float(np.abs(array).mean()), 3)

    for ours in seen:
        assert any(
            ours.shape == theirs.shape and np.allclose(ours, theirs, atol=2e-4)
            for theirs in expected
        ), key(ours)


@pytest.mark.parametrize("size", [1e20, 3e38])
def test_weights_that_overflow_are_refused_in_one_sentence(size: float) -> None:
    params = parameters.random(VIT, 0)
    params["blocks.0.norm1.weight"] = np.full(20, size, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        with pytest.raises(InputError):
            calibrate.calibrate(VIT, 8, params, PIXELS, "x")


def test_calibration_is_deterministic_and_listens_to_the_images() -> None:
    params = parameters.random(VIT, 0)
    first = calibrate.calibrate(VIT, 5, params, PIXELS, "x")
    assert sha256(first) == sha256(calibrate.calibrate(VIT, 5, params, PIXELS, "x"))
    dark = np.zeros_like(PIXELS)
    assert sha256(first) != sha256(calibrate.calibrate(VIT, 5, params, dark, "x"))
