"""shardindex.py: a float model in several files, by its index, which is not trusted."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from float_files import VIT, Params, equal
from safetensors.numpy import save_file

from vaqf.errors import InputError
from vaqf.network import parameters
from vaqf.quant.files import floatmodel


def test_one_file_of_several(tmp_path: Path) -> None:
    in_shards(tmp_path, parameters.random(VIT, 1), save_file)
    with pytest.raises(InputError, match=r"one of 2 files .*model\.safetensors\.index\.json"):
        floatmodel.load(tmp_path / "model-00001-of-00002.safetensors", VIT)


def in_shards(tmp_path: Path, params: Params, write: Callable[[Params, Path], None]) -> Path:
    """A model in two files with Hugging Face's index."""
    places: dict[str, str] = {}
    for number, names in enumerate((list(params)[::2], list(params)[1::2]), 1):
        file = f"model-{number:05d}-of-00002.safetensors"
        write({name: params[name] for name in names}, tmp_path / file)
        places |= dict.fromkeys(names, file)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}))
    return index


def test_shards_by_their_index(tmp_path: Path) -> None:
    params = parameters.random(VIT, 1)
    index = in_shards(tmp_path, params, save_file)
    equal(floatmodel.load(index, VIT).params, params)
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(InputError, match=r"00002-of-00002\.safetensors is not beside it"):
        floatmodel.load(index, VIT)
    save_file({"x": np.zeros(1, "f4")}, tmp_path / "model-00002-of-00002.safetensors")
    with pytest.raises(InputError, match=r"is not in model-00002-of-00002\.safetensors"):
        floatmodel.load(index, VIT)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", "holds no JSON object"),
        ("{}", "has no weight_map"),
        ('{"weight_map": {}}', "has no weight_map"),
        ('{"weight_map": {"a": 3}}', "the file of 'a' is 3, no text"),
        ('{"weight_map": {"a": "../w.safetensors"}}', "lie beside it"),
        ('{"weight_map": {"a": "/etc/passwd"}}', "lie beside it"),
        ('{"weight_map": {"a": ""}}', "lie beside it"),
        ('{"weight_map": {"a": "model.safetensors.index.json"}}', "lie beside it"),
        ('{"weight_map": {"a": "gone.bin"}}', "is not beside it"),
    ],
)
def test_a_wrong_index(content: str, said: str, tmp_path: Path) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(content)
    with pytest.raises(InputError, match=said):
        floatmodel.load(index, VIT)
