"""The commands that check a project: csim, cosim, synth, place, predict."""

from typing import Annotated

import typer

import vaqf
from vaqf.cli.failure import one_line
from vaqf.cli.options import (
    SETS,
    AsJson,
    Folder,
    Force,
    ImageCount,
    LabelFile,
    Out,
    Quiet,
    given,
    integer,
    number,
)
from vaqf.cli.terminal import print_json, progress
from vaqf.cli.words import count, share, told
from vaqf.errors import Mismatch

OtherImages = Annotated[
    str | None,
    typer.Option(
        "--data",
        "-d",
        metavar=f"{SETS}|PATH",
        help="Other images than the project's own.",
    ),
]


def csim(
    folder: Folder,
    data: OtherImages = None,
    images: ImageCount = None,
    labels: LabelFile = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Compile the C++ with g++ and compare it with golden, bit for bit."""
    with progress(quiet or as_json) as report:
        result = vaqf.csim(folder, data, given(integer, "--images", images), labels, report)
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
        for line in told(result.unreadable, result.notes):
            print(line)
        if result.correct is not None and not run.mismatches:
            print(f"{share(result.correct, run.frames)} images correct")
    if run.mismatches:
        first = run.findings[0] if run.findings else f"{run.mismatches} values differ"
        raise Mismatch(f"the C++ does not compute what golden computes: {first}")


def cosim(
    folder: Folder,
    data: OtherImages = None,
    images: ImageCount = None,
    labels: LabelFile = None,
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
        result = vaqf.cosim(
            folder,
            data,
            given(integer, "--images", images),
            layers,
            trace,
            rtl,
            given(integer, "--stalls", stalls),
            labels,
            report,
        )
    run = result.result
    if as_json:
        print_json(result.to_json())
    else:
        from vaqf.cli.show import cosim as show

        show.cosim(result, quiet)
    if run.mismatches:
        first = run.findings[0] if run.findings else f"{run.mismatches} values differ"
        raise Mismatch(f"the RTL does not compute what golden computes: {first}")


def synth(
    folder: Folder,
    tool: Annotated[
        str,
        typer.Option(
            "--tool",
            metavar="yosys|vivado",
            help="Run Yosys, or read what rtl/vivado.tcl left in DIR/rtl/vivado (not run with the"
            " vendor's tool yet).",
        ),
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
        document = vaqf.synth(folder, tool, board, report).to_json()
    if as_json:
        print_json(document)
        return
    if tool == "vivado":
        from vaqf.cli.show import routed

        routed.routed(document, quiet)
        return
    from vaqf.cli.show import synthesis as show

    show.synthesis(document, quiet)


def place(
    folder: Folder,
    board: Annotated[
        str | None,
        typer.Option(
            "--board",
            "-b",
            metavar="ulx3s",
            help="Simulate, place and write that whole board, with its bitstream (not run on the"
            " board).",
        ),
    ] = None,
    clock_mhz: Annotated[
        str | None,
        typer.Option("--clock-mhz", metavar="MHZ", help="Clock of the board; default: 50."),
    ] = None,
    seed: Annotated[
        str, typer.Option("--seed", metavar="N", help="Of the placer: another seed, another clock.")
    ] = "1",
    reference: Annotated[
        bool,
        typer.Option("--reference/--no-reference", help="Place picorv32, too, to compare with."),
    ] = True,
    out: Out = None,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Place and route the SystemVerilog on an ECP5 with open tools: a routed clock; minutes."""
    clock = given(number, "--clock-mhz", clock_mhz)
    with progress(quiet or as_json) as report:
        placed = vaqf.place(
            folder, board, clock, integer("--seed", seed), reference, out, force, report
        )
    if as_json:
        print_json(placed.to_json())
        return
    from vaqf.cli.show import placement as show

    show.placement(placed.to_json(), quiet)
    print(one_line(f"wrote {placed.written}"))
    if board is not None:
        print(one_line(f"next: {placed.written}/README.md (not run on the board)"))


def predict(
    folder: Folder,
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A picture.")],
    top: Annotated[str, typer.Option("--top", metavar="N", help="Classes to print.")] = "5",
    as_json: AsJson = False,
) -> None:
    """Classify a picture with a project's integer network."""
    found = vaqf.predict(folder, image, integer("--top", top))
    if as_json:
        print_json(found.to_json())
        return
    names = [""] * len(found.classes) if found.names is None else [f"  {n}" for n in found.names]
    for label, logit, name in zip(found.classes, found.logits, names, strict=True):
        print(one_line(f"class {label:<6} logit {logit:.3f}{name}"))
    for line in told({}, found.notes):
        print(line)
