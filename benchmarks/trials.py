"""Training runs as benchmarks need them: many, in parallel, remembered as soon as they are done."""

import argparse
import csv
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import nn

from vaqf.model.vit import Vit
from vaqf.network import networkfile
from vaqf.quant.data.sources import Data
from vaqf.quant.files import checkpoint, floatmodel
from vaqf.quant.model.vit import FloatVit
from vaqf.quant.recipe import recipe as recipes
from vaqf.quant.training.train import float_file, train
from vaqf.sim import golden


@dataclass(frozen=True)
class Trial:
    """One training run and what it is a sample of."""

    what: str  # the script's own name of the data: a fold, a set
    recipe: str
    act_bits: int
    seed: int
    epochs: int
    digest: str  # of the recipe's keys: what another recipe gave is no answer


def trial(what: str, recipe: str, act_bits: int, seed: int, epochs: int) -> Trial:
    """A run of a recipe by name."""
    keys = repr(recipes.load(recipe).plain())
    digest = hashlib.sha256(keys.encode()).hexdigest()[:16]
    return Trial(what, recipe, act_bits, seed, epochs, digest)


@dataclass(frozen=True)
class Outcome:
    """What one run gave; accuracies in percent of the test images."""

    what: str
    recipe: str
    act_bits: int
    seed: int
    epochs: int
    digest: str
    accuracy: float  # of the integer network
    float_accuracy: float  # of the float model it was distilled from or started from; nan: none
    export_equal: (
        bool  # golden on the exported file == model.eval(), every logit of the test images
    )
    seconds: float


def accuracy(model: nn.Module, data: Data) -> float:
    """Percent of the images to judge by that a model's logits get right."""
    right = 0
    with torch.no_grad():
        for pixels, labels in data.judge():
            right += int((model(pixels).argmax(1) == labels).sum())
    return 100 * right / data.judged


def float_accuracy(path: Path, vit: Vit, data: Data) -> float:
    """The same of a float model's file; nan if there is none."""
    if not path.exists():
        return float("nan")
    model = FloatVit(vit)
    model.load_params(floatmodel.load(path, vit))
    return accuracy(model.eval(), data)


def run(
    trial: Trial, vit: Vit, data: Data, judged: Data, out: Path, teacher: Path | None
) -> Outcome:
    """Train and judge; compare the exported network with the model's evaluation on the test images.

    judged: what accuracies are of, the same images or more of them.
    """
    recipe = recipes.changed(recipes.load(trial.recipe), {"epochs": str(trial.epochs)})
    teacher = teacher if recipe.has_teacher else None
    trained = train(
        vit,
        data,
        out,
        recipe,
        act_bits=trial.act_bits,
        seed=trial.seed,
        teacher=teacher,
        resumed=True,
        device="cpu",
    )
    model, origin = checkpoint.read_model(out)
    place = out.with_suffix(".safetensors")
    place.write_bytes(networkfile.to_bytes(model.network(origin)))
    exported = networkfile.read(place)
    equal = all(
        np.array_equal(golden.run(exported, pixels.numpy()), model(pixels).numpy())
        for pixels, _ in data.judge()
    )
    return Outcome(
        **asdict(trial),
        accuracy=accuracy(model, judged),
        float_accuracy=float_accuracy(teacher or float_file(out), vit, judged),
        export_equal=equal,
        seconds=trained.rows[-1].seconds,
    )


def read(path: Path) -> list[Outcome]:
    """The outcomes remembered in a CSV file."""
    if not path.exists():
        return []
    kinds = {f.name: f.type for f in fields(Outcome)}
    made = {int: int, float: float, str: str, bool: lambda word: word == "True"}
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [Outcome(**{key: made[kinds[key]](word) for key, word in row.items()}) for row in rows]


def remember(path: Path, outcome: Outcome) -> None:
    """Append an outcome to a CSV file."""
    new = not path.exists()
    with path.open("a", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(field.name for field in fields(Outcome))
        writer.writerow(astuple(outcome))


def arguments(description: str, epochs: int, file: str) -> argparse.Namespace:
    """The options of a script of trials; its results are remembered in build/FILE."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--remember", type=Path, default=Path("build") / file)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser.parse_args()


def found(groups: Sequence[Sequence[Trial]], path: Path) -> list[Outcome]:
    """The remembered outcomes of these trials."""
    wanted = {one for group in groups for one in group}
    return [outcome for outcome in read(path) if trial_of(outcome) in wanted]


def in_processes(script: Path, groups: Sequence[Sequence[Trial]], path: Path, jobs: int) -> None:
    """Run groups of trials (one process each, in order) that `path` does not remember yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {trial_of(outcome) for outcome in read(path)}
    left = [[t for t in group if t not in done] for group in groups]

    def work(group: Sequence[Trial]) -> None:
        if not group:
            return
        words = json.dumps([asdict(trial) for trial in group])
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        with subprocess.Popen(
            [sys.executable, str(script), "--worker", words],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                outcome = Outcome(**json.loads(line))
                remember(path, outcome)
                print(_line(outcome), flush=True)
        if process.returncode:
            raise SystemExit(f"a worker failed with exit code {process.returncode}")

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(work, left))


def _line(outcome: Outcome) -> str:
    equal = "export == eval" if outcome.export_equal else "EXPORT DIFFERS"
    return (
        f"{outcome.what:10} {outcome.recipe:10} w1a{outcome.act_bits} seed {outcome.seed}:"
        f" {outcome.accuracy:5.1f} % (float {outcome.float_accuracy:5.1f} %), {equal},"
        f" {outcome.seconds:.0f} s"
    )


def worker(
    words: str, vit: Vit, load: Callable[[Trial], Data], judge: Callable[[], Data] | None = None
) -> None:
    """The other side of in_processes: run the trials of one group, a JSON line for each."""
    trials = [Trial(**trial) for trial in json.loads(words)]
    with tempfile.TemporaryDirectory() as folder:
        teachers: dict[tuple[str, int, int], Path] = {}
        for number, trial in enumerate(trials):
            data = load(trial)
            out = Path(folder) / f"{number}.pt"
            key = (trial.what, trial.seed, trial.epochs)
            judged = data if judge is None else judge()
            outcome = run(trial, vit, data, judged, out, teachers.get(key))
            if float_file(out).exists():
                teachers[key] = float_file(out)
            print(json.dumps(asdict(outcome)), flush=True)


def spread(differences: Iterable[float]) -> tuple[float, float]:
    """Mean and sample standard deviation of paired differences."""
    values = np.array(list(differences))
    return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0


def trial_of(outcome: Outcome) -> Trial:
    """Which trial an outcome answers."""
    return Trial(*astuple(outcome)[: len(fields(Trial))])
