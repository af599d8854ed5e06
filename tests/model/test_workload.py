"""MACs per layer: the table of the papers, exactly."""

import pytest

from vaqf.model import zoo
from vaqf.model.workload import workload

# MMAC per frame of 197 tokens and 12 blocks: patch, qkv, QK^T, AV, proj, fc1, fc2, head
_TABLE = {
    "deit_tiny": (28.9, 261.4, 89.4, 89.4, 87.1, 348.6, 348.6, 0.19),
    "deit_small": (57.8, 1045.8, 178.8, 178.8, 348.6, 1394.3, 1394.3, 0.38),
    "deit_base": (115.6, 4183.0, 357.7, 357.7, 1394.3, 5577.4, 5577.4, 0.77),
}
_KINDS = ("patch_embed", "qkv", "scores", "context", "proj", "fc1", "fc2", "head")
_TOTAL = {"deit_tiny": 1_253_683_200, "deit_small": 4_598_882_304, "deit_base": 17_563_828_224}


@pytest.mark.parametrize("name", list(_TABLE))
def test_macs_equal_the_table(name: str) -> None:
    layers = workload(zoo.load(name))
    for kind, mmac in zip(_KINDS, _TABLE[name], strict=True):
        macs = sum(layer.macs for layer in layers if layer.name.endswith(kind))
        assert round(macs / 1e6, 2 if kind == "head" else 1) == mmac
    assert sum(layer.macs for layer in layers) == _TOTAL[name]


def test_layer_names_are_timm_s_and_unique() -> None:
    names = [layer.name for layer in workload(zoo.load("vit_digits"))]
    assert len(set(names)) == len(names) == 1 + 4 * 12 + 2
    assert {"patch_embed", "blocks.3.attn.qkv", "blocks.0.mlp.fc2", "norm", "head"} <= set(names)


def test_a_distilled_head_reads_two_tokens() -> None:
    head = workload(zoo.load("deit_tiny_distilled"))[-1]
    assert head.macs == 2 * 192 * 1000
