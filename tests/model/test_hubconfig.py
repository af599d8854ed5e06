"""config.json: what transformers and timm say of a model is minded; what contradicts is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vaqf.errors import InputError
from vaqf.model import hubconfig, zoo
from vaqf.model.vit import HALF

VIT = zoo.load("deit_tiny")
HUGGING_FACE = {"model_type": "vit", "num_attention_heads": 3, "patch_size": 16}
HUGGING_FACE |= {"hidden_act": "gelu", "id2label": {"0": "cat"}}
# as timm's save_for_hf writes it
TIMM: dict[str, Any] = {
    "architecture": "vit_tiny_patch16_224",
    "num_classes": 10,
    "global_pool": "token",
    "pretrained_cfg": {
        "input_size": [3, 224, 224],
        "interpolation": "bicubic",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "crop_pct": 0.875,
        "crop_mode": "center",
    },
}


def beside(folder: Path, content: object) -> Path:
    (folder / hubconfig.NAME).write_text(json.dumps(content))
    return folder / "model.safetensors"


def test_without_a_file_nothing_changes(tmp_path: Path) -> None:
    assert hubconfig.beside(None, VIT) == (VIT, ())
    assert hubconfig.beside(tmp_path / "model.safetensors", VIT) == (VIT, ())
    for content in ({}, HUGGING_FACE, {"model_type": "vit"}):
        assert hubconfig.beside(beside(tmp_path, content), VIT) == (VIT, ())


def test_timms_preprocessing_is_taken_and_told(tmp_path: Path) -> None:
    taken, (note,) = hubconfig.beside(beside(tmp_path, TIMM), VIT)
    assert taken == replace(VIT, mean=HALF, std=HALF, crop=0.875)
    assert note.startswith(
        "preprocessing of model.safetensors from config.json: crop 0.875 (not 0.9), mean"
    )
    assert "mean 0.5/0.5/0.5 (not 0.485/0.456/0.406)" in note and "interpolation" not in note
    squashed = TIMM | {"pretrained_cfg": {"crop_mode": "squash"}}
    taken, _ = hubconfig.beside(beside(tmp_path, squashed), VIT)
    assert taken == replace(VIT, resize="squash")


def test_timm_writes_what_is_read(tmp_path: Path) -> None:
    timm = pytest.importorskip("beside_torch").timm
    model = timm.create_model("vit_tiny_patch16_224", pretrained=False, num_classes=10)
    timm.models.save_for_hf(model, tmp_path, safe_serialization=True)
    taken, _ = hubconfig.beside(tmp_path / "model.safetensors", replace(VIT, classes=10))
    assert taken == replace(zoo.load("vit_tiny"), name="deit_tiny", classes=10)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (HUGGING_FACE | {"num_attention_heads": 6}, "is 6, and deit_tiny has 3; .* heads: 6"),
        (HUGGING_FACE | {"patch_size": [16, 8]}, "patch_size is .* patch_size: "),
        (HUGGING_FACE | {"hidden_act": "relu"}, "hidden_act is 'relu', which is not supported"),
        (HUGGING_FACE | {"hidden_act": "gelu_new"}, "hidden_act is 'gelu_new'"),
        (TIMM | {"global_pool": "avg"}, "global_pool is 'avg', which is not supported"),
        (TIMM | {"pretrained_cfg": {"crop_mode": "border"}}, "crop_mode is 'border'; .* center or"),
        (TIMM | {"pretrained_cfg": {"mean": [0.5]}}, "must be 3 number"),
        (TIMM | {"pretrained_cfg": {"crop_pct": "x"}}, "crop is 'x'"),
        (TIMM | {"pretrained_cfg": {"interpolation": "random"}}, "interpolation is 'random'"),
        ([], "holds no JSON object"),
    ],
)
def test_what_contradicts_is_refused(tmp_path: Path, content: object, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        hubconfig.beside(beside(tmp_path, content), VIT)
    assert "\n" not in str(caught.value)
