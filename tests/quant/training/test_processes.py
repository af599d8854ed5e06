"""processes.py: two processes train as one does, and one of them writes and speaks."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import SAME, doubled, few, log, model_file, quick, run, step_losses
from waiting import ended

from vaqf.cli import app
from vaqf.errors import InputError
from vaqf.images import made
from vaqf.quant.files import checkpoint
from vaqf.quant.files.checkpoint import export
from vaqf.quant.training import processes
from vaqf.quant.training.processes import Processes
from vaqf.quant.training.train import float_file
from vaqf.sim import golden

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PATHS = (ROOT, ROOT / "tests", ROOT / "tests/quant")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("teacher") / "t.pt"
    run(out, quick("best", each=1))
    return float_file(out)


@pytest.fixture(scope="module")
def two(teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any], str]:
    """The folder, what each process saw, and what both printed: see two_processes.py."""
    folder = tmp_path_factory.mktemp("two")
    model = model_file(folder)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    script = [str(HERE / "two_processes.py"), str(folder), str(teacher), str(model)]
    process = subprocess.Popen(
        [*torchrun, "--nproc_per_node", "2", *script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, PATHS)), "OMP_NUM_THREADS": "1"},
    )
    printed, errors = ended(process)
    assert process.returncode == 0, errors
    seen = [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]
    return folder, seen, printed


Two = tuple[Path, list[Any], str]


def test_processes_know_each_other(two: Two) -> None:
    for rank, seen in enumerate(two[1]):
        assert seen["place"] == [rank, 2, rank == 0, "cpu"]
        assert seen["total"] == [2, 10]
        assert seen["largest"] == -1.0
        assert seen["gathered"] == [{"rank": 0}, {"rank": 1}]


def test_the_first_works_for_all_and_its_error_reaches_all(two: Two) -> None:
    for seen in two[1]:
        assert seen["first"] == "from 0"
        assert seen["error"] == "rank 0 fails"


def test_gradients_are_averaged_once_in_the_last_part(two: Two) -> None:
    first, second = two[1]
    assert first["weight"] == second["weight"]
    assert first["gradient of one part"] == [[1.0, 1.0]]
    assert second["gradient of one part"] == [[2.0, 2.0]]
    # the mean of 1 + 2 and 2 + 3
    assert first["gradient"] == second["gradient"] == [[4.0, 4.0]]


@pytest.mark.parametrize("name", ["one_shot", "best"])
def test_two_processes_lose_what_one_does(
    name: str, two: Two, teacher: Path, tmp_path: Path
) -> None:
    """With the digits' augmentation; `best` with mixup, in each process two accumulated parts."""
    chosen = quick("one_shot") if name == "one_shot" else quick("best", mixup=0.8)
    given = teacher if name == "best" else None
    with doubled(), step_losses() as expected:
        run(tmp_path / "x.pt", chosen, few(48, 13), teacher=given)
    first, second = (seen[name]["losses"] for seen in two[1])
    assert first == second and len(first) == len(expected) == 6
    assert first == pytest.approx(expected, rel=SAME)


def test_two_processes_are_one_that_takes_the_batch_in_two_parts(two: Two, tmp_path: Path) -> None:
    """Bit for bit, for then the same numbers are added in the same order."""
    with doubled(), step_losses() as expected:
        run(tmp_path / "x.pt", quick("one_shot", accumulate=2), few(48, 13))
    assert [seen["one_shot"]["losses"] for seen in two[1]] == [expected, expected]


def test_the_residual_scale_is_the_largest_of_all_processes(two: Two) -> None:
    first, second = (seen["largest of an epoch"] for seen in two[1])
    assert len(first) == len(second) == 2 + 2  # epochs of one_shot's stage and of best's second
    for (one, result), (other, same) in zip(first, second, strict=True):
        assert result == same == max(one, other)
    assert any(one[0] != other[0] for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("name", ["one_shot", "best"])
def test_every_image_is_judged_once(name: str, two: Two) -> None:
    with doubled():
        exported = export(two[0] / f"{name}.pt")
    pixels, labels = (part[:13] for part in made.digits(exported.vit, "test"))
    right = golden.labels(golden.run(exported, pixels)) == labels
    assert [seen[name]["result"] for seen in two[1]] == [
        [int(right.sum()), 13, True],
        [int(right.sum()), 13, False],
    ]


def test_only_the_first_writes(two: Two) -> None:
    folder, (first, second), _ = two
    assert second["writes"] == []
    saves = {name: first["writes"].count(name) for name in first["writes"] if name != "a.pt"}
    # an epoch each, and the end; of `stopped` what came before the interruption (a.pt: refused)
    assert saves == {"one_shot.pt": 3, "best.pt": 3, "stopped.pt": 3, "cli.pt": 5}
    assert not list(folder.glob(".*"))


def test_only_the_first_prints(two: Two) -> None:
    _, seen, printed = two
    assert [(one["exit"], one["again"]) for one in seen] == [(0, 0), (0, 0)]
    decoder, place, documents = json.JSONDecoder(), 0, []
    while place < len(printed):
        document, place = decoder.raw_decode(printed, place)
        documents.append(document)
        place += len(printed[place:]) - len(printed[place:].lstrip())
    assert len(documents) == 2 and documents[0] == documents[1]  # the run, then its resumption
    assert documents[0]["images"] == 360


def test_the_verb_on_two_processes_and_on_one(two: Two, tmp_path: Path) -> None:
    """`best` on the digits, batches of 64."""
    out = tmp_path / "cli.pt"
    words = ["train", "-m", str(model_file(tmp_path)), "-d", "digits", "-o", str(out), "--quiet"]
    with doubled():
        assert app.main([*words, "--epochs", "4", "--act-bits", "4"]) == 0
        results = [checkpoint.read(path).result for path in (out, two[0] / "cli.pt")]
    assert results[0] == results[1]
    for mine, theirs in zip(log(out), log(two[0] / "cli.pt"), strict=True):
        same = ("stage", "epoch", "steps", "lr", "binary_share", "act_bits", "accuracy")
        assert {key: mine[key] for key in same} == {key: theirs[key] for key in same}
        assert float(mine["loss"]) == pytest.approx(float(theirs["loss"]), rel=SAME)


def test_errors_reach_every_process(two: Two) -> None:
    first, second = (seen["refused"] for seen in two[1])
    assert first == second
    place, batch, missing, diverged, there = first
    assert place.startswith("cannot write /proc/none/x.pt: ")
    assert batch.startswith("batch is 9; 2 process(es) x 1 accumulation step(s) need a multiple")
    assert missing.startswith("recipe best expects 4 processes and 2 took part")
    assert "lower the learning rate" in diverged
    assert there.endswith("--resume goes on with it, --force starts again")


def test_a_run_of_two_goes_on_alone(two: Two, tmp_path: Path) -> None:
    assert [seen["stopped"] for seen in two[1]] == [True, True]
    out = tmp_path / "stopped.pt"
    out.write_bytes((two[0] / "stopped.pt").read_bytes())
    with doubled():
        assert checkpoint.read(out).run["epochs_done"] == 3
        trained = run(out, quick("best"), resumed=True)
    assert [row.epoch for row in trained.rows] == [1, 2, 3, 4]


def test_one_process_needs_no_group() -> None:
    with processes.join("cpu") as here:
        assert (here.rank, here.world, here.leads) == (0, 1, True)
        assert not torch.distributed.is_initialized()
        layer = torch.nn.Linear(1, 1)
        assert here.wrapped(layer) is layer
        assert here.gathered("x") == ["x"] and here.first(lambda: 3) == 3
        value = torch.tensor([2.0])
        assert here.total(value) is value and here.largest(value) is value


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"RANK": "a"}, "RANK is 'a' in the environment"),
        ({"WORLD_SIZE": "-2"}, "WORLD_SIZE is '-2' in the environment"),
        ({"RANK": "1"}, "RANK is 1 and WORLD_SIZE 1 in the environment"),
        ({"WORLD_SIZE": "2"}, "WORLD_SIZE is 2 in the environment, without RANK; start the run"),
        ({"WORLD_SIZE": "2", "RANK": "1", "MASTER_ADDR": "localhost"}, "without MASTER_PORT"),
    ],
)
def test_an_environment_that_torchrun_did_not_make(
    given: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=message), processes.join("cpu"):
        pass


def test_the_errors_of_the_first_pass_through() -> None:
    def fail() -> None:
        raise InputError("no")

    with pytest.raises(InputError, match="no"):
        Processes(0, 1, torch.device("cpu")).first(fail)


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="torch sees no GPU here"), processes.join("cuda"):
        pass
    with pytest.raises(InputError, match=r"device is 'gpu' .*; it must be"), processes.join("gpu"):
        pass
    for device in ("auto", "cpu"):
        with processes.join(device) as here:
            assert here.device == torch.device("cpu")
