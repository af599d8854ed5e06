"""The library compiled against AMD's own ap_int.h and hls_stream.h computes the same bits."""

import pytest
from hls_bench import (
    FAST_COMPILE,
    QUIET,
    calibrated,
    design_for,
    extreme,
    pictures,
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
