"""resume.py: a run that was stopped anywhere ends as if it had never stopped."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_runs import (
    SAME,
    SMALL,
    doubled,
    everything,
    few,
    log,
    model_file,
    never,
    quick,
    run,
    sha,
    stop_at,
)

from vaqf.cli import app
from vaqf.errors import InputError
from vaqf.images import made
from vaqf.quant.data.augment import Augment
from vaqf.quant.files import checkpoint
from vaqf.quant.model.vit import BinaryStyle, FloatVit, QuantVit
from vaqf.quant.recipe.recipe import Recipe
from vaqf.quant.training import resume, train
from vaqf.quant.training.processes import Processes
from vaqf.quant.training.stage import Plan, Running
from vaqf.quant.training.train import float_file

NAMES = ["best", "one_shot", "vaqf_paper", "everything"]
ROOT = Path(__file__).parents[3]
DATA = few()


def chosen(name: str, folder: Path) -> Recipe:
    return everything(folder) if name == "everything" else quick(name)


def same_files(one: Path, other: Path) -> None:
    """Two runs ended alike: network, model, log, float model."""
    assert sha(one) == sha(other)
    assert log(one) == log(other)
    models = [torch.load(out, weights_only=True)["model"] for out in (one, other)]
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])
    floats = [float_file(out) for out in (one, other)]
    assert floats[0].exists() == floats[1].exists()
    if floats[0].exists():
        assert floats[0].read_bytes() == floats[1].read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_is_interrupted_after_every_step(name: str, tmp_path: Path) -> None:
    """Each call does one more step than the one before, from the last epoch's end on."""
    recipe, out, whole = chosen(name, tmp_path), tmp_path / "x.pt", tmp_path / "whole.pt"
    expected = run(whole, recipe, act_bits=3, seed=4)
    steps = 2 * sum(recipe.stage_epochs())
    first = []
    for step in range(1, steps + 1):
        seen: list[int] = []

        def watch(what: str, done: int, of: int, seen: list[int] = seen, last: int = step) -> None:
            seen.append(done)
            stop_at(last)(what, done, of)

        with pytest.raises(KeyboardInterrupt):
            run(out, recipe, act_bits=3, seed=4, resumed=True, report=watch)
        first.append(seen[0])
    # an epoch has two steps; an interruption after the second comes before its save
    assert first == [max(1, step - 1 - step % 2) for step in range(1, steps + 1)]
    got = run(out, recipe, act_bits=3, seed=4, resumed=True)
    assert replace(got, rows=()) == replace(expected, rows=())
    same_files(out, whole)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_is_killed_between_its_last_save_and_its_end(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, out, whole = chosen(name, tmp_path), tmp_path / "x.pt", tmp_path / "whole.pt"
    expected = run(whole, recipe, act_bits=3)

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train, "_finish", killed)
        run(out, recipe, act_bits=3)
    assert checkpoint.read(out).run["epochs_done"] == sum(recipe.stage_epochs())
    assert run(out, recipe, act_bits=3, resumed=True).correct == expected.correct
    same_files(out, whole)


@pytest.mark.parametrize("number", [1, 3, 6])
def test_a_run_that_is_killed_in_the_middle_of_a_save(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Path
) -> None:
    """The sixth save of vaqf_paper is its last epoch's; the first leaves nothing at all."""
    out = tmp_path / "x.pt"
    true, saves = torch.save, []

    def half(content: object, file: Any) -> None:
        saves.append(1)
        true(content, file)
        if len(saves) == number:
            file.truncate(file.tell() // 2)
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(torch, "save", half)
        run(out, quick("vaqf_paper"), act_bits=3)
    assert out.exists() == (number > 1)
    if number > 1:
        assert checkpoint.read(out).run["epochs_done"] == number - 1
    run(out, quick("vaqf_paper"), act_bits=3, resumed=True)
    same_files(out, whole)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("resume") / "whole.pt"
    run(out, quick("vaqf_paper"), act_bits=3)
    return out


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run in its first stage."""
    out = tmp_path_factory.mktemp("resume") / "begun.pt"
    with pytest.raises(KeyboardInterrupt):
        run(out, quick("vaqf_paper"), act_bits=3, report=stop_at(3))
    return out


def command(model: Path, out: Path) -> list[str]:
    words = ["train", "-m", str(model), "-d", "digits", "-o", str(out), "--quiet"]
    return [*words, "--epochs", "15", "--act-bits", "4", "--set", "batch=256"]


# the verb, killed in the first step after the log has an epoch of its second stage
KILLED = """
import os, signal, sys
from pathlib import Path
from vaqf.quant.training.stage import Running
from vaqf.cli import app

true, log = Running._step, Path(sys.argv[1])

def step(self, *arguments):
    if log.exists() and "\\nbinary," in log.read_text():
        os.kill(os.getpid(), signal.SIGKILL)
    return true(self, *arguments)

Running._step = step
app.main(sys.argv[2:])
"""


def test_kill_9_in_the_second_stage(tmp_path: Path) -> None:
    out, whole, model = tmp_path / "x.pt", tmp_path / "whole.pt", model_file(tmp_path)
    script = [sys.executable, "-c", KILLED, str(out.with_suffix(".csv"))]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*script, *command(model, out)], cwd=ROOT, env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    before = log(out)
    assert [row["stage"] for row in before].count("binary") == 1
    assert checkpoint.read(out).result is None

    assert app.main([*command(model, out), "--resume"]) == 0
    assert app.main(command(model, whole)) == 0
    same_files(out, whole)
    assert log(out)[: len(before)] == before
    assert checkpoint.read(out).result == checkpoint.read(whole).result


def test_what_the_machine_decides_may_change(tmp_path: Path) -> None:
    """Other accumulation, same images: the same losses."""
    out, whole = tmp_path / "x.pt", tmp_path / "whole.pt"
    with doubled():
        expected = run(whole, quick("best"))
        with pytest.raises(KeyboardInterrupt):
            run(out, quick("best"), report=stop_at(7))
        got = run(out, quick("best", accumulate=4, processes=1), resumed=True)
    for row, wanted in zip(got.rows, expected.rows, strict=True):
        assert row.loss == pytest.approx(wanted.loss, rel=SAME)
        assert (row.lr, row.act_bits) == (wanted.lr, wanted.act_bits)


def test_resuming_a_complete_run_answers_at_once(whole: Path) -> None:
    before = {path: path.read_bytes() for path in whole.parent.iterdir()}

    got = run(whole, quick("vaqf_paper"), act_bits=3, resumed=True, report=never)
    assert {path: path.read_bytes() for path in whole.parent.iterdir()} == before
    assert [row.epoch for row in got.rows] == list(range(1, 7))
    result = checkpoint.read(whole).result
    assert (got.correct, got.images, got.float_correct) == tuple(result.values())


def test_resuming_nothing_begins(whole: Path, tmp_path: Path) -> None:
    run(tmp_path / "x.pt", quick("vaqf_paper"), act_bits=3, resumed=True)
    same_files(tmp_path / "x.pt", whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipe": quick("best")}, "made by another recipe"),
        ({"recipe": quick("vaqf_paper", lr=0.001)}, r"lr '0\.003', not '0\.001'"),
        ({"recipe": quick("vaqf_paper", each=3)}, "epochs '6', not '9'"),
        ({"recipe": quick("vaqf_paper", batch=8)}, "batch '16', not '8'"),
        ({"recipe": quick("vaqf_paper", centred="true")}, "centred 'False', not 'True'"),
        ({"act_bits": 4}, "act_bits 3, not 4"),
        ({"seed": 1}, "seed 0, not 1"),
        ({"vit": replace(SMALL, depth=2)}, "model"),
        ({"vit": replace(SMALL, name="other")}, "model"),
        ({"data": few(33)}, "training images 32, not 33"),
    ],
)
@pytest.mark.parametrize("done", [True, False])
def test_another_run_is_named_and_nothing_is_touched(
    change: dict[str, Any], message: str, done: bool, whole: Path, begun: Path, tmp_path: Path
) -> None:
    out = tmp_path / "x.pt"
    before = (whole if done else begun).read_bytes()
    out.write_bytes(before)
    asked = {"recipe": quick("vaqf_paper"), "vit": SMALL, "data": DATA, "act_bits": 3, **change}
    with pytest.raises(InputError, match=message) as caught:
        train.train(out=out, resumed=True, **asked)
    assert str(caught.value).startswith(str(out)) and "--force" in str(caught.value)
    assert "\n" not in str(caught.value) and out.read_bytes() == before


def test_another_kind_of_data_is_named(whole: Path) -> None:
    shapes = replace(DATA, origin="shapes")
    with pytest.raises(InputError, match="data 'digits', not 'shapes'"):
        run(whole, quick("vaqf_paper"), shapes, act_bits=3, resumed=True)


def test_other_pictures_of_the_same_number_are_named(whole: Path) -> None:
    learn, judge = few().train, few().test
    data = replace(DATA, train=(learn[0], learn[1].flip(0)), test=judge)
    with pytest.raises(
        InputError, match=r"with fingerprint of the data \(names, sizes, labels\) '"
    ):
        run(whole, quick("vaqf_paper"), data, act_bits=3, resumed=True, report=never)


def test_a_teacher_that_was_given_must_be_given_again(tmp_path: Path) -> None:
    run(tmp_path / "t.pt", quick("one_shot", each=1))
    run(tmp_path / "first.pt", quick("best", each=1))
    teacher = float_file(tmp_path / "first.pt")
    out, whole = tmp_path / "x.pt", tmp_path / "whole.pt"
    run(whole, quick("best"), teacher=teacher)
    with pytest.raises(KeyboardInterrupt):
        run(out, quick("best"), teacher=teacher, report=stop_at(7))
    before = out.read_bytes()
    with pytest.raises(InputError, match="made with teacher"):
        run(out, quick("best"), resumed=True)
    assert out.read_bytes() == before
    run(out, quick("best"), teacher=teacher, resumed=True)
    same_files(out, whole)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run of everything keeps in its last stage, one step before its end."""
    folder = tmp_path_factory.mktemp("stopped")
    out = folder / "x.pt"
    with pytest.raises(KeyboardInterrupt):
        run(out, everything(folder), report=stop_at(15))
    content: dict[str, Any] = torch.load(out, weights_only=True)
    return content


JUNK = [
    None,
    "junk",
    -1,
    10**30,
    float("nan"),
    True,
    [],
    {},
    {1: 2},
    [None] * 3,
    torch.zeros(3),
    torch.zeros(2, 3).to_sparse(),
]
PATHS: list[tuple[Any, ...]] = [
    (),
    *((key,) for key in sorted(resume.KEYS)),
    ("identity", "seed"),
    ("history", 6),
    ("history", 6, "epoch"),
    ("history", 6, "loss"),
    ("optimizer", 3),
    ("optimizer", 3, "step"),
    ("optimizer", 3, "exp_avg_sq"),
    ("average", 3),
    ("latest", "head.weight"),
    ("latest", "residual_scale"),
    ("teacher", "cls_token"),
]
HARMLESS: dict[tuple[Any, ...], tuple[int, ...]] = {  # numbers in JUNK of what some run might have
    ("float_correct",): (0, 3),
    ("history", 6, "loss"): (4,),
}


def replaced(content: Any, path: tuple[Any, ...], junk: Any) -> Any:
    """A copy with another value at a path of keys."""
    if not path:
        return junk
    if isinstance(content, list):
        return [replaced(v, path[1:], junk) if i == path[0] else v for i, v in enumerate(content)]
    return {k: replaced(v, path[1:], junk) if k == path[0] else v for k, v in content.items()}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Running:
    """The last stage of everything, for entries to be put into."""
    recipe = everything(tmp_path_factory.mktemp("running"))
    model = QuantVit(SMALL, 8, BinaryStyle(True, "learned"))
    plan = Plan(recipe, recipe.stages[-1], 8, seed=0, first_epoch=6, epochs=2, steps=2)
    augment = Augment("shift", SMALL, 10)
    alone = Processes(0, 1, torch.device("cpu"))
    return Running(plan, model, FloatVit(SMALL), DATA, augment, alone, DATA.calibration(8))


def put(entry: Any, running: Running, wanted: dict[str, Any]) -> None:
    """What a resumed run does with the `run` entry of a checkpoint."""
    where = Path("x.pt")
    resume.check_same(where, entry.get("identity") if isinstance(entry, dict) else None, wanted)
    place = resume.place(where, entry, SMALL, (2, 2, 2, 2))
    running.teacher = place.teacher
    resume.restore(place, running)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)) or "run")
def test_hostile_entries_are_sentences(
    path: tuple[Any, ...], stopped: dict[str, Any], running: Running
) -> None:
    entry = stopped["run"]
    put(entry, running, entry["identity"])
    for number, junk in enumerate(JUNK):
        spoiled = replaced(entry, path, junk)
        if number in HARMLESS.get(path, ()):
            put(spoiled, running, entry["identity"])
            continue
        with pytest.raises(InputError) as caught:
            put(spoiled, running, entry["identity"])
        assert "\n" not in str(caught.value) and str(caught.value).startswith("x.pt")


@pytest.mark.parametrize("key", ["run", "result", "model", "style", "vit"])
def test_hostile_files_are_sentences(key: str, stopped: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "x.pt"
    for junk in (None, 3, "junk", [], {}, {1: torch.zeros(3)}, torch.zeros(3)):
        if key in ("result", "model") and junk is None:
            continue  # what an unfinished run has
        torch.save({**stopped, key: junk}, out)
        with pytest.raises(InputError) as caught:
            run(out, everything(tmp_path), DATA, resumed=True)
        assert "\n" not in str(caught.value) and str(caught.value).startswith(str(out))


@pytest.mark.parametrize("path", [("result",), ("result", "correct"), ("result", "images")])
def test_a_result_that_is_damaged(path: tuple[str, ...], whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.pt"
    content = torch.load(whole, weights_only=True)
    for junk in (None, "junk", 1.5, True, [], torch.zeros(3)):
        torch.save(replaced(content, path, junk), out)
        with pytest.raises(InputError, match="damaged"):
            run(out, quick("vaqf_paper"), DATA, act_bits=3, resumed=True)


def test_counts_that_cannot_be(whole: Path, stopped: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "x.pt"
    content = torch.load(whole, weights_only=True)
    for key, junk in (("correct", 10**6), ("correct", -1), ("float_correct", 10**6)):
        torch.save(replaced(content, ("result", key), junk), out)
        with pytest.raises(InputError, match="its result is damaged"):
            run(out, quick("vaqf_paper"), DATA, act_bits=3, resumed=True)
    torch.save(replaced(stopped, ("run", "float_correct"), -5), out)
    with pytest.raises(InputError, match="its run entry is damaged"):
        run(out, everything(tmp_path), DATA, resumed=True)
    torch.save(replaced(stopped, ("run", "count"), stopped["run"]["count"] + 1), out)
    with pytest.raises(InputError, match="its average is damaged"):
        run(out, everything(tmp_path), DATA, resumed=True)


def test_flipped_bytes_when_resuming(stopped: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "x.pt"
    torch.save(stopped, out)
    content = out.read_bytes()
    recipe = everything(tmp_path)
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(12):
        spoiled = bytearray(content)
        for at in rng.integers(0, len(content), 2):
            spoiled[at] ^= int(rng.integers(1, 256))
        out.write_bytes(spoiled)
        try:
            run(out, recipe, DATA, resumed=True)
        except InputError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused >= 3


def test_files_that_are_no_checkpoint_are_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "x.pt"
    pixels, _ = made.digits(SMALL, "test")
    for content in (b"", b"mine", pixels[:3].tobytes()):
        out.write_bytes(content)
        with pytest.raises(InputError, match=r"x\.pt: "):
            run(out, quick("best"), resumed=True)
        assert out.read_bytes() == content
