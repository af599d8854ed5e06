"""Networks in torch on numpy images: what vaqf evaluate runs with --torch and --float."""

import numpy as np
import pytest
import torch
from samples import noise

from vaqf.model import zoo
from vaqf.model.vit import Vit
from vaqf.network import calibrate, parameters
from vaqf.quant import inference
from vaqf.quant.model import threads
from vaqf.sim import golden, ranges

TINY = Vit(
    name="tiny",
    image_size=8,
    patch_size=4,
    channels=3,
    dim=16,
    depth=2,
    heads=2,
    classes=6,
    distilled=True,
)


def test_what_is_recorded_is_what_golden_records() -> None:
    images = noise(TINY, 6)
    network = calibrate.calibrate(TINY, 5, parameters.random(TINY, 0), images, "random")
    seen: dict[str, list[np.ndarray]] = {}
    expected: dict[str, list[np.ndarray]] = {}
    logits = inference.integer_logits(
        network, images, lambda name, value: seen.setdefault(name, []).append(value.numpy())
    )
    want = golden.run(
        network, images, record=lambda name, value: expected.setdefault(name, []).append(value)
    )
    assert logits.dtype == np.int32
    np.testing.assert_array_equal(logits, want)
    assert list(seen) == list(expected)
    for name, values in seen.items():
        np.testing.assert_array_equal(np.concatenate(values), np.concatenate(expected[name]))


def test_a_histogram_is_numpys() -> None:
    values = np.random.default_rng(0).integers(-7, 6, (4, 5, 6))
    found = inference.histogram(torch.from_numpy(values), -7, 15)
    assert isinstance(found, np.ndarray)
    assert found.tolist() == ranges.histogram(values, -7, 15).tolist()
    assert (found.sum(), len(found)) == (values.size, 15)


@pytest.mark.parametrize(("name", "expected"), [("vit_digits", 1), ("deit_tiny", 3)])
def test_a_small_model_gets_one_thread(name: str, expected: int) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with threads.fitting(zoo.load(name)):
            assert torch.get_num_threads() == expected
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
