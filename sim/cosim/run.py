"""Co-simulation: a project's RTL on images, through its AXI ports, against golden bit for bit."""

import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim import golden
from sim.cosim import (
    cycles as rtl_cycles,
)
from sim.cosim import (
    model as rtl_model,
)
from sim.cosim import (
    simulate,
)
from sim.cosim import (
    trace as rtl_trace,
)
from sim.cosim.cycles import Cycles, Expected
from sim.cosim.simulate import Run, Task
from vaqf.errors import InputError
from vaqf.files.output import new_file
from vaqf.hardware.command import COMMAND_WORDS, MAX_COMMANDS, decode
from vaqf.network.structure import Network
from vaqf.program import packing
from vaqf.program.compile import Program, compile_network
from vaqf.project import blob, reference
from vaqf.project.blob import Blob
from vaqf.project.read import Project, edited, listed, read_logits
from vaqf.project.reference import Layer

Progress = Callable[[str, int, int], None]  # what, done, of

STATUS = {
    1: "command {command} asks for what the design does not have",
    2: "the run had no commands, or more than the list holds",
    3: "a memory answered with an error at command {command}",
    4: "the watchdog ended the run at command {command}, as a memory did not answer",
}
PATIENCE = 20  # a run that takes so many times the estimate does not end
VCD = "cosim.vcd"
Finding = tuple[str, int]  # a sentence, and how many values it is about


@dataclass(frozen=True)
class Options:
    """What can be asked of a co-simulation."""

    layers: bool = False  # compare every layer of the first image, too
    trace: bool = False  # write all signals to cosim.vcd in the project
    vendor: Path | None = None  # a folder with exported Verilog, in the place of the project's RTL
    stalls: int | None = None  # a seed of random pauses and latencies of the memories
    check_crc: bool = True

    def __post_init__(self) -> None:
        if self.stalls is not None and not 0 <= self.stalls < 2**31:
            raise InputError(f"--stalls is {self.stalls}; it must be a seed from 0 to {2**31 - 1}")
        if self.layers and self.vendor is not None:
            raise InputError(
                "--layers watches signals that only vaqf's own RTL has; leave out --layers or --rtl"
            )


@dataclass(frozen=True)
class Cosim:
    """What one co-simulation showed."""

    frames: int
    layers: int  # compared, of the first frame
    mismatches: int  # values that differ
    findings: tuple[str, ...]  # one line per layer or frame that differs, or what broke the run
    logits: NDArray[np.int32]  # golden's, which the hardware's equal if mismatches is 0
    cycles: Cycles | None  # None for a run that broke off
    compile_seconds: float
    run_seconds: float
    waveform: Path | None
    edited: tuple[str, ...]  # files of rtl/ that are not as `vaqf build` wrote them


@dataclass(frozen=True)
class _Images:
    """Images as the accelerator reads them, and golden's answers."""

    packed: bytes
    logits: NDArray[np.int32]  # [frames, classes]
    layers: tuple[Layer, ...]  # of the first; empty if nobody asked


def _silent(what: str, done: int, of: int) -> None:
    """The default progress."""


def run(
    project: Project,
    images: NDArray[np.uint8] | None = None,
    count: int | None = None,
    options: Options = Options(),
    progress: Progress = _silent,
) -> Cosim:
    """Simulate `images` [B, S, S, C], or the first `count` of the project's own.

    A mismatch is an answer (Cosim.mismatches); InputError for bad files, ToolMissing, ToolFailed.
    """
    if count is not None and count < 1:
        raise InputError(f"--images is {count}; it must be at least 1")
    expected = rtl_cycles.expected(project)
    weights = project.folder / "weights"
    weight_image = blob.read(weights / "weights.bin", Blob.WEIGHTS, options.check_crc).payload
    commands, decoded = _commands(weights / "commands.bin", options.check_crc)
    network = project.network
    program = compile_network(project.design, network)
    if images is None:
        chosen = _own(project, program, count, options)
    else:
        chosen = _others(network, program, images, options, progress)
    frames = len(chosen.logits)

    start = time.perf_counter()
    progress("compiling", 0, 1)
    model = rtl_model.compiled(project, options.vendor, options.trace)
    progress("compiling", 1, 1)
    compiled = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="vaqf-cosim-") as temporary,
        new_file(project.folder / VCD, force=True) if options.trace else nullcontext() as waveform,
    ):
        place = Path(temporary)
        if options.vendor is not None:  # its tables are read from the current folder
            for table in options.vendor.glob("*.dat"):
                (place / table.name).write_bytes(table.read_bytes())
        task = Task(
            memories={"commands": commands, "weights": weight_image, "images": chosen.packed},
            weight_bytes=project.design.weight_read_bytes,
            weight_rate=expected.weight_rate / (8 * project.design.weight_read_bytes),
            frames=frames,
            n_commands=len(decoded),
            result_bytes=program.result_bytes,
            limit=PATIENCE * expected.frame * (frames + 2),
            layers=options.layers,
            stalls=options.stalls,
            waveform=None if waveform is None else waveform.resolve(),
        )
        done = simulate.simulate(
            model, task, place, lambda frame: progress("simulating", frame, frames)
        )
        findings = list(_judged(network, done, chosen, options))
        if chosen.layers and not done.broken:
            trace = place / "layers.txt"
            findings[:0] = rtl_trace.findings(chosen.layers, trace, project.design, decoded)
        cycles = None if done.broken else _cycles(place, done, program, project, expected)
    return Cosim(
        frames=frames,
        layers=len(chosen.layers),
        mismatches=sum(values for _, values in findings),
        findings=tuple(sentence for sentence, _ in findings),
        logits=chosen.logits,
        cycles=cycles,
        compile_seconds=compiled - start,
        run_seconds=time.perf_counter() - compiled,
        waveform=project.folder / VCD if options.trace else None,
        edited=() if options.vendor else tuple(edited(project, listed(project, "rtl"))),
    )


def _commands(path: Path, check_crc: bool) -> tuple[bytes, list[dict[str, int]]]:
    """The command list, and the fields of each."""
    found, size = blob.read(path, Blob.COMMANDS, check_crc), 4 * COMMAND_WORDS
    if not 1 <= found.count <= MAX_COMMANDS or len(found.payload) != size * found.count:
        raise InputError(f"{path} is damaged; build the project again")
    parts = (found.payload[at : at + size] for at in range(0, len(found.payload), size))
    return found.payload, [decode(part) for part in parts]


def _own(project: Project, program: Program, count: int | None, options: Options) -> _Images:
    """The images that `build` put into the project."""
    folder = project.folder / "golden"
    logits = read_logits(folder / "logits.bin", count)
    images = blob.read(folder / "images.bin", Blob.IMAGES, options.check_crc)
    if images.item_bytes != program.frame_bytes or images.count < len(logits):
        raise InputError(f"{folder / 'images.bin'} is damaged; build the project again")
    layers: tuple[Layer, ...] = ()
    if options.layers:
        found = blob.read(folder / "layers.bin", Blob.LAYERS, options.check_crc)
        layers = reference.read_layers(found.payload, found.count)
    return _Images(images.payload[: len(logits) * program.frame_bytes], logits, layers)


def _others(
    network: Network,
    program: Program,
    images: NDArray[np.uint8],
    options: Options,
    progress: Progress,
) -> _Images:
    """Other images, with golden's answers from the project's network."""
    logits = golden.run(network, images, lambda done: progress("golden", done, len(images)))
    layers: tuple[Layer, ...] = ()
    if options.layers:
        values = golden.layers(network, images[0])
        data = reference.layers_blob(program, values)
        layers = reference.read_layers(data[blob.BLOB_HEADER.size :], len(values) - 1)
    return _Images(packing.pack_images(network, images), logits, layers)


def _judged(network: Network, done: Run, chosen: _Images, options: Options) -> list[Finding]:
    """What the status says, or a sentence for every frame whose logits differ from golden's."""
    if done.broken:
        return [(f"the run broke off: {done.broken}", 1)]
    if done.status is None:
        return [("the accelerator ended without writing its status", 1)]
    status, command, frames = done.status
    if status:
        meaning = STATUS.get(status, "which no version of vaqf knows").format(command=command)
        return [(f"the accelerator ended with status {status}: {meaning}", 1)]
    if frames != len(chosen.logits):
        return [(f"the accelerator reports {frames} frames done of {len(chosen.logits)}", 1)]
    found = packing.unpack_logits(network, done.results)
    hint = "" if options.layers or options.vendor else "; --layers finds the layer of the first"
    findings = []
    for frame in np.flatnonzero((found != chosen.logits).any(axis=1)):
        wrong = np.flatnonzero(found[frame] != chosen.logits[frame])
        got, want = found[frame][wrong[0]], chosen.logits[frame][wrong[0]]
        text = f"layer head, frame {frame}, class {wrong[0]}: hardware {got}, golden {want}{hint}"
        findings.append((text, len(wrong)))
    return findings


def _cycles(
    place: Path, done: Run, program: Program, project: Project, expected: Expected
) -> Cycles:
    trace = place / "commands.txt"
    return rtl_cycles.measured(trace, done.written, done.cycles, program, project, expected)
