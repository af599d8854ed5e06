"""C simulation: compile a project's C++ with g++ and compare it with golden, bit for bit."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim import golden
from vaqf.errors import InputError, ToolFailed, ToolMissing
from vaqf.program.compile import compile_network
from vaqf.project.read import Project, read_logits
from vaqf.project.reference import Golden, layers_blob, write_images

Progress = Callable[[str, int, int], None]  # what, done, of

_FRAME = re.compile(r"frame (\d+) done")
_SUMMARY = re.compile(r"csim: (\d+) frames, (\d+) layers of the first frame: (\d+) mismatches")
_ERROR_LINES = 12  # of a failed compilation


@dataclass(frozen=True)
class Csim:
    """What one C simulation showed."""

    frames: int
    layers: int  # compared, of the first frame
    mismatches: int  # values that differ
    findings: tuple[str, ...]  # one line per layer or frame that differs
    logits: NDArray[np.int32]  # golden's, which the hardware's equal if mismatches is 0
    compile_seconds: float
    run_seconds: float


def _silent(what: str, done: int, of: int) -> None:
    """The default progress."""


def compile_kernel(project: Project) -> Path:
    """Build hls/build/csim with make; up to date means nothing to do."""
    chosen = os.environ.get("CXX", "").split()
    environment = {key: value for key, value in os.environ.items() if key != "CXX" or chosen}
    for tool in ("make", *(chosen[:1] or ["g++"])):
        if shutil.which(tool) is None:
            raise ToolMissing(
                f"{tool} is not installed, and C-sim compiles with it; install g++ and make"
                " (estimate, build, evaluate and predict work without)"
            )
    hls = project.folder / "hls"
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", str(hls), "build/csim"],
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        env=environment,
        check=False,
    )
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line] or lines
        raise ToolFailed("g++ could not compile the kernel:\n" + "\n".join(errors[:_ERROR_LINES]))
    return hls / "build" / "csim"


def run(
    project: Project,
    images: NDArray[np.uint8] | None = None,
    count: int | None = None,
    check_crc: bool = True,
    progress: Progress = _silent,
) -> Csim:
    """Simulate `images` [B, S, S, C], or the first `count` of the project's own.

    Other images than the project's get their golden from its integer network. A mismatch is an
    answer (Csim.mismatches), a file with a wrong CRC an InputError.
    """
    if count is not None and count < 1:
        raise InputError(f"--images is {count}; it must be at least 1")
    start = time.perf_counter()
    progress("compiling", 0, 1)
    binary = compile_kernel(project)
    progress("compiling", 1, 1)
    compile_seconds = time.perf_counter() - start
    if images is None:
        reference = project.folder / "golden"
        return _simulate(project, binary, reference, count, check_crc, progress, compile_seconds)
    network = project.network
    with tempfile.TemporaryDirectory(prefix="vaqf-csim-") as temporary:
        folder = Path(temporary)
        layers = golden.layers(network, images[0])
        logits = golden.run(network, images, lambda done: progress("golden", done, len(images)))
        write_images(network, Golden(images, None, logits, layers, ""), folder)
        program = compile_network(project.design, network)
        (folder / "layers.bin").write_bytes(layers_blob(program, layers))
        return _simulate(project, binary, folder, None, check_crc, progress, compile_seconds)


def _simulate(
    project: Project,
    binary: Path,
    reference: Path,
    count: int | None,
    check_crc: bool,
    progress: Progress,
    compile_seconds: float,
) -> Csim:
    weights = project.folder / "weights"
    logits = read_logits(reference / "logits.bin", count)
    command = [
        str(binary.resolve()),
        *(str(weights / name) for name in ("weights.bin", "commands.bin")),
        *(str(reference / name) for name in ("images.bin", "logits.bin", "layers.bin")),
        *([] if count is None else ["--frames", str(count)]),
        *([] if check_crc else ["--no-crc"]),
    ]
    start = time.perf_counter()
    findings: list[str] = []
    summary = None
    with (
        tempfile.TemporaryFile("w+", errors="replace") as errors,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        progress("C-sim", 0, len(logits))
        for line in process.stdout:
            if found := _FRAME.match(line):
                progress("C-sim", int(found.group(1)) + 1, len(logits))
            elif found := _SUMMARY.match(line):
                summary = [int(group) for group in found.groups()]
            else:
                findings.append(line.strip())
        code = process.wait()
        errors.seek(0)
        complaint = errors.read().strip()
    seconds = time.perf_counter() - start
    if code == 2:
        raise InputError(complaint.removeprefix("error: ") or "C-sim refused its files")
    if code == 1 and summary is None and findings:
        return Csim(0, 0, 1, tuple(findings), logits, compile_seconds, seconds)
    if code not in (0, 1) or summary is None:
        lines = "\n".join(complaint.splitlines()[:_ERROR_LINES])
        raise ToolFailed(f"the compiled kernel ended with code {code}: {lines or 'no message'}")
    frames, layers, mismatches = summary
    return Csim(frames, layers, mismatches, tuple(findings), logits, compile_seconds, seconds)
