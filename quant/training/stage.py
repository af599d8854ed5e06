"""One stage of training: epochs of optimizer steps, each of which may go through many processes."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from vaqf.errors import InputError
from vaqf.quant.data.augment import Augment
from vaqf.quant.data.sources import Batch, Data, Portion
from vaqf.quant.model import integers
from vaqf.quant.model.vit import FloatVit, QuantVit
from vaqf.quant.recipe.knobs import Knobs, knobs
from vaqf.quant.recipe.recipe import Recipe, Stage
from vaqf.quant.training.processes import Processes


@dataclass(frozen=True)
class Plan:
    """What stays the same through a stage."""

    recipe: Recipe
    stage: Stage
    act_bits: int
    seed: int
    first_epoch: int  # of the run, from 0
    epochs: int  # of the stage
    steps: int  # optimizer steps of an epoch


def moving_average(live: nn.ParameterList, decay: float) -> AveragedModel:
    """A moving average of parameters from what they are now on; young averages follow faster.

    Of a list of them: of a model, AveragedModel would walk through all modules in every step, and
    copy Brevitas's buffers, which are as large as the weights.
    """

    def follow(mean: list[Tensor], now: list[Tensor], count: Tensor) -> None:
        steps = int(count)
        get_ema_multi_avg_fn(min(decay, steps / (steps + 10)))(mean, now, count)

    average = AveragedModel(live, multi_avg_fn=follow)
    average.update_parameters(live)  # the first one only copies: let that be the start
    return average


def optimizer_of(model: nn.Module, decay: float) -> torch.optim.Optimizer:
    """AdamW. What decays: a float model's matrices; a binary model's latent weights alone, whose
    size only says how soon a sign can change."""
    latent = model.binary_layers().values() if isinstance(model, QuantVit) else ()
    latent_weights = {id(layer.weight) for layer in latent}
    groups = [{"params": [], "weight_decay": decay}, {"params": [], "weight_decay": 0.0}]
    for parameter in model.parameters():
        if parameter.requires_grad:
            decays = id(parameter) in latent_weights if latent_weights else parameter.ndim > 1
            groups[not decays]["params"].append(parameter)
    return torch.optim.AdamW(groups, lr=0.0)


def distilled(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """KL divergence of the teacher's softened distribution, times T^2 (Hinton, 1503.02531)."""
    wanted = functional.log_softmax(teacher.float() / temperature, dim=-1)
    got = functional.log_softmax(logits.float() / temperature, dim=-1)
    divergence = functional.kl_div(got, wanted, reduction="batchmean", log_target=True)
    return temperature**2 * divergence


def labelled(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy with soft targets [b, classes], the mean over the batch."""
    return -(targets * functional.log_softmax(logits.float(), dim=-1)).sum(-1).mean()


class Running:
    """A model in one stage, with all that changes from step to step."""

    def __init__(
        self,
        plan: Plan,
        model: FloatVit,
        teacher: FloatVit | None,
        data: Data,
        augment: Augment,
        here: Processes,
        sample: NDArray[np.uint8],
    ) -> None:
        self.plan, self.model, self.teacher = plan, model, teacher
        self.data, self.augment, self.here, self.sample = data, augment, here, sample
        self.portion = Portion(here.rank, here.world, plan.recipe.accumulate)
        self._set_model(self.knobs(0), None)
        self.optimizer = optimizer_of(model, plan.stage.weight_decay)
        self.live = nn.ParameterList(model.parameters())
        decay = plan.stage.average
        self.average = moving_average(self.live, decay) if decay else None
        self.outer = here.wrapped(model)
        if plan.recipe.compile:
            self.outer = torch.compile(self.outer)

    @contextmanager
    def averaged(self) -> Iterator[FloatVit]:
        """The model as the stage would leave it now: averaged where the recipe averages."""
        self._swap()
        try:
            yield self.model
        finally:
            self._swap()

    def _swap(self) -> None:
        """Parameters and their averages change places."""
        if self.average is not None:
            for live, mean in zip(self.live, self.average.parameters(), strict=True):
                live.data, mean.data = mean.data, live.data

    def settle(self) -> None:
        """The stage is over: what it averaged is the model, with the knobs of its last step.

        Its precision is the network's, which a stage of fewer steps than its ramp never came to.
        """
        plan = self.plan
        last = self.knobs(plan.epochs * plan.steps - 1)
        bits = None if last.act_bits is None else plan.act_bits
        self._set_model(replace(last, act_bits=bits), None)
        if self.average is not None:
            for live, mean in zip(self.live, self.average.parameters(), strict=True):
                live.data.copy_(mean)

    def knobs(self, step: int) -> Knobs:
        """The knobs of one step of the stage."""
        plan = self.plan
        return knobs(plan.recipe, plan.stage, plan.act_bits, step, plan.epochs * plan.steps)

    def _set_model(self, now: Knobs, before: Knobs | None) -> None:
        if not isinstance(self.model, QuantVit):
            return
        if before is None or now.binary != before.binary:
            self.model.set_binary(now.binary, masked=self.plan.stage.weights == "mask")
        if before is None or now.act_bits != before.act_bits:
            learned = self.plan.recipe.act_scales == "learned"
            self.model.set_activations(now.act_bits, learned)

    def _loss(self, batch: Batch, key: tuple[int, ...], now: Knobs) -> Tensor:
        recipe = self.plan.recipe
        device = self.here.device
        on_device = Batch(
            batch.pixels.to(device), batch.labels.to(device), batch.start, batch.whole
        )
        pixels, targets = self.augment(on_device, key)
        if now.integer:
            pixels = pixels.round()
        with torch.autocast(device.type, torch.bfloat16, enabled=recipe.amp == "bf16"):
            logits = self.outer(pixels)
            if self.plan.stage.loss == "teacher":
                assert self.teacher is not None
                with torch.no_grad():
                    wanted = self.teacher(pixels)
        if now.integer:
            logits = self._exact(pixels, logits)
        stage = self.plan.stage
        if stage.loss == "labels":
            return labelled(logits, targets)
        loss = distilled(logits, wanted, recipe.temperature)
        if stage.label_share:
            loss = torch.lerp(loss, labelled(logits, targets), stage.label_share)
        return loss

    def _exact(self, pixels: Tensor, logits: Tensor) -> Tensor:
        """The integer network's logits, with the gradient of training's forward pass."""
        assert isinstance(self.model, QuantVit)
        network = self.model.network("training")
        exact = integers.run(network, pixels.to(torch.uint8)).float() * network.logit_scale
        return logits + (exact - logits).detach()

    def epoch(self, number: int, each_step: Callable[[int, float], None]) -> float:
        """Train through epoch `number` of the stage (from 0); the mean loss of all processes.

        each_step(steps done in this epoch, loss). InputError, on every process, for a loss that is
        not finite.
        """
        plan = self.plan
        self.model.train()
        whole_run_epoch = plan.first_epoch + number
        before = self.knobs(number * plan.steps)
        self._set_model(before, None)  # a resumed epoch starts as one that follows another
        if isinstance(self.model, QuantVit):
            self.model.residual_scale.zero_()  # the largest value of this epoch sets it anew
            if self.model.quantized and plan.recipe.act_scales == "observed":
                self.model.calibrate(self.sample)
        total = 0.0
        parts = self.data.epoch(plan.recipe.batch, plan.seed, whole_run_epoch, self.portion)
        for step, batches in enumerate(parts):
            now = self.knobs(number * plan.steps + step)
            self._set_model(now, before)
            for group in self.optimizer.param_groups:
                group["lr"] = now.lr
            before = now
            loss = self._step(batches, (plan.seed, whole_run_epoch, step), now)
            if not math.isfinite(loss):
                raise InputError(
                    f"the loss is {loss} in step {step + 1} of epoch {whole_run_epoch + 1} (stage"
                    f" {plan.stage.name}); lower the learning rate (--set lr=...) or set clip=1"
                )
            total += loss
            each_step(step + 1, loss)
        if not all(bool(p.isfinite().all()) for p in self.model.parameters()):
            raise InputError(
                f"the parameters are not finite after epoch {whole_run_epoch + 1} (stage"
                f" {plan.stage.name}); lower the learning rate (--set lr=...) or set clip=1"
            )
        if isinstance(self.model, QuantVit):
            self.here.largest(self.model.residual_scale)
        return total / plan.steps

    def _step(self, batches: list[Batch], key: tuple[int, ...], now: Knobs) -> float:
        """One optimizer step; the mean loss over the global batch."""
        loss = torch.zeros((), device=self.here.device)
        self.optimizer.zero_grad(set_to_none=True)
        for number, batch in enumerate(batches, 1):
            with self.here.averaging(self.outer, number == len(batches)):
                part = self._loss(batch, key, now) / len(batches)
                part.backward()
            loss += part.detach()
        if self.plan.recipe.clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.plan.recipe.clip)
        mean = float(self.here.total(loss)) / self.here.world
        if math.isfinite(mean):
            self.optimizer.step()
            if self.average is not None:
                self.average.update_parameters(self.live)
        return mean


@torch.no_grad()
def judge(model: FloatVit, data: Data, here: Processes) -> tuple[int, int]:
    """Correct and judged images over all processes; ties go to the lowest class.

    A quantized model is judged as the integer network; a float model, and one whose activations
    are still real, by its float logits.
    """
    counts = torch.zeros(2, dtype=torch.int64, device=here.device)
    network = model.network("judge") if isinstance(model, QuantVit) and model.quantized else None
    for pixels, labels in data.judge(Portion(here.rank, here.world)):
        on_device = pixels.to(here.device)
        logits = model.real(on_device)[0] if network is None else integers.run(network, on_device)
        counts[0] += int((logits.cpu().numpy().argmax(axis=-1) == labels.numpy()).sum())
        counts[1] += len(labels)
    right, total = here.total(counts).tolist()
    return right, total


@torch.no_grad()
def distance(model: QuantVit, pixels: Tensor) -> float:
    """How far training's logits are from the integer network's: L2, relative to the integers'."""
    network = model.network("distance")
    exact = integers.run(network, pixels).double() * network.logit_scale
    real = model.real(pixels)[0].double()
    return float((real - exact).norm() / exact.norm().clamp(min=1e-30))
