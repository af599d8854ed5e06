"""networks.py: whose files beside a float checkpoint count."""

import json
from pathlib import Path

from safetensors.numpy import save_file
from samples import RGB

from vaqf.network import parameters
from vaqf.quant.files import floatmodel
from vaqf.verbs import networks


def test_what_lies_beside_a_float_model_of_ours_is_not_its_own(tmp_path: Path) -> None:
    """Ours was trained with the model's preprocessing, whatever the folder came with."""
    hub = {"pretrained_cfg": {"mean": [0.1, 0.2, 0.3]}}
    size = {"height": 8, "width": 8}
    settings = {"image_processor_type": "ViTImageProcessor", "size": size}
    (tmp_path / "config.json").write_text(json.dumps(hub))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    params = parameters.random(RGB, 0)
    save_file(params, tmp_path / "theirs.safetensors")
    (tmp_path / "ours.float.safetensors").write_bytes(floatmodel.to_bytes(params))
    assert networks.as_described(tmp_path / "ours.float.safetensors", RGB) == (RGB, ())
    assert networks.as_described(None, RGB) == (RGB, ())
    described, notes = networks.as_described(tmp_path / "theirs.safetensors", RGB)
    assert (described.mean, described.resize) == ((0.5,) * 3, "squash")
    assert [note.partition(" from ")[2].partition(":")[0] for note in notes] == [
        "config.json",
        "preprocessor_config.json",
    ]
