"""Random networks on a few designs, one binary each: every layer and logit equals golden's."""

from dataclasses import replace

import numpy as np
import pytest
from hls_bench import (
    calibrated,
    design_for,
    extreme,
    pictures,
    saturated,
    small_vit,
    write_data,
)
from random_designs import DESIGNS, MORE_DESIGNS, fitted

PER_DESIGN = 4
MORE_PER_DESIGN = 20


def check(bench, tmp_path, name, number, count):
    design, vits = fitted(name, count)
    vit, frames = vits[number], 1 + number % 5
    for make in (calibrated, extreme):
        network = make(vit, design.act_bits, number)
        images = pictures(vit, frames, number + 1)
        data = write_data(tmp_path / make.__name__, design, network, images)
        assert np.unique(data.layers["embed"]).size > 1
        bench.kernel(design).check(data)


@pytest.mark.parametrize("number", range(PER_DESIGN))
@pytest.mark.parametrize("name", DESIGNS)
def test_random_network(bench, tmp_path, name, number):
    check(bench, tmp_path, name, number, PER_DESIGN)


@pytest.mark.parametrize("engine", ["table", "adder"])
def test_widest_network(bench, tmp_path, engine):
    """The largest dim and hidden size, a 32 x 32 patch (pre-shift), every sum at its limit."""
    vit = small_vit(image_size=96, patch_size=32, channels=3, dim=1024, heads=4, mlp_ratio=4)
    vit = replace(vit, depth=1, distilled=True)
    changes = {"engine": engine, "simd": 256, "weight_ports": 2, "attention_lanes": 64}
    design = design_for([vit], tokens=2, attention_rows=2, **changes)
    kernel = bench.kernel(design, "-O3 -march=native")
    images = np.full((2, 96, 96, 3), 255, np.uint8)
    kernel.check(write_data(tmp_path / "full", design, saturated(vit, 8), images))
    images = pictures(vit, 1, 0)
    kernel.check(write_data(tmp_path / "extreme", design, extreme(vit, 8, 0), images))


@pytest.mark.slow
@pytest.mark.parametrize("name", DESIGNS | MORE_DESIGNS)
def test_more_random_networks(bench, tmp_path, name):
    for number in range(MORE_PER_DESIGN):
        folder = tmp_path / str(number)
        folder.mkdir()
        check(bench, folder, name, number, MORE_PER_DESIGN)
