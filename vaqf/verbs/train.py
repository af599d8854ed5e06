"""The verbs of training: one function each, as in vaqf.api, where users find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from vaqf.arithmetic.widths import MAX_ACT_BITS, MIN_ACT_BITS
from vaqf.errors import Infeasible, InputError
from vaqf.evaluation.answer import Evaluation, Report, Sweep, Training, silent
from vaqf.verbs.arguments import find_design, load_board, load_model, use

if TYPE_CHECKING:
    from vaqf.network.structure import Network


def train(
    model: str | None = None,
    data: str | None = None,
    out: str | Path | None = None,
    act_bits: int | None = None,
    recipe: str = "best",
    epochs: int | None = None,
    seed: int = 0,
    teacher: str | Path | None = None,
    settings: Mapping[str, str] | None = None,
    board: str | None = None,
    fps: float | None = None,
    resume: bool = False,
    force: bool = False,
    workers: int = 0,
    device: str = "auto",
    report: Report = silent,
) -> Training:
    """Train a model with binary weights and `act_bits` activations; writes a checkpoint.

    With `board`, the search finds the precision for `fps` (unless `act_bits` pins it) before
    anything is trained, and the integer network is written beside the checkpoint. `epochs` are of
    the whole recipe; `settings` replace keys of its file. `out` None names the checkpoint after
    model and precision in the current folder; NAME.csv, NAME.png and, where a float model was
    trained, NAME.float.safetensors go beside it. Raises Infeasible for a target out of reach.
    """
    from vaqf.arithmetic import widths as arithmetic
    from vaqf.files import output
    from vaqf.network import structure as network

    vit = load_model(model)
    found = None
    if board is not None:
        found = find_design(vit, load_board(board), fps, act_bits, "table", None, None, None)
        if not found.feasible:
            raise Infeasible(found.reason)
        act_bits = found.estimate.act_bits
    elif fps is not None:
        raise InputError("--fps needs --board: the precision depends on the device")
    bits = arithmetic.DEFAULT_ACT_BITS if act_bits is None else act_bits
    place = Path(f"{vit.name}_w1a{bits}.pt" if out is None else out)
    written = None if found is None else place.parent / f"{place.stem}.safetensors"
    if written is not None and written.exists() and not (resume or force):
        raise InputError(f"{written} exists; give another name with -o, or --force to replace it")
    if written is not None and teacher is not None and written.resolve() == Path(teacher).resolve():
        raise InputError(f"the network would replace the teacher {teacher}; give -o another name")
    use("quant").require_training()
    from quant import export as exporting
    from quant.data import sources
    from quant.recipe import recipe as recipes
    from quant.training import train as training

    chosen = recipes.changed(recipes.load(recipe), _settings(settings, epochs))
    trained = training.train(
        vit,
        sources.load(_training_data(data), vit, workers),
        place,
        chosen,
        act_bits=bits,
        seed=seed,
        teacher=None if teacher is None else Path(teacher),
        resumed=resume,
        force=force,
        device=device,
        progress=lambda step: report(step.line(), step.step, step.steps),
    )
    if written is not None and trained.leads:
        with output.new_file(written, force=True) as partial:
            partial.write_bytes(network.to_bytes(exporting.export(place)))
    return Training(trained, place, vit.name, bits, chosen.name, found, written)


def _settings(settings: Mapping[str, str] | None, epochs: int | None) -> dict[str, str]:
    words = dict(settings or {})
    if epochs is None:
        return words
    if "epochs" in words:
        raise InputError("--epochs and --set epochs=... say the same thing; give one of them")
    return {**words, "epochs": str(epochs)}


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
    settings: Mapping[str, str] | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    force: bool = False,
    workers: int = 0,
    device: str = "auto",
    report: Report = silent,
) -> Sweep:
    """Train each precision with one float model; accuracy (measured) against FPS (estimated).

    Writes a folder (`out` None: sweep_<model>_<board>) with a checkpoint and a network for each
    precision, sweep.csv and sweep.png.
    """
    from vaqf.files.fields import check_whole

    vit, device_board = load_model(model), load_board(board)
    for bits in act_bits:
        check_whole(bits, "act_bits", MIN_ACT_BITS, MAX_ACT_BITS)
    found = find_design(vit, device_board, fps, None, "table", None, None, None)
    speeds = {
        c.act_bits: (c.estimate.fps if c.legal else 0.0, c.feasible, c.limited_by)
        for c in found.candidates
    }
    folder = Path(f"sweep_{vit.name}_{device_board.name}" if out is None else out)
    use("quant").require_training()
    from quant.data import sources
    from quant.recipe import recipe as recipes
    from quant.training import processes
    from quant.training import sweep as sweeping

    chosen = recipes.changed(recipes.load(recipe), _settings(settings, epochs))
    points = sweeping.sweep(
        vit,
        sources.load(_training_data(data), vit, workers),
        folder,
        chosen,
        act_bits=act_bits,
        fps=speeds,
        board=device_board.name,
        target_fps=fps,
        seed=seed,
        teacher=None if teacher is None else Path(teacher),
        device=device,
        resumed=resume,
        force=force,
        progress=lambda bits, step: report(f"w1a{bits} {step.line()}", step.step, step.steps),
    )
    leads = processes.rank() == 0
    return Sweep(folder, vit.name, device_board.name, chosen.name, fps, points, leads)


def _training_data(data: str | None) -> str:
    if data is None:
        raise InputError(
            "--data is missing; it takes digits, shapes, or a folder of pictures or shards"
        )
    return data


def export(
    checkpoint: str | Path,
    out: str | Path | None = None,
    qonnx: bool = False,
    force: bool = False,
) -> tuple[Network, Path]:
    """Write the integer network of a checkpoint; `out` None puts it beside the checkpoint.

    `qonnx` writes the model as training computes it instead, as QONNX for FINN's tools.
    """
    from vaqf.files import output
    from vaqf.network import structure as network

    path = Path(checkpoint)
    if not path.exists():
        raise InputError(f"{path}: there is no such file; vaqf train writes it")
    if path.suffix == ".safetensors" or not path.is_file():
        raise InputError(f"{path} is no checkpoint of vaqf train, which writes a .pt file")
    suffix = ".qonnx.onnx" if qonnx else ".safetensors"
    place = path.with_suffix(suffix) if out is None else Path(out)
    if place.resolve() == path.resolve():
        raise InputError(f"{place} is the checkpoint itself; give the network another name with -o")
    package = use("quant")
    package.require()
    if qonnx:
        package.require_qonnx()
    from quant.files import checkpoint as saved

    model, origin = saved.read_model(path)
    made = model.network(origin)
    with output.new_file(place, force) as partial:
        if qonnx:
            from quant.files import qonnx as graphs

            graphs.write(model, partial)
        else:
            partial.write_bytes(network.to_bytes(made))
    return made, place


def evaluate(
    weights: str | Path,
    data: str | None = None,
    images: int | None = None,
    float_model: str | Path | None = None,
    use_torch: bool = False,
    out: str | Path | None = None,
    force: bool = False,
    report: Report = silent,
) -> Evaluation:
    """Run an integer network on images: the very numbers the hardware gives.

    `float_model`: a float checkpoint of the same model (by timm's names), to compare with; needs
    torch. `use_torch` runs the integers in torch, on a GPU where there is one: the same logits.
    `out` gets the JSON of the result.
    """
    import json

    from vaqf.evaluation import run as evaluation
    from vaqf.files import output
    from vaqf.images import data as pictures
    from vaqf.network import structure as networks

    network = networks.read(Path(weights))
    teacher = None
    if float_model is not None:
        path = Path(float_model)
        teacher = path.name, evaluation.float_model(path, network.vit)
    chosen = pictures.load(data, network.vit, images)
    place = None if out is None else Path(out)
    with nullcontext() if place is None else output.new_file(place, force) as partial:
        found = evaluation.run(network, chosen, teacher, use_torch, report)
        if partial is not None:
            text = json.dumps(found.to_json(), indent=2, allow_nan=False)
            partial.write_text(f"{text}\n", encoding="utf-8")
    return found
