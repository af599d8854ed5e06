"""vaqf evaluate: accuracy, agreement with the float model, ranges; in process and on a terminal."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from safetensors.numpy import save_file
from samples import DIGITS_MODEL

import vaqf
from vaqf.cli import app
from vaqf.errors import InputError
from vaqf.evaluation import metrics
from vaqf.images.made import digits, mnist5k, synthetic
from vaqf.model import vit, zoo
from vaqf.network import calibrate, networkfile, parameters, structure
from vaqf.quant.files import floatmodel
from vaqf.sim import golden

NAMES = [f"class{label}" for label in range(10)]
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of random weights, the float model it comes from, and pictures."""
    place = tmp_path_factory.mktemp("evaluate")
    (place / "small.yaml").write_text(yaml.safe_dump(DIGITS_MODEL | {"class_names": NAMES}))
    small = zoo.load(str(place / "small.yaml"))
    params = parameters.random(small, 0)
    pixels, _ = digits(small, "train")
    made = calibrate.calibrate(small, 8, params, pixels[:50], "random weights, seed 0")
    (place / "w.safetensors").write_bytes(networkfile.to_bytes(made))
    save_file(params, place / "small.float.safetensors")
    for label in range(3):
        folder = place / "pictures" / f"class{label}"
        folder.mkdir(parents=True)
        for i in range(2):
            Image.fromarray(pixels[2 * label + i, :, :, 0]).save(folder / f"{i}.png")
    (place / "pictures" / "class1" / "0.png").write_bytes(b"no picture")
    return place


def answer(capsys: Captured, *words: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command line."""
    code = app.main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def evaluate(capsys: Captured, *words: object) -> dict[str, object]:
    """The JSON of vaqf evaluate."""
    code, out, err = answer(capsys, "evaluate", *words, "--json")
    assert (code, err) == (0, "")
    return dict(json.loads(out))


def test_mnist5k_judges_with_its_test_images(home: Path, capsys: Captured) -> None:
    found = evaluate(capsys, home / "w.safetensors", "--data", "mnist5k", "--images", 30)
    net = networkfile.read(home / "w.safetensors")
    pixels, labels = mnist5k(net.vit, "test", 30)
    classes = golden.labels(golden.run(net, pixels))
    assert found["classes"] == classes.tolist()
    assert (found["correct"], found["images"]) == (int((classes == labels).sum()), 30)


def test_the_metrics_are_those_of_goldens_logits(home: Path, capsys: Captured) -> None:
    found = evaluate(capsys, home / "w.safetensors", "--data", "digits", "--images", 100)
    net = networkfile.read(home / "w.safetensors")
    pixels, labels = (part[:100] for part in digits(net.vit, "test"))
    logits = golden.run(net, pixels)
    classes = golden.labels(logits)
    assert found["classes"] == classes.tolist()
    assert found["correct"] == int((classes == labels).sum())
    assert found["top1"] == found["correct"] / 100
    assert found["top5"] == (metrics.ranks(logits, labels) < 5).mean()
    assert found["top1"] < found["top5"] < 1.0
    sure = metrics.confidence(metrics.log_softmax(logits * net.logit_scale))
    assert found["mean_confidence"] == pytest.approx(sure.mean(), abs=1e-12)
    error = metrics.calibration_error(sure, classes == labels)
    assert found["ece"] == pytest.approx(error, abs=1e-12)
    assert np.trace(found["confusion"]) == found["correct"]
    assert [c["images"] for c in found["per_class"]] == np.sum(found["confusion"], axis=1).tolist()
    assert len(found["quantizers"]) == 14
    assert (found["agreement"], found["unreadable"]) == (None, {})


def test_images_without_labels_have_no_accuracy(home: Path, capsys: Captured) -> None:
    found = evaluate(capsys, home / "w.safetensors")
    judged = ("correct", "top1", "top5", "ece", "per_class", "confusion")
    assert [found[key] for key in judged] == [None] * len(judged)
    assert found["images"] == 1
    assert 0 < found["mean_confidence"] <= 1
    assert len(found["quantizers"]) == 14


def test_five_classes_have_no_top_five(tmp_path: Path, home: Path) -> None:
    small = zoo.load(str(home / "small.yaml"))
    few = vit.Vit(**{**small.__dict__, "classes": 5, "class_names": tuple(NAMES[:5])})
    made = calibrate.calibrate(few, 4, parameters.random(few, 0), synthetic(few, 2), "r")
    (tmp_path / "w.safetensors").write_bytes(networkfile.to_bytes(made))
    pictures = home / "pictures"
    found = vaqf.evaluate(tmp_path / "w.safetensors", str(pictures))
    assert found.top5 is None
    assert found.top1 is not None


def test_a_picture_that_cannot_be_read_is_left_out_and_named(home: Path, capsys: Captured) -> None:
    words = home / "w.safetensors", "--data", home / "pictures"
    found = evaluate(capsys, *words)
    assert found["images"] == len(found["classes"]) == 5
    assert list(found["unreadable"]) == ["class1/0.png"]
    assert [c["images"] for c in found["per_class"]][:4] == [2, 1, 2, 0]
    _, out, _ = answer(capsys, "evaluate", *words, "--quiet")
    assert "cannot be read: 1 picture (class1/0.png: it is not a picture" in out
    assert f"{found['correct']} of 5 (" in out


def test_a_batch_of_unreadable_pictures_is_no_batch(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("brevitas")
    monkeypatch.setattr("vaqf.evaluation.run.BATCH", 1)
    words = home / "w.safetensors", str(home / "pictures")
    found = vaqf.evaluate(*words, float_model=home / "small.float.safetensors")
    assert len(found.classes) == len(found.to_json()["classes"]) == 5


def test_agreement_with_the_float_model(home: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("brevitas")
    from vaqf.quant.model.vit import FloatVit

    file = home / "small.float.safetensors"
    found = vaqf.evaluate(home / "w.safetensors", "digits", 100, float_model=file)
    pixels, labels = (part[:100] for part in digits(found.network.vit, "test"))
    model = FloatVit(found.network.vit).eval()
    model.load_params(floatmodel.load(file, found.network.vit).params)
    with torch.no_grad():
        real = model(torch.from_numpy(pixels)).double().numpy()
    wanted, integer = metrics.log_softmax(real), found.logits * found.network.logit_scale
    kl = metrics.divergence(wanted, metrics.log_softmax(integer)).mean()
    agreement = found.to_json()["agreement"]
    assert agreement["float"] == "small.float.safetensors"
    assert agreement["same"] == int((real.argmax(axis=1) == found.classes).sum())
    assert agreement["float_correct"] == int((real.argmax(axis=1) == labels).sum())
    assert agreement["same_share"] == agreement["same"] / 100
    assert agreement["mean_kl"] == pytest.approx(kl, rel=1e-4)
    assert 0 < agreement["same"] < 100


def test_torch_gives_the_same_evaluation(home: Path, capsys: Captured) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("brevitas")
    words = home / "w.safetensors", "--data", "digits", "--images", 70
    assert evaluate(capsys, *words, "--torch") == evaluate(capsys, *words)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("no.safetensors", f"cannot be read: {os.strerror(errno.ENOENT)}"),
        ("w.safetensors", "holds an integer network already"),
        ("small.yaml", "the name of a float model's file ends in one of"),
    ],
)
def test_a_float_file_that_is_none(home: Path, capsys: Captured, file: str, said: str) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("brevitas")
    code, out, err = answer(
        capsys, "evaluate", home / "w.safetensors", "--data", "digits", "--float", home / file
    )
    assert (code, out) == (2, "")
    assert said in err


def test_a_float_model_that_overflows(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("brevitas")
    params = parameters.random(zoo.load(str(home / "small.yaml")), 0)
    params["head.weight"] = np.full_like(params["head.weight"], 3e38)
    save_file(params, tmp_path / "f.safetensors")
    with pytest.raises(InputError, match="its logits are not finite"):
        vaqf.evaluate(home / "w.safetensors", float_model=tmp_path / "f.safetensors")


def test_the_file_holds_what_json_prints(home: Path, tmp_path: Path, capsys: Captured) -> None:
    place = tmp_path / "out.json"
    words = home / "w.safetensors", "--data", "digits", "--images", 12
    code, out, _ = answer(capsys, "evaluate", *words, "-o", place)
    assert code == 0
    assert out.endswith(f"wrote {place}\n")
    assert json.loads(place.read_text()) == evaluate(capsys, *words)
    code, _, err = answer(capsys, "evaluate", *words, "-o", place)
    assert code == 2
    assert "exists" in err
    assert answer(capsys, "evaluate", *words, "-o", place, "--force")[0] == 0
    for mine in ("years of work", '{"model": "mine"}', ""):
        place.write_text(mine)
        code, _, err = answer(capsys, "evaluate", *words, "-o", place, "--force")
        assert (code, "was not written by vaqf" in err) == (2, True)
        assert place.read_text() == mine


def test_the_short_answer_and_the_tables(home: Path, capsys: Captured) -> None:
    words = "evaluate", home / "w.safetensors", "--data", "digits", "--images", 100
    _, short, _ = answer(capsys, *words)
    assert "images correct\ntop-5: " in short
    assert "\nworst classes: " in short
    assert "\n14 quantizers: none saturates, all use their range\n" in short
    assert len(short.splitlines()) == 6
    _, quiet, _ = answer(capsys, *words, "--quiet")
    assert quiet.splitlines() == short.splitlines()[:3]
    _, full, _ = answer(capsys, *words, "--tables")
    assert full.startswith(short)
    assert all(f"\n{title}" in full for title in ("Classes", "Confusion", "Quantizers"))
    assert "blocks.0.attn.softmax  u7" in full


def test_names_from_outside_cannot_act_in_the_terminal(home: Path, capsys: Captured) -> None:
    net = networkfile.read(home / "w.safetensors")
    hostile = structure.Network(**{**net.__dict__, "origin": "\x1b[2Jgone\n"})
    place = home / "hostile.safetensors"
    place.write_bytes(networkfile.to_bytes(hostile))
    _, out, _ = answer(capsys, "evaluate", place)
    assert "\x1b" not in out
    assert "\\x1b[2Jgone" in out
