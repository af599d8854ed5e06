"""The verb train: a checkpoint of binary weights, for a precision or for a frame rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaqf.errors import Infeasible, InputError
from vaqf.reporting import Log, Report, silent, unlogged
from vaqf.verbs.arguments import load_board, load_model, recipe_settings, training_data

if TYPE_CHECKING:
    from vaqf.quant.training.train import Trained
    from vaqf.search.search import Search


def train(
    model: str | None = None,
    data: str | None = None,
    out: str | Path | None = None,
    act_bits: int | None = None,
    recipe: str = "best",
    epochs: int | None = None,
    seed: int = 0,
    teacher: str | Path | None = None,
    weights_key: str | None = None,
    settings: Mapping[str, str] | None = None,
    board: str | None = None,
    fps: float | None = None,
    resume: bool = False,
    force: bool = False,
    workers: int = 0,
    device: str = "auto",
    report: Report = silent,
    log: Log = unlogged,
) -> Training:
    """Train a model with binary weights and `act_bits` activations; writes a checkpoint.

    With `board`, the search finds the precision for `fps` (unless `act_bits` pins it) before
    anything is trained, and the integer network is written beside the checkpoint. `epochs` are of
    the whole recipe; `settings` replace keys of its file. `out` None names the checkpoint after
    model and precision in the current folder; NAME.csv, NAME.png and, where a float model was
    trained, NAME.float.safetensors go beside it. `log` gets a line after every epoch. Raises
    Infeasible for a target out of reach.
    """
    from vaqf.arithmetic import widths
    from vaqf.files import output
    from vaqf.network import networkfile
    from vaqf.search import search
    from vaqf.search.question import Question
    from vaqf.verbs import networks as choices

    teaches = None if teacher is None else Path(teacher)
    vit, said = choices.as_described(teaches, load_model(model))
    found = None
    if board is not None:
        found = search.search(Question(vit, load_board(board), fps, act_bits))
        if not found.feasible:
            raise Infeasible(found.reason)
        act_bits = found.estimate.act_bits
    elif fps is not None:
        raise InputError("--fps needs --board: the precision depends on the device")
    bits = widths.DEFAULT_ACT_BITS if act_bits is None else act_bits
    place = Path(f"{vit.name}_w1a{bits}.pt" if out is None else out)
    written = None if found is None else place.parent / f"{place.stem}.safetensors"
    if written is not None and teaches is not None and written.resolve() == teaches.resolve():
        raise InputError(f"the network would replace the teacher {teacher}; give -o another name")
    if written is not None:
        output.check_file(written, resume or force, networkfile.is_network)
    from vaqf import quant

    quant.require_training()
    from vaqf.quant.data import sources
    from vaqf.quant.files.checkpoint import export
    from vaqf.quant.recipe import recipe as recipes
    from vaqf.quant.training import train as training

    chosen = recipes.changed(recipes.load(recipe), recipe_settings(settings, epochs))
    trained = training.train(
        vit,
        sources.load(training_data(data), vit, workers),
        place,
        chosen,
        act_bits=bits,
        seed=seed,
        teacher=teaches,
        weights_key=weights_key,
        resumed=resume,
        force=force,
        device=device,
        report=report,
        log=log,
    )
    trained = replace(trained, notes=(*said, *trained.notes))
    if written is not None and trained.leads:
        with output.new_file(written, True, networkfile.is_network) as partial:
            partial.write_bytes(networkfile.to_bytes(export(place)))
    return Training(trained, place, vit.name, bits, chosen.name, found, written)


@dataclass(frozen=True, eq=False)
class Training:
    """A trained model, where it was written, and the search that chose its precision."""

    trained: Trained
    checkpoint: Path
    model: str
    act_bits: int
    recipe: str
    search: Search | None
    network: Path | None

    def to_json(self) -> dict[str, Any]:
        """Counts and places; the accuracy is the integer network's."""
        return {
            "file": str(self.checkpoint),
            "network": None if self.network is None else str(self.network),
            "model": self.model,
            "act_bits": self.act_bits,
            "recipe": self.recipe,
            "epochs": self.trained.epochs,
            "batch": self.trained.recipe.batch,
            "augment": self.trained.recipe.augment,
            "correct": self.trained.correct,
            "images": self.trained.images,
            "float_correct": self.trained.float_correct,
            "skipped": dict(self.trained.unreadable),
            "animated": list(self.trained.animated),
            "notes": list(self.trained.notes),
        }
