"""floatmodel.py: float weights under the names of several libraries, and wrong files."""

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from float_files import DISTILLED, VIT, Params, equal
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from vaqf.errors import InputError, ToolMissing
from vaqf.model import zoo
from vaqf.model.vit import Vit
from vaqf.network import calibrate, networkfile, parameters
from vaqf.quant.files import floatmodel


def old_hugging_face(params: Params) -> Params:
    """The names of transformers before version 5, from timm's."""
    out: Params = {}
    top = {
        "cls_token": "vit.embeddings.cls_token",
        "dist_token": "vit.embeddings.distillation_token",
        "pos_embed": "vit.embeddings.position_embeddings",
        "patch_embed.proj": "vit.embeddings.patch_embeddings.projection",
        "norm": "vit.layernorm",
        "head": "classifier",
        "head_dist": "distillation_classifier",
    }
    inside = {
        "norm1": "layernorm_before",
        "norm2": "layernorm_after",
        "attn.proj": "attention.output.dense",
        "mlp.fc1": "intermediate.dense",
        "mlp.fc2": "output.dense",
    }
    for name, array in params.items():
        stem, leaf = name.rsplit(".", 1) if "." in name else (name, "")
        dot = f".{leaf}" if leaf else ""
        if not name.startswith("blocks."):
            out[top[stem] + dot] = array
            continue
        _, i, rest = stem.split(".", 2)
        layer = f"vit.encoder.layer.{i}"
        if rest == "attn.qkv":
            for part, piece in zip(("query", "key", "value"), np.split(array, 3), strict=True):
                out[f"{layer}.attention.attention.{part}{dot}"] = piece
        else:
            out[f"{layer}.{inside[rest]}{dot}"] = array
    return out


@pytest.mark.parametrize("vit", [VIT, DISTILLED], ids=lambda v: v.name)
@pytest.mark.parametrize("names", [dict, old_hugging_face], ids=["timm", "hugging face"])
def test_safetensors_under_every_name(
    vit: Vit, names: Callable[[Params], Params], tmp_path: Path
) -> None:
    params = parameters.random(vit, 1)
    save_file(names(params), tmp_path / "w.safetensors")
    equal(floatmodel.load(tmp_path / "w.safetensors", vit).params, params)


@pytest.mark.parametrize("vit", [VIT, DISTILLED], ids=lambda v: v.name)
@pytest.mark.parametrize("wrap", [dict, lambda p: {"model": p}, lambda p: {"state_dict": p}])
@pytest.mark.parametrize("suffix", ["pth", "pt", "bin", "ckpt", "pth.tar"])
def test_torch_files_under_every_wrapper(
    vit: Vit, wrap: Callable[[object], object], suffix: str, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    params = parameters.random(vit, 2)
    wrapped = (
        lambda p, prefix=prefix: {f"{prefix}{n}": v for n, v in p.items()}
        for prefix in ("module.", "_orig_mod.", "model.", "module._orig_mod.", "model._orig_mod.")
    )
    for names in (dict, old_hugging_face, *wrapped):
        tensors = {n: torch.from_numpy(v.copy()) for n, v in names(params).items()}
        torch.save(wrap(tensors), tmp_path / f"w.{suffix}")
        equal(floatmodel.load(tmp_path / f"w.{suffix}", vit).params, params)


@pytest.mark.parametrize("kind", ["vit", "deit"])
def test_transformers_own_models(kind: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("beside_torch").transformers
    sizes = {
        "hidden_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 48,
        "image_size": 16,
        "patch_size": 8,
        "num_labels": 5,
    }
    if kind == "vit":
        model = transformers.ViTForImageClassification(transformers.ViTConfig(**sizes))
    else:
        config = transformers.DeiTConfig(**sizes)
        model = transformers.DeiTForImageClassificationWithTeacher(config)
    vit = VIT if kind == "vit" else DISTILLED
    model.save_pretrained(tmp_path)  # writes the names of version 4, state_dict has version 5's
    saved = floatmodel.load(tmp_path / "model.safetensors", vit).params
    torch.save(model.state_dict(), tmp_path / "w.pth")
    equal(floatmodel.load(tmp_path / "w.pth", vit).params, saved)
    key = dict(model.named_parameters())[f"{kind}.layers.1.attention.k_proj.weight"]
    np.testing.assert_array_equal(saved["blocks.1.attn.qkv.weight"][24:48], key.detach().numpy())


def test_half_precision_is_widened(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file as save_torch

    params = parameters.random(VIT, 3)
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        tensors = {n: torch.from_numpy(v).to(dtype) for n, v in params.items()}
        expected = {n: t.float().numpy() for n, t in tensors.items()}
        save_torch(tensors, tmp_path / "w.safetensors")
        equal(floatmodel.load(tmp_path / "w.safetensors", VIT).params, expected)
        torch.save(tensors, tmp_path / "w.pth")
        equal(floatmodel.load(tmp_path / "w.pth", VIT).params, expected)


def test_a_loaded_file_becomes_a_network(tmp_path: Path) -> None:
    params = parameters.random(VIT, 4)
    save_file(old_hugging_face(params), tmp_path / "w.safetensors")
    pixels = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    loaded = floatmodel.load(tmp_path / "w.safetensors", VIT).params
    assert networkfile.sha256(
        calibrate.calibrate(VIT, 6, loaded, pixels, "x")
    ) == networkfile.sha256(calibrate.calibrate(VIT, 6, params, pixels, "x"))


def changed(**changes: np.ndarray | None) -> Params:
    params = parameters.random(VIT, 5)
    for name, value in changes.items():
        if value is None:
            del params[name]
        else:
            params[name] = value
    return params


BAD_TENSORS = {
    "missing": (changed(**{"norm.bias": None}), "norm.bias is missing"),
    "unknown": (changed(**{"norm.bais": np.zeros(24, np.float32)}), "norm.bais.*norm.bias"),
    "layer scale": (changed(**{"blocks.0.gamma_1": np.zeros(25, np.float32)}), "gamma_1"),
    "shape": (changed(**{"norm.bias": np.zeros(25, np.float32)}), r"norm.bias is \[25\].*\[24\]"),
    "nan": (changed(**{"norm.bias": np.full(24, np.nan, np.float32)}), "norm.bias.*NaN"),
    "infinity": (changed(**{"norm.bias": np.full(24, np.inf, np.float32)}), "norm.bias"),
    "beyond float32": (changed(**{"norm.bias": np.full(24, 1e300)}), "norm.bias.*infinity"),
    "integers": (changed(**{"norm.bias": np.zeros(24, np.int64)}), "norm.bias holds I64"),
    "nothing": ({}, "cls_token is missing"),
    "q without k": (
        changed(
            **{
                "blocks.0.attn.qkv.weight": None,
                "vit.encoder.layer.0.attention.attention.query.weight": np.zeros((24, 24), "f4"),
            }
        ),
        "blocks.0.attn.qkv.weight is missing",
    ),
    "same twice": (changed(**{"classifier.bias": np.zeros(5, np.float32)}), "same parameter"),
}


@pytest.mark.parametrize("case", BAD_TENSORS)
def test_bad_tensors_are_named(case: str, tmp_path: Path) -> None:
    tensors, message = BAD_TENSORS[case]
    save_file(tensors, tmp_path / "w.safetensors")
    with pytest.raises(InputError, match=message) as caught:
        floatmodel.load(tmp_path / "w.safetensors", VIT)
    assert "\n" not in str(caught.value)


def test_unequal_q_k_v_are_refused(tmp_path: Path) -> None:
    tensors = old_hugging_face(parameters.random(VIT, 0))
    name = "vit.encoder.layer.1.attention.attention.key.weight"
    for wrong in (np.zeros((24, 23), "f4"), np.zeros((23, 24), "f4"), np.array(3, "f4")):
        save_file({**tensors, name: wrong}, tmp_path / "w.safetensors")
        with pytest.raises(InputError, match=r"layer\.1\.attention"):
            floatmodel.load(tmp_path / "w.safetensors", VIT)


def test_another_known_model_is_recognized(tmp_path: Path) -> None:
    digits = zoo.load("vit_digits")
    save_file(parameters.random(digits, 0), tmp_path / "w.safetensors")
    with pytest.raises(InputError, match="fits --model vit_digits"):
        floatmodel.load(tmp_path / "w.safetensors", VIT)


def test_an_integer_network_is_no_float_checkpoint(tmp_path: Path) -> None:
    pixels = np.zeros((1, 16, 16, 3), np.uint8)
    made = calibrate.calibrate(VIT, 8, parameters.random(VIT, 0), pixels, "x")
    (tmp_path / "w.safetensors").write_bytes(networkfile.to_bytes(made))
    with pytest.raises(InputError, match="integer network already"):
        floatmodel.load(tmp_path / "w.safetensors", VIT)


def test_other_suffixes_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.safetensors, \.pth"):
        floatmodel.load(tmp_path / "w.h5", VIT)
    for name in ("w.safetensors", "w.pth", "folder.safetensors", "folder.pth"):
        if name.startswith("folder"):
            (tmp_path / name).mkdir()
        with pytest.raises(InputError, match=r"cannot be read"):
            floatmodel.load(tmp_path / name, VIT)


def test_damaged_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(parameters.random(VIT, 0), path)
    whole = path.read_bytes()
    length = struct.unpack("<Q", whole[:8])[0]
    header = json.loads(whole[8 : 8 + length])
    header["norm.bias"]["data_offsets"] = [0, 2**62]
    forged = json.dumps(header).encode()
    for content in (
        b"",
        whole[:5],
        whole[:100],
        whole[:-1],
        whole + b"x",
        b"\xff" * 8 + whole[8:],
        struct.pack("<Q", 4) + b"null",
        struct.pack("<Q", len(forged)) + forged + whole[8 + length :],
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a safetensors file"):
            floatmodel.load(path, VIT)


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_header_bytes_raise_only_input_errors(flips: list[tuple[int, int]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.safetensors"
        save_file(parameters.random(replace(VIT, depth=1), 0), path)
        content = bytearray(path.read_bytes())
        for at, flip in flips:
            content[at % len(content)] ^= flip
        path.write_bytes(content)
        try:
            floatmodel.load(path, replace(VIT, depth=1))
        except InputError as error:
            assert "\n" not in str(error)


def test_without_torch_safetensors_still_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaqf.quant.find_spec", lambda package: None)
    (tmp_path / "w.pth").write_bytes(b"x")
    with pytest.raises(ToolMissing, match=r"torch is not installed.*\.safetensors"):
        floatmodel.load(tmp_path / "w.pth", VIT)
    params = parameters.random(VIT, 0)
    save_file(params, tmp_path / "w.safetensors")
    equal(floatmodel.load(tmp_path / "w.safetensors", VIT).params, params)


def test_a_float_model_of_ours_is_read_one_way(tmp_path: Path) -> None:
    """25 positions of 9 tokens and 4 x 4 patches could be 5 x 5 patches in another's file."""
    vit = replace(VIT, image_size=32, registers=8)
    params = parameters.random(vit, 1)
    path = tmp_path / "w.float.safetensors"
    path.write_bytes(floatmodel.to_bytes(params))
    found = floatmodel.load(path, vit)
    equal(found.params, params)
    assert found.notes == ()
    save_file(params, path)
    with pytest.raises(InputError, match="may be those of"):
        floatmodel.load(path, vit)
