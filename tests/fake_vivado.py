"""A stand-in for Vivado: rtl/vivado.tcl under a plain Tcl interpreter, with reports of our own.

The reports have the layout of Vivado's, by version and family; every number in them is made up.
"""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vaqf.project.vivado import PATH_PROPERTIES, TIMING, UTILIZATION

TOP = "vaqf_accelerator"
VERSIONS = ("2020.2", "2021.1", "2023.2", "2024.2", "2025.2")
TCLSH = shutil.which("tclsh")
HAS_TCL = TCLSH is not None or importlib.util.find_spec("_tkinter") is not None
COMMANDS = (
    "read_verilog read_xdc synth_design write_checkpoint opt_design place_design phys_opt_design "
    "route_design"
)
TOOL = """
set log [open {%(log)s} w]
proc say args { puts $::log $args; flush $::log }
foreach command {%(commands)s} {
  proc $command args "say $command {*}\\$args
    if {{$command} eq {%(fails)s}} { error {ERROR: the tool failed} }"
}
foreach command {report_utilization report_timing_summary report_timing} {
  proc $command args "say $command {*}\\$args
    set to \\[lindex \\$args \\[expr {\\[lsearch -exact \\$args -file\\] + 1}\\]\\]
    file copy -force \\[file join {%(reports)s} \\[file tail \\$to\\]\\] \\$to"
}
proc report_route_status args { say report_route_status {*}$args; return %(routed)s }
proc version args { return %(version)s }
proc current_design {} { return design }
proc get_clocks args { return clock }
proc get_timing_paths args {
  say get_timing_paths {*}$args
  if {"-hold" in $args} { return hold }
  set most [lindex $args [expr {[lsearch -exact $args -max_paths] + 1}]]
  return [lrange {%(paths)s} 0 [expr {$most - 1}]]
}
set properties {%(properties)s}
proc get_property {name object} { return [dict get $::properties $object $name] }
source {%(script)s}
exit 0
"""


@dataclass(frozen=True)
class Answers:
    """What the stand-in says of a design."""

    part: str
    version: str = "2023.2"
    top: str = TOP
    clock_ns: str = "5.000"
    routed: int = 1
    state: str = "Routed"
    # of the worst paths: slack, delay, logic, levels, start, end
    paths: Sequence[Sequence[str]] = (
        ("0.125", "4.800", "1.600", "9", "u_a/x_reg[0]/C", "u_b/y_reg[1]/D"),
        ("0.250", "4.700", "1.500", "8", "u_a/x_reg[1]/C", "u_b/ram/WE"),
    )
    hold: str = "0.010"
    pulse_width: str = "1.958"
    failing: int = 3  # endpoints of each kind whose slack is negative
    used: dict[str, str] = field(
        default_factory=lambda: {
            "lut": "24101",
            "lutram": "3800",
            "ff": "27500",
            "bram": "17.5",
            "uram": "0",
            "dsp": "112",
        }
    )
    windows: bool = False

    @property
    def series_7(self) -> bool:
        return self.part.startswith("xc7")


@dataclass(frozen=True)
class Run:
    """How the script ended and what it asked of the tool, in order."""

    code: int
    errors: str
    output: str
    calls: list[str]

    def of(self, command: str) -> list[str]:
        return [call for call in self.calls if call.split()[0] == command]

    @property
    def order(self) -> list[str]:
        return [call.split()[0] for call in self.calls]


def run(rtl: Path, answers: Answers, fails: str = "") -> Run:
    """Sources rtl/vivado.tcl from a directory that is not the project's."""
    elsewhere = rtl.parent.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    for name, text in reports(answers).items():
        (elsewhere / name).write_text(text, newline="\r\n" if answers.windows else "\n")
    driver, log = elsewhere / "driver.tcl", elsewhere / "log"
    driver.write_text(
        TOOL
        % {
            "log": log,
            "commands": COMMANDS,
            "fails": fails,
            "reports": elsewhere,
            "routed": answers.routed,
            "version": answers.version,
            "paths": " ".join(f"path{index}" for index in range(len(answers.paths))),
            "properties": _properties(answers),
            "script": rtl / "vivado.tcl",
        }
    )
    if TCLSH:
        command = [TCLSH, str(driver)]
    else:
        code = "import sys, tkinter; tkinter.Tcl().eval('source {' + sys.argv[1] + '}')"
        command = [sys.executable, "-c", code, str(driver)]
    done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)
    return Run(done.returncode, done.stderr, done.stdout, log.read_text().splitlines())


def _properties(answers: Answers) -> str:
    known = {
        "design": {"TOP": answers.top, "PART": answers.part},
        "clock": {"PERIOD": answers.clock_ns},
        "hold": {"SLACK": answers.hold},
    }
    for index, path in enumerate(answers.paths):
        known[f"path{index}"] = dict(zip(PATH_PROPERTIES, path, strict=True))
    return " ".join(
        f"{name} {{{' '.join(f'{key} {{{value}}}' for key, value in values.items())}}}"
        for name, values in known.items()
    )


def reports(answers: Answers) -> dict[str, str]:
    """Every report that the script asks for, by the name of its file."""
    other = _header(answers, "report_other", _device(answers), "Synthesized")
    rest = ("synthesized_utilization.rpt", "synthesized_hierarchy.rpt", "paths.rpt")
    return {
        UTILIZATION: utilization(answers),
        TIMING: timing_summary(answers),
        **dict.fromkeys(rest, other),
    }


def _device(answers: Answers) -> str:
    """A part as the header of report_utilization has it: 2020.2 leaves out what it can."""
    if answers.version != "2020.2":
        return answers.part
    if answers.series_7:
        return answers.part.removeprefix("xc")
    device, package, grade, *_ = answers.part.split("-")
    return f"{device}{package}-{grade}"


def _header(answers: Answers, command: str, device: str, state: str | None) -> str:
    fields = {
        "Tool Version": f"Vivado v.{answers.version} (lin64) Build 1234567 Wed Jan 1 00:00:00 2025",
        "Date": "Thu Jan  2 03:04:05 2025",
        "Host": "somewhere running 64-bit Linux",
        "Command": f"{command} -file a.rpt",
        "Design": answers.top,
        "Device": device,
        "Speed File": "-2",
    }
    if state is not None:
        fields["Design State"] = state
    rule = "-" * 80
    lines = (f"| {name:<12} : {value}" for name, value in fields.items())
    return "\n".join(["Copyright notice of the tool.", rule, *lines, rule, "", ""])


def _table(answers: Answers, rows: dict[str, str]) -> str:
    """Sites: since 2021 a column says how many are prohibited."""
    columns = ["Site Type", "Used", "Fixed", "Prohibited", "Available", "Util%"]
    old = answers.version == "2020.2"
    body = [[name, used, "0", "0", "1000000", "1.00"] for name, used in rows.items()]
    cells = [[one for at, one in enumerate(row) if at != 3 or not old] for row in (columns, *body)]
    rule = "+" + "+".join("-" * 30 for _ in cells[0]) + "+"
    lines = ["| " + " | ".join(f"{one:<28}" for one in row) + " |" for row in cells]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule, "", ""])


def utilization(answers: Answers) -> str:
    """report_utilization of a routed design."""
    cell, used = ("Slice" if answers.series_7 else "CLB"), answers.used
    logic = {
        f"{cell} LUTs": used["lut"],
        "  LUT as Logic": "7",
        "  LUT as Memory": used["lutram"],
        f"{cell} Registers": used["ff"],
        "  Register as Flip Flop": "5",
    }
    memory = {"Block RAM Tile": used["bram"], "  RAMB36/FIFO*": "17", "  RAMB18": "1"}
    if not answers.series_7:
        memory["URAM"] = used["uram"]
    sections = {
        f"1. {cell} Logic": _table(answers, logic),
        f"2. {cell} Logic Distribution": _table(
            answers, {"LUT as Memory": used["lutram"], "  using O5 output only": ""}
        ),
        "3. Memory" if answers.series_7 else "3. BLOCKRAM": _table(answers, memory)
        + "* Note: Each Block RAM Tile only has one FIFO logic available\n",
        "4. DSP" if answers.series_7 else "4. ARITHMETIC": _table(answers, {"DSPs": used["dsp"]}),
        "9. Primitives": "+--+\n| Ref Name | Used | Category |\n| CLB LUTs | 1 | LUT |\n",
    }
    header = _header(answers, "report_utilization", _device(answers), answers.state)
    body = (f"{title}\n{'-' * len(title)}\n\n{text}" for title, text in sections.items())
    return header + "Utilization Design Information\n\n" + "\n".join(body)


def timing_summary(answers: Answers) -> str:
    """report_timing_summary: its header names no grade, and no state before 2024."""
    device = "-".join(answers.part.split("-")[: -2 if not answers.series_7 else -1])
    state = answers.state if answers.version >= "2024" else None
    header = _header(answers, "report_timing_summary", device, state)
    titles, values = [], []
    kinds = (("W", "T", "NS", answers.paths[0][0]), ("W", "T", "HS", answers.hold))
    for worst, total, kind, slack in (*kinds, ("WP", "TP", "WS", answers.pulse_width)):
        name = f"{total}{kind}"
        titles += [f"{worst}{kind}(ns)", f"{name}(ns)"]
        titles += [f"{name} Failing Endpoints", f"{name} Total Endpoints"]
        late = slack.startswith("-")
        values += [
            slack,
            "-1.500" if late else "0.000",
            str(answers.failing if late else 0),
            "54321",
        ]
    widths = [max(len(title), 9) for title in titles]
    rows = (titles, ["-" * len(title) for title in titles], values)
    lines = [
        "    " + "  ".join(f"{one:>{w}}" for one, w in zip(row, widths, strict=True))
        for row in rows
    ]
    kept = not any(row.startswith("-") for row in values[::4])
    verdict = (
        "All user specified timing constraints are met."
        if kept
        else "Timing constraints are not met."
    )
    by_clock = ["Clock  " + lines[0].strip(), "ap_clk  9.999  0.000  0  1"]
    title = "| Design Timing Summary\n| ---------------------\n"
    return header + "\n".join(
        [title, *lines, "", "", verdict, "", "| Intra Clock Table", "", *by_clock, ""]
    )
