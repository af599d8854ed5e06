"""run_hls.tcl under a plain Tcl interpreter; vendor commands record their calls."""

import importlib.util
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import vaqf
from vaqf.hardware.board import load as load_board
from vaqf.hardware.board import names as board_names
from vaqf.project.render import render

TOP = "vaqf_accelerator"
PART = "xczu9eg-ffvb1156-2-e"
DATA = (
    "weights/weights.bin",
    "weights/commands.bin",
    "golden/images.bin",
    "golden/logits.bin",
    "golden/layers.bin",
)
COMMANDS = (
    "open_project set_top add_files open_solution set_part create_clock config_interface "
    "csim_design csynth_design cosim_design export_design close_project"
)
# exit would end the interpreter before the log is written, so it is recorded instead
FAKE_TOOL = """
set calls {}
foreach command {%s} {
  proc $command args "lappend ::calls \\[linsert \\$args 0 $command\\]
    if {{$command} eq {%s}} { error {ERROR: the tool failed} }"
}
rename exit real_exit
proc exit {code} {
  set log [open {%s} w]
  puts $log $code
  foreach call $::calls { puts $log $call }
  close $log
  real_exit $code
}
set argv {%s}
source {%s}
exit 0
"""

TCLSH = shutil.which("tclsh")
HAS_TKINTER = importlib.util.find_spec("_tkinter") is not None
pytestmark = pytest.mark.skipif(not TCLSH and not HAS_TKINTER, reason="no Tcl interpreter here")


@dataclass(frozen=True)
class Run:
    """How the script ended and what it asked of the tool, in order."""

    code: int
    errors: str
    calls: list[str]

    def of(self, command: str) -> list[str]:
        return [call for call in self.calls if call.split()[0] == command]

    @property
    def order(self) -> list[str]:
        return [call.split()[0] for call in self.calls]


def script(title: str = "tiny, w1a8", part: str = PART, clock_ns: str = "4.0") -> str:
    return render("run_hls.tcl.j2", title=title, part=part, clock_ns=clock_ns, top=TOP)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose files are empty: the script only asks whether they are there."""
    root = tmp_path / "project"
    for name in (*DATA, f"hls/{TOP}.cpp", "hls/testbench.cpp"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    (root / "hls/run_hls.tcl").write_text(script())
    return root


def run(
    project: Path,
    words: str = "",
    environment: str = "",
    fails: str = "",
) -> Run:
    """Sources the script from a directory that is not the project's."""
    elsewhere = project.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    log = elsewhere / "log"
    driver = elsewhere / "driver.tcl"
    script = project / "hls/run_hls.tcl"
    driver.write_text(FAKE_TOOL % (COMMANDS, fails, log, words, script))
    if TCLSH:
        command = [TCLSH, str(driver)]
    else:
        code = "import sys, tkinter; tkinter.Tcl().eval('source {' + sys.argv[1] + '}')"
        command = [sys.executable, "-c", code, str(driver)]
    env = {"PATH": "/usr/bin:/bin", "VAQF_HLS": environment}
    done = subprocess.run(
        command, cwd=elsewhere, env=env, capture_output=True, text=True, check=False
    )
    assert log.exists(), done.stderr
    code_line, *calls = log.read_text().splitlines()
    assert int(code_line) == done.returncode
    return Run(done.returncode, done.stderr, calls)


def test_synthesizes_and_exports_by_default(project: Path) -> None:
    ran = run(project)
    assert (ran.code, ran.errors) == (0, "")
    assert ran.order == [
        "open_project",
        "set_top",
        "add_files",
        "add_files",
        "open_solution",
        "set_part",
        "create_clock",
        "config_interface",
        "csynth_design",
        "export_design",
        "close_project",
    ]
    assert ran.of("set_top") == [f"set_top {TOP}"]
    assert ran.of("set_part") == [f"set_part {PART}"]
    assert ran.of("create_clock") == ["create_clock -period 4.0 -name default"]
    assert ran.of("open_solution") == ["open_solution -reset -flow_target vivado solution1"]


def test_never_hands_our_own_ap_int_to_the_tool(project: Path) -> None:
    for words in ("", "csim=1 cosim=1"):
        ran = run(project, words)
        assert ran.code == 0
        assert "native" not in " ".join(ran.calls)
        assert all(f"-I{project}/hls/include" in call for call in ran.of("add_files"))


@pytest.mark.parametrize(
    "program",
    [
        "/opt/Vitis_HLS/2020.2/bin/unwrapped/lnx64.o/vitis_hls",
        "/opt/Vitis/2024.2/bin/unwrapped/lnx64.o/vitis-run",
    ],
)
def test_every_vitis_is_taken(project: Path, program: str) -> None:
    script = project / "hls/run_hls.tcl"
    asked = "[info nameofexecutable]"
    assert script.read_text().count(asked) == 1
    script.write_text(script.read_text().replace(asked, program))
    assert run(project).code == 0


def test_vivado_hls_is_refused(project: Path) -> None:
    """It has no memory with one writer and many readers, and limits arrays to 1,024 partitions."""
    script = project / "hls/run_hls.tcl"
    program = "/opt/Vivado/2020.1/bin/unwrapped/lnx64.o/vivado_hls"
    script.write_text(script.read_text().replace("[info nameofexecutable]", program))
    ran = run(project)
    assert (ran.code, ran.calls) == (1, [])
    assert "use Vitis HLS 2020.2 or later" in ran.errors


def test_simulations_get_every_data_file_by_absolute_path(project: Path) -> None:
    ran = run(project, "csim=1 cosim=1")
    (csim,), (cosim,) = ran.of("csim_design"), ran.of("cosim_design")
    paths = [str(project / name) for name in DATA]
    assert csim == "csim_design -O -argv {" + " ".join(paths) + " --frames 1}"
    assert cosim == "cosim_design -argv {" + " ".join(paths[:4]) + " --frames 1}"
    assert ran.order.index("csim_design") < ran.order.index("csynth_design")
    assert ran.order.index("csynth_design") < ran.order.index("cosim_design")


def test_zero_frames_means_all(project: Path) -> None:
    (csim,) = run(project, "csim=1 csynth=0 export=0 frames=0").of("csim_design")
    assert "--frames" not in csim


def test_without_synthesis_an_earlier_run_is_kept(project: Path) -> None:
    ran = run(project, "csynth=0")
    assert ran.of("open_project") == ["open_project vaqf_hls"]
    assert ran.of("open_solution") == ["open_solution -flow_target vivado solution1"]
    assert "csynth_design" not in ran.order


def test_options_come_from_the_environment_and_past_the_tools_own_words(project: Path) -> None:
    ran = run(project, "-f run_hls.tcl -tclargs export=0", environment="csim=1\tcsynth=0")
    assert ran.order[-2:] == ["csim_design", "close_project"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("cosmi=1", "unknown option cosmi"),
        ("csim=yes", 'csim is "yes"'),
        ("frames=-1", 'frames is "-1"'),
        ("frames=[exit]", "it must be a whole number"),
        ("tool=vivado_hls", "unknown option tool"),
        ("cosim=1 frames=2", "cosim simulates one frame"),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_1(project: Path, words: str, said: str) -> None:
    ran = run(project, words)
    assert (ran.code, ran.calls) == (1, [])
    assert said in ran.errors
    assert ran.errors.startswith("error: ") and ran.errors.count("\n") == 1


@pytest.mark.parametrize("name", [*DATA, "hls/testbench.cpp"])
def test_a_missing_file_is_named(project: Path, name: str) -> None:
    (project / name).unlink()
    ran = run(project, "csim=1")
    assert ran.code == 1
    assert f"{project / name} is missing" in ran.errors
    assert "csim_design" not in ran.order


def test_a_script_away_from_its_project_says_so(project: Path) -> None:
    (project / f"hls/{TOP}.cpp").unlink()
    ran = run(project)
    assert ran.code == 1
    assert "run the script in the project's hls folder" in ran.errors


def test_a_folder_with_a_space_is_refused(project: Path) -> None:
    ran = run(project.rename(project.with_name("my project")))
    assert ran.code == 1
    assert "has a space in its name" in ran.errors


@pytest.mark.parametrize("step", ["open_project", "csynth_design", "cosim_design"])
def test_a_failing_step_ends_the_run_with_exit_1(project: Path, step: str) -> None:
    ran = run(project, "cosim=1", fails=step)
    assert ran.code == 1
    assert ran.order[-1] == step
    assert ran.errors == "error: ERROR: the tool failed\n"


def test_what_is_spliced_in_cannot_act_as_code() -> None:
    """Parts and names come checked; the title stands in one comment line only."""
    text = script(title="TITLE", part="PART", clock_ns="CLOCK")
    assert [line for line in text.splitlines() if "TITLE" in line] == [
        "# TITLE: C simulation, synthesis, co-simulation and export with the vendor's tool."
    ]
    assert [line.strip() for line in text.splitlines() if "PART" in line] == ["set_part PART"]
    for board in board_names():
        assert re.fullmatch(r"[A-Za-z0-9-]+", load_board(board).part)


def test_an_emitted_project_has_every_file_the_script_asks_for(tmp_path: Path) -> None:
    out = tmp_path / "project"
    vaqf.build(model="vit_digits", board="zcu102", clock_mhz=200.0, out=out)
    ran = run(out, "csim=1 cosim=1")
    assert (ran.code, ran.errors) == (0, "")
    assert ran.of("set_part") == [f"set_part {load_board('zcu102').part}"]
    assert ran.of("create_clock") == ["create_clock -period 5.000 -name default"]
    asked = re.findall(rf"{re.escape(str(out))}/[^\s{{}}]+", " ".join(ran.calls))
    assert len(asked) >= 2 + len(DATA)
    assert all(Path(path).exists() for path in asked)
    for source in ("vaqf_accelerator.cpp", "config.hpp"):
        for name in re.findall(r'#include "([^"]+)"', (out / "hls" / source).read_text()):
            assert (out / "hls" / name).exists() or (out / "hls/include" / name).exists()
