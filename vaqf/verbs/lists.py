"""The verbs: one function each, with the name and the defaults of the command line.

Each raises the typed exceptions of vaqf.errors. Modules that need numpy, torch or a file on disk
are imported inside the function that needs them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vaqf.errors import Infeasible, InputError
from vaqf.evaluation.answer import (
    Built,
    Cosimulated,
    Prediction,
    Report,
    Simulated,
    Synthesized,
    silent,
)
from vaqf.files.fields import shown
from vaqf.verbs.arguments import find_design, load_board, load_model, use
from vaqf.verbs.train import evaluate, export, sweep, train

if TYPE_CHECKING:
    from vaqf.hardware.board import Board
    from vaqf.model.vit import Vit
    from vaqf.network.structure import Network
    from vaqf.search.paper import PaperSearch
    from vaqf.search.search import Search
    from vaqf.verbs.doctor import Tool

__all__ = [
    "boards",
    "build",
    "cosim",
    "csim",
    "doctor",
    "estimate",
    "evaluate",
    "export",
    "models",
    "predict",
    "sweep",
    "synth",
    "train",
]


def models() -> list[Vit]:
    """Every model known by name."""
    from vaqf.model import vit

    return [vit.load(name) for name in vit.names()]


def boards() -> list[Board]:
    """Every board known by name."""
    from vaqf.hardware import board

    return [board.load(name) for name in board.names()]


def doctor() -> list[Tool]:
    """The outside tools that verbs use, present or not."""
    from vaqf.verbs import doctor as environment

    return environment.tools()


def estimate(
    model: str | None = None,
    board: str | None = None,
    fps: float | None = None,
    act_bits: int | None = None,
    engine: str = "table",
    clock_mhz: float | None = None,
    lut_budget: int | None = None,
    design: str | Path | None = None,
) -> Search | PaperSearch:
    """Precision, design, FPS, resources and layers of a model on a board; writes nothing.

    `fps` None asks for the fastest legal design. A target that cannot be met is an answer, not an
    error: `.feasible` is False and `.estimate` is the best there is.
    """
    vit, device = load_model(model), load_board(board)
    if engine == "paper":
        from vaqf.search import paper

        if design is not None:
            raise InputError("--design cannot go with --engine paper; it is a model, not a design")
        return paper.search(
            vit,
            device,
            target_fps=fps,
            act_bits=act_bits,
            clock_mhz=clock_mhz,
            lut_budget=lut_budget,
        )
    from vaqf.files.fields import check_choice
    from vaqf.hardware.design import ENGINES

    check_choice(engine, "engine", (*ENGINES, "paper"))
    return find_design(vit, device, fps, act_bits, engine, clock_mhz, lut_budget, design)


def build(
    model: str | None = None,
    board: str | None = None,
    fps: float | None = None,
    act_bits: int | None = None,
    engine: str = "table",
    clock_mhz: float | None = None,
    lut_budget: int | None = None,
    design: str | Path | None = None,
    weights: str | Path | None = None,
    data: str | None = None,
    images: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    force: bool = False,
    report: Report = silent,
) -> Built:
    """Search as `estimate` does, then write the whole project of the design it finds.

    `weights`: an integer network (which fixes model and precision), a float checkpoint (binarized
    and calibrated on `data`), or None for random ones from `seed`. Raises Infeasible for a target
    out of reach. `out` None names the folder vaqf_<model>_w1a<A>_<board>.
    """
    from vaqf.files import output
    from vaqf.images import data as pictures
    from vaqf.project import write as emit
    from vaqf.verbs import networks as choices

    if engine == "paper":
        raise InputError("--engine paper is a model for vaqf estimate; build table or adder")
    path = None if weights is None else Path(weights)
    network = None if path is None else choices.trained(path)
    if network is None:
        vit = load_model(model)
    else:
        _agree(network, model, act_bits)
        vit, act_bits = network.vit, network.act_bits
    device = load_board(board)
    found = find_design(vit, device, fps, act_bits, engine, clock_mhz, lut_budget, design)
    if not found.feasible:
        raise Infeasible(found.reason)
    bits = found.estimate.act_bits
    folder = Path(f"vaqf_{vit.name}_w1a{bits}_{found.estimate.board.name}" if out is None else out)
    output.check_folder(folder, force)
    chosen = pictures.load(data, vit, images)
    pixels = chosen.pixels()
    use("sim")
    from sim import golden

    if network is None:
        report("calibrating", 0, 1)
        if path is None:
            network = choices.from_seed(vit, bits, seed, pictures.calibration(None, vit).pixels())
        else:
            watched = pictures.calibration(data, vit)
            network = choices.from_checkpoint(path, vit, bits, watched.pixels(), watched.origin)
        report("calibrating", 1, 1)
    logits = golden.run(network, pixels, lambda done: report("golden", done, len(pixels)))
    reference = emit.Golden(
        pixels, chosen.labels, logits, golden.layers(network, pixels[0]), chosen.origin
    )
    with output.new_folder(folder, force) as partial:
        report("writing", 0, 1)
        emit.write_project(partial, found, network, reference)
        report("writing", 1, 1)
    return Built(folder, found, network, chosen)


def _agree(network: Network, model: str | None, act_bits: int | None) -> None:
    """InputError where a flag contradicts a trained network's model or precision."""
    if model is not None and load_model(model) != network.vit:
        raise InputError(
            f"--model {model} contradicts --weights, which holds {network.vit.name}; leave it out"
        )
    if act_bits is not None and act_bits != network.act_bits:
        raise InputError(
            f"--act-bits {act_bits} contradicts --weights, which has {network.act_bits}-bit"
            " activations; leave it out"
        )


def csim(
    folder: str | Path,
    data: str | None = None,
    images: int | None = None,
    report: Report = silent,
) -> Simulated:
    """Compile a project's C++ and compare it with golden, bit for bit, on the project's own
    images or on `data`. A mismatch is an answer: `.result.mismatches`."""
    from vaqf.images import data as pictures
    from vaqf.project import read as projects

    project = projects.load(Path(folder))
    network = project.network
    use("sim")
    from sim import csim as simulation

    if data is None:
        labels, classes = project.labels
        result = simulation.run(project, count=images, progress=report)
        count = len(result.logits)
        source = str(project.manifest.get("images", ""))
        kept = None if labels is None else labels[:count]
        return Simulated(network, result, source, kept, classes[:count])
    chosen = pictures.load(data, network.vit, images)
    result = simulation.run(project, chosen.pixels(), progress=report)
    known = None if chosen.labels is None else [int(label) for label in chosen.labels]
    classes = [int(label) for label in result.logits.argmax(axis=-1)]
    return Simulated(network, result, chosen.origin, known, classes)


def cosim(
    folder: str | Path,
    data: str | None = None,
    images: int | None = None,
    layers: bool = False,
    trace: bool = False,
    rtl: str | Path | None = None,
    stalls: int | None = None,
    report: Report = silent,
) -> Cosimulated:
    """Run a project's RTL with Verilator and compare it with golden, bit for bit, on the project's
    own images or on `data`; measure its cycles.

    `layers`: every layer of the first image is compared, too. `trace`: all signals go to cosim.vcd
    in the project. `rtl`: a folder with the Verilog that Vitis HLS exports, to run in the place of
    the project's own. `stalls`: a seed of random pauses of the memories. A mismatch is an answer:
    `.result.mismatches`.
    """
    from vaqf.images import data as pictures
    from vaqf.project import read as projects

    project = projects.load(Path(folder))
    use("sim")
    from sim.cosim import run as rtl_run

    options = rtl_run.Options(layers, trace, None if rtl is None else Path(rtl), stalls)
    if data is None:
        result = rtl_run.run(project, None, images, options, report)
        labels, classes = project.labels
        kept = None if labels is None else labels[: result.frames]
        source = str(project.manifest.get("images", ""))
        return Cosimulated(project.network, result, source, kept, classes[: result.frames])
    network = project.network
    chosen = pictures.load(data, network.vit, images)
    result = rtl_run.run(project, chosen.pixels(), None, options, report)
    known = None if chosen.labels is None else [int(label) for label in chosen.labels]
    classes = [int(label) for label in result.logits.argmax(axis=-1)]
    return Cosimulated(network, result, chosen.origin, known, classes)


def synth(
    folder: str | Path,
    tool: str = "yosys",
    board: str | None = None,
    report: Report = silent,
) -> Synthesized:
    """Synthesize a project's SystemVerilog and set what it takes beside the estimate.

    `board` None: the one that the project was built for. What is synthesized once is kept in the
    user's cache folder.
    """
    from vaqf.project import read as projects
    from vaqf.project import write as emit
    from vaqf.resources import use as resources

    if tool != "yosys":
        raise InputError(f"--tool is {shown(tool)}; reports of other tools than yosys are not read")
    project = projects.load(Path(folder))
    name = project.manifest.get("board")
    if board is None and not isinstance(name, str):
        raise InputError(f"{folder}/manifest.json names no board; give one with --board")
    device = load_board(str(name) if board is None else board)
    design, sources = project.design, projects.rtl_sources(project)
    use("sim")
    from sim.synth import synthesize as synthesis
    from sim.synth import yosys

    family = "xc7" if device.is_series_7 else "xcup"
    made = synthesis.synthesize(sources, emit.TOP, family, yosys.cache_folder(), report)
    expected = resources.resources(design, device)
    return Synthesized(str(project.manifest.get("model")), device, made, expected)


def predict(folder: str | Path, image: str | Path, top: int = 5) -> Prediction:
    """Classify a picture with the integer network of a project: the bits the hardware gives."""
    from vaqf.files.fields import check_whole
    from vaqf.images import data as pictures
    from vaqf.project import read as projects

    check_whole(top, "--top", 1, 10**6)
    network = projects.load(Path(folder)).network
    if not Path(image).is_file():
        raise InputError(f"{image} is no file; predict takes one picture")
    pixels = pictures.read(Path(image), network.vit)
    use("sim")
    from sim import golden

    logits = golden.run(network, pixels[None])[0]
    best = (-logits.astype("int64")).argsort(kind="stable")[:top]
    return Prediction(
        network,
        [int(label) for label in best],
        [float(logits[label]) * network.logit_scale for label in best],
    )
