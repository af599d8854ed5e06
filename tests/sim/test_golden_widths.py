"""docs/arithmetic.md in plain Python integers, every intermediate held to its stated width.

Written from the page, one value at a time, with no numpy and nothing of sim/golden.py; golden has
to equal it on ordinary networks and on networks whose every constant is as extreme as legal.
"""

import math
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from vaqf.arithmetic import widths
from vaqf.model.vit import Vit
from vaqf.network import calibrate, networkfile, parameters
from vaqf.network.structure import Attention, Block, Linear, Network, Norm, Requant
from vaqf.sim import golden


def s(value, bits):
    """The value, which must be a signed number of this many bits."""
    assert -(1 << (bits - 1)) <= value < 1 << (bits - 1), f"{value} is no s{bits}"
    return value


def u(value, bits):
    """The value, which must be an unsigned number of this many bits."""
    assert 0 <= value < 1 << bits, f"{value} is no u{bits}"
    return value


def clamp(value, low, high):
    return min(max(value, low), high)


def requantize(value, q, n, low, high, pre=0):
    mult, bias, shift = int(q.mult[n]), int(q.bias[n]), q.shift
    product = s(s(value >> pre, 27) * s(mult, 18), 45)
    return clamp(s(product + s(bias, 48), 48) >> u(shift, 6), low, high)


def nearest(x):
    """Nearest integer to a real; the tables have no ties."""
    assert abs(x - math.floor(x) - 0.5) > 1e-6
    return math.floor(x + 0.5)


EXP2 = [nearest(2.0 ** (16 - i / 256)) for i in range(256)]


def octave(f):
    samples = [min(nearest(f(1 + Fraction(i, 128)) * 2**17), 2**17 - 1) for i in range(129)]
    return [(u(a, 17), u(a - b, 10)) for a, b in pairwise(samples)]


RECIPROCAL = octave(lambda x: 1 / float(x))
RSQRT = (octave(lambda x: 1 / math.sqrt(x)), octave(lambda x: 1 / math.sqrt(2 * x)))


def mantissa(table, v):
    """(r, e) of a positive integer by an octave table."""
    e = v.bit_length() - 1
    fraction = v - (1 << e)
    fraction = fraction << (17 - e) if e <= 17 else fraction >> (e - 17)
    index, offset = u(fraction, 17) >> 10, fraction & 1023
    value, slope = table[index]
    r = u(value - (u(slope * offset, 20) >> 10), 17)
    assert r >= 2**16
    return r, e


def layer_norm(x, norm, act_bits):
    d = len(x)
    total = s(sum(x), 26)
    squares = u(sum(v * v for v in x), 41)
    variance = u(u(d * squares, 51) - u(total * total, 51) + u(norm.eps, 41), 51)
    r, e = mantissa(RSQRT[(variance.bit_length() - 1) & 1], variance)
    half = u(e >> 1, 5)
    assert half <= 25
    normal = [s(s(s(d * v - total, 27) * r, 44) >> (3 + half), 20) for v in x]
    return [requantize(v, norm.requant, i, 0, 2**act_bits - 1) for i, v in enumerate(normal)]


def exponents(scores, layer, act_bits):
    n = min(act_bits, 7)
    full = 2**n - 1
    out, top = [], max(scores)
    for score in scores:
        delta = u(top - score, 25)
        step = u(delta * u(layer.score_mult, 18), 43) >> layer.score_shift
        step = min(step, 4095)  # the page: may be saturated at 12 bits
        whole = min(step >> 8, n + 1)
        value = u(EXP2[step & 255], 17)
        total = u(u(value * full, 23) + (1 << (15 + whole)), 24)
        out.append(u(total >> (16 + whole), n))
    assert max(out) == full
    return out


def context(e, v, layer, channel, act_bits):
    """One channel of one token: numerators e, values v of that channel."""
    sum_ev = s(sum(a * b for a, b in zip(e, v, strict=True)), 27)
    r, ex = mantissa(RECIPROCAL, u(sum(e), 19))
    mean = s(s(sum_ev * r, 44) >> (3 + ex), 22)
    return requantize(mean, layer.context, channel, 0, 2**act_bits - 1)


def attention(qkv, layer, heads, act_bits):
    limit = 2 ** (act_bits - 1) - 1
    d = len(qkv[0]) // 3
    c = d // heads
    assert all(-limit <= value <= limit for row in qkv for value in row)
    out = []
    for row in qkv:
        token = []
        for h in range(heads):
            q = row[h * c : (h + 1) * c]
            ks = [other[d + h * c : d + (h + 1) * c] for other in qkv]
            bits = (c * limit**2).bit_length() + 1
            scores = [s(sum(a * b for a, b in zip(q, k, strict=True)), bits) for k in ks]
            e = exponents(scores, layer, act_bits)
            for i in range(h * c, (h + 1) * c):
                token.append(context(e, [o[2 * d + i] for o in qkv], layer, i, act_bits))
        out.append(token)
    return out


def binary_matmul(a, linear, act_bits):
    """2S - sum(a) per output of one token."""
    bits = (len(a) * (2**act_bits - 1)).bit_length() + 1
    total = sum(u(value, act_bits) for value in a)
    out = []
    for row in linear.weight.tolist():
        subset = sum(value for value, weight in zip(a, row, strict=True) if weight == 1)
        out.append(s(2 * subset - total, bits))
    return out


def fixed_matmul(a, linear, input_bits, digit_bits):
    """Digits and planes of one token, plane 7 first, every partial sum within the accumulator."""
    bits = (len(a) * (2**input_bits - 1) * 128).bit_length() + 1
    out = []
    for row in linear.weight.tolist():
        acc = 0
        for d in range(-(-input_bits // digit_bits)):
            digits = [(u(v, input_bits) >> (digit_bits * d)) & (2**digit_bits - 1) for v in a]
            for p in reversed(range(8)):
                subset = sum(v for v, w in zip(digits, row, strict=True) if (w >> p) & 1)
                acc = s(acc + ((-subset if p == 7 else subset) << (p + digit_bits * d)), bits)
        out.append(acc)
    return out, max(0, bits - 27)


def residual(x, accs, q, pre=0):
    low, high = -(2**15), 2**15 - 1
    return [
        clamp(s(old + requantize(acc, q, n, low, high, pre), 17), low, high)
        for n, (old, acc) in enumerate(zip(x, accs, strict=True))
    ]


def patches(image, patch):
    size, channels, within = len(image), len(image[0][0]), range(patch)
    return [
        [image[y + i][x + j][c] for c in range(channels) for i in within for j in within]
        for y in range(0, size, patch)
        for x in range(0, size, patch)
    ]


def run(net, image):
    """Every layer's output by name, as nested lists."""
    vit, bits = net.vit, net.act_bits
    limit = 2 ** (bits - 1) - 1
    rows = [[0] * vit.patch_inputs for _ in range(vit.prefix_tokens)]
    rows += patches(image.tolist(), vit.patch_size)
    x = []
    for start, row in zip(net.position.tolist(), rows, strict=True):
        accs, pre = fixed_matmul(row, net.embed, 8, bits)
        x.append(residual(start, accs, net.embed.requant, pre))
    out = {"embed": x}
    for i, layer in enumerate(net.blocks):
        a = [layer_norm(row, layer.norm1, bits) for row in x]
        qkv = [
            [requantize(v, layer.qkv.requant, n, -limit, limit) for n, v in enumerate(accs)]
            for accs in (binary_matmul(row, layer.qkv, bits) for row in a)
        ]
        mixed = attention(qkv, layer.attention, vit.heads, bits)
        y = [
            residual(row, binary_matmul(c, layer.proj, bits), layer.proj.requant)
            for row, c in zip(x, mixed, strict=True)
        ]
        b = [layer_norm(row, layer.norm2, bits) for row in y]
        hidden = [
            [
                int(layer.gelu[requantize(v, layer.fc1.requant, n, -128, 127) + 128])
                for n, v in enumerate(binary_matmul(row, layer.fc1, bits))
            ]
            for row in b
        ]
        x = [
            residual(row, binary_matmul(h, layer.fc2, bits), layer.fc2.requant)
            for row, h in zip(y, hidden, strict=True)
        ]
        names = ("norm1", "attn.qkv", "attn.context", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")
        for name, value in zip(names, (a, qkv, mixed, y, b, hidden, x), strict=True):
            out[f"blocks.{i}.{name}"] = value
    final = [layer_norm(row, net.norm, bits) for row in x[: vit.prefix_tokens]]
    out["norm"] = final
    accs, pre = fixed_matmul([v for row in final for v in row], net.head, bits, bits)
    head = net.head.requant
    out["head"] = [requantize(v, head, n, -(2**23), 2**23 - 1, pre) for n, v in enumerate(accs)]
    return out


TINY = Vit(
    name="tiny", image_size=6, patch_size=2, channels=2, dim=10, depth=2, heads=2,
    mlp_ratio=1.5, classes=5, mean=(0.4, 0.6), std=(0.2, 0.3),
)  # fmt: skip


def image_of(vit, seed):
    shape = (vit.image_size, vit.image_size, vit.channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def assert_equal(net, image):
    mine = run(net, image)
    theirs = golden.layers(net, image)
    assert list(mine) == list(theirs)
    for name, value in theirs.items():
        assert mine[name] == value.tolist(), name
    return theirs


@pytest.mark.parametrize("act_bits", range(2, 9))
@pytest.mark.parametrize("distilled", [False, True])
def test_golden_equals_the_page_on_calibrated_networks(act_bits, distilled):
    vit = replace(TINY, distilled=distilled)
    image = image_of(vit, act_bits)
    params = parameters.random(vit, act_bits)
    net = calibrate.calibrate(vit, act_bits, params, image[None], "seeded")
    layers = assert_equal(net, image)
    assert len(np.unique(layers["blocks.1.attn.context"])) > 2  # not saturated flat


def random_requant(rng, n, value_bits, out_bits):
    """Any legal constants: some extreme, most such that outputs of value_bits fill out_bits."""
    if rng.random() < 0.3:
        mult = rng.choice([-(2**17), 2**17 - 1, 0, 1], n)
        bias = rng.choice([-widths.BIAS_LIMIT, widths.BIAS_LIMIT, 0], n)
        return Requant(mult.astype(np.int32), bias, int(rng.integers(0, 48)))
    shift = int(np.clip(value_bits + 15 - out_bits + rng.integers(0, 4), 0, 47))
    mult = rng.integers(-(2**17), 2**17, n).astype(np.int32)
    reach = 2 ** min(shift + out_bits, 46)
    return Requant(mult, rng.integers(-reach, reach, n), shift)


def random_network(vit, act_bits, seed):
    """A network of random legal constants."""
    rng = np.random.default_rng(seed)
    d = vit.dim

    def norm():
        return Norm(int(2 ** rng.integers(0, 41)), random_requant(rng, d, 17, act_bits))

    def binary(n, k, out_bits):
        weight = rng.choice(np.array([-1, 1], np.int8), (n, k))
        bits = widths.binary_acc_bits(act_bits, k)
        return Linear(weight, random_requant(rng, n, bits, out_bits))

    def fixed(n, k, input_bits, out_bits):
        weight = rng.integers(-128, 128, (n, k), dtype=np.int8)
        bits = widths.fixed_acc_bits(input_bits, k)
        return Linear(weight, random_requant(rng, n, bits, out_bits))

    def block():
        score_bits = widths.signed_bits(vit.head_dim * widths.signed_limit(act_bits) ** 2)
        return Block(
            norm1=norm(),
            qkv=binary(3 * d, d, act_bits),
            attention=Attention(
                int(rng.integers(0, 2**18)),
                int(np.clip(score_bits + 6 + rng.integers(0, 6), 0, 47)),
                random_requant(rng, d, 20, act_bits),
            ),
            proj=binary(d, d, 16),
            norm2=norm(),
            fc1=binary(vit.hidden, d, 8),
            gelu=rng.integers(0, 2**act_bits, 256).astype(np.uint8),
            fc2=binary(d, vit.hidden, 16),
        )

    return Network(
        vit=vit,
        act_bits=act_bits,
        origin="random constants",
        logit_scale=1.0,
        embed=fixed(d, vit.patch_inputs, 8, 16),
        position=rng.integers(-(2**15), 2**15, (vit.tokens, d)).astype(np.int16),
        blocks=tuple(block() for _ in range(vit.depth)),
        norm=norm(),
        head=fixed(vit.classes, vit.prefix_tokens * d, act_bits, 24),
    )


@pytest.mark.parametrize("seed", range(42))
def test_golden_equals_the_page_on_random_legal_constants(seed):
    act_bits = 2 + seed % 7
    heads = (1, 2, 5)[seed % 3]
    vit = replace(TINY, heads=heads, distilled=bool(seed & 1), mlp_ratio=(0.7, 2.3)[seed % 2])
    assert_equal(random_network(vit, act_bits, seed), image_of(vit, seed))


def test_random_constants_are_legal_networks(tmp_path):
    net = random_network(TINY, 5, 3)
    path = tmp_path / "n.safetensors"
    path.write_bytes(networkfile.to_bytes(net))
    assert networkfile.to_bytes(networkfile.read(path)) == networkfile.to_bytes(net)


@pytest.mark.parametrize("patch_size", [16, 32])
def test_patch_embedding_with_and_without_pre_shift(patch_size):
    """White and black images under weights of -128 and 127: the largest accumulators there are."""
    vit = Vit(
        name="patch", image_size=patch_size, patch_size=patch_size, dim=4, depth=1, heads=1,
        classes=2,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    net = random_network(vit, 3, 1)
    k = vit.patch_inputs
    rows = [np.full(k, -128), np.full(k, 127), rng.integers(-128, 128, k), np.zeros(k)]
    bits = widths.fixed_acc_bits(8, k)
    assert bits == {16: 26, 32: 28}[patch_size]
    requant = Requant(
        np.array([2**17 - 1, 2**17 - 1, 2**16, -(2**17)], np.int32), np.full(4, 2**27), 28
    )
    net = replace(net, embed=Linear(np.array(rows, np.int8), requant))
    for image in (np.full((patch_size, patch_size, 3), 255, np.uint8), image_of(vit, 2)):
        accs, pre = fixed_matmul(patches(image.tolist(), patch_size)[0], net.embed, 8, 3)
        assert pre == {16: 0, 32: 1}[patch_size]
        x = residual(net.position[1].tolist(), accs, requant, pre)
        assert golden.embed(net, image[None])[0, 1].tolist() == x


EXTREME_ROWS = {
    "lowest": lambda d: [-(2**15)] * d,
    "highest": lambda d: [2**15 - 1] * d,
    "halves": lambda d: [-(2**15)] * (d // 2) + [2**15 - 1] * (d - d // 2),
    "one low": lambda d: [2**15 - 1] * (d - 1) + [-(2**15)],
    "one high": lambda d: [-(2**15)] * (d - 1) + [2**15 - 1],
    "one step": lambda d: [7] * (d - 1) + [8],
}


@pytest.mark.parametrize("row", EXTREME_ROWS)
@pytest.mark.parametrize("eps", [1, 2**40])
@pytest.mark.parametrize("dim", [1, 2, 1023, 1024])
def test_layer_norm_of_extreme_rows_stays_in_its_widths(row, eps, dim):
    x = EXTREME_ROWS[row](dim)
    mult = np.full(dim, 2**17 - 1, np.int32)
    norm = Norm(eps, Requant(mult, np.full(dim, widths.BIAS_LIMIT), 40))
    low = replace(norm, requant=replace(norm.requant, bias=-norm.requant.bias))
    fair = Norm(eps, Requant(np.full(dim, 2**11, np.int32), np.full(dim, 2**27), 20))
    for each in (norm, low, fair):
        got = golden.layer_norm(np.array(x, np.int16), each, 8)
        assert got.tolist() == layer_norm(x, each, 8)


@pytest.mark.parametrize("act_bits", range(2, 9))
@pytest.mark.parametrize("tokens", [1, 577, 4096])
def test_attention_extremes_stay_in_their_widths(act_bits, tokens):
    limit = widths.signed_limit(act_bits)
    top = 1024 * limit**2
    rng = np.random.default_rng(tokens)
    requant = Requant(np.array([2**17 - 1], np.int32), np.array([2**35]), 36)
    rows = {
        "equal": [top] * tokens,
        "one-hot": [-top] * (tokens - 1) + [top],
        "random": rng.integers(-top, top + 1, tokens).tolist(),
    }
    for name, scores in rows.items():
        for mult, shift in ((2**18 - 1, 0), (2**18 - 1, 30), (1, 47), (0, 0)):
            layer = Attention(mult, shift, requant)
            e = exponents(scores, layer, act_bits)
            got = golden.exponents(np.array([scores]), mult, shift, act_bits)
            assert got[0].tolist() == e, name
            for v in ([limit] * tokens, [-limit] * tokens):
                mean = golden.weighted_mean(got, np.array(v)[:, None], act_bits)
                wanted = context(e, v, layer, 0, act_bits)
                assert golden.requantize(mean, requant, 0, 2**act_bits - 1).tolist() == [[wanted]]


def test_requantize_at_the_corners_of_its_ports():
    """27 x 18 bits plus the largest bias is exactly 48 bits: one more would overflow."""
    for value in (-(2**26), 2**26 - 1, -1, 0, 1):
        for mult in (-(2**17), 2**17 - 1, -1, 0, 1):
            for bias in (-widths.BIAS_LIMIT, widths.BIAS_LIMIT, 0):
                for shift in (0, 1, 47):
                    q = Requant(np.array([mult]), np.array([bias]), shift)
                    got = golden.requantize(np.array([value]), q, -(2**47), 2**47 - 1)
                    assert got.tolist() == [requantize(value, q, 0, -(2**47), 2**47 - 1)]
    with pytest.raises(AssertionError, match="no s48"):
        beyond = Requant(np.array([-(2**17)]), np.array([widths.BIAS_LIMIT + 1]), 0)
        requantize(-(2**26), beyond, 0, 0, 1)


def test_requantize_rounds_ties_up_and_shifts_with_floor():
    q = Requant(np.array([1]), np.array([2]), 2)  # a quarter, with the rounding half
    values = np.arange(-10, 11)[:, None]
    got = golden.requantize(values, q, -100, 100)[:, 0]
    assert got.tolist() == [math.floor(v / 4 + 0.5) for v in range(-10, 11)]
    plain = Requant(np.array([1]), np.array([0]), 0)
    assert golden.requantize(np.array([-3]), plain, -9, 9, pre=1).tolist() == [-2]
