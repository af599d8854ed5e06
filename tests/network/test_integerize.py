"""integerize.py: the integers stand for the floats they were made from."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import RGB, noise

from vaqf.arithmetic import widths
from vaqf.errors import InputError
from vaqf.model.vit import Vit
from vaqf.network import calibrate, integerize, parameters
from vaqf.network.integerize import Unsigned, binarize
from vaqf.network.structure import Network
from vaqf.sim import golden

PIXELS = noise(RGB, 3)


def made(vit: Vit = RGB, act_bits: int = 8, **changes: np.ndarray) -> Network:
    params = parameters.random(vit, 0) | changes
    return calibrate.calibrate(vit, act_bits, params, PIXELS, "random")


def test_binarize_rows_and_zero() -> None:
    got = binarize(np.array([[0.0, -0.0, -1.0, 3.0]], np.float16))
    np.testing.assert_array_equal(got.sign, [[1, 1, -1, 1]])
    assert got.alpha.tolist() == [1.0]


@given(
    st.floats(1e-9, 1e4),
    st.floats(-1e4, 1e4),
    st.integers(-(2**20), 2**20),
    st.integers(-(2**18), 2**18),
)
def test_requant_is_the_affine_map_rounded(
    gain: float, offset: float, value: int, correction: int
) -> None:
    r = integerize._requant("x", np.array([gain]), np.array([offset]), np.array([correction]))
    got = golden.requantize(np.array([value]), r, -(2**62), 2**62)[0]
    exact = Fraction(gain) * (value - correction) + Fraction(offset)
    # the rounded multiplier is off by half a unit of 2**-shift per step of the value, and the
    # bias by at most one
    slack = Fraction(abs(value - correction) + 2, 2 * 2**r.shift)
    assert exact - Fraction(1, 2) - slack <= int(got) <= exact + Fraction(1, 2) + slack


def test_requant_uses_all_18_bits_of_the_multiplier() -> None:
    rng = np.random.default_rng(1)
    for scale in (1e-6, 1e-3, 1.0, 100.0):
        r = integerize._requant("x", scale * rng.uniform(0.5, 1, 30), np.zeros(30))
        assert 2**16 <= np.abs(r.mult).max() < 2**17
        assert 0 <= r.shift <= widths.MAX_SHIFT


@pytest.mark.parametrize(
    ("gain", "offset", "message"),
    [
        (np.nan, 0.0, "not finite"),
        (1.0, np.inf, "not finite"),
        (2.0**17, 0.0, "channel 1 scales by"),
    ],
)
def test_requant_refuses_what_no_integer_holds(gain: float, offset: float, message: str) -> None:
    with pytest.raises(InputError, match=f"blocks.3.mlp.fc1.*{message}"):
        integerize._requant("blocks.3.mlp.fc1", np.array([1.0, gain]), np.array([0.0, offset]))


def test_embedding_is_the_normalized_convolution() -> None:
    params = parameters.random(RGB, 0)
    network = made()
    normal = (PIXELS / 255.0 - RGB.mean) / RGB.std
    rows = normal.reshape(3, 2, 4, 2, 4, 3).transpose(0, 1, 3, 5, 2, 4).reshape(3, 4, 48)
    x = rows @ params["patch_embed.proj.weight"].reshape(20, 48).T
    x = x + params["patch_embed.proj.bias"] + params["pos_embed"][:, 1:]
    first = params["cls_token"] + params["pos_embed"][:, :1]
    exact = np.concatenate([np.broadcast_to(first, (3, 1, 20)), x], axis=1)
    binary = {name: binarize(params[f"{name}.weight"]) for name in integerize.binary_layers(RGB)}
    residual = calibrate.scales(
        RGB, 8, params, {n: w.real() for n, w in binary.items()}, PIXELS
    ).residual
    # 8-bit weights are off by half a step, which is 1/254 of the row's largest weight
    folded, _ = integerize.fold_normalization(
        RGB, params["patch_embed.proj.weight"], params["patch_embed.proj.bias"]
    )
    ink = PIXELS.reshape(3, 2, 4, 2, 4, 3).transpose(0, 1, 3, 5, 2, 4).reshape(3, 4, 1, 48)
    bound = (ink * np.abs(folded).max(axis=1)[:, None] / 254).sum(axis=-1) + 2 * residual
    error = np.abs(golden.embed(network, PIXELS) * residual - exact)
    assert (error[:, 1:] <= bound).all()
    assert error[:, 0].max() <= residual


def test_gelu_table_is_gelu_on_every_index() -> None:
    out = Unsigned(0.02, 9)
    table = integerize._gelu_table(0.03, out, 8)
    for index in (-128, -33, -1, 0, 1, 50, 127):
        x = 0.03 * index
        exact = 0.5 * x * (1 + math.erf(x / math.sqrt(2))) / 0.02 + 9
        assert abs(int(table[index + 128]) - min(max(exact, 0), 255)) <= 0.5
    assert integerize._gelu_table(0.03, out, 2).max() == 3


def test_distilled_head_averages_both() -> None:
    vit = replace(RGB, distilled=True)
    params = parameters.random(vit, 2)
    weight, bias = integerize.head_weight(vit, params)
    a, b = np.random.default_rng(0).standard_normal((2, 20))
    two = (
        params["head.weight"] @ a
        + params["head.bias"]
        + params["head_dist.weight"] @ b
        + params["head_dist.bias"]
    ) / 2
    np.testing.assert_allclose(weight @ np.concatenate([a, b]) + bias, two, atol=1e-6)


@pytest.mark.parametrize("distilled", [False, True])
def test_logits_use_their_range_and_cannot_saturate(distilled: bool) -> None:
    vit = replace(RGB, distilled=distilled)
    head = made(vit).head
    limit = 2 ** (widths.LOGIT_BITS - 1) - 1
    k = vit.dim * vit.prefix_tokens
    extremes = np.where(head.weight > 0, 255, 0).astype(np.uint8)  # one worst input per class
    for rows in (extremes, 255 - extremes, np.full((1, k), 255, np.uint8)):
        acc, pre = golden.fixed_matmul(rows, head, 8)
        free = golden.requantize(acc, head.requant, -(2**62), 2**62, pre)
        assert np.abs(free).max() <= limit
    assert np.abs(free).max() > limit >> 8


def test_missing_qkv_bias_is_zero() -> None:
    vit = replace(RGB, qkv_bias=False)
    params = parameters.random(vit, 1)
    with_zero = params | {"blocks.0.attn.qkv.bias": np.zeros(60, np.float32)}
    a = calibrate.calibrate(vit, 6, params, PIXELS, "x")
    b = calibrate.calibrate(replace(vit, qkv_bias=True), 6, with_zero, PIXELS, "x")
    np.testing.assert_array_equal(golden.run(a, PIXELS), golden.run(b, PIXELS))


def test_a_dead_layer_leaves_a_network_that_runs() -> None:
    dead = made(**{"blocks.0.mlp.fc1.weight": np.zeros((40, 20), np.float32)})
    assert len(np.unique(golden.run(dead, PIXELS))) == 12


def test_weights_that_are_all_zero_are_refused() -> None:
    zero = {n: np.zeros(s, np.float32) for n, s in parameters.array_shapes(RGB).items()}
    with pytest.raises(InputError, match="zero for every image"):
        calibrate.calibrate(RGB, 4, zero, PIXELS, "all zero")


def test_eps_too_large_for_the_residual_scale_is_refused() -> None:
    with pytest.raises(InputError, match="too small for eps"):
        integerize._norm(
            "norm", parameters.random(RGB, 0), replace(RGB, ln_eps=1.0), 1e-6, Unsigned(0.1, 3)
        )


def test_scores_beyond_the_softmax_are_refused() -> None:
    params = parameters.random(RGB, 0)
    params["blocks.0.attn.qkv.weight"][:40] *= 1e5
    with pytest.raises(InputError, match="more than the softmax"):
        calibrate.calibrate(RGB, 2, params, PIXELS, "x")


@pytest.mark.parametrize("value", [math.inf, math.nan, 0.0])
@pytest.mark.parametrize("name", ["norm2", "gelu", "hidden", "residual", "norm"])
@pytest.mark.filterwarnings("error")
def test_scales_that_no_integer_follows_from_are_refused(name: str, value: float) -> None:
    """A damaged checkpoint has them; numpy would make integers of what is undefined."""
    params = parameters.random(RGB, 0)
    binary = {layer: binarize(params[f"{layer}.weight"]) for layer in integerize.binary_layers(RGB)}
    real = {layer: weight.real() for layer, weight in binary.items()}
    scales = calibrate.scales(RGB, 8, params, real, PIXELS)
    changed = Unsigned(value, 3) if name in ("norm2", "hidden", "norm") else value
    if name in ("residual", "norm"):
        scales = replace(scales, **{name: changed})
    else:
        blocks = (replace(scales.blocks[0], **{name: changed}), *scales.blocks[1:])
        scales = replace(scales, blocks=blocks)
    with pytest.raises(InputError) as caught:
        integerize.integerize(RGB, 8, params, binary, scales, "damaged")
    assert "\n" not in str(caught.value)
