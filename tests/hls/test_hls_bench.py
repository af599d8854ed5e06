"""What the random tests feed is what a network file may hold."""

import pytest
from hls_bench import extreme, small_vit

from vaqf.network import networkfile


@pytest.mark.parametrize("act_bits", range(2, 9))
def test_extreme_networks_are_legal(tmp_path, act_bits):
    made = extreme(small_vit(distilled=True), act_bits, act_bits)
    path = tmp_path / "network.safetensors"
    path.write_bytes(networkfile.to_bytes(made))
    assert networkfile.sha256(networkfile.read(path)) == networkfile.sha256(made)
