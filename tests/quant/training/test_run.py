"""run.py: the stages of a run, its log, its progress, what is saved when."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from small_runs import SMALL, diverging, everything, few, quick, run, step_losses, stop_at

from vaqf.errors import InputError
from vaqf.network import parameters
from vaqf.quant.files import checkpoint as saved
from vaqf.quant.files import floatmodel
from vaqf.quant.model.vit import FloatVit, QuantVit
from vaqf.quant.report.history import COLUMNS
from vaqf.quant.training import resume
from vaqf.quant.training import stage as stages
from vaqf.quant.training.run import LOOKS, initialize
from vaqf.quant.training.train import float_file


def test_stages_follow_each_other_and_every_step_is_reported(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    with step_losses() as losses:
        trained = run(
            tmp_path / "x.pt", quick("vaqf_paper"), report=lambda *told: seen.append(told)
        )
    assert [told[1:] for told in seen] == [(step, 12) for step in range(1, 13)]
    names = ["float"] * 2 + ["progressive"] * 2 + ["quantized"] * 2
    # each epoch shows the accuracy that was seen last, the first none
    looks = ["", *(f", accuracy {100 * row.accuracy:.1f} %" for row in trained.rows)]
    assert [what.rpartition(", ")[0] for what, _, _ in seen] == [
        f"training, epoch {n // 2 + 1} of 6 ({names[n // 2]}), loss {loss:.3f}{looks[n // 2]}"
        for n, loss in enumerate(losses)
    ]
    for what, _, _ in seen:
        rate, unit = what.rpartition(", ")[2].split()
        assert rate.replace(",", "").isdecimal() and unit == "images/s"
    means = [(a + b) / 2 for a, b in zip(losses[::2], losses[1::2], strict=True)]
    assert means == pytest.approx([row.loss for row in trained.rows])


def test_the_log_shows_every_schedule(tmp_path: Path) -> None:
    trained = run(tmp_path / "x.pt", quick("vaqf_paper"), act_bits=3)
    rows = trained.rows
    assert (tmp_path / "x.csv").read_text().splitlines()[0] == ",".join(COLUMNS)
    assert [row.epoch for row in rows] == list(range(1, 7))
    assert [row.steps for row in rows] == list(range(2, 13, 2))
    assert [row.act_bits for row in rows] == [None] * 4 + [3] * 2
    assert [row.binary_share for row in rows] == [0] * 2 + [0.25, 0.75] + [1.0] * 2
    assert [row.distance is None for row in rows] == [True] * 4 + [False] * 2
    assert [row.seconds for row in rows] == sorted(row.seconds for row in rows)


def test_a_long_stage_is_judged_ten_times_its_last_epoch_included(tmp_path: Path) -> None:
    seen: list[str] = []
    trained = run(
        tmp_path / "x.pt",
        quick("one_shot", each=21, batch=32),
        few(32, 4),
        report=lambda what, *_: seen.append(what),
    )
    looks = [row.epoch for row in trained.rows if row.accuracy is not None]
    assert looks == list(range(3, 22, 3)) and len(looks) <= LOOKS
    assert [row.epoch for row in trained.rows if row.distance is not None] == looks
    assert ["accuracy" in what for what in seen] == [False] * 3 + [True] * 18


def test_the_teacher_is_frozen_and_kept_under_timms_names(tmp_path: Path) -> None:
    out = tmp_path / "x.pt"
    with pytest.raises(KeyboardInterrupt):
        run(out, quick("best"), report=stop_at(8))
    during = saved.read(out).run["teacher"]
    trained = run(out, quick("best"), resumed=True)
    params = load_file(float_file(out))
    assert {name: value.shape for name, value in params.items()} == parameters.array_shapes(SMALL)
    for name, value in params.items():
        np.testing.assert_array_equal(value, during[name].numpy())
    model = FloatVit(SMALL).eval()
    model.load_params(floatmodel.load(float_file(out), SMALL))
    here = stages.Processes(0, 1, torch.device("cpu"))
    assert stages.judge(model, few(), here) == (trained.float_correct, trained.images)


def test_the_student_starts_from_the_float_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[str, dict[str, np.ndarray]]] = []
    true = stages.Running.__init__

    def watch(self: stages.Running, plan: stages.Plan, model: FloatVit, *rest: object) -> None:
        true(self, plan, model, *rest)
        started.append((plan.stage.name, {n: v.copy() for n, v in model.params().items()}))
        assert (self.teacher is None) == (plan.stage.name == "float")

    monkeypatch.setattr(stages.Running, "__init__", watch)
    monkeypatch.setattr("vaqf.quant.training.run.Running", stages.Running)
    out = tmp_path / "x.pt"
    run(out, quick("best"))
    kept = load_file(float_file(out))
    assert [name for name, _ in started] == ["float", "binary"]
    for name, value in started[1][1].items():
        np.testing.assert_array_equal(value, kept[name])


@pytest.mark.parametrize("seed", [0, 5])
def test_masks_are_drawn_from_the_seed(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = []
    true = QuantVit.begin_binary

    def watch(self: QuantVit, generator: torch.Generator) -> None:
        seeds.append(generator.initial_seed())
        true(self, generator)

    monkeypatch.setattr(QuantVit, "begin_binary", watch)
    run(tmp_path / "x.pt", quick("vaqf_paper", each=1), seed=seed)
    assert seeds == [seed]


def test_quantized_scales_are_not_calibrated_away_by_the_next_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    true = QuantVit.calibrate
    monkeypatch.setattr(QuantVit, "calibrate", lambda *a: calls.append(1) or true(*a))
    run(tmp_path / "x.pt", everything(tmp_path))
    # masked starts with scales of its own that it never uses; gradual is the first to round
    assert len(calls) == 2


def test_an_exact_end_changes_nothing_before_it(tmp_path: Path) -> None:
    """The last quarter of the last stage: the second of its two epochs' steps."""
    chosen = everything(tmp_path)
    stages_ = [
        (*chosen.stages[:-1], replace(chosen.stages[-1], integer_share=share))
        for share in (0.0, 0.25)
    ]
    plain, exact = (
        run(tmp_path / f"{number}.pt", replace(chosen, stages=parts))
        for number, parts in enumerate(stages_)
    )
    losses = [[row.loss for row in trained.rows] for trained in (plain, exact)]
    assert losses[0][:7] == losses[1][:7] and losses[0][7] != losses[1][7]


def test_what_is_saved_after_each_epoch(tmp_path: Path) -> None:
    out = tmp_path / "x.pt"
    kept: list[tuple[int, bool, bool, bool]] = []

    def look(what: str, done: int, of: int) -> None:
        if done % 2 and done > 1:
            found = saved.read(out)
            assert found.result is None and set(found.run) == resume.KEYS
            epochs, teacher, average = (
                found.run[key] for key in ("epochs_done", "teacher", "average")
            )
            kept.append((epochs, found.model is not None, teacher is not None, average is not None))

    run(out, everything(tmp_path), report=look)
    assert kept == [
        (1, False, False, True),
        (2, False, False, True),
        (3, False, True, True),
        (4, False, True, True),
        (5, True, True, False),
        (6, True, True, False),
        (7, True, True, True),
    ]
    final = saved.read(out)
    assert set(final.run) == {"identity", "history"}
    assert set(final.result) == {"correct", "images", "float_correct"}


def test_a_checkpoint_holds_the_average_beside_what_still_trains(tmp_path: Path) -> None:
    out = tmp_path / "x.pt"
    with pytest.raises(KeyboardInterrupt):
        run(out, everything(tmp_path), report=stop_at(15))
    found = saved.read(out)
    model, latest = found.model.state_dict(), found.run["latest"]
    names = [name for name, _ in found.model.named_parameters()]
    assert len(found.run["average"]) == len(names)
    for name, mean in zip(names, found.run["average"], strict=True):
        assert torch.equal(mean, model[name])  # what the network is made of
    assert not all(torch.equal(latest[name], model[name]) for name in names)


@pytest.mark.parametrize(
    ("spoiled", "message"),
    [
        ((5,), "the loss is nan in step 2 of epoch 3 (stage binary); "),
        ((6,), "the parameters are not finite after epoch 3 (stage binary); "),
        (
            (6, "blocks.0.norm1.weight", 1e20),
            "after step 6, epoch 3 (stage binary), integers cannot express the model (",
        ),
    ],
)
def test_a_run_that_diverges_says_so_before_it_is_saved(
    spoiled: tuple[Any, ...], message: str, tmp_path: Path
) -> None:
    out = tmp_path / "x.pt"
    with diverging(*spoiled), pytest.raises(InputError) as caught:
        run(out, quick("one_shot", each=4))
    said = str(caught.value)
    assert said.startswith(message) and "\n" not in said
    assert said.endswith("lower the learning rate (--set lr=...) or set clip=1")
    assert saved.read(out).run["epochs_done"] == 2


def test_initialize_is_seeded_and_leaves_no_layer_constant() -> None:
    models = []
    for _ in range(2):
        torch.manual_seed(3)
        models.append(FloatVit(SMALL))
        initialize(models[-1])
    for (name, one), two in zip(models[0].named_parameters(), models[1].parameters(), strict=True):
        assert torch.equal(one, two)
        if one.ndim > 1:
            assert float(one.detach().std()) > 0, name
