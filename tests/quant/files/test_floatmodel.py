"""floatmodel.py: float weights under the names of several libraries, and wrong files."""

import argparse
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from vaqf.errors import InputError, ToolMissing
from vaqf.model import zoo
from vaqf.model.vit import Vit
from vaqf.network import calibrate, networkfile, parameters
from vaqf.quant.files import floatmodel

VIT = Vit(
    name="small", image_size=16, patch_size=8, dim=24, depth=2, heads=3, mlp_ratio=2, classes=5
)
DISTILLED = replace(VIT, name="small_distilled", distilled=True)
Params = dict[str, np.ndarray]


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


def equal(a: Params, b: Params) -> None:
    assert list(a) == list(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
        assert a[name].dtype == np.float32


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


def test_settings_beside_the_weights(tmp_path: Path) -> None:
    """As DeiT, MAE and timm save them: read without running anything in them."""
    torch = pytest.importorskip("torch")
    params = parameters.random(VIT, 3)
    tensors = {name: torch.from_numpy(value.copy()) for name, value in params.items()}
    settings = argparse.Namespace(lr=1e-3, name="x", betas=[0.9, 0.999])
    torch.save({"model": tensors, "args": settings, "epoch": 3}, tmp_path / "w.pth")
    equal(floatmodel.load(tmp_path / "w.pth", VIT).params, params)
    torch.save({"model": tensors, "args": argparse.Namespace(path=tmp_path)}, tmp_path / "w.pth")
    with pytest.raises(InputError, match="refused"):
        floatmodel.load(tmp_path / "w.pth", VIT)


def saved(tmp_path: Path, content: object) -> Path:
    """A torch file."""
    torch = pytest.importorskip("torch")
    torch.save(content, tmp_path / "w.pth")
    return tmp_path / "w.pth"


def as_tensors(params: Params) -> dict[str, object]:
    torch = pytest.importorskip("torch")
    return {name: torch.from_numpy(value.copy()) for name, value in params.items()}


@pytest.mark.parametrize(
    ("plain", "averaged"),
    [("model", "model_ema"), ("state_dict", "state_dict_ema"), ("model_state_dict", "ema")],
)
def test_averaged_weights_are_taken_and_said(plain: str, averaged: str, tmp_path: Path) -> None:
    one, two = parameters.random(VIT, 1), parameters.random(VIT, 2)
    path = saved(tmp_path, {plain: as_tensors(one), averaged: as_tensors(two), "epoch": 3})
    found = floatmodel.load(path, VIT)
    equal(found.params, two)
    assert found.notes == (
        f"the weights are those under {averaged} (averaged, as timm chooses); --weights-key"
        f" {plain} takes others",
    )
    for key, wanted in ((plain, one), (averaged, two)):
        chosen = floatmodel.load(path, VIT, key)
        equal(chosen.params, wanted)
        assert chosen.notes == ()
    alone = floatmodel.load(saved(tmp_path, {averaged: {"module": as_tensors(two)}}), VIT)
    equal(alone.params, two)
    assert alone.notes == (f"the weights are those under {averaged} (averaged, as timm chooses)",)
    left = floatmodel.load(saved(tmp_path, {plain: as_tensors(one), averaged: None}), VIT)
    equal(left.params, one)
    assert left.notes == ()


def test_torchs_own_averaged_model(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    params = parameters.random(VIT, 1)
    tensors = {f"module.{name}": value for name, value in as_tensors(params).items()}
    path = saved(tmp_path, {"n_averaged": torch.tensor(7), **tensors})
    found = floatmodel.load(path, VIT)
    equal(found.params, params)
    assert found.notes == ("'n_averaged': left out, no weights",)


def test_tensors_beside_the_state_dict(tmp_path: Path) -> None:
    """As PyTorch's ImageNet example saves its best accuracy."""
    torch = pytest.importorskip("torch")
    params = parameters.random(VIT, 1)
    content = {"state_dict": as_tensors(params), "best_acc1": torch.tensor(0.9), "epoch": 3}
    found = floatmodel.load(saved(tmp_path, content), VIT)
    equal(found.params, params)
    assert found.notes == ()


def test_averages_in_unknown_form_are_told(tmp_path: Path) -> None:
    tensors = as_tensors(parameters.random(VIT, 1))
    for name, form in (("ema", {"decay": 0.9, "shadow": tensors}), ("shadow_params", [1])):
        (note,) = floatmodel.load(saved(tmp_path, {"model": tensors, name: form}), VIT).notes
        assert note.startswith(f"'{name}': left out, though it may hold averaged weights")


def test_tensors_larger_than_the_file_are_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    tensors = as_tensors(parameters.random(VIT, 1))
    for name, kind in (("head.weight", torch.bfloat16), ("pos_embed", torch.float32)):
        huge = torch.zeros(1, dtype=kind).expand(10**6, 10**6)
        with pytest.raises(InputError, match=f"{name}' is no dense tensor"):
            floatmodel.load(saved(tmp_path, {**tensors, name: huge}), VIT)


def test_a_compressed_zip_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, as_tensors(parameters.random(VIT, 1)))
    with zipfile.ZipFile(path) as plain, zipfile.ZipFile(tmp_path / "z.pth", "w", 8) as packed:
        for part in plain.namelist():
            packed.writestr(part, plain.read(part))
    with pytest.raises(InputError, match="its parts are compressed"):
        floatmodel.load(tmp_path / "z.pth", VIT)
    equal(floatmodel.load(path, VIT).params, parameters.random(VIT, 1))


def test_one_file_of_several(tmp_path: Path) -> None:
    in_shards(tmp_path, parameters.random(VIT, 1), save_file)
    with pytest.raises(InputError, match=r"one of 2 files .*model\.safetensors\.index\.json"):
        floatmodel.load(tmp_path / "model-00001-of-00002.safetensors", VIT)


def test_a_key_that_is_not_there(tmp_path: Path) -> None:
    tensors = as_tensors(parameters.random(VIT, 1))
    path = saved(tmp_path, {"student": tensors, "teacher": tensors, "epoch": 3})
    with pytest.raises(InputError, match=r"under 'student', 'teacher'; give .* --weights-key"):
        floatmodel.load(path, VIT)
    with pytest.raises(InputError, match=r"'ema' names no weights in it; it has 'student'"):
        floatmodel.load(path, VIT, "ema")
    with pytest.raises(InputError, match="'epoch' names no weights"):
        floatmodel.load(path, VIT, "epoch")
    equal(floatmodel.load(path, VIT, "teacher").params, parameters.random(VIT, 1))
    save_file(parameters.random(VIT, 1), tmp_path / "w.safetensors")
    with pytest.raises(InputError, match="--weights-key is of torch files"):
        floatmodel.load(tmp_path / "w.safetensors", VIT, "model")


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


def test_torch_files_that_hold_something_else(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    path = tmp_path / "w.pth"
    good = {n: torch.from_numpy(v) for n, v in parameters.random(VIT, 0).items()}
    cases: list[tuple[object, str]] = [
        ([1, 2], "no tensors by name"),
        ({}, "no tensors by name"),
        ({**good, "norm.bias": [1.0]}, "norm.bias' is no tensor"),
        ({**good, "norm.bias": torch.zeros(24, dtype=torch.int64)}, "torch.int64"),
        ({**good, "norm.bias": torch.zeros(24).to_sparse()}, "dense"),
        ({**good, "norm.bias": torch.zeros(24, dtype=torch.complex64)}, "complex64"),
        ({**good, "norm.bias": torch.full((24,), float("nan"))}, "norm.bias.*NaN"),
        ({**good, 3: torch.zeros(1)}, "3.*no text"),
        ({"vaqf_checkpoint": 1}, "vaqf export"),
        ({"model": good, "args": Path("x")}, "refused"),
        (torch.nn.Linear(2, 2), "refused"),
    ]
    for content, message in cases:
        torch.save(content, path)
        with pytest.raises(InputError, match=message) as caught:
            floatmodel.load(path, VIT)
        assert "\n" not in str(caught.value)
    torch.save(good, path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"damaged|refused"):
        floatmodel.load(path, VIT)


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
