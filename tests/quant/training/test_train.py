"""train.py: training gives what the hardware computes, and wrong requests cost nothing."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_runs import (
    SAME,
    SMALL,
    diverging,
    doubled,
    few,
    log,
    never,
    quick,
    run,
    sha,
    stage_of,
    step_losses,
    stop_at,
)

from vaqf.errors import InputError
from vaqf.images import made as made_images
from vaqf.images import shapes
from vaqf.model import zoo
from vaqf.network import networkfile
from vaqf.quant.data import sources
from vaqf.quant.files import checkpoint
from vaqf.quant.files.checkpoint import export
from vaqf.quant.model.quantizers import ActGrid
from vaqf.quant.recipe import recipe
from vaqf.quant.training import stage
from vaqf.quant.training.train import Trained, files, float_file, train
from vaqf.sim import golden

DATA = few()
PICTURES = replace(zoo.load("vit_shapes"), name="rgb", dim=16, depth=1, heads=2, mlp_ratio=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained]:
    out = tmp_path_factory.mktemp("train") / "small.pt"
    return out, run(out, quick("best", each=1), few(test=360), act_bits=5)


@pytest.mark.slow
def test_the_digits_reach_95_percent_at_8_bits(tmp_path: Path) -> None:
    digits = zoo.load("vit_digits")
    chosen = recipe.load("best")
    made = train(digits, sources.load("digits", digits), tmp_path / "x.pt", chosen)
    assert made.accuracy >= 0.95
    assert (made.epochs, made.recipe.batch, made.recipe.augment) == (80, 64, "shift")
    assert made.notes == ()


def test_what_auto_comes_to_is_what_a_run_is_resumed_by(tmp_path: Path) -> None:
    out = tmp_path / "x.pt"
    chosen = quick("best", each=1)
    assert chosen.augment == "auto"
    made = run(out, chosen)
    assert (made.epochs, made.recipe.batch, made.recipe.augment) == (2, 16, "shift")
    kept = checkpoint.read(out).run["identity"]
    found = {key.partition(": ")[2]: value for key, value in kept.items()}
    assert (found["epochs"], found["batch"], found["augment"]) == ("2", "16", "'shift'")
    again = run(out, replace(chosen, augment="shift"), resumed=True)
    assert (again.recipe, again.notes) == (made.recipe, made.notes)


def test_fewer_epochs_than_stages_are_told(tmp_path: Path) -> None:
    asked = replace(quick("best", augment="none"), epochs=1)
    made = run(tmp_path / "x.pt", asked)
    assert (made.epochs, len(made.rows)) == (2, 2)
    assert made.notes[0] == (
        "epochs is 1, and recipe best trains 2: one of each of its stages, float, binary"
    )
    given = run(tmp_path / "y.pt", asked, teacher=float_file(tmp_path / "x.pt"))
    assert given.epochs == 1
    assert not any(note.startswith("epochs is") for note in given.notes)


def test_a_float_model_that_learned_little_is_told_and_one_that_learned_is_not(
    tmp_path: Path,
) -> None:
    short = quick("best", each=1, augment="none", lr=1e-2)
    (note,) = run(tmp_path / "short.pt", short).notes
    assert note.startswith("the float model is far from converged: its training loss ended at 2.")
    shares = (replace(short.stages[0], share=40.0), short.stages[1])
    made = run(tmp_path / "long.pt", replace(short, epochs=41, stages=shares))
    assert made.rows[-2].stage == "float" and made.rows[-2].loss < 0.9
    assert made.notes == ()


def test_accuracy_is_the_exported_networks_on_every_test_image(made: tuple[Path, Trained]) -> None:
    out, trained = made
    pixels, labels = made_images.digits(SMALL, "test")
    logits = golden.run(export(out), pixels)
    assert trained.images == 360
    assert trained.correct == int((golden.labels(logits) == labels).sum())
    assert trained.accuracy == trained.correct / 360
    assert trained.rows[-1].accuracy == trained.accuracy


@pytest.mark.parametrize("act_bits", range(2, 9))
def test_export_is_eval_is_golden_on_every_digit(act_bits: int, tmp_path: Path) -> None:
    """Of a trained model, through the bytes of both files, each recipe in its turn."""
    name = ("best", "vaqf_paper", "best", "one_shot")[act_bits % 4]
    out = tmp_path / "x.pt"
    trained = run(out, quick(name, each=1), few(64, 360), act_bits=act_bits)
    pixels, labels = made_images.digits(SMALL, "test")
    model, _ = checkpoint.read_model(out)
    logits = model(torch.from_numpy(pixels)).numpy()
    (tmp_path / "x.safetensors").write_bytes(networkfile.to_bytes(export(out)))
    file = networkfile.read(tmp_path / "x.safetensors")
    assert (file.act_bits, model.act_bits) == (act_bits, act_bits)
    np.testing.assert_array_equal(golden.run(file, pixels), logits)
    assert int((golden.labels(logits) == labels).sum()) == trained.correct
    assert len(np.unique(logits)) > 100  # not a network of zeros


@pytest.mark.parametrize("act_bits", [2, 8])
def test_export_is_eval_is_golden_on_the_shapes(act_bits: int, tmp_path: Path) -> None:
    learn, judge = (shapes.make(split, 0, 40) for split in ("train", "test"))
    out = tmp_path / "x.pt"
    trained = train(
        PICTURES,
        sources.arrays("shapes", learn, judge),
        out,
        quick("best", each=1),
        act_bits=act_bits,
    )
    model, _ = checkpoint.read_model(out)
    logits = golden.run(export(out), judge[0])
    np.testing.assert_array_equal(model(torch.from_numpy(judge[0])).numpy(), logits)
    assert int((golden.labels(logits) == judge[1]).sum()) == trained.correct


@pytest.mark.slow
@pytest.mark.parametrize("act_bits", range(2, 9))
def test_export_is_eval_is_golden_on_every_test_image_of_the_shapes(
    act_bits: int, tmp_path: Path
) -> None:
    vit = zoo.load("vit_shapes")
    learn, judge = shapes.make("train", 0, 640), shapes.make("test")
    source, out = sources.arrays("shapes", learn, judge), tmp_path / "x.pt"
    trained = train(vit, source, out, quick("best", each=1, batch=64), act_bits=act_bits)
    exported = export(out)
    model, _ = checkpoint.read_model(out)
    right = 0
    for pixels, labels in source.judge():
        logits = golden.run(exported, pixels.numpy())
        np.testing.assert_array_equal(model(pixels).numpy(), logits)
        right += int((golden.labels(logits) == labels.numpy()).sum())
    assert (trained.correct, trained.images) == (right, 4000)


@contextmanager
def caller() -> Iterator[None]:
    """A caller with settings of its own, which must come back."""
    threads = torch.get_num_threads()
    torch.manual_seed(99)
    torch.set_num_threads(2)
    state = torch.get_rng_state()
    try:
        yield
        assert torch.equal(torch.get_rng_state(), state)
        assert torch.get_num_threads() == 2
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        torch.set_num_threads(threads)


def test_same_seed_same_network_whatever_ran_before(
    made: tuple[Path, Trained], tmp_path: Path
) -> None:
    again, other = tmp_path / "again.pt", tmp_path / "other.pt"
    with caller():
        run(again, quick("best", each=1), few(test=360), act_bits=5)
    assert networkfile.to_bytes(export(again)) == networkfile.to_bytes(export(made[0]))
    assert log(again) == log(made[0])
    run(other, quick("best", each=1), few(test=360), act_bits=5, seed=1)
    assert sha(other) != sha(again)
    with caller(), diverging(1), pytest.raises(InputError):
        run(tmp_path / "bad.pt", quick("best", each=1))


@pytest.mark.parametrize("name", ["best", "one_shot", "vaqf_paper"])
def test_accumulation_in_one_process_changes_nothing(name: str, tmp_path: Path) -> None:
    losses: dict[int, list[float]] = {}
    for parts in (1, 4):
        chosen = quick(name, accumulate=parts, mixup=0.8)
        with doubled(), step_losses() as losses[parts]:
            run(tmp_path / f"{parts}.pt", chosen, few(48))
    assert losses[1] == pytest.approx(losses[4], rel=SAME)


def test_nothing_is_left_when_training_stops_before_its_first_epoch(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "x.pt", quick("best"), report=stop_at(1))
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_kept_unless_forced(made: tuple[Path, Trained], tmp_path: Path) -> None:
    out = tmp_path / "x.pt"
    out.write_bytes(b"mine")
    with pytest.raises(InputError, match="exists; --resume goes on with it, --force starts again"):
        run(out, quick("best"))
    with pytest.raises(InputError, match="was not written by vaqf"):
        run(out, quick("best"), force=True)
    assert out.read_bytes() == b"mine" and list(tmp_path.iterdir()) == [out]
    out.write_bytes(made[0].read_bytes())
    for beside in set(files(out)) - {out}:
        beside.write_bytes(b"mine")
        with pytest.raises(InputError, match=rf"{beside.name} exists and was not written by"):
            run(out, quick("best"), force=True)
        beside.unlink()
    for suffix in (".csv", ".float.safetensors"):
        out.with_suffix(suffix).write_bytes(made[0].with_suffix(suffix).read_bytes())
    run(out, quick("best", each=1), few(test=360), act_bits=5, force=True)
    assert sha(out) == sha(made[0])
    names = {path.name for path in tmp_path.iterdir()}
    assert {"x.pt", "x.csv", "x.float.safetensors"} <= names


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"act_bits": 9}, "act_bits is 9"),
        ({"act_bits": 1}, "act_bits is 1"),
        ({"act_bits": True}, "act_bits is True"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**32}, "seed is 4294967296"),
        ({"seed": 0.5}, "seed is 0.5"),
        ({"recipe": quick("best", batch=15, accumulate=2)}, "need a multiple of 2, 14 or 16 say"),
        ({"recipe": quick("best", batch=64, accumulate=64)}, "too few for 1 process"),
        (
            {"recipe": quick("best", processes=8)},
            r"expects 8 processes and 1 took part; .*--nproc_per_node 8, .*--set processes=1",
        ),
        ({"out": "x"}, r"its name must end in \.pt"),
        ({"out": "x.pth"}, r"its name must end in \.pt"),
        ({"out": "x.safetensors"}, r"its name must end in \.pt"),
        ({"out": ""}, r"its name must end in \.pt"),
        ({"out": "folder.pt"}, "is a folder"),
        ({"device": "cuda"}, "torch sees no GPU here"),
    ],
)
def test_wrong_requests_are_refused_before_any_work(
    request_: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.chdir(tmp_path)
    Path("folder.pt").mkdir()
    arguments = {"recipe": quick("best"), "out": "x.pt", **request_}
    arguments["out"] = Path(arguments["out"])

    with pytest.raises(InputError, match=message) as caught:
        train(SMALL, DATA, report=never, **arguments)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [tmp_path / "folder.pt"]


def test_a_place_that_cannot_be_written_is_found_before_the_work(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    for out in (file / "x.pt", Path("/proc/none/x.pt")):
        with pytest.raises(InputError, match=f"cannot write {out}: "):
            run(out, quick("best"), report=never)


def test_a_given_teacher_takes_the_first_stages_place(tmp_path: Path) -> None:
    own = tmp_path / "own.pt"
    first = run(own, quick("best"))
    teacher, seen = float_file(own), set()
    out = tmp_path / "x.pt"
    trained = run(
        out, quick("best"), teacher=teacher, report=lambda what, *_: seen.add(stage_of(what))
    )
    assert seen == {"binary"}
    assert trained.float_correct == first.float_correct
    one, other = (networkfile.tensors(export(path)) for path in (out, own))
    for name, values in one.items():  # the same student of the same teacher
        np.testing.assert_array_equal(values, other[name])
    assert "2 epochs" in export(out).origin and "4 epochs" in export(own).origin
    assert not float_file(out).exists()  # it is not ours


def test_a_teacher_that_does_not_fit(tmp_path: Path) -> None:
    own = tmp_path / "own.pt"
    run(own, quick("best", each=1))
    teacher = float_file(own)
    cases = [
        (quick("one_shot"), SMALL, teacher, "recipe one_shot starts without a float model"),
        (
            quick("best"),
            replace(SMALL, dim=8),
            teacher,
            r"cls_token is \[1, 1, 16\], small needs \[1, 1, 8\]",
        ),
        (quick("best"), replace(SMALL, depth=2), teacher, "depth: 1"),
        (quick("best"), SMALL, tmp_path / "none.safetensors", "none.safetensors"),
        (quick("best"), SMALL, tmp_path, "."),
        (quick("best"), SMALL, own, "."),
    ]
    for chosen, vit, file, message in cases:
        with pytest.raises(InputError, match=message) as caught:
            train(vit, DATA, tmp_path / "x.pt", chosen, teacher=file)
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "x.pt").exists()


def test_a_loss_that_is_not_finite_keeps_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, whole = tmp_path / "x.pt", tmp_path / "whole.pt"
    run(whole, quick("best"))
    true, calls = stage.distilled, []

    def spoiled(*arguments: Any) -> Any:
        calls.append(1)
        return true(*arguments) * (math.inf if len(calls) == 4 else 1.0)

    with monkeypatch.context() as patch:
        patch.setattr(stage, "distilled", spoiled)
        with pytest.raises(InputError) as caught:
            run(out, quick("best"))
    assert str(caught.value) == (
        "the loss is inf in step 2 of epoch 4 (stage binary); lower the learning rate"
        " (--set lr=...) or set clip=1"
    )
    assert checkpoint.read(out).run["epochs_done"] == 3 and len(log(out)) == 3
    export(out)
    with pytest.raises(InputError, match=r"lr '0\.003', not '0\.001'"):
        run(out, quick("best", lr="1e-3"), resumed=True)
    run(out, quick("best"), resumed=True)  # nothing was spoiled by the step
    assert sha(out) == sha(whole)


def test_activations_of_the_paper_are_real_until_its_last_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounded: dict[str, set[bool]] = {}
    current = [""]
    true = ActGrid.forward

    def watch(self: ActGrid, x: Any) -> Any:
        rounded.setdefault(current[0], set()).add(not self.real)
        return true(self, x)

    def name(self: stage.Running, *arguments: Any) -> float:
        current[0] = self.plan.stage.name
        return epoch(self, *arguments)

    epoch = stage.Running.epoch
    monkeypatch.setattr(ActGrid, "forward", watch)
    monkeypatch.setattr(stage.Running, "epoch", name)
    run(tmp_path / "x.pt", quick("vaqf_paper"))
    assert rounded == {"progressive": {False}, "quantized": {True}}
