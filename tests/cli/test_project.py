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
from answers import Captured, answer, sentence

from vaqf.cli import app
from vaqf.files.paths import BOARDS
from vaqf.project import blob


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


@pytest.mark.parametrize("words", [["csim", "--data", "digits"], ["cosim"], ["synth"], ["place"]])
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


def test_the_readme_tells_a_clock_that_is_not_met_and_a_board_of_one_s_own(tmp_path: Path) -> None:
    text = (BOARDS / "zcu102.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(text.replace("name: zcu102", "name: mine"))
    told = {}
    for board, clock in (("zcu102", "100"), (str(tmp_path / "mine.yaml"), "700")):
        folder = tmp_path / clock
        words = ["--model", "vit_digits", "--fps", "100", "--board", board, "--clock-mhz", clock]
        assert app.main(["build", *words, "-o", str(folder)]) == 0
        told[clock] = (folder / "README.md").read_text()
    assert "beware" not in told["100"] and "FILE.yaml" not in told["100"]
    assert "| **beware** | 700 MHz were asked for; the timing model says that the" in told["700"]
    assert told["700"].count("vaqf synth . --board FILE.yaml") == 2
