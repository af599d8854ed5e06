"""The verbs as Python functions: defaults of the command line, typed errors."""

import importlib
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from samples import DIGITS_MODEL

import vaqf
from vaqf.cli import app
from vaqf.errors import InputError, ToolMissing
from vaqf.images import data
from vaqf.images.made import synthetic
from vaqf.model import zoo
from vaqf.network import calibrate, networkfile, parameters
from vaqf.sim import golden
from vaqf.verbs import VERBS


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "small.yaml"
    path.write_text(yaml.safe_dump(DIGITS_MODEL))
    return path


@pytest.fixture(scope="module")
def weights(model_file: Path) -> Path:
    """A network file of seeded random weights."""
    small = zoo.load(str(model_file))
    made = calibrate.calibrate(
        small, 6, parameters.random(small, 0), synthetic(small, 2), "random weights, seed 0"
    )
    path = model_file.with_suffix(".safetensors")
    path.write_bytes(networkfile.to_bytes(made))
    return path


def command_of(verb: str) -> Callable[..., None]:
    """What the command line calls for a verb."""
    module = importlib.import_module(f"vaqf.cli.{VERBS[verb].command}")
    found: Callable[..., None] = getattr(module, verb)
    return found


@pytest.mark.parametrize("verb", VERBS)
def test_the_function_has_the_options_of_the_verb(verb: str) -> None:
    function = set(inspect.signature(getattr(vaqf, verb)).parameters)
    command = set(inspect.signature(command_of(verb)).parameters)
    assert command - function <= {"as_json", "quiet", "tables"}
    assert function - command <= {"report", "log"}


@pytest.mark.parametrize("verb", VERBS)
def test_the_defaults_are_the_same(verb: str) -> None:
    function = inspect.signature(getattr(vaqf, verb)).parameters
    command = inspect.signature(command_of(verb)).parameters
    for name in set(function) & set(command) - {"fps"}:
        default = function[name].default
        words = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
        assert str(command[name].default) == words


def test_estimate_answers_and_does_not_raise_for_a_target_out_of_reach() -> None:
    found = vaqf.estimate("vit_digits", "zcu102", fps=1e12)
    assert not found.feasible
    assert found.reason
    assert vaqf.estimate("vit_digits", "zcu102", fps=1.0).feasible


def test_a_design_file_pins_the_design(tmp_path: Path) -> None:
    first = vaqf.estimate("vit_digits", "zcu102", fps=100.0)
    path = tmp_path / "design.json"
    path.write_text(json.dumps(first.estimate.design.to_json()))
    again = vaqf.estimate("vit_digits", "zcu102", fps=100.0, design=path)
    assert again.estimate == first.estimate


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"\xff", b"[" * 60_000, b"x" * 70_000, b'{"tokens": NaN}', b"1" * 6000],
)
def test_a_hostile_design_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "design.json"
    path.write_bytes(content)
    with pytest.raises(InputError):
        vaqf.estimate("vit_digits", "zcu102", design=path)


def test_evaluate_gives_goldens_logits(weights: Path) -> None:
    result = vaqf.evaluate(weights, "digits", 100)
    pixels = data.load("digits", result.network.vit, 100).read().pixels
    assert np.array_equal(result.logits, golden.run(networkfile.read(weights), pixels))
    assert result.correct == int((result.classes == result.labels).sum())


def test_evaluate_reports_each_batch(weights: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    vaqf.evaluate(weights, "digits", 100, report=lambda *state: seen.append(state))
    assert seen == [("images", 0, 100), ("images", 64, 100), ("images", 100, 100)]


def test_evaluate_of_images_without_labels_has_no_accuracy(weights: Path) -> None:
    assert vaqf.evaluate(weights).correct is None


def test_train_and_export_give_one_accuracy(
    model_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ckpt, file = tmp_path / "c.pt", tmp_path / "w.safetensors"
    train = ["train", "-m", str(model_file), "-d", "digits", "--epochs", "1", "-o", str(ckpt)]
    assert app.main([*train, "--json"]) == 0
    trained = json.loads(capsys.readouterr().out)
    assert app.main(["export", str(ckpt), "-o", str(file)]) == 0
    assert str(file) in capsys.readouterr().out
    assert app.main(["evaluate", str(file), "--data", "digits", "--json"]) == 0
    evaluated = json.loads(capsys.readouterr().out)
    assert evaluated["images"] == trained["images"] == 360
    assert evaluated["correct"] == trained["correct"]


WITHOUT_TORCH = """
import json, sys
from importlib.machinery import PathFinder

class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        hidden = name.split(".")[0] in ("torch", "brevitas")
        return None if hidden else super().find_spec(name, path, target)

sys.meta_path = [Hiding if finder is PathFinder else finder for finder in sys.meta_path]
from vaqf import cli
sys.exit(max(cli.main(line) for line in json.loads(sys.argv[1])))
"""


def without_torch(*lines: list[str]) -> int:
    """Exit code of a fresh interpreter that runs command lines where torch is not installed."""
    words = [sys.executable, "-c", WITHOUT_TORCH, json.dumps(lines)]
    return subprocess.run(words, check=False, capture_output=True).returncode


def test_most_verbs_need_no_torch(weights: Path) -> None:
    evaluate = ["evaluate", str(weights), "--data", "digits", "--images", "3"]
    assert without_torch(["estimate", "-m", "deit_tiny", "-b", "zcu102"], evaluate) == 0


def test_train_needs_torch(tmp_path: Path) -> None:
    train = ["train", "-m", "vit_digits", "-d", "digits", "-o", str(tmp_path / "c.pt")]
    assert without_torch(train) == 4


def test_train_without_torch_names_it(monkeypatch: pytest.MonkeyPatch, model_file: Path) -> None:
    def missing() -> None:
        raise ToolMissing("torch is not installed")

    monkeypatch.setattr("vaqf.quant.require", missing)
    assert app.main(["train", "-m", str(model_file), "-d", "digits"]) == 4
