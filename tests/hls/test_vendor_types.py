"""The library compiled against AMD's own ap_int.h and hls_stream.h computes the same bits."""

from dataclasses import replace

import numpy as np
import pytest
from hls_bench import (
    FAST_COMPILE,
    QUIET,
    calibrated,
    design_for,
    extreme,
    pictures,
    saturated,
    small_vit,
    write_data,
)

DESIGNS = {
    "table": {"act_bits": 8, "attention_rows": 2, "share": 1, "tokens": 2, "norm_tokens": 1},
    "adder": {
        "engine": "adder",
        "act_bits": 5,
        "pe": 8,
        "simd": 64,
        "weight_ports": 4,
        "resident": True,
    },
}


@pytest.mark.parametrize("name", DESIGNS)
def test_network_with_vendor_types(bench, tmp_path, vendor_types, name):
    vit = small_vit(distilled=name == "adder")
    design = design_for([vit], **DESIGNS[name])
    kernel = bench.kernel(design, FAST_COMPILE + QUIET, AP_TYPES=str(vendor_types))
    for make in (calibrated, extreme):
        network = make(vit, design.act_bits, 0)
        kernel.check(write_data(tmp_path / make.__name__, design, network, pictures(vit, 3, 0)))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["table", "adder"])
def test_widest_network_with_vendor_types(bench, tmp_path, vendor_types, engine):
    """Dim 1024, hidden 4096, a 32 x 32 patch: each width and sum at its largest."""
    vit = small_vit(image_size=32, patch_size=32, channels=3, dim=1024, heads=4, mlp_ratio=4)
    vit = replace(vit, depth=1)
    changes = {"engine": engine, "simd": 256, "weight_ports": 2, "attention_lanes": 64}
    design = design_for([vit], tokens=2, attention_rows=2, **changes)
    kernel = bench.kernel(design, "-O2" + QUIET, AP_TYPES=str(vendor_types))
    white = np.full((1, 32, 32, 3), 255, np.uint8)
    kernel.check(write_data(tmp_path / "full", design, saturated(vit, 8), white))
    noise = pictures(vit, 1, 0)
    kernel.check(write_data(tmp_path / "extreme", design, extreme(vit, 8, 0), noise))
