"""One run of a recipe on this process: its stages, one after the other, saved every epoch.

All randomness comes from the seed, the epoch and the step, and every knob from the step, so a
run that was killed and resumed ends where it would have ended.
"""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from vaqf.arithmetic import widths
from vaqf.errors import InputError
from vaqf.model.vit import Vit
from vaqf.quant.data import batches
from vaqf.quant.data.augment import Augment
from vaqf.quant.data.sources import Data
from vaqf.quant.files import checkpoint
from vaqf.quant.model.vit import BinaryStyle, FloatVit, QuantVit
from vaqf.quant.recipe.recipe import Recipe, Stage
from vaqf.quant.report import history
from vaqf.quant.report.history import Row
from vaqf.quant.training import resume
from vaqf.quant.training.processes import Processes
from vaqf.quant.training.stage import Plan, Running, distance, judge
from vaqf.reporting import Log, Report

CALIBRATION_IMAGES = 256
DISTANCE_IMAGES = 32
TOKEN_STD = 0.02
LOOKS = 10  # how often a stage is judged, its last epoch included


def initialize(model: FloatVit) -> None:
    """Xavier's uniform matrices, small tokens, zero biases (timm's `jax` scheme)."""
    for name, parameter in model.named_parameters():
        if name.endswith(("token", "pos_embed")):
            torch.nn.init.trunc_normal_(parameter, std=TOKEN_STD)
        elif parameter.ndim > 1 and name.endswith("weight"):
            torch.nn.init.xavier_uniform_(parameter.flatten(1))
        elif name.endswith("bias"):
            torch.nn.init.zeros_(parameter)


@dataclass(frozen=True, eq=False)
class Task:
    """What a run is asked to do; nothing of its recipe is auto."""

    vit: Vit
    data: Data
    out: Path
    recipe: Recipe
    act_bits: int
    seed: int
    teacher_sha: str  # of the float model that was given; empty if the run trains it
    notes: tuple[str, ...]  # what a person should know of that float model and the data

    @property
    def epochs(self) -> int:
        """Of all stages that are trained: not of the float model, if one was given."""
        return sum(self.recipe.stage_epochs()[1 if self.teacher_sha else 0 :])

    @property
    def origin(self) -> str:
        """What the network file says of its making."""
        return (
            f"trained on {self.data.origin}, recipe {self.recipe.name}, {self.epochs} epochs,"
            f" seed {self.seed}"
        )

    @property
    def style(self) -> BinaryStyle:
        """How its weights become binary."""
        return BinaryStyle(self.recipe.centred, self.recipe.scale)

    def identity(self) -> dict[str, Any]:
        """What a resumed run must have in common with this one."""
        return resume.identity(
            self.recipe,
            self.vit,
            self.act_bits,
            self.seed,
            self.data,
            self.teacher_sha,
        )

    def header(self) -> dict[str, Any]:
        """The entries of the checkpoint file that never change."""
        return {
            "vit": asdict(self.vit),
            "act_bits": self.act_bits,
            "style": asdict(self.style),
            "origin": self.origin,
        }


class Run:
    """The run of a task."""

    def __init__(
        self,
        task: Task,
        here: Processes,
        report: Report,
        log: Log,
        teacher: FloatVit | None,
    ) -> None:
        self.task, self.here, self.teacher = task, here, teacher
        self.report, self.log = report, log
        recipe, vit = task.recipe, task.vit
        self.augment = Augment(
            recipe.augment,
            vit,
            vit.classes,
            mixup=recipe.mixup,
            cutmix=recipe.cutmix,
            smoothing=recipe.smoothing,
        )
        self.epochs = recipe.stage_epochs()
        portion = batches.Portion(here.rank, here.world, recipe.accumulate)
        sizes = batches.plan(task.data.images, recipe.batch, portion)
        self.steps, self.whole = sizes.steps, sizes.whole
        self.sample = task.data.calibration(CALIBRATION_IMAGES)
        self.rows: list[Row] = []
        self.float_correct: int | None = None

    def run(self, resumed: resume.Place | None) -> QuantVit:
        """Every stage that is still to do; the trained model."""
        first = 1 if self.teacher is not None else 0
        model: FloatVit | None = self.teacher
        if resumed is not None:
            first, self.rows, self.float_correct = (
                resumed.stage,
                resumed.rows,
                resumed.float_correct,
            )
            self.teacher = self._frozen(resumed.teacher or self.teacher)
        elif self.teacher is not None:
            self._take_teacher(self.teacher)
        for number in range(first, len(self.epochs)):
            model = self._stage(number, model, resumed)
            resumed = None
            if self.task.recipe.stages[number].real:
                self._take_teacher(model)
        assert isinstance(model, QuantVit)
        return model

    def _frozen(self, model: FloatVit | None) -> FloatVit | None:
        return None if model is None else model.to(self.here.device).eval().requires_grad_(False)

    def _take_teacher(self, model: FloatVit) -> None:
        self.teacher = self._frozen(model)
        self.float_correct, _ = judge(model, self.task.data, self.here)

    def _stage(
        self, number: int, before: FloatVit | None, resumed: resume.Place | None
    ) -> FloatVit:
        task, stage = self.task, self.task.recipe.stages[number]
        first = sum(self.epochs[:number])
        plan = Plan(
            task.recipe, stage, task.act_bits, task.seed, first, self.epochs[number], self.steps
        )
        model = self._model(stage, before, new=resumed is None).to(self.here.device)
        running = Running(
            plan, model, self.teacher, task.data, self.augment, self.here, self.sample
        )
        done = 0
        if resumed is not None:
            done = resumed.epochs_done - first
            resume.restore(resumed, running)
        for epoch in range(done, plan.epochs):
            self._epoch(running, epoch)
            self._save(running, number)
            self.log(history.line(self.rows, sum(self.epochs)))
        running.settle()
        return model

    def _model(self, stage: Stage, before: FloatVit | None, new: bool) -> FloatVit:
        """The model of a stage, with the parameters of the one before it.

        Of a resumed stage (not `new`) the parameters come from the checkpoint.
        """
        task = self.task
        if stage.real:
            model = FloatVit(task.vit)
            initialize(model)
            return model
        if isinstance(before, QuantVit):
            if not before.quantized:
                self._calibrate(before, stage)
            return before
        binary = QuantVit(task.vit, task.act_bits, task.style)
        if before is None:
            initialize(binary)
        else:
            binary.load_params(before.params())
        binary.begin_binary(torch.Generator().manual_seed(task.seed))
        if new:
            self._calibrate(binary, stage)
        return binary

    def _calibrate(self, model: QuantVit, stage: Stage) -> None:
        """Start the scales from what the stage's first forward pass will compute."""
        model.set_activations(widths.MAX_ACT_BITS if stage.bits_ramp else self.task.act_bits)
        model.set_binary(0.0 if stage.ramp else 1.0, masked=stage.weights == "mask")
        model.calibrate(self.sample)

    def _epoch(self, running: Running, epoch: int) -> None:
        plan = running.plan
        start = time.perf_counter()
        looks = [row.accuracy for row in self.rows if row.accuracy is not None]
        seen = f", accuracy {100 * looks[-1]:.1f} %" if looks else ""
        number = plan.first_epoch + epoch + 1

        def each_step(step: int, loss: float) -> None:
            rate = step * self.whole / (time.perf_counter() - start)
            self.report(
                f"training, epoch {number} of {sum(self.epochs)} ({plan.stage.name}), loss"
                f" {loss:.3f}{seen}, {rate:,.0f} images/s",
                (number - 1) * self.steps + step,
                sum(self.epochs) * self.steps,
            )

        loss = running.epoch(epoch, each_step)
        rate = self.steps * self.whole / (time.perf_counter() - start)
        accuracy, apart = self._look(running, epoch)
        last = running.knobs((epoch + 1) * self.steps - 1)
        before = self.rows[-1].seconds if self.rows else 0.0
        self.rows.append(
            Row(
                stage=plan.stage.name,
                epoch=number,
                steps=number * self.steps,
                lr=last.lr,
                binary_share=last.binary,
                act_bits=last.act_bits,
                loss=loss,
                accuracy=accuracy,
                distance=apart,
                images_per_s=rate,
                seconds=before + time.perf_counter() - start,
            )
        )

    def _look(self, running: Running, epoch: int) -> tuple[float | None, float | None]:
        """Accuracy, and the distance between training and the integers, every few epochs."""
        every = -(-running.plan.epochs // LOOKS)
        if (running.plan.epochs - 1 - epoch) % every:
            return None, None
        try:
            with running.averaged() as model:
                correct, images = judge(model, self.task.data, self.here)
                apart = None
                if isinstance(model, QuantVit) and model.quantized:
                    few = torch.from_numpy(self.sample[:DISTANCE_IMAGES]).to(self.here.device)
                    apart = distance(model, few)
        except InputError as error:  # of integerize: training diverged
            number = running.plan.first_epoch + epoch + 1
            raise InputError(
                f"after step {number * self.steps}, epoch {number} (stage"
                f" {running.plan.stage.name}), integers cannot express the model ({error}); lower"
                " the learning rate (--set lr=...) or set clip=1"
            ) from error
        return correct / max(1, images), apart

    def _save(self, running: Running, stage: int) -> None:
        """The checkpoint of an epoch's end, and the log beside it."""

        def work() -> None:
            kept = resume.content(running, stage, self.rows, self.float_correct)
            with running.averaged() as model:
                ready = isinstance(model, QuantVit) and model.quantized
                content = {
                    **self.task.header(),
                    "model": dict(model.state_dict()) if ready else None,
                    "result": None,
                    "run": {**kept, "identity": self.task.identity()},
                }
                checkpoint.write(self.task.out, content)
            self.write_log()

        self.here.first(work)

    def write_log(self) -> None:
        """The CSV file beside the checkpoint."""
        history.write_csv(self.rows, self.task.out.with_suffix(".csv"))
