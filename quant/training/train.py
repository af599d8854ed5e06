"""Train a model by a recipe: what `vaqf train` calls."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from vaqf.arithmetic import widths
from vaqf.errors import InputError
from vaqf.files import lock, output
from vaqf.files.fields import check_whole, shown
from vaqf.images import frames
from vaqf.model.vit import Vit
from vaqf.network.parameters import MAX_SEED
from vaqf.quant.data.sources import Data
from vaqf.quant.files import checkpoint, floatmodel
from vaqf.quant.model import threads
from vaqf.quant.model.vit import FloatVit, QuantVit
from vaqf.quant.recipe.recipe import Recipe
from vaqf.quant.report import draw, history, run_chart
from vaqf.quant.report.history import Row
from vaqf.quant.training import convergence, resume
from vaqf.quant.training.defaults import settled
from vaqf.quant.training.processes import Processes, join
from vaqf.quant.training.run import Run, Task
from vaqf.quant.training.stage import judge
from vaqf.reporting import Log, Report, silent, unlogged

SUFFIX = ".pt"  # of checkpoints; the files beside one have the same stem
Counts = dict[str, Any]  # correct, images, float_correct: the result of a checkpoint
Skipped = dict[str, str]  # pictures that were left out, with the reason


@dataclass(frozen=True)
class Trained:
    """What came out, counted on the judging images."""

    correct: int  # by the integer network
    images: int
    float_correct: int | None  # by the teacher, where the recipe has one
    rows: tuple[Row, ...]
    unreadable: Skipped
    recipe: Recipe  # as it was followed: nothing is auto
    epochs: int  # of all stages that were trained
    notes: tuple[str, ...] = ()  # what a person should know of the data and the float model
    leads: bool = True  # whether this process is the one that reports
    animated: tuple[str, ...] = ()  # pictures whose first frame was taken

    @property
    def accuracy(self) -> float:
        """Share of the images that the integer network classifies correctly."""
        return self.correct / max(1, self.images)


@contextmanager
def _deterministic(seed: int, device: torch.device) -> Iterator[None]:
    """The same seed gives the same bits, whatever ran before; the caller's settings come back.

    On a GPU torch is free to pick its kernels: some that training needs have no other.
    """
    strict = torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        try:
            torch.manual_seed(seed)
            torch.use_deterministic_algorithms(device.type == "cpu")
            yield
        finally:
            torch.use_deterministic_algorithms(strict)


def float_file(out: Path) -> Path:
    """Where the float model of a run goes, under timm's names: NAME.float.safetensors."""
    return out.with_suffix(".float.safetensors")


def picture_file(out: Path) -> Path:
    """Where the picture of the log goes: NAME.png."""
    return out.with_suffix(".png")


def files(out: Path) -> dict[Path, Callable[[Path], bool]]:
    """Every file that a run writes, and what tells whether one that is there came from a run."""
    return {
        out: checkpoint.is_checkpoint,
        out.with_suffix(".csv"): history.is_log,
        picture_file(out): draw.is_picture,
        float_file(out): floatmodel.is_ours,
    }


def _teacher(
    path: Path | None, key: str | None, vit: Vit, recipe: Recipe
) -> tuple[FloatVit | None, str, tuple[str, ...]]:
    """The float model of --teacher, its hash, and what a person should know of it."""
    if path is None:
        if key is not None:
            raise InputError(
                f"--weights-key {shown(key)} chooses among the weights of a --teacher; give one"
            )
        return None, "", ()
    if not recipe.has_teacher:
        raise InputError(f"recipe {recipe.name} starts without a float model; leave out --teacher")
    found = floatmodel.load(path, vit, key)
    sha = hashlib.sha256()
    for name in sorted(found.params):
        sha.update(found.params[name].tobytes())
    model = FloatVit(vit)
    model.load_params(found.params)
    return model, sha.hexdigest(), found.notes


def _named(vit: Vit, data: Data) -> Vit:
    """The model with the names of the data's classes; InputError where it has others."""
    if not isinstance(data.classes, tuple) or data.classes == vit.class_names:
        return vit
    if not vit.class_names:
        return replace(vit, class_names=data.classes)
    pairs = enumerate(zip(vit.class_names, data.classes, strict=True))
    label, (own, other) = next((label, pair) for label, pair in pairs if pair[0] != pair[1])
    raise InputError(
        f"class {label} is {shown(own)} in {vit.name} and {shown(other)} in the data; give both the"
        " same names in the same order, or leave class_names out of the model file"
    )


def train(
    vit: Vit,
    data: Data,
    out: Path,
    recipe: Recipe,
    *,
    act_bits: int = widths.DEFAULT_ACT_BITS,
    seed: int = 0,
    teacher: Path | None = None,
    weights_key: str | None = None,
    resumed: bool = False,
    force: bool = False,
    device: str = "auto",
    report: Report = silent,
    log: Log = unlogged,
) -> Trained:
    """Train a w1aA model and write its checkpoint to `out`, and NAME.csv beside it.

    The checkpoint is written after every epoch, whole or not at all; with `resumed`, a run that
    was interrupted goes on from there to the same end. teacher: a float model's file instead of the
    recipe's first stage; a float model that was trained goes to NAME.float.safetensors. Under
    torchrun, every process calls this and gets the same answer. Raises InputError for numbers out
    of range, a checkpoint of another run, a loss that is not finite (the last checkpoint stays),
    and a place that cannot be written.
    """
    check_whole(act_bits, "act_bits", widths.MIN_ACT_BITS, widths.MAX_ACT_BITS)
    check_whole(seed, "seed", 0, MAX_SEED)
    vit, recipe = _named(vit, data), settled(recipe, vit, data)
    with join(device) as here, threads.fitting(vit), _deterministic(seed, here.device):
        if here.world < recipe.processes:
            raise InputError(
                f"recipe {recipe.name} expects {recipe.processes} processes and {here.world} took"
                f" part; start it with torchrun --nproc_per_node {recipe.processes}, or give"
                f" --set processes={here.world}"
            )
        model, sha, said = _teacher(teacher, weights_key, vit, recipe)
        notes = (*said, *_short(recipe, given=model is not None), *data.notes)
        task = Task(vit, data, out, recipe, act_bits, seed, sha, notes)
        with _alone(out, here):
            kept = here.first(lambda: _kept(task, resumed, force))
            saved = checkpoint.read(out) if kept else None
            if saved is not None and saved.result is not None:
                return _done(task, saved, here)
            run = Run(task, here, report, log if here.leads else unlogged, model)
            place = None if saved is None else resume.place(out, saved.run, vit, run.epochs)
            trained = run.run(place)
            return _finish(run, trained, model is None)


def _short(recipe: Recipe, given: bool) -> tuple[str, ...]:
    """A note where more epochs are trained than were asked for; given: the float model."""
    names = [stage.name for stage in recipe.stages[1 if given else 0 :]]
    if int(recipe.epochs) >= len(names):
        return ()
    return (
        f"epochs is {recipe.epochs}, and recipe {recipe.name} trains {len(names)}: one of each of"
        f" its stages, {', '.join(names)}",
    )


@contextmanager
def _alone(out: Path, here: Processes) -> Iterator[None]:
    """No other run writes `out` while the block runs; the leading process sees to it for all.

    InputError for a place where there can be no checkpoint, too.
    """

    def take() -> None:
        if out.suffix != SUFFIX:
            raise InputError(f"the checkpoint is {str(out)!r}; its name must end in {SUFFIX}")
        checkpoint.check_place(out)
        with output.writing(out):
            held.enter_context(lock.alone(out, "trains"))

    with ExitStack() as held:
        here.first(take)
        yield


def _kept(task: Task, resumed: bool, force: bool) -> bool:
    """Whether there is a checkpoint to go on from; InputError where one is in the way."""
    out = task.out
    if out.is_dir():
        raise InputError(f"{out} is a folder; name a file")
    if out.exists() and not (resumed or force):
        raise InputError(f"{out} exists; --resume goes on with it, --force starts again")
    goes_on = out.exists() and resumed
    for path, is_ours in files(out).items():
        if path != out or not goes_on:
            output.check_file(path, force or goes_on, is_ours)
    if not goes_on:
        return False
    run = checkpoint.read(out).run
    resume.check_same(out, run.get("identity") if isinstance(run, dict) else None, task.identity())
    return True


def _answer(
    task: Task,
    counts: Counts,
    rows: list[Row],
    skipped: Skipped,
    animated: list[str],
    leads: bool,
) -> Trained:
    """What came out of a run, and what that says of its float model."""
    found = convergence.notes(task.recipe, task.vit.classes, rows, **counts)
    return Trained(
        **counts,
        rows=tuple(rows),
        unreadable=skipped,
        recipe=task.recipe,
        epochs=task.epochs,
        notes=(*task.notes, *frames.note(animated), *found),
        leads=leads,
        animated=tuple(animated),
    )


def _done(task: Task, saved: checkpoint.Checkpoint, here: Processes) -> Trained:
    """The answer of a run that was complete."""
    damaged = InputError(f"{task.out}: its result is damaged; start again with --force")
    result, run = saved.result, saved.run
    if not isinstance(result, dict) or set(result) != {"correct", "images", "float_correct"}:
        raise damaged
    right = result["float_correct"]
    if not all(type(result[key]) is int for key in ("correct", "images")):
        raise damaged
    if type(right) not in (int, type(None)):
        raise damaged
    if not all(0 <= count <= result["images"] for count in (result["correct"], right or 0)):
        raise damaged
    return _answer(
        task, result, history.from_plain(run.get("history"), str(task.out)), {}, [], here.leads
    )


def _finish(run: Run, model: QuantVit, own_teacher: bool) -> Trained:
    """Judge the integer network; write the final checkpoint, the log and the float model."""
    task, here = run.task, run.here
    correct, images = judge(model, task.data, here)
    skipped: Skipped = {}
    animated: set[str] = set()
    for problems, names in here.gathered((task.data.unreadable, task.data.animated)):
        skipped.update(problems)
        animated.update(names)
    counts: Counts = {
        "correct": correct,
        "images": images,
        "float_correct": run.float_correct,
    }

    def work() -> None:
        kept = {"identity": task.identity(), "history": history.plain(run.rows)}
        state = dict(model.state_dict())
        if own_teacher and run.teacher is not None:  # first: a complete checkpoint has no teacher
            with output.new_file(float_file(task.out), True, floatmodel.is_ours) as partial:
                partial.write_bytes(floatmodel.to_bytes(run.teacher.params()))
        checkpoint.write(task.out, {**task.header(), "model": state, "result": counts, "run": kept})
        run.write_log()
        title = f"{task.vit.name}, {task.origin.removeprefix('trained ')}, w1a{task.act_bits}"
        draw.draw(run_chart.chart(run.rows, title), picture_file(task.out))

    here.first(work)
    return _answer(task, counts, run.rows, skipped, sorted(animated), here.leads)
