"""No undefined behaviour, no access out of bounds, no use of uninitialized memory."""

import pytest
from hls_bench import (
    FAST_COMPILE,
    SANITIZED,
    calibrated,
    design_for,
    extreme,
    pictures,
    small_vit,
    write_data,
)

DESIGNS = {
    "table": {"act_bits": 7, "pe": 1, "simd": 128, "share": 2, "attention_lanes": 4},
    "adder": {"engine": "adder", "act_bits": 4, "frames_in_flight": 1, "resident": True},
}


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("flags", [SANITIZED, f"{FAST_COMPILE} -ftrivial-auto-var-init=pattern"])
def test_clean(bench, tmp_path, name, flags):
    vit = small_vit(distilled=name == "adder", dim=36, heads=3)
    design = design_for([vit], **DESIGNS[name])
    kernel = bench.kernel(design, flags)
    for make in (calibrated, extreme):
        network = make(vit, design.act_bits, 1)
        kernel.check(write_data(tmp_path / make.__name__, design, network, pictures(vit, 3, 0)))
