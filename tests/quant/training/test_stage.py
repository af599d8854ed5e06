"""stage.py: losses, averages, steps and epochs of training, and how models are judged."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_runs import SAME, SMALL, doubled, few, quick
from torch import nn
from torch.nn import functional

from vaqf.errors import InputError
from vaqf.images import made
from vaqf.quant.data.augment import Augment
from vaqf.quant.model import integers, quantizers
from vaqf.quant.model.vit import BinaryStyle, FloatVit, QuantVit
from vaqf.quant.recipe.recipe import Recipe, Stage
from vaqf.quant.training import stage
from vaqf.quant.training.processes import Processes
from vaqf.quant.training.run import initialize
from vaqf.quant.training.stage import Plan, Running
from vaqf.sim import golden

ALONE = Processes(0, 1, torch.device("cpu"))
LAST = Stage("last", weights="sign", activations="quantized")


def float_model() -> FloatVit:
    torch.manual_seed(0)
    model = FloatVit(SMALL)
    initialize(model)
    return model


def student(style: BinaryStyle | None = None) -> QuantVit:
    model = QuantVit(SMALL, 4, style)
    model.load_params(float_model().params())
    model.begin_binary(torch.Generator().manual_seed(0))
    model.calibrate(few().calibration(32))
    return model


def running(
    of: Stage,
    model: FloatVit,
    recipe: Recipe | None = None,
    epochs: int = 2,
    teacher: FloatVit | None = None,
) -> Running:
    """Epochs of two steps, without augmentation."""
    chosen = quick("best") if recipe is None else recipe
    plan = Plan(chosen, of, 4, seed=0, first_epoch=3, epochs=epochs, steps=2)
    policy = "none" if chosen.augment == "auto" else chosen.augment
    augment = Augment(policy, SMALL, 10, mixup=chosen.mixup, smoothing=chosen.smoothing)
    return Running(plan, model, teacher, few(), augment, ALONE, few().calibration(8))


def mean_of(now: Running) -> list[torch.Tensor]:
    """The averaged parameters of a stage."""
    assert now.average is not None
    return [p.detach() for p in now.average.parameters()]


def quiet(step: int, loss: float) -> None:
    """No progress."""


def test_distillation_is_the_kl_divergence_times_the_squared_temperature() -> None:
    torch.manual_seed(1)
    logits, teacher = torch.randn(2, 5, 10, dtype=torch.float64)
    for t in (1.0, 2.0, 8.0):
        p, q = (torch.softmax(x / t, -1) for x in (teacher, logits))
        expected = float(t * t * (p * (p / q).log()).sum(-1).mean())
        assert float(stage.distilled(logits, teacher, t)) == pytest.approx(expected, rel=1e-5)
    assert float(stage.distilled(teacher, teacher, 2.0)) == pytest.approx(0.0, abs=1e-6)


def test_labels_may_be_soft() -> None:
    torch.manual_seed(1)
    logits, labels = torch.randn(5, 10), torch.arange(5)
    hard = functional.one_hot(labels, 10).float()
    assert float(stage.labelled(logits, hard)) == pytest.approx(
        float(functional.cross_entropy(logits, labels))
    )
    soft = 0.9 * hard + 0.01
    smoothed = functional.cross_entropy(logits, labels, label_smoothing=0.1)
    assert float(stage.labelled(logits, soft)) == pytest.approx(float(smoothed), rel=1e-5)


def test_losses_are_float32_under_autocast() -> None:
    logits = torch.randn(4, 10).bfloat16()
    assert stage.distilled(logits, logits, 2.0).dtype == torch.float32
    assert stage.labelled(logits, torch.full((4, 10), 0.1)).dtype == torch.float32


def test_what_decays() -> None:
    teacher = FloatVit(SMALL)
    names = {id(p): name for name, p in teacher.named_parameters()}
    decayed, kept = stage.optimizer_of(teacher, 0.05).param_groups
    assert (decayed["weight_decay"], kept["weight_decay"]) == (0.05, 0.0)
    assert len(decayed["params"]) + len(kept["params"]) == len(names)
    for parameter in decayed["params"]:
        name = names[id(parameter)]
        assert name.endswith(("weight", "pos_embed", "token")) and "norm" not in name
    assert all(names[id(p)].endswith("bias") or "norm" in names[id(p)] for p in kept["params"])

    model = student(BinaryStyle(True, "learned"))
    decayed, kept = stage.optimizer_of(model, 0.05).param_groups
    latent = [layer.weight for layer in model.binary_layers().values()]
    assert len(latent) == 4 and list(map(id, decayed["params"])) == list(map(id, latent))
    assert len(decayed["params"]) + len(kept["params"]) == len(list(model.parameters()))
    model.set_activations(None)
    names = {id(p): name for name, p in model.named_parameters()}
    parts = stage.optimizer_of(model, 0.05).param_groups
    assert not any("act_" in names[id(p)] for group in parts for p in group["params"])


def test_a_young_average_follows_faster() -> None:
    torch.manual_seed(0)
    with doubled():
        layer = nn.Linear(3, 2)
        live = nn.ParameterList(layer.parameters())
        expected = [p.detach().clone() for p in live]
        average = stage.moving_average(live, decay=0.9)
        for count in range(1, 200):
            with torch.no_grad():
                for p in live:
                    p.add_(torch.randn_like(p))
            average.update_parameters(live)
            decay = min(0.9, count / (count + 10))
            expected = [decay * m + (1 - decay) * p for m, p in zip(expected, live, strict=True)]
    for mean, wanted in zip(average.parameters(), expected, strict=True):
        torch.testing.assert_close(mean, wanted, rtol=SAME, atol=SAME)


def test_the_average_is_the_model_while_it_is_looked_at() -> None:
    model = student()
    now = running(replace(LAST, average=0.5), model)
    now.epoch(0, quiet)
    live, means = ([p.detach().clone() for p in parts] for parts in (now.live, mean_of(now)))
    assert not all(map(torch.equal, live, means))

    def same(parts: object, wanted: list[torch.Tensor]) -> bool:
        return all(map(torch.equal, parts, wanted))

    with now.averaged():
        assert same(model.parameters(), means)
    assert same(model.parameters(), live) and same(mean_of(now), means)
    with pytest.raises(KeyboardInterrupt), now.averaged():
        raise KeyboardInterrupt
    assert same(model.parameters(), live) and same(mean_of(now), means)


def test_a_stage_without_an_average_gives_its_last_parameters() -> None:
    model = student()
    now = running(LAST, model)
    with now.averaged() as found:
        assert found is model
    averaged = running(replace(LAST, average=0.5), model)
    averaged.epoch(0, quiet)
    live = {n: p.detach().clone() for n, p in model.named_parameters()}
    with averaged.averaged():
        during = {n: p.detach().clone() for n, p in model.named_parameters()}
    assert all(torch.equal(p, live[n]) for n, p in model.named_parameters())
    averaged.settle()
    assert all(torch.equal(p, during[n]) for n, p in model.named_parameters())
    assert not all(torch.equal(live[n], during[n]) for n in live)


def test_observed_scales_are_set_anew_in_every_epoch_and_do_not_learn() -> None:
    model = student()
    now = running(LAST, model, quick("best", act_scales="observed"))
    grids = [m for m in model.modules() if isinstance(m, quantizers.ActGrid)]
    optimized = {id(p) for group in now.optimizer.param_groups for p in group["params"]}
    assert not optimized & {id(p) for grid in grids for p in grid.parameters()}
    seen = []
    for epoch in range(2):
        model.calibrate(now.sample)
        expected = model.scales().blocks
        now.epoch(epoch, lambda step, loss: seen.append(model.scales().blocks))
        assert seen[-2:] == [expected] * 2
    assert seen[0] != seen[2]


def test_a_settled_stage_has_the_knobs_of_its_last_step() -> None:
    """A run that was killed after its last epoch goes on without one more step."""
    model = student()
    now = running(replace(LAST, weights="blend", ramp=0.5, bits_ramp=0.5), model)
    grids = [quantizers.binary_grid(layer) for layer in model.binary_layers().values()]
    assert model.act_bits == 8 and {grid.binary for grid in grids} == {0.0}
    now.settle()
    assert model.act_bits == 4 and {grid.binary for grid in grids} == {1.0}


def test_a_stage_of_fewer_steps_than_its_ramp_ends_at_the_networks_precision() -> None:
    model = student()
    now = running(replace(LAST, bits_ramp=1.0), model, epochs=1)
    assert now.knobs(1).act_bits == 6
    now.settle()
    assert model.act_bits == 4 == model.network("x").act_bits


def test_the_knobs_follow_the_schedule_step_by_step() -> None:
    model = student()
    now = running(replace(LAST, weights="mask", ramp=1.0, bits_ramp=1.0), model)
    grid = quantizers.binary_grid(next(iter(model.binary_layers().values())))
    seen: list[tuple[float, int, float]] = []

    def look(step: int, loss: float) -> None:
        assert grid.masked and math.isfinite(loss)
        seen.append((grid.binary, model.act_bits, now.optimizer.param_groups[0]["lr"]))

    for epoch in range(2):
        now.epoch(epoch, look)
    expected = [now.knobs(step) for step in range(4)]
    assert seen == [(s.binary, s.act_bits, s.lr) for s in expected]
    assert [s.binary for s in expected] == [0.0, 0.25, 0.5, 0.75]
    assert [s.act_bits for s in expected] == [8, 7, 6, 5]


def test_a_progressive_stage_leaves_activations_real() -> None:
    model = student()
    now = running(Stage("m", weights="mask", ramp=1.0), model)
    rounded = []
    for module in model.modules():
        if isinstance(module, quantizers.ActGrid):
            module.register_forward_hook(
                lambda m, x, y: rounded.append(not torch.equal(x[0], y[0]))
            )
    before = model.scales()
    now.epoch(0, quiet)
    assert rounded and not any(rounded)
    assert model.scales().blocks == before.blocks
    again = running(LAST, model)
    rounded.clear()
    again.epoch(0, quiet)
    assert all(rounded)
    assert model.scales().blocks != before.blocks


@pytest.mark.parametrize("accumulate", [2, 4])
@pytest.mark.parametrize("of", [Stage("float"), LAST], ids=lambda of: of.name)
def test_accumulated_parts_give_the_whole_batchs_gradient(of: Stage, accumulate: int) -> None:
    found = {}
    for parts in (1, accumulate):
        with doubled():
            model = float_model() if of.real else student(BinaryStyle(True, "learned"))
            now = running(of, model, quick("best", accumulate=parts, mixup=0.8, augment="shift"))
            batches = next(iter(now.data.epoch(16, 0, 3, now.portion)))
            assert len(batches) == parts
            loss = now._step(batches, (0, 3, 0), now.knobs(0))
        found[parts] = loss, [p.grad.clone() for p in model.parameters()]
    assert found[1][0] == pytest.approx(found[accumulate][0], rel=SAME)
    for whole, summed in zip(found[1][1], found[accumulate][1], strict=True):
        torch.testing.assert_close(summed, whole, rtol=SAME, atol=SAME)


def test_the_gradient_is_clipped_to_its_largest_norm() -> None:
    for clip in (0.0, 0.01):
        model = float_model()
        now = running(Stage("float"), model, quick("best", clip=clip))
        now._step(next(iter(now.data.epoch(16, 0, 0, now.portion))), (0, 0, 0), now.knobs(0))
        norm = math.sqrt(sum(float(p.grad.square().sum()) for p in model.parameters()))
        assert norm == pytest.approx(0.01, rel=1e-3) if clip else norm > 0.1


def test_the_last_part_sees_the_integer_networks_logits() -> None:
    """Forward the integers', backward the training pass's: the loss tells which."""
    of = replace(LAST, integer_share=1.0)
    model = student()
    now = running(of, model, quick("best", smoothing=0))
    (batch,) = next(iter(now.data.epoch(16, 0, 0, now.portion)))
    loss = now._loss(batch, (0, 0, 0), now.knobs(0))
    network = model.network("x")
    exact = integers.run(network, batch.pixels).float() * network.logit_scale
    expected = functional.cross_entropy(exact, batch.labels)
    assert float(loss.detach()) == pytest.approx(float(expected), rel=1e-5)
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    near = now._loss(batch, (0, 0, 0), replace(now.knobs(0), integer=False))
    assert float(near.detach()) != float(loss.detach())


def test_labels_have_their_share_of_the_loss_beside_the_teacher() -> None:
    def loss(share: float) -> float:
        of = replace(LAST, loss="teacher", label_share=share)
        now = running(of, student(), quick("best", smoothing=0), teacher=float_model())
        (batch,) = next(iter(now.data.epoch(16, 0, 0, now.portion)))
        return float(now._loss(batch, (0, 0, 0), now.knobs(0)).detach())

    now = running(LAST, student(), quick("best", smoothing=0))
    (batch,) = next(iter(now.data.epoch(16, 0, 0, now.portion)))
    labels = float(now._loss(batch, (0, 0, 0), now.knobs(0)).detach())
    assert loss(1.0) == pytest.approx(labels, rel=1e-6) != loss(0.0)
    assert loss(0.25) == pytest.approx(0.75 * loss(0.0) + 0.25 * labels, rel=1e-6)


def test_the_residual_scale_is_the_epochs_own() -> None:
    model = student()
    now = running(LAST, model)
    with torch.no_grad():
        model.residual_scale.fill_(1e9)
    now.epoch(0, quiet)
    assert 0 < float(model.residual_scale) < 1.0


def test_a_loss_that_is_not_finite_names_the_step_and_takes_no_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = float_model()
    now = running(Stage("float"), model)
    true, calls = stage.labelled, []

    def spoiled(logits: object, targets: object) -> object:
        calls.append(1)
        return true(logits, targets) * (math.nan if len(calls) == 2 else 1.0)

    monkeypatch.setattr(stage, "labelled", spoiled)
    after_one = {}

    def keep(step: int, loss: float) -> None:
        after_one.update({n: p.detach().clone() for n, p in model.named_parameters()})

    with pytest.raises(InputError, match=r"the loss is nan in step 2 of epoch 4 \(stage float\)"):
        now.epoch(0, keep)
    assert all(torch.equal(p, after_one[n]) for n, p in model.named_parameters())


def test_parameters_that_are_not_finite_end_the_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A finite loss can have a gradient that is not: the next loss would come after the save."""
    model = float_model()
    now = running(Stage("float"), model)
    model.head.bias.register_hook(lambda grad: grad * math.nan)
    with pytest.raises(InputError, match=r"(loss is nan|parameters are not finite)"):
        now.epoch(0, quiet)
    model = float_model()
    now = running(Stage("float"), model)
    calls = []

    def second(grad: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return grad * math.nan if len(calls) == 2 else grad

    model.head.bias.register_hook(second)
    with pytest.raises(InputError, match=r"the parameters are not finite after epoch 4 \(stage fl"):
        now.epoch(0, quiet)


def test_bf16_trains_and_keeps_its_parameters_in_float32() -> None:
    for of, model in (
        (Stage("float"), float_model()),
        (LAST, student(BinaryStyle(True, "learned"))),
    ):
        now = running(of, model, quick("best", amp="bf16"))
        kinds: list[torch.dtype] = []
        layer = model.blocks[0].mlp.fc1
        layer.register_forward_hook(lambda m, x, y, kinds=kinds: kinds.append(y.dtype))
        before = layer.weight.detach().clone()
        assert math.isfinite(now.epoch(0, quiet))
        assert set(kinds) == {torch.bfloat16} and not torch.equal(layer.weight, before)
        assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_models_are_judged_by_what_will_answer() -> None:
    data = few(test=50)
    pixels, labels = made.digits(SMALL, "test")
    pixels, labels = pixels[:50], labels[:50]
    floating = float_model()
    with torch.no_grad():
        real = floating(torch.from_numpy(pixels)).numpy().argmax(-1)
    assert stage.judge(floating, data, ALONE) == (int((real == labels).sum()), 50)
    model = student()
    integer = golden.labels(golden.run(model.network("x"), pixels))
    assert stage.judge(model, data, ALONE) == (int((integer == labels).sum()), 50)
    model.set_activations(None)
    with torch.no_grad():
        real = model.real(torch.from_numpy(pixels))[0].numpy().argmax(-1)
    assert stage.judge(model, data, ALONE) == (int((real == labels).sum()), 50)


def test_ties_go_to_the_lowest_class(monkeypatch: pytest.MonkeyPatch) -> None:
    model = float_model()
    monkeypatch.setattr(model, "real", lambda pixels: (torch.zeros(len(pixels), 10), None))
    _, labels = made.digits(SMALL, "test")
    assert stage.judge(model, few(test=60), ALONE) == (int((labels[:60] == 0).sum()), 60)


def test_the_distance_is_relative_and_small_at_eight_bits() -> None:
    pixels = torch.from_numpy(few().calibration(16))
    model = student()
    model.set_activations(8)
    model.train()
    model(pixels)  # which sets the residual stream's scale
    network = model.network("x")
    exact = golden.run(network, pixels.numpy()) * network.logit_scale
    real = model.real(pixels)[0].detach().numpy()
    expected = np.linalg.norm(real - exact) / np.linalg.norm(exact)
    assert stage.distance(model, pixels) == pytest.approx(expected, rel=1e-4)
    assert 0 < expected < 0.1
