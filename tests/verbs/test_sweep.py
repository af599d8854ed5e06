"""`vaqf sweep`: the search's frames per second beside what training reaches."""

import csv
import json
from pathlib import Path

import pytest
import yaml
from samples import DIGITS_MODEL

pytest.importorskip("torch")
pytest.importorskip("brevitas")

import vaqf
from vaqf.cli import app
from vaqf.model import zoo


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """A sweep of seconds; -o and the precisions are still to be added."""
    model, recipe = tmp_path / "small.yaml", tmp_path / "quick.yaml"
    model.write_text(yaml.safe_dump(DIGITS_MODEL))
    stage = {"name": "binary", "weights": "sign", "activations": "quantized"}
    recipe.write_text(yaml.safe_dump({"epochs": 1, "batch": 512, "stages": [stage]}))
    return ["sweep", "-m", str(model), "-d", "digits", "-b", "zcu102", "--recipe", str(recipe)]


def test_a_sweep_writes_table_picture_and_networks(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = [*words, "--act-bits", "3,6", "--fps", "1000", "-o", str(out)]
    assert app.main([*command, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [point["act_bits"] for point in answer["points"]] == [6, 3]
    assert (answer["board"], answer["target_fps"], answer["folder"]) == ("zcu102", 1000, str(out))
    small = zoo.load(words[2])
    found = vaqf.estimate(words[2], "zcu102", fps=1000.0).to_json()["search"]
    best = {entry["act_bits"]: entry for entry in found}
    rows = list(csv.DictReader((out / "sweep.csv").read_text().splitlines()))
    for point, row in zip(answer["points"], rows, strict=True):
        assert point["fps"] == best[point["act_bits"]]["fps"]
        assert point["limited_by"] == row["limited_by"] == best[point["act_bits"]]["limited_by"]
        assert int(row["correct"]) == point["correct"]
        assert point["notes"] == []  # it has no float model
        evaluated = vaqf.evaluate(out / point["network"], "digits")
        assert evaluated.correct == point["correct"]
        assert (evaluated.network.vit, evaluated.network.act_bits) == (small, point["act_bits"])
    assert (out / "sweep.png").read_bytes().startswith(b"\x89PNG")
    assert app.main(command) == 2
    assert "--resume goes on" in capsys.readouterr().err
    assert app.main([*command, "--resume"]) == 0
    shown = capsys.readouterr().out
    assert "w1a6" in shown and "wrote" in shown and "meets 1,000 FPS" in shown


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--act-bits", "8,9"], "act_bits is 9"),
        (["--act-bits", "8,x"], "--act-bits is 'x'"),
        (["--act-bits", ""], "--act-bits is ''"),
        (["--fps", "-3"], "fps is -3"),
        (["--recipe", "bset"], "did you mean best"),
        (["-b", "zcu1O2"], "did you mean zcu102"),
        (["--teacher", "missing.pth"], "leave out --teacher"),
        (["--set", "batch"], "KEY=VALUE"),
        (["--epochs", "2", "--set", "epochs=3"], "give one of them"),
    ],
)
def test_wrong_words_are_refused_before_any_work(
    words: list[str],
    more: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert app.main([*words, "-o", str(out), *more]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists() or not any(out.iterdir())
