"""torchfile.py: which weights of a torch file are taken, and files that are none."""

import argparse
import zipfile
from pathlib import Path

import pytest
from float_files import VIT, as_tensors, equal, saved
from safetensors.numpy import save_file

from vaqf.errors import InputError
from vaqf.network import parameters
from vaqf.quant.files import floatmodel


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
