"""build, csim and predict from the command line, on one small project."""

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from answers import Captured, answer, sentence
from PIL import Image
from safetensors.numpy import save_file
from samples import DIGITS_MODEL

from vaqf.cli import app
from vaqf.model import zoo
from vaqf.network import networkfile, parameters
from vaqf.project import blob


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model file, a picture and a project that was compiled and simulated."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "small.yaml").write_text(
        yaml.safe_dump(DIGITS_MODEL | {"class_names": list("abcdefghij")})
    )
    Image.new("L", (20, 30), 99).save(folder / "picture.png")
    words = ["-m", str(folder / "small.yaml"), "-b", "zcu102", "--act-bits", "5", "--quiet"]
    digits = ["--data", "digits", "--images", "12"]
    assert app.main(["build", *words, *digits, "-o", str(folder / "project")]) == 0
    assert app.main(["csim", str(folder / "project")]) == 0
    return folder


@pytest.fixture
def project(home: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(home / "project", tmp_path / "project", symlinks=True))


def test_build_says_what_it_wrote(home: Path, tmp_path: Path, capsys: Captured) -> None:
    words = ["build", "-m", home / "small.yaml", "-b", "zcu102", "-o", tmp_path / "p"]
    code, out, err = answer(capsys, *words)
    assert (code, err) == (0, "")
    assert "random weights, seed 0" in out
    assert "synthetic noise, seed 0" in out
    assert f"vaqf csim {tmp_path / 'p'}" in out


def test_the_default_folder_names_model_precision_and_board(
    home: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["build", "-m", home / "small.yaml", "-b", "zcu102", "--act-bits", "5", "--json"]
    code, out, _ = answer(capsys, *words)
    assert code == 0
    assert json.loads(out)["folder"] == "vaqf_small_w1a5_zcu102"
    assert [entry.name for entry in tmp_path.iterdir()] == ["vaqf_small_w1a5_zcu102"]


def test_equal_inputs_give_identical_bytes(home: Path, tmp_path: Path, capsys: Captured) -> None:
    words = ["-m", home / "small.yaml", "-b", "zcu102", "--act-bits", "5"]
    digits = ["--data", "digits", "--images", "12"]
    assert answer(capsys, "build", *words, *digits, "-o", tmp_path / "again")[0] == 0
    files = [p for p in sorted((tmp_path / "again").rglob("*")) if p.is_file()]
    assert len(files) > 20
    for path in files:
        other = home / "project" / path.relative_to(tmp_path / "again")
        assert path.read_bytes() == other.read_bytes(), path


def test_csim_finds_nothing_and_counts_the_classes(home: Path, capsys: Captured) -> None:
    code, out, err = answer(capsys, "csim", home / "project", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["images"], found["mismatches"], found["findings"]) == (12, 0, [])
    evaluate = ["evaluate", home / "project" / "weights" / "network.safetensors", "--json"]
    code, out, _ = answer(capsys, *evaluate, "--data", "digits", "--images", "12")
    assert code == 0
    assert json.loads(out)["classes"] == found["classes"]
    assert json.loads(out)["correct"] == found["correct"]


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


def test_make_csim_works_without_vaqf(home: Path) -> None:
    done = subprocess.run(
        ["make", "-C", home / "project" / "hls", "csim"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0
    assert "0 mismatches" in done.stdout


def test_predict_is_what_evaluate_says(home: Path, capsys: Captured) -> None:
    picture = home / "picture.png"
    code, out, _ = answer(capsys, "predict", home / "project", picture, "--json", "--top", "3")
    assert code == 0
    best = json.loads(out)["classes"]
    assert len(best) == 3
    network = home / "project" / "weights" / "network.safetensors"
    _, out, _ = answer(capsys, "evaluate", network, "--data", picture, "--json")
    assert json.loads(out)["classes"] == best[:1]


def test_a_wrong_logit_is_a_mismatch_with_its_place(project: Path, capsys: Captured) -> None:
    path = project / "golden" / "logits.bin"
    data = bytearray(path.read_bytes())
    _, kind, count, _, _, row = blob.BLOB_HEADER.unpack(data[: blob.BLOB_HEADER.size])
    body = data[blob.BLOB_HEADER.size :]
    body[2 * row + 4 * 7] ^= 1  # image 2, class 7
    path.write_bytes(blob.blob(blob.Blob(kind), bytes(body), count, row))
    code, out, err = answer(capsys, "csim", project)
    assert code == 1
    assert "1 mismatch " in out
    assert "layer head, frame 2, class 7" in err


@pytest.mark.parametrize(
    "name",
    [f"weights/{name}.bin" for name in ("weights", "commands")]
    + [f"golden/{name}.bin" for name in ("images", "logits", "layers")],
)
def test_a_flipped_bit_is_refused_by_its_crc(project: Path, capsys: Captured, name: str) -> None:
    data = bytearray((project / name).read_bytes())
    data[-1] ^= 1
    (project / name).write_bytes(data)
    assert "CRC" in sentence(capsys, 2, "csim", project)


def test_without_a_compiler(
    project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "not installed" in sentence(capsys, 4, "csim", project)


def test_a_project_that_does_not_compile(project: Path, capsys: Captured) -> None:
    (project / "hls" / "config.hpp").write_text("this is no C++\n")
    assert "could not compile" in sentence(capsys, 5, "csim", project)


@pytest.mark.parametrize("name", ["manifest.json", "design.json", "weights/network.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b"[]", b"\xff\x00"])
def test_a_damaged_project(
    project: Path, capsys: Captured, name: str, content: bytes | None
) -> None:
    (project / name).unlink()
    if content is not None:
        (project / name).write_bytes(content)
    sentence(capsys, 2, "csim", project, "--data", "digits", "--images", "1")


@pytest.mark.parametrize("words", [["csim", "--data", "digits"], ["cosim"], ["synth"]])
def test_an_edited_design(project: Path, capsys: Captured, words: list[str]) -> None:
    """A legal one, which the hardware in the folder is not."""
    path = project / "design.json"
    content = json.loads(path.read_text())
    content["capacity"]["tokens"] += content["tokens"]
    path.write_text(json.dumps(content))
    verb, *options = words
    assert "not as it was built" in sentence(capsys, 2, verb, project, *options)


def test_a_folder_that_is_no_project(tmp_path: Path, capsys: Captured) -> None:
    for words in (["csim", tmp_path], ["predict", tmp_path, "x.png"], ["csim", tmp_path / "no"]):
        assert "no project" in sentence(capsys, 2, *words)


def test_predict_refuses_what_is_no_picture(home: Path, capsys: Captured) -> None:
    for bad in (home / "small.yaml", home, home / "no.png"):
        sentence(capsys, 2, "predict", home / "project", bad)
    for top in ("0", "-1", "x"):
        sentence(capsys, 2, "predict", home / "project", home / "picture.png", "--top", top)


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["--engine", "paper"], 2, "paper"),
        (["--fps", "1e12"], 3, "cannot reach"),
        (["--images", "0"], 2, "--images"),
        (["--data", "digits", "--images", "9999"], 2, "360"),
        (["--data", "/no/such"], 2, os.strerror(errno.ENOENT)),
        (["--weights", "no/such"], 2, "no/such"),
        (["--weights", "/"], 2, "/"),
        (["--seed", "-1"], 2, "seed"),
        (["-o", "/proc/none/x"], 2, "/proc/none"),
        (["-o", "."], 2, "cannot be an output folder"),
        (["-o", "/"], 2, "cannot be an output folder"),
    ],
)
def test_build_refuses_and_writes_nothing(
    home: Path,
    tmp_path: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    model = ["-m", home / "small.yaml", "-b", "zcu102"]
    assert expected in sentence(capsys, code, "build", *model, *words)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_name_is_never_code(home: Path, tmp_path: Path, capsys: Captured) -> None:
    name = "a b;$(touch evil)'\"[exec touch evil]\nc"
    place = tmp_path / name
    words = ["build", "-m", home / "small.yaml", "-b", "zcu102", "--act-bits", "5", "-o", place]
    assert answer(capsys, *words)[0] == 0
    shutil.copytree(home / "project" / "hls" / "build", place / "hls" / "build")
    code, out, _ = answer(capsys, "csim", place, "--json")
    assert (code, json.loads(out)["mismatches"]) == (0, 0)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert not list(place.rglob("evil"))


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


def test_build_does_not_replace_a_strangers_folder(
    home: Path, tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    words = ["build", "-m", home / "small.yaml", "-b", "zcu102", "-o", tmp_path / "mine"]
    for force in ([], ["--force"]):
        said = sentence(capsys, 2, *words, *force)
        assert "was not made by vaqf, which never replaces it; name another folder with -o" in said
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"


def test_build_replaces_what_it_wrote_and_says_what_it_left(
    home: Path, project: Path, capsys: Captured
) -> None:
    (project / "thesis.tex").write_text("years of work")
    words = ["build", "-m", home / "small.yaml", "-b", "zcu102", "-o", project]
    code, out, _ = answer(capsys, *words)
    assert code == 0
    left = "left as they were, for no build wrote them: 'hls/build/csim', 'thesis.tex'"
    assert left in out.splitlines()
    assert (project / "thesis.tex").read_text() == "years of work"
    assert json.loads((project / "design.json").read_text())["act_bits"] == 8
    (project / "hls" / "vaqf_accelerator.cpp").write_text("// mine")
    assert "vaqf_accelerator.cpp was edited since it was built" in sentence(capsys, 2, *words)
    code, out, _ = answer(capsys, *words, "--force", "--json")
    assert (code, json.loads(out)["left"]) == (0, ["hls/build/csim", "thesis.tex"])
    assert answer(capsys, "csim", project)[0] == 0


def test_a_network_fixes_model_and_precision(home: Path, tmp_path: Path, capsys: Captured) -> None:
    network = home / "project" / "weights" / "network.safetensors"
    words = ["build", "-b", "zcu102", "--weights", network, "-o", tmp_path / "p"]
    assert "deit_tiny" in sentence(capsys, 2, *words, "--model", "deit_tiny")
    assert "act-bits" in sentence(capsys, 2, *words, "--act-bits", "6")
    assert "cannot reach" in sentence(capsys, 3, *words, "--fps", "1e12")
    code, out, _ = answer(capsys, *words, "--json")
    assert code == 0
    built = json.loads(out)
    assert (built["model"], built["act_bits"]) == ("small", 5)
    assert (tmp_path / "p" / "weights" / "network.safetensors").read_bytes() == network.read_bytes()


def test_a_users_sim_and_quant_are_not_imported(home: Path, tmp_path: Path) -> None:
    for name in ("sim", "quant"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('shadowed')\n")
    words = ["csim", home / "project", "--data", "digits", "--images", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "vaqf", *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["config.hpp", "testbench.cpp", "include/vaqf/engine.hpp"])
def test_a_missing_source_is_named_and_a_pipe_does_not_stop_the_compiler(
    project: Path, capsys: Captured, name: str
) -> None:
    # although the program compiled before is still there and up to date
    (project / "hls" / name).unlink()
    assert f"hls/{name} is missing" in sentence(capsys, 2, "csim", project)
    os.mkfifo(project / "hls" / name)
    assert f"hls/{name}: cannot be read: it is no regular" in sentence(capsys, 2, "csim", project)


def test_two_simulations_of_one_project_at_once(project: Path) -> None:
    shutil.rmtree(project / "hls" / "build")
    words = [sys.executable, "-m", "vaqf", "csim", str(project), "--json"]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [json.loads(each.communicate()[0])["mismatches"] for each in both] == [0, 0]
    assert [path.name for path in (project / "hls" / "build").iterdir()] == ["csim"]


@pytest.mark.parametrize("most", [500, 4_000, 8_000])
def test_a_disk_that_refuses_a_file_is_one_sentence(home: Path, tmp_path: Path, most: int) -> None:
    words = ["build", "-m", home / "small.yaml", "-b", "zcu102", "-o", tmp_path / "made" / "p"]
    answer = subprocess.run(
        [sys.executable, "-m", "vaqf", *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )
    refused = os.strerror(errno.EFBIG)
    assert answer.stderr == f"error: cannot write {tmp_path / 'made' / 'p'}: {refused}\n"
    assert answer.returncode == 2
    assert list((tmp_path / "made").iterdir()) == []


def test_a_project_of_another_schema_is_refused(project: Path, capsys: Captured) -> None:
    place = project / "manifest.json"
    manifest = json.loads(place.read_text())
    place.write_text(json.dumps({**manifest, "vaqf": "9.9", "schema": 99}))
    err = sentence(capsys, 2, "csim", project)
    assert "built by vaqf '9.9' with schema 99, this version reads 1" in err


@pytest.mark.parametrize("count", ["0", "-5"])
def test_csim_needs_an_image(home: Path, capsys: Captured, count: str) -> None:
    err = sentence(capsys, 2, "csim", home / "project", "--images", count)
    assert err == f"error: --images is {count}; it must be at least 1\n"


def test_an_empty_cxx_is_no_compiler_of_choice(
    project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(project / "hls" / "build")
    monkeypatch.setenv("CXX", " ")
    code, out, _ = answer(capsys, "csim", project)
    assert (code, "0 mismatches" in out) == (0, True)
