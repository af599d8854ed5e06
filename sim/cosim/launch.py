"""The one launcher of Verilator and cocotb: compile SystemVerilog, run benches on the model."""

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

from vaqf.errors import ToolFailed, ToolMissing
from vaqf.sim.cosim import verilator

# what every model links and no design changes; compiling it takes most of a small model's time.
# verilator.o is another matter: it allocates the model and so knows its size
RUNTIME = ("verilated.o", "verilated_dpi.o", "verilated_vpi.o", "verilated_threads.o")
# a simulation goes on behind a warning, with bits that are not there or without some that are;
# hardware has others. Rotators of the largest arrays repeat a bit more often than Verilator takes
# for meant
# a comparison may be decided by a design's sizes: tokens of a model that are fewer than T
STRICT = ("-Wall", "-Wno-CMPCONST", "--replication-limit", str(2**20))
# cocotb shows every signal to its benches unless told otherwise; of ports alone the C++ is a third
PUBLIC = ("--no-public-flat-rw", "--public-depth", "1")
DAY = 86_400.0  # seconds
LOG = "run.log"
_ERROR_LINES = 20


@dataclass(frozen=True)
class Model:
    """A compiled model of one module with its parameters."""

    top: str
    folder: Path


@dataclass(frozen=True)
class Outcome:
    """One bench on one model; `failure` is empty if it passed."""

    name: str
    failure: str


def compile_model(
    top: str,
    sources: Sequence[Path],
    folder: Path,
    parameters: Mapping[str, int] | None = None,
    arguments: Sequence[str] = (),
    runtime: Path | None = None,
    optimize: str | None = None,
    waves: bool = False,
    strict: bool = True,
) -> Model:
    """Compile module `top` into `folder`; sources in order, packages first.

    runtime: a folder in which compiled parts that all models share are kept between calls.
    optimize: g++'s option for what runs in every cycle. waves: it can write a VCD. strict: every
    warning of Verilator is an error.
    ToolMissing without the tools, ToolFailed with Verilator's or the compiler's own error lines.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if runtime is not None:
        _place_runtime(runtime, folder)
    log = folder / "build.log"
    with _runner(optimize) as runner:
        try:
            runner.build(
                sources=[str(source) for source in sources],
                hdl_toplevel=top,
                parameters=dict(parameters or {}),
                build_args=[
                    *(STRICT if strict else ("-Wno-fatal",)),
                    *PUBLIC,
                    "--assert",
                    *arguments,
                ],
                build_dir=folder,
                log_file=log,
                waves=waves,
            )
        except RuntimeError:
            raise ToolFailed(f"{top} could not be compiled:\n{errors(log)}") from None
    if runtime is not None:
        _keep_runtime(folder, runtime)
    return Model(top, folder)


def simulate(
    model: Model,
    bench: Path,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
) -> list[Outcome]:
    """Run every cocotb test of the Python file `bench` on a model; no outcome if it broke off.

    Files go to `folder`: what the simulation prints to LOG there. arguments: of the simulation.
    """
    folder.mkdir(parents=True, exist_ok=True)
    results = folder / "results.xml"
    results.unlink(missing_ok=True)
    with (
        _runner() as runner,
        patch.object(sys, "path", [str(bench.parent), *sys.path]),
        # a failed bench ends the runner as a broken simulation does; only one leaves results
        suppress(RuntimeError, SystemExit),
    ):
        runner.test(
            hdl_toplevel=model.top,
            hdl_toplevel_lang="verilog",
            test_module=bench.stem,
            build_dir=model.folder,
            test_dir=folder,
            test_args=list(arguments),
            extra_env=dict(environment or {}),
            results_xml=str(results),
            log_file=folder / LOG,
            seed=1,
        )
    if not results.exists():
        return []
    return [_outcome(case) for case in ElementTree.parse(results).iter("testcase")]


def run_benches(
    model: Model, bench: Path, folder: Path, environment: Mapping[str, str] | None = None
) -> list[Outcome]:
    """As `simulate`; ToolFailed if the simulation ran no bench to its end, with its last lines."""
    outcomes = simulate(model, bench, folder, environment)
    if not outcomes:
        raise ToolFailed(f"the simulation of {model.top} broke off:\n{errors(folder / LOG)}")
    return outcomes


def _outcome(case: ElementTree.Element) -> Outcome:
    found = [child for child in case if child.tag in ("failure", "error", "skipped")]
    texts = [f"{child.get('message') or ''} {child.text or ''}".strip() for child in found]
    return Outcome(case.get("name", ""), "\n".join(text or "failed" for text in texts))


@contextmanager
def _runner(optimize: str | None = None) -> Iterator[Any]:
    """cocotb's runner; it takes the environment of this process, not one of its own."""
    try:
        from cocotb_tools.runner import get_runner
    except ImportError:
        raise ToolMissing(
            "cocotb is not installed; pip install 'vaqf[rtl]' brings it. estimate, build and csim"
            " work without it"
        ) from None
    with patch.dict(os.environ, verilator.environment(optimize)):
        yield get_runner("verilator")


def _place_runtime(kept: Path, folder: Path) -> None:
    """Put the shared parts where make looks; dated ahead, or make would compile them again."""
    later = time.time() + DAY
    for name in RUNTIME:
        if (kept / name).exists() and not (folder / name).exists():
            shutil.copyfile(kept / name, folder / name)
            os.utime(folder / name, (later, later))


def _keep_runtime(folder: Path, kept: Path) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    for name in RUNTIME:
        if not (kept / name).exists():
            shutil.copyfile(folder / name, kept / name)


def errors(log: Path) -> str:
    """The lines of a log that name errors, Verilator's warnings among them, or its last ones."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else ["no output"]
    found = [
        line
        for line in lines
        if ("error" in line.lower() and "MMD" not in line) or line.startswith("%Warning")
    ]
    return "\n".join(found[:_ERROR_LINES] or lines[-_ERROR_LINES:])
