"""The verb train: what it prints and writes, and what a user can get wrong, each one sentence."""

import errno
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

torch = pytest.importorskip("torch")
pytest.importorskip("brevitas")
pytest.importorskip("sklearn")

from small_runs import diverging, sha  # noqa: E402
from training_runs import QUICK, Capture, made, sentence, train  # noqa: E402

import vaqf  # noqa: E402
from vaqf.cli import app, terminal  # noqa: E402
from vaqf.files.paths import BOARDS  # noqa: E402
from vaqf.quant.files import checkpoint  # noqa: E402
from vaqf.quant.training import stage  # noqa: E402
from vaqf.reporting import unlogged  # noqa: E402

pytestmark = pytest.mark.usefixtures("here")


def test_what_it_prints_and_writes(here: Path, capsys: Capture) -> None:
    assert train(*QUICK) == 0
    answer, error = capsys.readouterr()
    result = checkpoint.read(here / "small_w1a8.pt").result
    correct, floats = result["correct"], result["float_correct"]
    note = answer.rpartition("note: ")[2].rstrip("\n")
    assert answer == (
        f"{correct} of 360 ({100 * correct / 360:.1f} %) test images correct (integer network)\n"
        f"its float teacher: {floats} of 360 ({100 * floats / 360:.1f} %);"
        " checkpoint: small_w1a8.pt\n"
        "trained for 2 epochs, batch 512, augmentation shift\n"
        f"note: {note}\n"
    )
    assert note.startswith("the float model is far from converged: its training loss ended at ")
    assert "train longer (--epochs 80)" in note
    lines = error.splitlines()
    assert len(lines) == 2
    assert re.fullmatch(
        r"epoch 1 of 2 \(float\): loss \d\.\d{4}, accuracy [\d.]+ %; 0:00:\d\d done, about"
        r" 0:00:\d\d left",
        lines[0],
    )
    assert lines[1].startswith("epoch 2 of 2 (binary): ") and lines[1].endswith("0:00:00 left")
    names = {"small_w1a8.pt", "small_w1a8.csv", "small_w1a8.png", "small_w1a8.float.safetensors"}
    assert made(here) == names
    assert (here / "small_w1a8.png").read_bytes().startswith(b"\x89PNG")


class Terminal(io.StringIO):
    """Standard error that a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("words", [["-q"], ["--json"]])
def test_no_line_for_an_epoch_where_nobody_wants_one(words: list[str], capsys: Capture) -> None:
    assert train(*QUICK, *words) == 0
    assert capsys.readouterr().err == ""


def test_a_terminal_has_the_bar_and_no_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert terminal.epochs(quiet=False) is unlogged
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    log = terminal.epochs(quiet=False)
    log("a line\nwith \x1b[2J")
    assert sys.stderr.getvalue() == "a line with \\x1b[2J\n"
    assert terminal.epochs(quiet=True) is unlogged


def test_a_second_run_into_one_file_is_refused(here: Path, capsys: Capture) -> None:
    """By the lock of the first, which another process holds."""
    code = (
        "import sys, pathlib; from vaqf.files import lock\n"
        "with lock.alone(pathlib.Path('x.pt'), 'trains'): print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        for words in (["--force"], ["--resume"], []):
            assert train(*QUICK, "-o", "x.pt", *words) == 2
            said = sentence(capsys)
            assert said.startswith(f"process {other.pid} on '{socket.gethostname()}' (since '20")
            assert said.endswith("trains x.pt already; wait for it, or give another name with -o")
        assert train(*QUICK, "-o", "y.pt", "-q") == 0
        other.kill()  # and what it leaves stops nobody
    capsys.readouterr()
    assert train(*QUICK, "-o", "x.pt", "-q") == 0
    assert [name for name in made(here) if name.startswith(".")] == []


def test_json_and_the_baseline_that_has_no_teacher(here: Path, capsys: Capture) -> None:
    words = ["--recipe", "ONE_SHOT", "--act-bits", "3", "-o", "deep/x.pt", *QUICK]
    assert train(*words, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document == {
        "file": "deep/x.pt",
        "network": None,
        "model": "small",
        "act_bits": 3,
        "recipe": "one_shot",
        "epochs": 2,
        "batch": 512,
        "augment": "shift",
        "correct": checkpoint.read(here / "deep/x.pt").result["correct"],
        "images": 360,
        "float_correct": None,
        "skipped": {},
        "animated": [],
        "notes": [],
    }
    assert made(here / "deep") == {"x.pt", "x.csv", "x.png"}
    assert train(*words, "--resume") == 0
    answer = capsys.readouterr().out
    assert answer == (
        f"{document['correct']} of 360 ({100 * document['correct'] / 360:.1f} %) test images"
        " correct (integer network)\ncheckpoint: deep/x.pt\n"
        "trained for 2 epochs, batch 512, augmentation shift\n"
    )


def test_a_frame_rate_finds_the_precision_and_the_network_is_there(
    here: Path, capsys: Capture
) -> None:
    # few LUTs: below 8 bits the next larger design fits
    device = yaml.safe_load((BOARDS / "pynq_z2.yaml").read_text()) | {"name": "tiny", "lut": 22_000}
    Path("tiny.yaml").write_text(yaml.safe_dump(device))
    assert app.main(["estimate", "-m", "small.yaml", "--board", "tiny.yaml", "--json"]) == 0
    every = json.loads(capsys.readouterr().out)["search"]
    best = {one["act_bits"]: one["fps"] for one in every}
    between = (best[8] + max(best.values())) / 2
    words = ["--board", "tiny.yaml", "--fps", f"{between:.0f}", *QUICK, "--json"]
    assert app.main(["estimate", "-m", "small.yaml", *words[:4], "--json"]) == 0
    wanted = json.loads(capsys.readouterr().out)
    assert wanted["act_bits"] < 8
    assert train(*words) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["act_bits"] == wanted["act_bits"]
    name = f"small_w1a{wanted['act_bits']}"
    assert (document["file"], document["network"]) == (f"{name}.pt", f"{name}.safetensors")
    assert app.main(["evaluate", f"{name}.safetensors", "-d", "digits", "--json"]) == 0
    evaluated = json.loads(capsys.readouterr().out)
    assert (evaluated["correct"], evaluated["images"]) == (document["correct"], 360)
    assert app.main(["export", f"{name}.pt", "-o", "again.safetensors"]) == 0
    file = (here / f"{name}.safetensors").read_bytes()
    assert file == (here / "again.safetensors").read_bytes()
    capsys.readouterr()
    assert train(*words) == 2
    assert sentence(capsys).startswith(f"{name}.safetensors exists")
    assert train(*words, "--resume") == 0
    assert (here / f"{name}.safetensors").read_bytes() == file


def test_nothing_that_was_read_is_written_over(here: Path, capsys: Capture) -> None:
    assert train("-o", "x.pt", *QUICK) == 0
    (here / "x.float.safetensors").rename(here / "y.safetensors")
    before = {path: path.read_bytes() for path in here.iterdir()}
    capsys.readouterr()
    assert app.main(["export", "x.pt", "-o", "x.pt", "--force"]) == 2
    assert sentence(capsys).startswith("x.pt is the checkpoint itself")
    assert app.main(["export", "x.pt", "-o", "y.safetensors", "--force"]) == 2
    assert sentence(capsys).startswith("y.safetensors exists and was not written by vaqf")
    for way in ("--force", "--resume"):
        words = ["-o", "y.pt", "--teacher", "y.safetensors", "--board", "zcu102", way]
        assert train(*words, *QUICK) == 2
        assert sentence(capsys).startswith("the network would replace the teacher y.safetensors")
    assert app.main(["export", "z.pt"]) == 2
    assert sentence(capsys).startswith("z.pt: there is no such file")
    assert {path: path.read_bytes() for path in here.iterdir()} == before


def test_a_pinned_precision_goes_with_a_board(here: Path, capsys: Capture) -> None:
    assert train("--board", "zcu102", "--act-bits", "5", *QUICK, "--json") == 0
    assert json.loads(capsys.readouterr().out)["network"] == "small_w1a5.safetensors"


def test_the_function_of_the_same_name(here: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    result = vaqf.train(
        "small.yaml",
        "digits",
        here / "x.pt",
        act_bits=4,
        epochs=2,
        settings={"batch": "512", "augment": "none"},
        report=lambda *step: seen.append(step),
    )
    assert (result.act_bits, result.recipe, result.search, result.network) == (
        4,
        "best",
        None,
        None,
    )
    assert [step[1:] for step in seen] == [(i, 4) for i in range(1, 5)]
    assert seen[0][0].startswith("training, epoch 1 of 2 (float), loss ")
    with_shift = vaqf.train(
        "small.yaml", "digits", here / "y.pt", act_bits=4, epochs=2, settings={"batch": "512"}
    )
    assert with_shift.trained.rows[0].loss != result.trained.rows[0].loss


def test_ctrl_c_leaves_a_checkpoint_to_go_on_from(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--epochs", "4", "--set", "batch=512", "-q"]
    assert train(*words, "-o", "whole.pt") == 0
    true, saves = checkpoint.write, []

    def write(*arguments: Any) -> None:
        true(*arguments)
        saves.append(1)
        if len(saves) == 2:
            signal.raise_signal(signal.SIGINT)

    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write", write)
        assert train(*words, "-o", "x.pt") == 130
    told = "interrupted; nothing was left half-written; --resume goes on from there"
    assert sentence(capsys) == told
    assert checkpoint.read(here / "x.pt").run["epochs_done"] == 2
    assert not list(here.glob(".*"))
    assert train(*words, "-o", "x.pt", "--resume") == 0
    assert sha(here / "x.pt") == sha(here / "whole.pt")


def never(*arguments: object, **options: object) -> None:
    raise AssertionError("it trained")


WRONG: list[tuple[list[str], str]] = [
    (["--recipe", "bset"], "unknown recipe 'bset' (did you mean best?)"),
    (["--recipe", "none.yaml"], f"none.yaml: cannot be read: {os.strerror(errno.ENOENT)}"),
    (["--recipe", "bad.yaml"], "bad.yaml has the unknown key 'stage' (did you mean stages?)"),
    (["--set", "lr"], "--set is 'lr'; it must be KEY=VALUE"),
    (["--set", "=1"], "--set is '=1'; it must be KEY=VALUE"),
    (["--set", "lr="], "--set is 'lr='; it must be KEY=VALUE"),
    (["--set", "epoch=1"], "--set has the unknown key 'epoch' (did you mean epochs?)"),
    (["--set", "lr=fast"], "recipe best: lr is 'fast'; it must be a number"),
    (["--set", "lr=100"], "recipe best: lr is 100; it must be a number, 1e-09 to 10"),
    (["--set", "batch=7", "--set", "accumulate=2"], "batch is 7; 1 process(es) x 2"),
    (["--set", "processes=2"], "recipe best expects 2 processes and 1 took part"),
    (["--epochs", "0"], "recipe best: epochs is 0; it must be a whole number, 1 to 100000"),
    (["--epochs", "many"], "--epochs is 'many'; it must be a whole number"),
    (["--act-bits", "9"], "act_bits is 9; it must be a whole number, 2 to 8"),
    (["--seed", "-1"], "seed is -1; it must be a whole number, 0 to 4294967295"),
    (["--device", "tpu"], "device is 'tpu' (did you mean cpu?); it must be one of auto, cpu"),
    (["--workers", "-1"], "workers is -1"),
    (["--teacher", "none.safetensors"], "none.safetensors"),
    (["--recipe", "one_shot", "--teacher", "x.safetensors"], "leave out --teacher"),
    (["-o", "x"], "the checkpoint is 'x'; its name must end in .pt"),
    (["-o", "x.safetensors"], "its name must end in .pt"),
    (["-o", "/"], "the checkpoint is '/'; its name must end in .pt"),
    (["-o", ""], "its name must end in .pt"),
    (["-o", "x", "--board", "zcu102"], "its name must end in .pt"),
    (["-o", "", "--board", "zcu102"], "its name must end in .pt"),
    (["-o", "/", "--board", "zcu102"], "its name must end in .pt"),
    (["-o", "small.yaml/x.pt"], "cannot write small.yaml/x.pt: "),
    (["-o", "/proc/none/x.pt"], "cannot write /proc/none/x.pt: "),
    (["-o", "there.pt"], "there.pt exists; --resume goes on with it, --force starts again"),
    (["-o", "there.pt", "--resume"], "there.pt: refused"),
    (["--fps", "30"], "--fps needs --board: the precision depends on the device"),
    (["--fps", "fast", "--board", "zcu102"], "--fps is 'fast'; it must be a number or max"),
    (["--fps", "-1", "--board", "zcu102"], "fps is -1.0; it must be a positive number"),
    (["--board", "zcu"], "zcu"),
]


@pytest.mark.parametrize(("words", "message"), WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_wrong_words_cost_nothing(
    words: list[str],
    message: str,
    here: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (here / "bad.yaml").write_text("stage: []")
    (here / "there.pt").write_bytes(b"mine")
    monkeypatch.setattr(stage.Running, "_step", never)
    before = made(here)
    assert train(*words) == 2
    assert message in sentence(capsys)
    assert made(here) == before and (here / "there.pt").read_bytes() == b"mine"


def test_a_target_out_of_reach_trains_nothing(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.Running, "_step", never)
    assert train("--board", "zcu102", "--fps", "1e9") == 3
    assert "FPS" in sentence(capsys)
    assert made(here) == set()


def test_a_loss_that_is_no_number_says_the_step_and_keeps_the_checkpoint(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--epochs", "4", "--set", "batch=512", "-o", "x.pt", "-q"]
    true, calls = stage.labelled, []

    def spoiled(*arguments: Any) -> Any:
        calls.append(1)
        return true(*arguments) * (float("nan") if len(calls) == 4 else 1.0)

    with monkeypatch.context() as patch:
        patch.setattr(stage, "labelled", spoiled)
        assert train(*words) == 2
    assert sentence(capsys) == (
        "the loss is nan in step 2 of epoch 2 (stage float); lower the learning rate"
        " (--set lr=...) or set clip=1"
    )
    assert checkpoint.read(here / "x.pt").run["epochs_done"] == 1
    assert train(*words, "--set", "lr=1e-4", "--resume") == 2
    assert "x.pt was made with recipe best: lr '0.003', not '0.0001'" in sentence(capsys)
    assert train(*words, "--resume") == 0


def test_a_learning_rate_that_diverges_is_a_sentence(here: Path, capsys: Capture) -> None:
    with diverging(1):
        assert train("--recipe", "one_shot", "--epochs", "9", "-q") == 2
    assert "step" in (said := sentence(capsys)) and "lower the learning rate" in said


def test_what_the_csv_and_the_picture_may_not_do(here: Path, capsys: Capture) -> None:
    """What lies where the log goes stops the run before it starts; a folder cannot be replaced."""
    (here / "x.csv").mkdir()
    assert train(*QUICK, "-o", "x.pt") == 2
    assert "x.csv is a folder" in sentence(capsys)
    assert train(*QUICK, "-o", "x.pt", "--force") == 2
    assert "x.csv is a folder" in sentence(capsys)
    assert made(here) == {"x.csv"}
    (here / "y.png").write_text("mine")
    for force in ([], ["--force"]):
        assert train(*QUICK, "-o", "y.pt", *force) == 2
        assert "y.png exists and was not written by vaqf" in sentence(capsys)
    assert (here / "y.png").read_text() == "mine"
