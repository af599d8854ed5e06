"""The order of layers, and what follows from it."""

from pathlib import Path

import pytest

from vaqf.model import layers
from vaqf.model.layers import Kind, Layer, Op

ROOT = Path(__file__).resolve().parents[2]
BLOCK = (
    "norm1",
    "attn.qkv",
    "attn.scores",
    "attn.softmax",
    "attn.context",
    "attn.proj",
    "attn.residual",
    "norm2",
    "mlp.fc1",
    "mlp.gelu",
    "mlp.fc2",
    "mlp.residual",
)


@pytest.mark.parametrize("depth", [1, 2, 12])
def test_a_frame_runs_through_all_blocks(depth: int) -> None:
    names = [layer.name for layer in layers.of_frame(depth)]
    blocks = [f"blocks.{i}.{name}" for i in range(depth) for name in BLOCK]
    assert names == ["patch_embed", *blocks, "norm", "head"]
    assert len(set(names)) == len(names)


def test_no_other_file_tells_the_order() -> None:
    """Golden and its twin in torch do, as what the rest is compared with; names.py has other
    libraries' names, in no order."""
    sources = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for folder in ("vaqf", "sim", "quant", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
    }
    telling = {name for name, text in sources.items() if "attn.qkv" in text and "mlp.fc1" in text}
    apart = {"sim/golden.py", "quant/model/integers.py", "vaqf/network/names.py"}
    assert telling == {"vaqf/model/layers.py", *apart}


def test_a_layer_outside_of_blocks_stands_beside_one() -> None:
    frame = layers.of_frame(3)
    assert frame[0] == Layer(Kind.EMBED, 0)
    assert frame[-2:] == [Layer(Kind.NORM, 2), Layer(Kind.HEAD, 2)]
    assert layers.of_block(1) == [layer for layer in frame[1:-2] if layer.block == 1]
    assert [kind for kind in Kind if not kind.in_block] == [Kind.EMBED, Kind.NORM, Kind.HEAD]


def test_a_kind_is_its_word() -> None:
    assert [str(kind) for kind in layers.BINARY] == ["qkv", "proj", "fc1", "fc2"]
    assert Kind("fc1") is Kind.FC1 and {Kind.FC1: 7}["fc1"] == 7


def test_matmuls_with_weights_and_the_norms_before_them() -> None:
    assert layers.FIXED == (Kind.EMBED, Kind.HEAD)
    before = {Kind.QKV: Kind.NORM1, Kind.FC1: Kind.NORM2, Kind.HEAD: Kind.NORM}
    assert before == layers.NORM_BEFORE
    assert [kind for kind in Kind if kind.op is Op.PRODUCT] == [Kind.SCORES, Kind.CONTEXT]
