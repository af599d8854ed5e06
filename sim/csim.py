"""C simulation: compile a project's C++ with g++ and compare it with golden, bit for bit."""

import filecmp
import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaqf.errors import InputError, ToolFailed, ToolMissing
from vaqf.files import ours, places
from vaqf.files.output import new_file, writing
from vaqf.program.compile import compile_network
from vaqf.project import blob, reference
from vaqf.project.blob import Blob
from vaqf.project.read import Project
from vaqf.project.reference import Golden
from vaqf.reporting import Report, silent
from vaqf.sim import golden
from vaqf.sim.compared import Compared

_FRAME = re.compile(r"frame (\d+) done")
_SUMMARY = re.compile(r"csim: (\d+) frames, (\d+) layers of the first frame: (\d+) mismatches")
_ERROR_LINES = 12  # of a failed compilation


@dataclass(frozen=True)
class _Run:
    """How the compiled kernel ended, and what it said."""

    code: int
    summary: tuple[int, int, int] | None  # frames, layers, mismatches
    findings: tuple[str, ...]
    complaint: str
    seconds: float


def compile_kernel(project: Project) -> Path:
    """Build hls/build/csim with make, of a copy in the cache where the project may not be written;
    up to date means nothing to do."""
    chosen = os.environ.get("CXX", "").split()
    environment = {key: value for key, value in os.environ.items() if key != "CXX" or chosen}
    for tool in ("make", *(chosen[:1] or ["g++"])):
        if shutil.which(tool) is None:
            raise ToolMissing(
                f"{tool} is not installed, and C-sim compiles with it; install g++ and make"
                " (estimate, build, evaluate and predict work without)"
            )
    hls = _sources(project)
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


def _sources(project: Project) -> Path:
    """hls/ of the project, or its copy beside which a program can be written."""
    hls = project.folder / "hls"
    with writing(hls / "build", named=False):
        build = places.writable(hls / "build")
        if build == hls / "build":
            return hls
        names = ours.named(project.folder)
        if names is None:
            raise InputError(
                f"{project.folder}/manifest.json names what no build writes; build the project"
                " again"
            )
        for name in sorted(name for name in names if name.startswith("hls/")):
            _copy(project.folder / name, build / name)
    return build / "hls"


def _copy(source: Path, target: Path) -> None:
    """Copy a file unless it is there already: make then compiles only what is new."""
    if not target.exists() or not filecmp.cmp(source, target, shallow=False):
        target.parent.mkdir(parents=True, exist_ok=True)
        with new_file(target, True, lambda _: True, named=False) as partial:
            shutil.copyfile(source, partial)


def run(
    project: Project,
    images: NDArray[np.uint8] | None = None,
    count: int | None = None,
    report: Report = silent,
) -> Compared:
    """Simulate `images` [B, S, S, C], or the first `count` of the project's own.

    Other images than the project's get their golden from its integer network. A mismatch is an
    answer (Compared.mismatches); a bad file is an InputError before anything is compiled.
    """
    for name, kind in (("weights.bin", Blob.WEIGHTS), ("commands.bin", Blob.COMMANDS)):
        blob.read(project.folder / "weights" / name, kind)  # the C++ reads it for itself
    if images is None:
        own = project.reference.first(count)
        binary, seconds = _compiled(project, report)
        done = _execute(project, binary, project.folder / "golden", len(own.logits), report)
        return _judged(done, own.logits, seconds)
    network = project.network
    program = compile_network(project.design, network)
    binary, seconds = _compiled(project, report)
    logits, layers = golden.with_layers(network, images, report)
    with tempfile.TemporaryDirectory(prefix="vaqf-csim-") as temporary:
        folder = Path(temporary)
        reference.write(folder, network, program, Golden(images, None, logits, layers, ""))
        done = _execute(project, binary, folder, len(images), report)
    return _judged(done, logits, seconds)


def _compiled(project: Project, report: Report) -> tuple[Path, float]:
    """The program, and the seconds that compiling it took."""
    start = time.perf_counter()
    report("compiling", 0, 1)
    binary = compile_kernel(project)
    report("compiling", 1, 1)
    return binary, time.perf_counter() - start


def _execute(project: Project, binary: Path, images: Path, frames: int, report: Report) -> _Run:
    """Run the program on the first images of a folder with a reference."""
    weights = project.folder / "weights"
    command = [
        str(binary.resolve()),
        *(str(weights / name) for name in ("weights.bin", "commands.bin")),
        *(str(images / name) for name in ("images.bin", "logits.bin", "layers.bin")),
        *("--frames", str(frames)),
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
        report("C-sim", 0, frames)
        for line in process.stdout:
            if found := _FRAME.match(line):
                report("C-sim", int(found.group(1)) + 1, frames)
            elif found := _SUMMARY.match(line):
                summary = int(found.group(1)), int(found.group(2)), int(found.group(3))
            else:
                findings.append(line.strip())
        code = process.wait()
        errors.seek(0)
        complaint = errors.read().strip()
    return _Run(code, summary, tuple(findings), complaint, time.perf_counter() - start)


def _judged(done: _Run, logits: NDArray[np.int32], compile_seconds: float) -> Compared:
    """What the program found; InputError for files that it refused, ToolFailed if it broke off."""
    seconds = compile_seconds, done.seconds
    if done.code == 2:
        raise InputError(done.complaint.removeprefix("error: ") or "C-sim refused its files")
    if done.code == 1 and done.summary is None and done.findings:
        return Compared(0, 0, 1, done.findings, logits, *seconds)
    if done.code not in (0, 1) or done.summary is None:
        lines = "\n".join(done.complaint.splitlines()[:_ERROR_LINES]) or "no message"
        raise ToolFailed(f"the compiled kernel ended with code {done.code}: {lines}")
    frames, layers, mismatches = done.summary
    return Compared(frames, layers, mismatches, done.findings, logits, *seconds)
