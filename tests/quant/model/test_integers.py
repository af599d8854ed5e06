"""integers.py against golden.py, which was written apart from it: equal, everywhere."""

import numpy as np
import pytest
import torch
from samples import noise

from vaqf.arithmetic import widths
from vaqf.model.vit import Vit
from vaqf.network import calibrate, parameters
from vaqf.network.structure import Norm, Requant
from vaqf.quant.model import integers
from vaqf.sim import golden

TINY = Vit(
    name="tiny",
    image_size=8,
    patch_size=2,
    channels=1,
    dim=24,
    depth=2,
    heads=4,
    classes=10,
    mean=(0.5,),
    std=(0.5,),
)
ODD = (
    {"dim": 21, "heads": 7, "depth": 1, "mlp_ratio": 3, "qkv_bias": False, "classes": 3},
    {"dim": 15, "heads": 1, "distilled": True, "mlp_ratio": 1.4, "classes": 2},
    {
        "image_size": 15,
        "patch_size": 5,
        "channels": 3,
        "dim": 33,
        "heads": 3,
        "mean": (0.5, 0.4, 0.3),
        "std": (0.2, 0.3, 0.4),
        "ln_eps": 1e-12,
    },
    {"image_size": 4, "patch_size": 4, "depth": 1, "dim": 8, "heads": 2, "mlp_ratio": 0.5},
)


def random_requant(rng: np.random.Generator, n: int, shift: int) -> Requant:
    mult = rng.integers(-(2**17), 2**17, n).astype(np.int32)
    return Requant(mult, rng.integers(-(2**40), 2**40, n), shift)


@pytest.mark.parametrize("act_bits", range(2, 9))
def test_whole_networks(act_bits: int) -> None:
    for changes in ({}, *ODD):
        vit = Vit(**{**TINY.__dict__, **changes})
        images = noise(vit, 5)
        params = parameters.random(vit, act_bits)
        network = calibrate.calibrate(vit, act_bits, params, images[:2], "random")
        expected = golden.run(network, images)
        got = integers.run(network, torch.from_numpy(images)).numpy()
        np.testing.assert_array_equal(got, expected)
        assert len(np.unique(expected)) > expected.size // 2  # not a network of zeros


def test_no_images_give_no_logits() -> None:
    params = parameters.random(TINY, 0)
    network = calibrate.calibrate(TINY, 8, params, noise(TINY, 1), "random")
    assert integers.run(network, torch.from_numpy(noise(TINY, 0))).shape == (0, 10)


def test_batches_do_not_change_the_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    params = parameters.random(TINY, 0)
    images = torch.from_numpy(noise(TINY, 7))
    network = calibrate.calibrate(TINY, 5, params, noise(TINY, 1), "random")
    whole = integers.run(network, images)
    monkeypatch.setattr(integers, "_BATCH_VALUES", 1)
    assert torch.equal(integers.run(network, images), whole)


def test_autocast_cannot_touch_the_integers() -> None:
    params = parameters.random(TINY, 3)
    images = noise(TINY, 3)
    network = calibrate.calibrate(TINY, 8, params, images, "random")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = integers.run(network, torch.from_numpy(images))
    np.testing.assert_array_equal(got.numpy(), golden.run(network, images))


@pytest.mark.parametrize("dim", [1, 7, 64, 1024])
@pytest.mark.parametrize("act_bits", [2, 8])
def test_layer_norm(dim: int, act_bits: int) -> None:
    rng = np.random.default_rng(dim)
    rows = [
        rng.integers(-(2**15), 2**15, (50, dim)),
        rng.integers(-3, 4, (50, dim)),
        np.full((1, dim), 32767),
        np.full((1, dim), -32768),
        np.zeros((1, dim)),
        np.where(np.arange(dim) == dim // 2, 32767, -32768)[None],
    ]
    x = np.concatenate(rows).astype(np.int16)
    for eps in (1, 12345, 2**40 - 1):
        norm = Norm(eps, random_requant(rng, dim, 25))
        got = integers.layer_norm(torch.from_numpy(x.astype(np.int64)), norm, act_bits)
        np.testing.assert_array_equal(got.numpy(), golden.layer_norm(x, norm, act_bits))


@pytest.mark.parametrize("act_bits", range(2, 9))
def test_softmax(act_bits: int) -> None:
    rng = np.random.default_rng(act_bits)
    limit = widths.signed_limit(act_bits)
    for tokens in (1, 17, 577):
        scores = rng.integers(-64 * limit**2, 64 * limit**2 + 1, (3, 5, tokens))
        values = rng.integers(-limit, limit + 1, (3, tokens, 6))
        for mult, shift in ((0, 0), (1, 0), (2**18 - 1, 20), (2**18 - 1, 0), (200_000, 47)):
            expected = golden.exponents(scores, mult, shift, act_bits)
            e = integers.softmax_numerators(torch.from_numpy(scores), mult, shift, act_bits)
            np.testing.assert_array_equal(e.numpy(), expected)
            mean = integers.context(e, torch.from_numpy(values), act_bits)
            np.testing.assert_array_equal(
                mean.numpy(), golden.weighted_mean(expected, values, act_bits)
            )


def test_rescale_saturates_and_floors_like_golden() -> None:
    rng = np.random.default_rng(5)
    acc = rng.integers(-(2**26), 2**26, (200, 9))
    for shift in (0, 1, 20, 47):
        requant = random_requant(rng, 9, shift)
        got = integers.rescale(torch.from_numpy(acc), requant, -128, 127).numpy()
        np.testing.assert_array_equal(got, golden.requantize(acc, requant, -128, 127))


def test_products_refuse_what_float64_cannot_hold() -> None:
    a = torch.full((1, 2), 2**26, dtype=torch.int64)
    assert int(integers.product(a, a.T, 2**53)) == 2**53
    with pytest.raises(ValueError, match="not exact"):
        integers.product(a, a.T, 2**53 + 1)
