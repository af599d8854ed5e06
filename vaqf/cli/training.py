"""The commands train, sweep, export and evaluate."""

from typing import Annotated

import typer

import vaqf
from vaqf.cli.options import (
    ActBits,
    AsJson,
    BoardName,
    Device,
    Epochs,
    Force,
    Fps,
    ImageCount,
    ImageData,
    LabelFile,
    Model,
    Out,
    Quiet,
    RecipeName,
    Resume,
    Seed,
    Settings,
    Teacher,
    TrainingData,
    WeightsKey,
    Workers,
    frame_rate,
    given,
    integer,
    pairs,
)
from vaqf.cli.terminal import epochs as epoch_lines
from vaqf.cli.terminal import print_json, progress


def train(
    model: Model = None,
    data: TrainingData = None,
    out: Out = None,
    act_bits: ActBits = None,
    recipe: RecipeName = "best",
    epochs: Epochs = None,
    seed: Seed = "0",
    teacher: Teacher = None,
    weights_key: WeightsKey = None,
    settings: Settings = None,
    board: BoardName = None,
    fps: Fps = "max",
    resume: Resume = False,
    force: Force = False,
    workers: Workers = "0",
    device: Device = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train a binary-weight model; with --board and --fps, for the precision the search finds."""
    with progress(quiet or as_json) as report:
        result = vaqf.train(
            model,
            data,
            out,
            act_bits=given(integer, "--act-bits", act_bits),
            recipe=recipe,
            epochs=given(integer, "--epochs", epochs),
            seed=integer("--seed", seed),
            teacher=teacher,
            weights_key=weights_key,
            settings=pairs("--set", settings),
            board=board,
            fps=frame_rate(fps),
            resume=resume,
            force=force,
            workers=integer("--workers", workers),
            device=device,
            report=report,
            log=epoch_lines(quiet or as_json),
        )
    if not result.trained.leads:
        return
    if as_json:
        print_json(result.to_json())
        return
    from vaqf.cli.show import training as show

    show.training(result)


def sweep(
    model: Model = None,
    data: TrainingData = None,
    board: BoardName = None,
    act_bits: Annotated[
        str, typer.Option("--act-bits", metavar="A,A,...", help="Precisions to train.")
    ] = "8,6,4,2",
    fps: Fps = "max",
    recipe: RecipeName = "best",
    epochs: Epochs = None,
    seed: Seed = "0",
    teacher: Teacher = None,
    weights_key: WeightsKey = None,
    settings: Settings = None,
    out: Out = None,
    resume: Resume = False,
    force: Force = False,
    workers: Workers = "0",
    device: Device = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train several precisions; accuracy against frames per second, as table and picture."""
    with progress(quiet or as_json) as report:
        result = vaqf.sweep(
            model,
            data,
            board,
            act_bits=[integer("--act-bits", word) for word in act_bits.split(",")],
            fps=frame_rate(fps),
            recipe=recipe,
            epochs=given(integer, "--epochs", epochs),
            seed=integer("--seed", seed),
            teacher=teacher,
            weights_key=weights_key,
            settings=pairs("--set", settings),
            out=out,
            resume=resume,
            force=force,
            workers=integer("--workers", workers),
            device=device,
            report=report,
            log=epoch_lines(quiet or as_json),
        )
    if not result.leads:
        return
    if as_json:
        print_json(result.to_json())
        return
    from vaqf.cli.show import training as show

    show.sweep(result.to_json())


def export(
    checkpoint: Annotated[str, typer.Argument(metavar="CKPT", help="A checkpoint of vaqf train.")],
    out: Out = None,
    qonnx: Annotated[
        bool, typer.Option("--qonnx", help="QONNX for FINN's tools instead: training's arithmetic.")
    ] = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Checkpoint to integer network: one safetensors file."""
    network, place = vaqf.export(checkpoint, out, qonnx, force)
    if as_json:
        print_json({"file": str(place), "model": network.vit.name, "act_bits": network.act_bits})
    else:
        print(f"{place}: {network.vit.name} w1a{network.act_bits}, {network.origin}")


def evaluate(
    weights: Annotated[str, typer.Argument(metavar="W", help="A network file of vaqf export.")],
    data: ImageData = None,
    images: ImageCount = None,
    labels: LabelFile = None,
    float_model: Annotated[
        str | None,
        typer.Option(
            "--float",
            metavar="FILE",
            help="The float model (.safetensors, .pth) to compare with; needs torch.",
        ),
    ] = None,
    weights_key: WeightsKey = None,
    use_torch: Annotated[
        bool,
        typer.Option("--torch", help="Run in torch, on a GPU if there is one; the same logits."),
    ] = False,
    out: Out = None,
    force: Force = False,
    tables: Annotated[
        bool, typer.Option("--tables", help="Every class and every quantizer as a table.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Accuracy of an integer network, as the hardware computes; -o writes all of it as JSON."""
    with progress(quiet or as_json) as report:
        result = vaqf.evaluate(
            weights,
            data,
            given(integer, "--images", images),
            float_model=float_model,
            use_torch=use_torch,
            out=out,
            force=force,
            labels=labels,
            weights_key=weights_key,
            report=report,
        )
    document = result.to_json()
    if as_json:
        print_json(document)
        return
    from vaqf.cli.show import evaluation as show_evaluation

    show_evaluation.lines(document, quiet)
    if tables:
        show_evaluation.tables(document)
    if out is not None:
        print(f"wrote {out}")
