"""Training runs of a second or less, shared by the tests of quant; import it after torch."""

import csv
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import yaml

from vaqf.images import made
from vaqf.model import zoo
from vaqf.network import networkfile
from vaqf.quant.data import sources
from vaqf.quant.data.sources import Data
from vaqf.quant.files.checkpoint import export
from vaqf.quant.recipe import recipe
from vaqf.quant.recipe.recipe import Recipe
from vaqf.quant.training.stage import Running
from vaqf.quant.training.train import Trained, train
from vaqf.reporting import Report

SMALL = replace(zoo.load("vit_digits"), name="small", dim=16, depth=1, heads=2, mlp_ratio=2)
SAME = 1e-9  # how far what is equal may be apart in float64, relatively (measured: 1e-14)
TIMES = ("images_per_s", "seconds")  # the columns of a log that no two runs share
# a recipe with every part that carries something from step to step
EVERYTHING = """
name: everything
epochs: 8  # two of each stage
batch: 16
clip: 1
mixup: 0.8
cutmix: 1.0
centred: true
scale: learned
stages:
  - {name: float, average: 0.9, weight_decay: 0.05}
  - {name: masked, weights: mask, ramp: 1.0, average: 0.9}
  - {name: gradual, loss: teacher, weights: blend, ramp: 0.5, activations: quantized,
     bits_ramp: 0.5}
  - {name: exact, loss: teacher, weights: sign, activations: quantized, integer_share: 0.5,
     average: 0.9, weight_decay: 0.01}
"""


@functools.cache
def few(train: int = 32, test: int = 12) -> Data:
    """Some of the digits."""
    learn, judge = (made.digits(SMALL, split) for split in ("train", "test"))
    return sources.arrays(
        "digits", (learn[0][:train], learn[1][:train]), (judge[0][:test], judge[1][:test])
    )


def quick(name: str, each: int = 2, **settings: object) -> Recipe:
    """A recipe by name with steps of 16 images, `each` epochs of every stage, other settings."""
    found = recipe.load(name)
    words = {"epochs": each * len(found.stages), "batch": 16, **settings}
    even = replace(found, stages=tuple(replace(stage, share=1.0) for stage in found.stages))
    return recipe.changed(even, {key: str(value) for key, value in words.items()})


def everything(folder: Path) -> Recipe:
    """The recipe above, read from a file."""
    file = folder / "everything.yaml"
    file.write_text(EVERYTHING)
    return recipe.load(str(file))


def model_file(folder: Path) -> Path:
    """SMALL as a file for --model."""
    file = folder / "small.yaml"
    keys = {key: value for key, value in asdict(SMALL).items() if key != "name"}
    lists = {key: list(value) for key, value in keys.items() if isinstance(value, tuple)}
    file.write_text(yaml.safe_dump(keys | lists))
    return file


def run(out: Path, chosen: Recipe, images: Data | None = None, **options: Any) -> Trained:
    """Train SMALL on `few` images, and draw nothing: that would take half of the time."""
    with patch("vaqf.quant.report.draw.draw"):
        return train(SMALL, few() if images is None else images, out, chosen, **options)


def stop_at(step: int) -> Report:
    """Interrupts a run after `step` steps."""

    def report(what: str, done: int, of: int) -> None:
        if done == step:
            raise KeyboardInterrupt

    return report


def never(what: str, done: int, of: int) -> None:
    """The report of a run that must not begin."""
    raise AssertionError("it trained")


def stage_of(what: str) -> str:
    """The stage that a report names."""
    return what.partition("(")[2].partition(")")[0]


@contextmanager
def step_losses() -> Iterator[list[float]]:
    """The loss of every step that is taken while the block runs."""
    seen: list[float] = []
    true = Running._step

    def step(*arguments: Any) -> float:
        seen.append(true(*arguments))
        return seen[-1]

    with patch.object(Running, "_step", step):
        yield seen


@contextmanager
def doubled() -> Iterator[None]:
    """Training in float64 instead of float32, and checkpoints that hold it.

    Sums in another order then differ by 1e-16, which flips no sign and no rounding: what must be
    the same is the same in every step, on every processor. In float32 one weight that flips
    changes all losses from there on by up to 3 %.
    """
    kind = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with (
            patch.object(torch.Tensor, "float", torch.Tensor.double),
            patch("vaqf.quant.files.checkpoint.FLOAT", torch.float64),
        ):
            yield
    finally:
        torch.set_default_dtype(kind)


@contextmanager
def diverging(step: int, name: str = "head.bias", value: float = float("inf")) -> Iterator[None]:
    """Runs whose parameter `name` has a value after the step of that number, counted from 1.

    What too large a learning rate leads to sooner or later; when, no processor promises.
    """
    true, taken = Running._step, []

    def take(self: Running, *arguments: Any) -> float:
        loss = true(self, *arguments)
        taken.append(loss)
        if len(taken) == step:
            with torch.no_grad():
                self.model.get_parameter(name).fill_(value)
        return loss

    with patch.object(Running, "_step", take):
        yield


def log(out: Path) -> list[dict[str, str]]:
    """The log beside a checkpoint, without the columns of time."""
    with out.with_suffix(".csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [{key: cell for key, cell in row.items() if key not in TIMES} for row in rows]


def sha(out: Path) -> str:
    """The hash of a checkpoint's integer network."""
    return networkfile.sha256(export(out))
