"""Every operation of golden against float64, within the bounds of docs/arithmetic.md."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaqf.arithmetic import widths
from vaqf.model.layers import of_frame
from vaqf.model.vit import Vit
from vaqf.network import calibrate, parameters
from vaqf.network.structure import Linear, Norm, Requant
from vaqf.sim import golden

ACT_BITS = range(2, 9)
KINDS = ("normal", "uniform", "one-hot", "equal", "tiny variance", "100 sigma")

# The bounds of docs/arithmetic.md, "Error bounds". Each test also asserts that more than half of
# its bound occurs, so that a bound cannot go slack unnoticed.
MAX_RECIPROCAL_ERROR = 2.9e-5  # relative
MAX_RSQRT_ERROR = 2.5e-5  # relative
MAX_LAYER_NORM_ERROR = 0.505  # output steps; 0.5 is the rounding
MAX_MEAN_ERROR = 3.7e-3  # steps of v
# softmax @ v in units of the largest v, by A: score deviation 3, 17 to 577 tokens
MAX_ATTENTION_ERROR = {2: 0.80, 3: 0.45, 4: 0.32, 5: 0.15, 6: 0.09, 7: 0.07, 8: 0.08}
GELU_SLOPE = 1.1290  # the largest derivative of GELU, at sqrt(2)


def requant_of(gain, offset):
    """docs/arithmetic.md, "Gain to integers", written again."""
    for shift in range(47, -1, -1):
        mult = np.rint(gain * 2.0**shift)
        bias = np.rint(offset * 2.0**shift) + (2.0 ** (shift - 1) if shift else 0)
        if np.abs(mult).max() < 2**17 and np.abs(bias).max() <= widths.BIAS_LIMIT:
            return Requant(mult.astype(np.int32), bias.astype(np.int64), shift)
    raise AssertionError("no shift fits")


def sample(kind, rows, n, rng):
    """Real values [rows, n] of about unit size."""
    x = rng.standard_normal((rows, n))
    match kind:
        case "uniform":
            return rng.uniform(-math.sqrt(3), math.sqrt(3), (rows, n))
        case "one-hot":
            return np.eye(n)[rng.integers(0, n, rows)] * 8
        case "equal":
            return np.repeat(x[:, :1], n, axis=1)
        case "tiny variance":
            return x[:, :1] + 1e-3 * x
        case "100 sigma":
            x[np.arange(rows), rng.integers(0, n, rows)] = 100.0
    return x


# -- tables -----------------------------------------------------------------------------------


def test_reciprocal_of_every_possible_sum():
    value = np.arange(1, widths.MAX_TOKENS * 127 + 1)
    mantissa, exponent = golden.reciprocal(value)
    error = np.abs(mantissa * np.ldexp(1.0, -17 - exponent) * value - 1).max()
    assert MAX_RECIPROCAL_ERROR / 2 < error <= MAX_RECIPROCAL_ERROR
    assert mantissa.min() >= 2**16 and mantissa.max() < 2**17


def test_rsqrt_of_small_and_large_variances():
    rng = np.random.default_rng(0)
    octaves = np.exp2(rng.uniform(0, 51, 2**19)).astype(np.int64)
    powers = 2 ** np.arange(51)
    value = np.concatenate([np.arange(1, 2**19), octaves, powers, 2 * powers - 1])
    mantissa, half = golden.rsqrt(value)
    error = np.abs(mantissa * np.ldexp(1.0, -17 - half) * np.sqrt(value) - 1).max()
    assert MAX_RSQRT_ERROR / 2 < error <= MAX_RSQRT_ERROR
    assert mantissa.min() >= 2**16 and mantissa.max() < 2**17


# -- layer norm -------------------------------------------------------------------------------


def layer_norm_error(kind, act_bits, dim, rows):
    """Largest |integer - float64| in output steps, and the largest step that occurs."""
    rng = np.random.default_rng(dim + act_bits)
    residual, ln_eps = 3.1e-3 if kind == "100 sigma" else 3.1e-4, 1e-6
    x = np.rint(sample(kind, rows, dim, rng) / residual).astype(np.int16)
    gamma, beta = 1 + 0.1 * rng.standard_normal(dim), 0.1 * rng.standard_normal(dim)
    limit = widths.unsigned_limit(act_bits)
    scale, zero = 8.0 / limit, (limit + 1) // 2
    requant = requant_of(gamma * 2.0**-14 / scale, beta / scale + zero)
    norm = Norm(max(1, round(ln_eps * (dim / residual) ** 2)), requant)
    real = x * residual
    centred = real - real.mean(axis=-1, keepdims=True)
    normal = centred / np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + ln_eps)
    exact = np.clip((normal * gamma + beta) / scale + zero, 0, limit)
    return np.abs(golden.layer_norm(x, norm, act_bits) - exact).max()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("act_bits", ACT_BITS)
def test_layer_norm_against_float64(kind, act_bits):
    for dim in (64, 65, 192, 197, 384, 768, 1023, 1024):
        error = layer_norm_error(kind, act_bits, dim, 17)
        assert error > MAX_LAYER_NORM_ERROR / 2 or kind not in ("normal", "uniform")
        assert error <= MAX_LAYER_NORM_ERROR, dim
    assert layer_norm_error(kind, act_bits, 768, 577) <= MAX_LAYER_NORM_ERROR


def test_layer_norm_of_an_equal_row_is_beta():
    """0 / sqrt(0 + eps): no division by zero, for any value and any eps."""
    for value in (-(2**15), -1, 0, 1, 2**15 - 1):
        for eps in (1, 2**40):
            norm = Norm(eps, requant_of(np.full(9, 2.0**-9), np.arange(9.0)))
            out = golden.layer_norm(np.full(9, value, np.int16), norm, 8)
            assert out.tolist() == list(range(9))


# -- softmax ----------------------------------------------------------------------------------


def score_case(kind, rows, tokens, rng):
    """Integer scores, the real value of one score, and its score_mult and score_shift."""
    unit = 1 / 300
    x = sample(kind, rows, tokens, rng) * (1 if kind in ("100 sigma", "tiny variance") else 3)
    step = unit * math.log2(math.e) * 2**widths.EXP2_FRACTION_BITS
    shift = 47
    while round(step * 2**shift) >= 2**18:
        shift -= 1
    return np.rint(x / unit).astype(np.int32), unit, round(step * 2**shift), shift


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("act_bits", ACT_BITS)
def test_exponents_against_float64(kind, act_bits):
    """exact - 1/2 <= e <= exact * 2^(1/256) + 1/2: the exponent is cut to 1/256, then rounded."""
    full = widths.unsigned_limit(widths.exp_bits(act_bits))
    for tokens in (17, 50, 197, 577):
        rng = np.random.default_rng(tokens)
        scores, unit, mult, shift = score_case(kind, 40, tokens, rng)
        e = golden.exponents(scores, mult, shift, act_bits).astype(float)
        exact = full * np.exp((scores - scores.max(axis=-1, keepdims=True)) * unit)
        assert (e.max(axis=-1) == full).all()
        assert (exact - e).max() <= 0.5 + 1e-3
        assert (e - exact * 2 ** (1 / 256)).max() <= 0.5 + 1e-3
        if kind in ("normal", "uniform"):
            assert (exact - e).max() > 0.4  # the bound is not slack


def test_exponents_of_every_step():
    """Every step of the exponent until 0, so every table entry and every `whole`."""
    for act_bits in ACT_BITS:
        bits = widths.exp_bits(act_bits)
        full = widths.unsigned_limit(bits)
        steps = np.arange((bits + 3) * 256)
        e = golden.exponents(-steps[None], 1, 0, act_bits)[0]
        exact = full * 2.0 ** (-steps / 256)
        assert np.abs(e - exact).max() <= 0.5 + 2e-3
        assert (np.diff(e.astype(int)) <= 0).all() and e[-1] == 0 and e[0] == full


def mean_error(act_bits, tokens):
    """Largest error of weighted_mean in steps of v, against the exact quotient."""
    rng = np.random.default_rng(tokens * act_bits)
    limit = widths.signed_limit(act_bits)
    full = widths.unsigned_limit(widths.exp_bits(act_bits))
    e = rng.integers(0, full + 1, (200, tokens))
    e[:, 0] = full
    v = rng.integers(-limit, limit + 1, (tokens, 9))
    v[:, 0] = limit
    mean = golden.weighted_mean(e, v, act_bits) * 2.0**-widths.NORM_FRACTION_BITS
    return np.abs(mean - (e @ v) / e.sum(axis=-1, keepdims=True)).max()


@pytest.mark.parametrize("act_bits", ACT_BITS)
def test_weighted_mean_against_the_exact_quotient(act_bits):
    errors = [mean_error(act_bits, tokens) for tokens in (1, 17, 50, 197, 577, 4096)]
    assert max(errors) <= MAX_MEAN_ERROR
    if act_bits == 8:
        assert max(errors) > MAX_MEAN_ERROR / 2


def attention_error(kind, act_bits, tokens):
    """softmax(scores) @ v in float64 against the integers, in units of the largest v."""
    rng = np.random.default_rng(tokens + act_bits)
    limit = widths.signed_limit(act_bits)
    scores, unit, mult, shift = score_case(kind, 60, tokens, rng)
    v = rng.integers(-limit, limit + 1, (tokens, 64))
    e = golden.exponents(scores, mult, shift, act_bits)
    mean = golden.weighted_mean(e, v, act_bits) * 2.0**-widths.NORM_FRACTION_BITS
    exact = np.exp((scores - scores.max(axis=-1, keepdims=True)) * unit)
    exact /= exact.sum(axis=-1, keepdims=True)
    return np.abs(mean - exact @ v).max() / limit


@pytest.mark.parametrize("act_bits", ACT_BITS)
def test_attention_against_float64_softmax(act_bits):
    errors = {
        (kind, tokens): attention_error(kind, act_bits, tokens)
        for kind in KINDS
        for tokens in (17, 50, 197, 577)
    }
    worst = max(errors, key=errors.get)
    assert MAX_ATTENTION_ERROR[act_bits] / 2 < errors[worst] <= MAX_ATTENTION_ERROR[act_bits], worst
    limit = widths.signed_limit(act_bits)
    for tokens in (17, 577):  # uniform and one-hot attention lose nothing but the division
        for kind in ("equal", "one-hot", "100 sigma"):
            assert errors[kind, tokens] <= MAX_MEAN_ERROR / limit


@pytest.mark.parametrize("act_bits", ACT_BITS)
def test_a_long_flat_tail_is_the_worst_case(act_bits):
    """One score above 576 equal ones, just so far that their numerators round to 0.

    float64 gives the tail 576 / (576 + 2 L) of the weight, golden none: a stated limit of
    numerators of at most 7 bits, not a mistake. One score step nearer, the tail is there.
    """
    full = widths.unsigned_limit(widths.exp_bits(act_bits))
    for gap, numerator in ((math.log2(2 * full) + 0.02, 0), (math.log2(2 * full) - 0.02, 1)):
        scores = np.zeros((1, 577), np.int32)
        scores[0, 0] = round(gap * 256)
        e = golden.exponents(scores, 1, 0, act_bits)
        assert e[0].tolist() == [full] + [numerator] * 576


# -- gelu -------------------------------------------------------------------------------------


def gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("act_bits", ACT_BITS)
def test_gelu_against_float64(kind, act_bits):
    """Half a step of the output, and half a step of the index times GELU's largest slope."""
    rng = np.random.default_rng(act_bits)
    limit = widths.unsigned_limit(act_bits)
    index_scale = 4.0 / 127
    scale, zero = 4.2 / limit, round(0.17 / 4.2 * limit)
    points = gelu(np.arange(-128, 128) * index_scale)
    table = np.clip(np.rint(points / scale) + zero, 0, limit)
    for tokens, dim in ((17, 65), (577, 64), (17, 1024)):
        real = sample(kind, tokens, dim, rng)
        acc_scale = np.full(dim, 7e-4)
        acc = np.rint(np.clip(real, -700, 700) / acc_scale).astype(np.int32)
        requant = requant_of(acc_scale / index_scale, np.zeros(dim))
        index = golden.requantize(acc, requant, -128, 127)
        hidden = (table[index + 128] - zero) * scale
        seen = np.clip(acc * acc_scale, -128 * index_scale, 127 * index_scale)
        exact = np.clip(gelu(seen), -zero * scale, (limit - zero) * scale)
        assert np.abs(hidden - exact).max() <= scale / 2 + GELU_SLOPE * index_scale / 2 + 1e-4


# -- products ---------------------------------------------------------------------------------


@given(
    act_bits=st.integers(2, 8),
    k=st.integers(1, 40),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_engine_identities_in_any_order(act_bits, k, seed):
    """2S - sum(a); planes, digits and slices of K summed in a random order in acc_bits."""
    rng = np.random.default_rng(seed)
    requant = Requant(np.zeros(3, np.int32), np.zeros(3, np.int64), 0)
    a = rng.integers(0, 2**act_bits, (2, k))
    sign = rng.choice([-1, 1], (3, k)).astype(np.int8)
    subset = a @ (sign > 0).T
    binary = golden.binary_matmul(a, Linear(sign, requant), act_bits)
    assert (binary == 2 * subset - a.sum(axis=1, keepdims=True)).all()
    pixels = rng.choice([0, 255, 128, 1, 77], (2, k))
    weight = rng.choice([-128, 127, 0, -1, 33], (3, k)).astype(np.int8)
    slices = np.array_split(np.arange(k), min(3, k))
    terms = [
        (d, p, part)
        for d in range(widths.pixel_digits(act_bits))
        for p in range(8)
        for part in slices
    ]
    bound = 2 ** (widths.fixed_acc_bits(8, k) - 1)
    acc = np.zeros((2, 3), np.int64)
    for i in rng.permutation(len(terms)):
        d, p, part = terms[i]
        digit = (pixels[:, part] >> (act_bits * d)) & widths.unsigned_limit(act_bits)
        planes = digit @ ((weight[:, part] >> p) & 1).astype(np.int64).T
        acc += (-planes if p == 7 else planes) << (p + act_bits * d)
        assert (-bound <= acc).all() and (acc < bound).all()
    product, pre = golden.fixed_matmul(pixels, Linear(weight, requant), 8)
    assert pre == 0 and (product == acc).all()


@pytest.mark.parametrize(("k", "bound"), [(65793, 2**24 - 1), (65795, 2**24 + 509)])
def test_exact_matmul_on_both_sides_of_float32(k, bound):
    """Odd sums just below 2^24 need all of float32, just above it float64."""
    assert k * 255 == bound
    a, b = np.full((1, k), 255), np.ones((k, 2), np.int8)
    b[: k // 2, 1] = -1
    assert golden.exact_matmul(a, b, bound).tolist() == [[bound, bound - 255 * 2 * (k // 2)]]


def test_exact_matmul_refuses_what_float64_cannot_hold():
    with pytest.raises(ValueError, match="float64"):
        golden.exact_matmul(np.ones((1, 1)), np.ones((1, 1)), 2**53)


# -- the network ------------------------------------------------------------------------------

SMALL = Vit(
    name="small", image_size=12, patch_size=4, channels=3, dim=24, depth=2, heads=3, classes=7
)


@pytest.fixture(scope="module")
def net():
    images = np.random.default_rng(1).integers(0, 256, (4, 12, 12, 3), dtype=np.uint8)
    return calibrate.calibrate(SMALL, 6, parameters.random(SMALL, 0), images, "seeded")


def test_run_does_not_depend_on_the_batch(net, monkeypatch):
    images = np.random.default_rng(2).integers(0, 256, (5, 12, 12, 3), dtype=np.uint8)
    together = golden.run(net, images)
    assert together.dtype == np.int32 and together.shape == (5, 7)
    assert len(np.unique(together)) == together.size
    monkeypatch.setattr(golden, "_BATCH_TOKEN_CHANNELS", 1)
    reports = []
    assert (golden.run(net, images, lambda *state: reports.append(state)) == together).all()
    assert reports == [("golden", done, 5) for done in range(1, 6)]
    assert (golden.layers(net, images[3])["head"] == together[3]).all()
    assert golden.run(net, images[:0]).shape == (0, 7)


def test_the_layers_of_the_first_image_come_with_the_logits_of_all(net, monkeypatch):
    images = np.random.default_rng(2).integers(0, 256, (5, 12, 12, 3), dtype=np.uint8)
    wanted, alone = golden.run(net, images), golden.layers(net, images[0])
    blocks = []
    block = golden.block
    monkeypatch.setattr(golden, "block", lambda x, *rest: blocks.append(len(x)) or block(x, *rest))
    logits, layers = golden.with_layers(net, images)
    assert blocks == [5] * SMALL.depth  # no image is computed twice
    assert np.array_equal(logits, wanted)
    assert list(layers) == list(alone)
    assert all(np.array_equal(layers[name], alone[name]) for name in alone)


def test_layers_come_in_order_with_their_types(net):
    image = np.zeros((12, 12, 3), np.uint8)
    layers = golden.layers(net, image)
    block = {
        "norm1": ("uint8", (10, 24)),
        "attn.qkv": ("int8", (10, 72)),
        "attn.context": ("uint8", (10, 24)),
        "attn.proj": ("int16", (10, 24)),
        "norm2": ("uint8", (10, 24)),
        "mlp.fc1": ("uint8", (10, 96)),
        "mlp.fc2": ("int16", (10, 24)),
    }
    wanted = {"embed": ("int16", (10, 24))}
    wanted |= {f"blocks.{i}.{name}": kind for i in range(2) for name, kind in block.items()}
    wanted |= {"norm": ("uint8", (1, 24)), "head": ("int32", (7,))}
    assert {name: (str(a.dtype), a.shape) for name, a in layers.items()} == wanted
    assert list(layers) == list(wanted)
    told = [layer.name for layer in of_frame(2)]  # the embedding has a name of timm's there
    assert list(layers)[1:] == [name for name in told if name in layers]


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((1, 12, 12, 3), np.float32),
        np.zeros((1, 12, 12, 1), np.uint8),
        np.zeros((1, 3, 12, 12), np.uint8),
        np.zeros((12, 12, 3), np.uint8),
    ],
)
def test_images_of_another_kind_are_refused(net, images):
    with pytest.raises(ValueError, match="uint8"):
        golden.run(net, images)


def test_a_tie_goes_to_the_lowest_class():
    assert golden.labels(np.array([[1, 5, 5], [3, 3, 3], [-9, -2, -2]])).tolist() == [1, 0, 1]


def test_residual_saturates_twice():
    """The update is clamped before the sum: -20000 + 32767, not -20000 + 40000."""
    x = np.array([-20000, -20000, 20000, 20000], np.int16)
    acc = np.array([40000, 60000, -60000, 100])
    q = Requant(np.ones(4, np.int32), np.zeros(4, np.int64), 0)
    assert golden.add_residual(x, acc, q).tolist() == [12767, 12767, -12768, 20100]


def test_a_patch_reads_channel_row_column():
    vit = replace(SMALL, image_size=8, dim=48, heads=1)
    images = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), dtype=np.uint8)
    base = calibrate.calibrate(vit, 8, parameters.random(vit, 0), images, "seeded")
    plain = Requant(np.ones(48, np.int32), np.zeros(48, np.int64), 0)
    eye = Linear(np.eye(48, dtype=np.int8), plain)
    net = replace(base, embed=eye, position=np.zeros_like(base.position))
    x = golden.embed(net, images)
    for token, (y, z) in enumerate([(0, 0), (0, 4), (4, 0), (4, 4)]):
        patch = images[0, y : y + 4, z : z + 4]
        wanted = [patch[i, j, c] for c in range(3) for i in range(4) for j in range(4)]
        assert x[0, 1 + token].tolist() == wanted
    assert not x[0, 0].any()
