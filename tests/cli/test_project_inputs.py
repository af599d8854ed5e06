"""build, csim and predict from the command line: what pictures and float models are brought."""

import json
from pathlib import Path

import pytest
from answers import Captured, answer, sentence
from PIL import Image
from safetensors.numpy import save_file

from vaqf.model import zoo
from vaqf.network import networkfile, parameters


def test_build_names_what_it_could_not_read_and_counts_the_others(
    home: Path, tmp_path: Path, capsys: Captured
) -> None:
    for name in ("a/0.png", "a/1.png", "b/0.png", "b/1.png"):
        (tmp_path / "few" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (20, 30), 99).save(tmp_path / "few" / name)
    (tmp_path / "few" / "a" / "1.png").write_text("<html>")
    words = ["build", "-m", home / "small.yaml", "-b", "zcu102", "--data", tmp_path / "few"]
    code, out, _ = answer(capsys, *words, "-o", tmp_path / "p", "--json")
    document = json.loads(out)
    assert (code, document["images"], list(document["unreadable"])) == (0, 3, ["a/1.png"])
    kept = json.loads((tmp_path / "p" / "golden" / "labels.json").read_text())
    assert kept["labels"] == [0, 1, 1]
    assert len(kept["golden"]) == 3
    _, out, _ = answer(capsys, *words, "-o", tmp_path / "p")
    assert "images in golden/: 3, pictures\nleft out, cannot be read: 1 picture (a/1.png: " in out


def test_csim_names_what_it_could_not_read(home: Path, tmp_path: Path, capsys: Captured) -> None:
    for name in ("a/0.png", "b/0.png"):
        (tmp_path / name).parent.mkdir()
        Image.new("L", (20, 30), 99).save(tmp_path / name)
    (tmp_path / "a" / "1.png").write_text("<html>")
    words = ["csim", home / "project", "--data", tmp_path]
    code, out, _ = answer(capsys, *words, "--json")
    document = json.loads(out)
    assert (code, document["images"], list(document["unreadable"])) == (0, 2, ["a/1.png"])
    assert len(document["classes"]) == 2
    _, out, _ = answer(capsys, *words)
    assert "left out, cannot be read: 1 picture (a/1.png: " in out


def test_csim_of_other_images(home: Path, capsys: Captured) -> None:
    code, out, _ = answer(capsys, "csim", home / "project", "--data", home / "picture.png")
    assert code == 0
    assert "1 image (pictures)" in out
    assert "0 mismatches" in out


def test_every_verb_says_that_a_first_frame_was_taken(
    home: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frames = [Image.new("L", (20, 30), level) for level in (99, 0)]
    names = [f"{number}.gif" for number in range(6)]
    for name in names:
        frames[0].save(name, save_all=True, append_images=frames[1:])
    note = (
        "6 pictures are animated or have pages; the first frame of each was taken: '0.gif',"
        " '1.gif', '2.gif', '3.gif', '4.gif' and 1 more"
    )
    project, network = home / "project", home / "project/weights/network.safetensors"
    for words in (
        ["build", "-w", network, "-b", "zcu102", "--data", ".", "-o", "p"],
        ["csim", project, "--data", "."],
        ["evaluate", network, "--data", "."],
    ):
        code, out, _ = answer(capsys, *words, "--json")
        document = json.loads(out)
        assert (code, document["notes"], document["animated"]) == (0, [note], names)
        assert f"\nnote: {note}\n" in answer(capsys, *words)[1]


def test_predict_says_that_a_first_frame_was_taken(
    home: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frames = [Image.new("L", (20, 30), level) for level in (99, 0)]
    frames[0].save("a.gif", save_all=True, append_images=frames[1:])
    note = "1 picture is animated or has pages; its first frame was taken: 'a.gif'"
    moving, still = (
        json.loads(answer(capsys, "predict", home / "project", picture, "--json")[1])
        for picture in ("a.gif", home / "picture.png")
    )
    assert moving == still | {"notes": [note]}
    assert still["notes"] == []
    assert f"\nnote: {note}\n" in answer(capsys, "predict", home / "project", "a.gif")[1]


def test_csim_of_another_set_by_name(home: Path, capsys: Captured) -> None:
    code, out, _ = answer(
        capsys, "csim", home / "project", "--data", "MNIST5K", "--images", 3, "--json"
    )
    found = json.loads(out)
    assert (code, found["images"], found["mismatches"]) == (0, 3, 0)
    assert found["correct"] is not None


def test_predict_refuses_what_is_no_picture(home: Path, capsys: Captured) -> None:
    for bad in (home / "small.yaml", home, home / "no.png"):
        sentence(capsys, 2, "predict", home / "project", bad)
    for top in ("0", "-1", "x"):
        sentence(capsys, 2, "predict", home / "project", home / "picture.png", "--top", top)


def test_a_float_checkpoint_is_built_with_a_warning(
    home: Path, tmp_path: Path, capsys: Captured
) -> None:
    small = zoo.load(str(home / "small.yaml"))
    save_file(parameters.random(small, 3), tmp_path / "float.safetensors")
    words = ["build", "-m", home / "small.yaml", "-b", "zcu102", "-o", tmp_path / "p"]
    code, out, err = answer(capsys, *words, "--weights", tmp_path / "float.safetensors")
    assert code == 0
    assert "float checkpoint float.safetensors" in out
    assert err.startswith("warning: ")
    assert "needs vaqf train" in err


def test_preprocessing_beside_a_float_checkpoint_is_taken_and_told(
    home: Path, tmp_path: Path, capsys: Captured
) -> None:
    small = zoo.load(str(home / "small.yaml"))
    save_file(parameters.random(small, 3), tmp_path / "float.safetensors")
    settings = {"size": {"height": 8, "width": 8}, "resample": 0, "image_mean": [0.25]}
    settings |= {"image_std": [0.5]}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    words = ["build", "-m", home / "small.yaml", "-b", "zcu102", "-o", tmp_path / "p"]
    words += ["--weights", tmp_path / "float.safetensors"]
    code, out, _ = answer(capsys, *words, "--json")
    note = (
        "preprocessing of float.safetensors from preprocessor_config.json: resize squash (not"
        " shorter), crop 1 (not 0.9), interpolation nearest (not bicubic), mean 0.25 (not 0.5)"
    )
    assert (code, json.loads(out)["notes"]) == (0, [note])
    network = networkfile.read(tmp_path / "p/weights/network.safetensors")
    assert (network.vit.resize, network.vit.crop, network.vit.mean) == ("squash", 1.0, (0.25,))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings | {"size": 9}))
    assert "gives pictures of 9 x 9, and small takes 8 x 8; put it elsewhere" in sentence(
        capsys, 2, *words
    )
