"""The verb sweep: one recipe at several precisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaqf.arithmetic.widths import MAX_ACT_BITS, MIN_ACT_BITS
from vaqf.reporting import Log, Report, silent, unlogged
from vaqf.verbs.arguments import load_board, load_model, recipe_settings, training_data

if TYPE_CHECKING:
    from vaqf.quant.report.pareto import Point


@dataclass(frozen=True, eq=False)
class Sweep:
    """Several precisions of one model: what each reaches, and its frames per second."""

    folder: Path
    model: str
    board: str
    recipe: str
    target_fps: float | None
    points: Sequence[Point]
    leads: bool  # whether this process reports

    def to_json(self) -> dict[str, Any]:
        """The columns of sweep.csv and the notes for every precision, the highest first."""
        from vaqf.quant.report.pareto import frontier

        best = frontier(self.points)
        return {
            "folder": str(self.folder),
            "model": self.model,
            "board": self.board,
            "recipe": self.recipe,
            "target_fps": self.target_fps,
            "points": [
                {
                    "act_bits": point.act_bits,
                    "accuracy": point.accuracy,
                    "correct": point.correct,
                    "images": point.images,
                    "float_accuracy": point.float_accuracy,
                    "fps": point.fps or None,
                    "feasible": point.feasible,
                    "limited_by": point.limited_by,
                    "pareto": pareto,
                    "checkpoint": point.checkpoint,
                    "network": point.network,
                    "notes": list(point.notes),
                }
                for point, pareto in zip(self.points, best, strict=True)
            ],
        }


def sweep(
    model: str | None = None,
    data: str | None = None,
    board: str | None = None,
    act_bits: Sequence[int] = (8, 6, 4, 2),
    fps: float | None = None,
    recipe: str = "best",
    epochs: int | None = None,
    seed: int = 0,
    teacher: str | Path | None = None,
    weights_key: str | None = None,
    settings: Mapping[str, str] | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    force: bool = False,
    workers: int = 0,
    device: str = "auto",
    report: Report = silent,
    log: Log = unlogged,
) -> Sweep:
    """Train each precision with one float model; accuracy (measured) against FPS (estimated).

    Writes a folder (`out` None: sweep_<model>_<board>) with a checkpoint and a network for each
    precision, sweep.csv and sweep.png. `log` gets a line after every epoch.
    """
    from vaqf.files.fields import check_whole
    from vaqf.search import search
    from vaqf.search.question import Question

    vit, device_board = load_model(model), load_board(board)
    for bits in act_bits:
        check_whole(bits, "act_bits", MIN_ACT_BITS, MAX_ACT_BITS)
    found = search.search(Question(vit, device_board, fps))
    speeds = {
        c.act_bits: (c.estimate.fps if c.legal else 0.0, c.feasible, c.limited_by)
        for c in found.candidates
    }
    folder = Path(f"sweep_{vit.name}_{device_board.name}" if out is None else out)
    from vaqf import quant

    quant.require_training()
    from vaqf.quant.data import sources
    from vaqf.quant.recipe import recipe as recipes
    from vaqf.quant.training import processes
    from vaqf.quant.training import sweep as sweeping

    chosen = recipes.changed(recipes.load(recipe), recipe_settings(settings, epochs))
    points = sweeping.sweep(
        vit,
        sources.load(training_data(data), vit, workers),
        folder,
        chosen,
        act_bits=act_bits,
        fps=speeds,
        board=device_board.name,
        target_fps=fps,
        seed=seed,
        teacher=None if teacher is None else Path(teacher),
        weights_key=weights_key,
        device=device,
        resumed=resume,
        force=force,
        report=report,
        log=log,
    )
    leads = processes.rank() == 0
    return Sweep(folder, vit.name, device_board.name, chosen.name, fps, points, leads)
