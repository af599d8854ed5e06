"""The commands estimate and build."""

import shlex
import sys
from typing import Annotated

import typer

import vaqf
from vaqf.cli.options import (
    ActBits,
    AsJson,
    BoardName,
    Clock,
    DesignFile,
    Engine,
    Force,
    Fps,
    ImageCount,
    ImageData,
    LabelFile,
    LutBudget,
    Model,
    Out,
    Quiet,
    Weights,
    WeightsKey,
    frame_rate,
    given,
    integer,
    number,
)
from vaqf.cli.terminal import print_json, progress
from vaqf.cli.words import told
from vaqf.errors import Infeasible
from vaqf.files.fields import some


def estimate(
    model: Model = None,
    board: BoardName = None,
    fps: Fps = "max",
    act_bits: ActBits = None,
    engine: Engine = None,
    clock_mhz: Clock = None,
    lut_budget: LutBudget = None,
    design: DesignFile = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find precision and design for a frame rate; writes nothing."""
    found = vaqf.estimate(
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
        from vaqf.cli.show import estimate as show

        show.estimate(document, quiet, given=design is not None)
    if not found.feasible:
        raise Infeasible(found.reason)


def build(
    model: Model = None,
    board: BoardName = None,
    fps: Fps = "max",
    act_bits: ActBits = None,
    engine: Engine = None,
    clock_mhz: Clock = None,
    lut_budget: LutBudget = None,
    design: DesignFile = None,
    weights: Weights = None,
    weights_key: WeightsKey = None,
    data: ImageData = None,
    images: ImageCount = None,
    labels: LabelFile = None,
    seed: Annotated[
        str | None, typer.Option("--seed", metavar="N", help="Of the random weights; default: 0.")
    ] = None,
    out: Out = None,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Search as estimate does, then write the whole project."""
    with progress(quiet or as_json) as report:
        built = vaqf.build(
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
            seed=given(integer, "--seed", seed),
            out=out,
            force=force,
            labels=labels,
            weights_key=weights_key,
            report=report,
        )
    if as_json:
        print_json(built.to_json())
        return
    from vaqf.cli.show import estimate as show
    from vaqf.verbs import networks as kinds

    if kinds.UNTRAINED in built.network.origin:
        print(
            f"warning: {built.folder} is {kinds.UNTRAINED}; its accuracy needs vaqf train",
            file=sys.stderr,
        )
    show.estimate(built.search.to_json(), quiet=True, given=design is not None)
    print(f"weights: {built.network.origin}")
    print(f"images in golden/: {len(built.images)}, {built.images.origin}")
    for line in told(built.images.unreadable, built.notes):
        print(line)
    print(f"wrote {built.folder}")
    if built.left:
        print(f"left as they were, for no build wrote them: {some(built.left)}")
    folder = shlex.quote(str(built.folder))
    print(f"next: vaqf csim {folder} (the C++), vaqf cosim {folder} (the RTL)")
