"""What each of torchrun's processes does for test_quant_processes, and writes to RANK.json.

torchrun --standalone --nproc_per_node 2 tests/quant/training/two_processes.py FOLDER TEACHER MODEL
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from small_runs import diverging, doubled, few, quick, run, step_losses, stop_at
from torch import nn

from vaqf.cli import app
from vaqf.errors import InputError
from vaqf.quant.files import checkpoint
from vaqf.quant.training import processes
from vaqf.quant.training.processes import Processes


def facts(here: Processes) -> dict[str, Any]:
    """What the processes know of each other."""

    def fail() -> None:
        raise InputError(f"rank {here.rank} fails")

    try:
        here.first(fail)
        error = ""
    except InputError as caught:
        error = str(caught)
    torch.manual_seed(here.rank)
    layer = nn.Linear(2, 1)
    outer = here.wrapped(layer)
    for number in (1, 2):  # two parts: gradients are exchanged in the second
        with here.averaging(outer, last=number == 2):
            outer(torch.full((1, 2), float(here.rank + number))).sum().backward()
        if number == 1:
            alone = layer.weight.grad.tolist()
    return {
        "place": [here.rank, here.world, here.leads, str(here.device)],
        "total": here.total(torch.tensor([1, 10 * here.rank])).tolist(),
        "largest": float(here.largest(torch.tensor(-1.0 - here.rank))),
        "gathered": here.gathered({"rank": here.rank}),
        "first": here.first(lambda: f"from {here.rank}"),
        "error": error,
        "weight": layer.weight.tolist(),
        "gradient of one part": alone,
        "gradient": layer.weight.grad.tolist(),
    }


def refused(work: Callable[[], Any]) -> str:
    """The sentence of a run that must not start."""
    try:
        work()
    except InputError as error:
        return str(error)
    return ""


def main() -> None:
    """Runs that the test repeats in one process."""
    folder, teacher, model = map(Path, sys.argv[1:])
    with doubled(), processes.join("cpu") as here:  # once: no group can be made after another
        (folder / f"{here.rank}.json").write_text(json.dumps(work(here, folder, teacher, model)))


def work(here: Processes, folder: Path, teacher: Path, model: Path) -> dict[str, Any]:
    """What this process saw."""
    seen = facts(here)
    writes: list[str] = []
    true = checkpoint.write

    def write(path: Path, content: Any) -> None:
        writes.append(path.name)
        true(path, content)

    checkpoint.write = write
    peaks: list[list[float]] = []
    largest = Processes.largest

    def watch(self: Processes, value: torch.Tensor) -> torch.Tensor:
        before = float(value)
        peaks.append([before, float(largest(self, value))])
        return value

    Processes.largest = watch

    def losses(name: str, data: Any, **options: Any) -> list[float]:
        out = folder / f"{name}.pt"
        with step_losses() as steps:
            trained = run(out, options.pop("recipe"), data, **options)
        seen[name] = {"losses": steps, "result": [trained.correct, trained.images, trained.leads]}
        return steps

    losses("one_shot", few(48, 13), recipe=quick("one_shot"))
    losses("best", few(48, 13), recipe=quick("best", accumulate=2, mixup=0.8), teacher=teacher)
    seen["largest of an epoch"] = list(peaks)
    with diverging(1):
        diverged = refused(lambda: run(folder / "a.pt", quick("best")))
    seen["refused"] = [
        refused(lambda: run(Path("/proc/none/x.pt"), quick("best"))),
        refused(lambda: run(folder / "a.pt", quick("best", batch=9))),
        refused(lambda: run(folder / "a.pt", quick("best", processes=4))),
        diverged,
        refused(lambda: run(folder / "best.pt", quick("best"))),
    ]
    try:
        run(folder / "stopped.pt", quick("best"), report=stop_at(7))
    except KeyboardInterrupt:
        seen["stopped"] = True
    words = ["train", "-m", str(model), "-d", "digits", "-o", str(folder / "cli.pt"), "--json"]
    seen["exit"] = app.main([*words, "--epochs", "4", "--act-bits", "4"])
    seen["again"] = app.main([*words, "--epochs", "4", "--act-bits", "4", "--resume"])
    return {**seen, "writes": writes}


if __name__ == "__main__":
    main()
