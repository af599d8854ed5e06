"""A flag against what a design file or a network file says."""

import json
from pathlib import Path

import pytest
import yaml
from answers import Captured, answer, sentence
from samples import DIGITS_MODEL

from vaqf.cli import app


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model file and a project of it."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "small.yaml").write_text(yaml.safe_dump(DIGITS_MODEL))
    words = ["-m", str(folder / "small.yaml"), "-b", "zcu102", "--act-bits", "5", "--quiet"]
    assert app.main(["build", *words, "-o", str(folder / "project")]) == 0
    return folder


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--act-bits", "4"], "act_bits is 4, but the design has 5; give one of them"),
        (["--engine", "adder"], "engine is adder, but the design has table; give one of them"),
        (["--engine", "paper"], "--engine paper"),
        (["--engine", "tabel"], "(did you mean table?)"),
    ],
)
@pytest.mark.parametrize("verb", ["estimate", "build"])
def test_a_flag_that_contradicts_the_design_is_refused(
    home: Path, tmp_path: Path, capsys: Captured, verb: str, flags: list[str], said: str
) -> None:
    words = [verb, "-m", home / "small.yaml", "-b", "zcu102"]
    words += ["-o", tmp_path / "p"] if verb == "build" else []
    design = home / "project" / "design.json"
    assert said in sentence(capsys, 2, *words, "--design", design, *flags)
    assert list(tmp_path.iterdir()) == []


def test_the_engine_is_the_designs_unless_it_is_contradicted(home: Path, capsys: Captured) -> None:
    words = ["estimate", "-m", home / "small.yaml", "-b", "zcu102", "--json"]
    code, out, _ = answer(capsys, *words, "--engine", "adder", "--act-bits", "5")
    design = home / "adder.json"
    design.write_text(json.dumps(json.loads(out)["design"]))
    for engine in ([], ["--engine", "adder"]):
        code, again, _ = answer(capsys, *words, "--design", design, *engine)
        assert code == 0
        assert json.loads(again)["engine"] == "adder"
    code, told, _ = answer(capsys, *words[:-1], "--design", design, "--quiet")
    assert code == 0 and "(the design given)" in told
    assert "engine is table, but the design has adder" in sentence(
        capsys, 2, *words, "--design", design, "--engine", "table"
    )


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["-m", "vit_digits"], "--model vit_digits contradicts --weights, which holds small"),
        (["--act-bits", "4"], "--act-bits 4 contradicts --weights, which has 5-bit activations"),
        (["--seed", "0"], "--seed 0 is of random weights, and --weights gives some"),
    ],
)
def test_a_flag_that_contradicts_the_weights_is_refused(
    home: Path, tmp_path: Path, capsys: Captured, flags: list[str], said: str
) -> None:
    weights = home / "project" / "weights" / "network.safetensors"
    words = ["build", "--weights", weights, "-b", "zcu102", "-o", tmp_path / "p"]
    assert said in sentence(capsys, 2, *words, *flags)
    assert list(tmp_path.iterdir()) == []
