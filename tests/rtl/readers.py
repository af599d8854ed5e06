"""SystemVerilog as three front ends read it: each says something, or nothing."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from vaqf.errors import ToolFailed
from vaqf.hardware.design import Design
from vaqf.hardware.family import Family
from vaqf.project import render, rtl
from vaqf.sim.cosim import launch, verilator
from vaqf.sim.synth import units


def output(*command: str | Path, cwd: Path | None = None) -> tuple[int, str]:
    """Exit code and everything a tool says."""
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=verilator.environment(),
    )
    return done.returncode, done.stdout + done.stderr


# slang writes what it finds to standard error, whoever calls it
SLANG = """
import shlex, sys
from pyslang import driver
reader = driver.Driver()
reader.addStandardArgs()
good = reader.parseCommandLine(shlex.join(sys.argv), driver.CommandLineOptions())
if good and reader.processOptions() and reader.parseAllSources():
    compiled = reader.createCompilation()
    reader.reportCompilation(compiled, True)
    reader.runAnalysis(compiled)
    reader.reportDiagnostics(True)
"""


def slang(files: Sequence[Path], *options: str, top: str = render.TOP) -> str:
    """What slang says with all its warnings, but for casts that one design does not need."""
    words = ("-Wextra", "-Wno-useless-cast", "--top", top, *options)
    code, said = output(sys.executable, "-c", SLANG, *words, *files)
    return said or ("" if code == 0 else f"exit code {code}")


def verilated(files: Sequence[Path], *options: str, top: str = render.TOP) -> str:
    """What Verilator says with all its warnings."""
    words = ("--lint-only", *launch.STRICT, "--quiet", *options)
    code, said = output("verilator", *words, "--top-module", top, *files)
    return said or ("" if code == 0 else f"exit code {code}")


def synthesized(design: Design, family: Family, model: str) -> str:
    """What Yosys says of a design that `vaqf synth` cuts into units."""
    try:
        units.cut(rtl.rtl_sources(design, model, family), render.TOP)
    except ToolFailed as error:
        return str(error)
    return ""


def heard(design: Design, family: Family, folder: Path, model: str = "a corner") -> str:
    """What any of them says of a design, written to a folder: as simulated and as synthesized."""
    rtl.write_rtl(design, model, family, folder)
    names = (folder / rtl.RTL_FILE_LIST).read_text().split()
    files = [folder / name for name in names]
    placed = ("-DSYNTHESIS", "--ignore-unknown-modules")
    said = [slang(files), slang(files, *placed), verilated(files)]
    return "".join([*said, synthesized(design, family, model)])
