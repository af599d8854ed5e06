"""What a checkpoint keeps of an unfinished run, so that it ends as if it had never stopped."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from vaqf.errors import InputError
from vaqf.files.fields import shown
from vaqf.model.vit import Vit
from vaqf.network import parameters
from vaqf.quant.data.sources import Data
from vaqf.quant.files import checkpoint
from vaqf.quant.model.vit import FloatVit
from vaqf.quant.recipe.recipe import Recipe
from vaqf.quant.report import history
from vaqf.quant.report.history import Row
from vaqf.quant.training.stage import Running

MACHINE = ("accumulate", "processes", "compile", "about")  # may change: the result does not
KEYS = {"identity", "stage", "epochs_done", "latest", "average", "count", "optimizer"}
KEYS |= {"teacher", "float_correct", "history"}


@dataclass(frozen=True, eq=False)
class Place:
    """Where an interrupted run stands."""

    path: Path
    stage: int
    epochs_done: int  # of the run
    latest: Any  # state dict of the model in training
    average: Any  # the averaged parameters, in the model's order, or None
    count: int  # steps averaged
    optimizer: Any  # its state by number of the parameter; step and recipe say the rest
    teacher: FloatVit | None
    float_correct: int | None
    rows: list[Row]


def identity(
    recipe: Recipe, vit: Vit, act_bits: int, seed: int, data: Data, teacher: str
) -> dict[str, Any]:
    """What must be the same for a run to go on."""
    parts = {key: value for key, value in recipe.plain().items() if key not in MACHINE}
    return {
        **{f"recipe {recipe.name}: {key}": repr(value) for key, value in parts.items()},
        **{f"model {key}": repr(value) for key, value in asdict(vit).items()},
        "act_bits": act_bits,
        "seed": seed,
        "data": data.origin,
        "training images": data.images,
        "fingerprint of the data (names, sizes, labels)": data.fingerprint,
        "teacher": teacher,
    }


def check_same(path: Path, kept: Any, wanted: Mapping[str, Any]) -> None:
    """InputError that names what differs between the checkpoint's run and the one asked for."""
    if not isinstance(kept, dict):
        raise InputError(f"{path}: its run entry is damaged; start again with --force")
    for key, value in wanted.items():
        if key not in kept:
            raise InputError(
                f"{path} was made by another recipe or version (it has no {key}); resume with that"
                " one, or start again with --force"
            )
        if type(kept[key]) is not type(value) or kept[key] != value:
            raise InputError(
                f"{path} was made with {key} {shown(kept[key])}, not {shown(value)}; resume with"
                " what it was made with, or start again with --force"
            )


def content(
    running: Running, stage: int, rows: list[Row], float_correct: int | None
) -> dict[str, Any]:
    """The part of `run` that changes from epoch to epoch."""
    average = running.average
    # detached: tensors of their own, which stay what they are while the model has the average
    mean = None if average is None else [part.detach() for part in average.parameters()]
    teacher = running.teacher
    return {
        "stage": stage,
        "epochs_done": rows[-1].epoch,
        "latest": dict(running.model.state_dict()),
        "average": mean,
        "count": 0 if average is None else int(average.n_averaged) - 1,  # the start is one, too
        "optimizer": running.optimizer.state_dict()["state"],
        "teacher": None if teacher is None else dict(teacher.state_dict()),
        "float_correct": float_correct,
        "history": history.plain(rows),
    }


def place(path: Path, run: Any, vit: Vit, epochs: tuple[int, ...]) -> Place:
    """Where the run of a checkpoint stands; its identity was checked before."""
    damaged = InputError(f"{path}: its run entry is damaged; start again with --force")
    if not isinstance(run, dict) or set(run) != KEYS:
        raise damaged
    stage, done, count, right = (
        run[key] for key in ("stage", "epochs_done", "count", "float_correct")
    )
    if not all(type(value) is int for value in (stage, done, count)):
        raise damaged
    if not 0 <= stage < len(epochs) or count < 0 or type(right) not in (int, type(None)):
        raise damaged
    if right is not None and right < 0:
        raise damaged
    if not sum(epochs[:stage]) < done <= sum(epochs[: stage + 1]):
        raise damaged
    teacher = None
    if run["teacher"] is not None:
        checkpoint.check_state(path, run["teacher"], parameters.array_shapes(vit))
        teacher = FloatVit(vit)
        checkpoint.load_state(path, teacher, run["teacher"])
    rows = history.from_plain(run["history"], str(path))
    if not rows or rows[-1].epoch != done:
        raise damaged
    return Place(
        path,
        stage,
        done,
        run["latest"],
        run["average"],
        count,
        run["optimizer"],
        teacher,
        right,
        rows,
    )


def restore(place: Place, running: Running) -> None:
    """Put a stage back to where it was checkpoint."""
    if running.plan.stage.loss == "teacher" and running.teacher is None:
        raise InputError(f"{place.path}: its teacher is missing; start again with --force")
    checkpoint.load_state(place.path, running.model, place.latest)
    average = running.average
    if average is not None:
        means = [part.detach() for part in average.parameters()]
        kept = _parts(place.path, place.average, len(means), "average")
        checkpoint.check_state(place.path, kept, _shapes(means, "average"))
        plan = running.plan
        if place.count != (place.epochs_done - plan.first_epoch) * plan.steps:
            raise InputError(f"{place.path}: its average is damaged; start again with --force")
        for mine, theirs in zip(means, kept.values(), strict=True):
            mine.copy_(theirs)
        average.n_averaged.fill_(place.count + 1)
    _restore_optimizer(place, running.optimizer)


def _restore_optimizer(place: Place, optimizer: torch.optim.Optimizer) -> None:
    """AdamW's moments; every step sets what else the optimizer knows."""
    own = optimizer.state_dict()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    entries = _parts(place.path, place.optimizer, len(parameters), "optimizer")
    for entry, parameter in zip(entries.values(), parameters, strict=True):
        shape = tuple(parameter.shape)
        checkpoint.check_state(
            place.path, entry, {"step": (), "exp_avg": shape, "exp_avg_sq": shape}
        )
    optimizer.load_state_dict({**own, "state": place.optimizer})


def _shapes(tensors: list[torch.Tensor], what: str) -> dict[str, tuple[int, ...]]:
    return {f"{what} {i}": tuple(tensor.shape) for i, tensor in enumerate(tensors)}


def _parts(path: Path, kept: Any, count: int, what: str) -> dict[str, Any]:
    """A list, or a dictionary by whole numbers, of `count` parts, each with a name."""
    numbered = dict(enumerate(kept)) if isinstance(kept, list) else kept
    if not isinstance(numbered, dict) or set(numbered) != set(range(count)):
        raise InputError(f"{path}: its {what} is damaged; start again with --force")
    return {f"{what} {i}": numbered[i] for i in range(count)}
