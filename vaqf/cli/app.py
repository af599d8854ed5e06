"""The command line: words to calls of vaqf.api, results to tables or JSON, errors to one line."""

import shlex
import sys
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
import typer.main

from vaqf import __version__
from vaqf.cli.failure import (
    INTERRUPTED,
    broken_pipe,
    internal_error,
    one_line,
    prepare_process,
    usage_sentence,
)
from vaqf.cli.options import (
    ActBits,
    AsJson,
    BoardName,
    Clock,
    DesignFile,
    Engine,
    Folder,
    Force,
    Fps,
    ImageCount,
    ImageData,
    LutBudget,
    Model,
    Out,
    Quiet,
    Weights,
    frame_rate,
    given,
    integer,
    number,
)
from vaqf.cli.terminal import print_json, progress
from vaqf.cli.training import evaluate, export, sweep, train
from vaqf.cli.words import count, share
from vaqf.errors import Infeasible, InputError, Mismatch, VaqfError
from vaqf.verbs import lists as api

RESUMABLE = ("train", "sweep")

app = typer.Typer(
    name="vaqf",
    help="From a vision transformer and a frame rate to an FPGA accelerator.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(f"vaqf {__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the models that are known by name."""
    from vaqf.model import workload

    rows = [
        {
            "name": m.name,
            "image_size": m.image_size,
            "patch_size": m.patch_size,
            "tokens": m.tokens,
            "dim": m.dim,
            "depth": m.depth,
            "heads": m.heads,
            "macs": sum(layer.macs for layer in workload.workload(m)),
        }
        for m in api.models()
    ]
    if as_json:
        print_json(rows)
        return
    from vaqf.cli.show import tables as show

    show.models(rows)


@app.command()
def boards(as_json: AsJson = False) -> None:
    """List the boards that are known by name."""
    rows = [asdict(b) for b in api.boards()]
    if as_json:
        print_json(rows)
        return
    from vaqf.cli.show import tables as show

    show.boards(rows)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Which outside tools are here, and what works without them."""
    rows = [tool.to_json() for tool in api.doctor()]
    if as_json:
        print_json(rows)
        return
    from vaqf.cli.show import tables as show

    show.tools(rows)


@app.command()
def estimate(
    model: Model = None,
    board: BoardName = None,
    fps: Fps = "max",
    act_bits: ActBits = None,
    engine: Engine = "table",
    clock_mhz: Clock = None,
    lut_budget: LutBudget = None,
    design: DesignFile = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find precision and design for a frame rate; writes nothing."""
    found = api.estimate(
        model,
        board,
        frame_rate(fps),
        act_bits=given(integer, "--act-bits", act_bits),
        engine=engine,
        clock_mhz=given(number, "--clock-mhz", clock_mhz),
        lut_budget=given(integer, "--lut-budget", lut_budget),
        design=design,
    )
    document = found.to_json()
    if as_json:
        print_json(document)
    else:
        from vaqf.cli.show import tables as show

        show.estimate(document, quiet)
    if not found.feasible:
        raise Infeasible(found.reason)


@app.command()
def build(
    model: Model = None,
    board: BoardName = None,
    fps: Fps = "max",
    act_bits: ActBits = None,
    engine: Engine = "table",
    clock_mhz: Clock = None,
    lut_budget: LutBudget = None,
    design: DesignFile = None,
    weights: Weights = None,
    data: ImageData = None,
    images: ImageCount = None,
    seed: Annotated[str, typer.Option("--seed", metavar="N", help="Of the random weights.")] = "0",
    out: Out = None,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Search as estimate does, then write the whole project."""
    with progress(quiet or as_json) as report:
        built = api.build(
            model,
            board,
            frame_rate(fps),
            act_bits=given(integer, "--act-bits", act_bits),
            engine=engine,
            clock_mhz=given(number, "--clock-mhz", clock_mhz),
            lut_budget=given(integer, "--lut-budget", lut_budget),
            design=design,
            weights=weights,
            data=data,
            images=given(integer, "--images", images),
            seed=integer("--seed", seed),
            out=out,
            force=force,
            report=report,
        )
    if as_json:
        print_json(built.to_json())
        return
    from vaqf.cli.show import tables as show
    from vaqf.verbs import networks as kinds

    if kinds.UNTRAINED in built.network.origin:
        print(
            f"warning: {built.folder} is {kinds.UNTRAINED}; its accuracy needs vaqf train",
            file=sys.stderr,
        )
    show.estimate(built.search.to_json(), quiet=True)
    print(f"weights: {built.network.origin}")
    print(f"images in golden/: {len(built.images)}, {built.images.origin}")
    print(f"wrote {built.folder}")
    folder = shlex.quote(str(built.folder))
    print(f"next: vaqf csim {folder} (the C++), vaqf cosim {folder} (the RTL)")


for verb in (train, sweep, export, evaluate):
    app.command()(verb)

OtherImages = Annotated[
    str | None,
    typer.Option(
        "--data",
        "-d",
        metavar="digits|shapes|PATH",
        help="Other images than the project's own.",
    ),
]


@app.command()
def csim(
    folder: Folder,
    data: OtherImages = None,
    images: ImageCount = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Compile the C++ with g++ and compare it with golden, bit for bit."""
    with progress(quiet or as_json) as report:
        result = api.csim(folder, data, given(integer, "--images", images), report)
    run = result.result
    if as_json:
        print_json(result.to_json())
    else:
        compared = f"{count(run.layers, 'layer')} of the first"
        seconds = f"{run.compile_seconds:.1f} s to compile, {run.run_seconds:.1f} s to run"
        print(
            f"{count(run.frames, 'image')} ({result.images_are}), {compared}: "
            f"{count(run.mismatches, 'mismatch')} ({seconds})"
        )
        for finding in run.findings:
            print(f"  {finding}")
        if result.correct is not None and not run.mismatches:
            print(f"{share(result.correct, run.frames)} images correct")
    if run.mismatches:
        first = run.findings[0] if run.findings else f"{run.mismatches} values differ"
        raise Mismatch(f"the C++ does not compute what golden computes: {first}")


@app.command()
def cosim(
    folder: Folder,
    data: OtherImages = None,
    images: ImageCount = None,
    layers: Annotated[
        bool, typer.Option("--layers", help="Compare every layer of the first image, too.")
    ] = False,
    trace: Annotated[
        bool, typer.Option("--trace", help="Write all signals to DIR/cosim.vcd; large.")
    ] = False,
    rtl: Annotated[
        str | None,
        typer.Option(
            "--rtl",
            metavar="PATH",
            help="Run the Verilog in this folder, as Vitis HLS exports it, in the place of DIR/rtl"
            " (not run with the vendor's own output yet).",
        ),
    ] = None,
    stalls: Annotated[
        str | None,
        typer.Option(
            "--stalls", metavar="SEED", help="Memories that pause at random, from this seed."
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run the RTL with Verilator, compare it with golden bit for bit, measure its cycles."""
    with progress(quiet or as_json) as report:
        result = api.cosim(
            folder,
            data,
            given(integer, "--images", images),
            layers,
            trace,
            rtl,
            given(integer, "--stalls", stalls),
            report,
        )
    run = result.result
    if as_json:
        print_json(result.to_json())
    else:
        from vaqf.cli.show import tables as show

        show.cosim(result, quiet)
    if run.mismatches:
        first = run.findings[0] if run.findings else f"{run.mismatches} values differ"
        raise Mismatch(f"the RTL does not compute what golden computes: {first}")


@app.command()
def synth(
    folder: Folder,
    tool: Annotated[
        str, typer.Option("--tool", metavar="yosys", help="What synthesizes the SystemVerilog.")
    ] = "yosys",
    board: Annotated[
        str | None,
        typer.Option("--board", "-b", metavar="NAME|FILE", help="Another than the project's."),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Synthesize the SystemVerilog and set what it takes beside the estimate."""
    with progress(quiet or as_json) as report:
        document = api.synth(folder, tool, board, report).to_json()
    if as_json:
        print_json(document)
        return
    from vaqf.cli.show import tables as show

    show.synthesis(document, quiet)


@app.command()
def predict(
    folder: Folder,
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A picture.")],
    top: Annotated[str, typer.Option("--top", metavar="N", help="Classes to print.")] = "5",
    as_json: AsJson = False,
) -> None:
    """Classify a picture with a project's integer network."""
    found = api.predict(folder, image, integer("--top", top))
    if as_json:
        print_json(found.to_json())
        return
    for label, logit in zip(found.classes, found.logits, strict=True):
        print(f"class {label:<6} logit {logit:.3f}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; never raises."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = typer.main.get_command(app)(words, prog_name="vaqf", standalone_mode=False)
        sys.stdout.flush()
    except VaqfError as error:
        return _fail(str(error), error.exit_code)
    except typer.TyperException as error:
        return _fail(usage_sentence(error, words), InputError.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        return broken_pipe()
    except SystemExit as end:  # how typer and rich answer a broken pipe, with exit code 1
        if isinstance(end.__context__, BrokenPipeError):
            return broken_pipe()
        raise
    except Exception as error:  # noqa: BLE001  the one place where a bug of ours becomes a sentence
        if isinstance(error, OSError) and error.errno is not None:
            where = f"{error.filename}: " if error.filename else ""
            return _fail(f"{where}{error.strerror}", InputError.exit_code)
        return _fail(internal_error(error, words), VaqfError.exit_code)
    if code == INTERRUPTED:
        again = "; --resume goes on from there" if words and words[0] in RESUMABLE else ""
        return _fail(f"interrupted; nothing was left half-written{again}", INTERRUPTED)
    return int(code or 0)


def _fail(sentence: str, exit_code: int) -> int:
    """One line on standard error."""
    try:
        sys.stdout.flush()
    except OSError:
        broken_pipe()
    print(f"error: {one_line(sentence)}", file=sys.stderr)
    return exit_code


def run() -> None:
    """The console script."""
    prepare_process()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # other libraries' advice to programmers
    sys.exit(main())
