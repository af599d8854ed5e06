"""vaqf synth --tool vivado: what rtl/vivado.tcl left, written by it under a stand-in for Vivado."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cosim_project
import fake_vivado
import pytest
from fake_vivado import Answers

from vaqf.cli import app
from vaqf.errors import InputError
from vaqf.project import vivado
from vaqf.sim.synth import answers as kept
from vaqf.sim.synth import cache
from vaqf.sim.synth.netlist import Counts
from vaqf.sim.synth.vendor.report import MAX_REPORT_BYTES

PART = "xczu9eg-ffvb1156-2-e"  # zcu102's
GOOD = Answers(PART)

pytestmark = pytest.mark.skipif(not fake_vivado.HAS_TCL, reason="no Tcl interpreter here")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that a run of the stand-in has routed."""
    project = cosim_project.build(tmp_path_factory.mktemp("vivado") / "small")
    assert fake_vivado.run(project / "rtl", GOOD).code == 0
    return project


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to be changed, and nothing that Yosys said."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Path(shutil.copytree(made, tmp_path / "project"))


def asked(project: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = app.main(["synth", str(project), "--tool", "vivado", *words])
    out, err = capsys.readouterr()
    return code, out, err


def refused(project: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one sentence on stderr; nothing on stdout, nothing written."""
    before = sorted(project.rglob("*"))
    code, out, err = asked(project, capsys, *words)
    assert (code, out, err.count("\n")) == (InputError.exit_code, "", 1), err
    assert sorted(project.rglob("*")) == before
    return err


def test_counts_and_slack_stand_beside_the_estimate(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = asked(project, capsys, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["tool"], found["part"], found["clock_ns"]) == ("Vivado 2023.2", PART, 5.0)
    routed = {name: one["routed"] for name, one in found["resources"].items()}
    assert routed == {"lut": 24101, "lutram": 3800, "ff": 27500, "dsp": 112, "bram36": 17.5}
    for one in found["resources"].values():
        assert one["ratio"] == one["estimate"] / one["routed"]
        assert one["synthesized"] is None
    timing = found["timing"]
    assert (timing["met"], timing["longest_ns"], timing["yosys"]) == (True, 4.875, None)
    assert timing["setup"] == {
        "worst_ns": 0.125,
        "total_ns": 0.0,
        "failing": 0,
        "endpoints": 54321,
    }
    assert timing["paths"][1] == {
        "slack_ns": 0.25,
        "ns": 4.7,
        "logic_ns": 1.5,
        "levels": 8,
        "start": "u_a/x_reg[1]/C",
        "end": "u_b/ram/WE",
    }
    assert found["notes"] == [
        "Yosys's numbers appear here after `vaqf synth` without --tool vivado"
    ]


def test_the_table_is_read_by_a_person(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = asked(project, capsys)
    assert code == 0
    first, second, *_ = out.splitlines()
    assert first == f"small on zcu102 ({PART}), Vivado 2023.2, routed out of context"
    assert second == "the clock of 5.000 ns is met; the worst path allows 4.875 ns, 205.1 MHz"
    assert "from u_a/x_reg[0]/C" in out and "to u_b/ram/WE" in out
    _, quiet, _ = asked(project, capsys, "--quiet")
    assert "u_a/x_reg[0]/C" not in quiet and "24,101" in quiet


def test_what_yosys_said_stands_between(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`vaqf synth` leaves its answer for the very sources and part that it had."""

    class Timing:
        def __init__(self, scenario: str, worst_ns: float) -> None:
            self.scenario, self.worst_ns = scenario, worst_ns

        def to_json(self) -> dict[str, object]:
            return {"worst_ns": self.worst_ns, "paths": []}

    class Made:
        total = Counts(lut=25000, lutram=3900, ff=28000, dsp=112, bram36=18)
        timings = (Timing("optimistic", 3.5), Timing("realistic", 5.25))
        tool, parts = "Yosys", ()

        class family:
            yosys = "xcup"

    monkeypatch.setattr("vaqf.sim.synth.synthesize.synthesize", lambda *_, **__: Made())
    assert app.main(["synth", str(project), "--json"]) == 0
    capsys.readouterr()
    found = json.loads(asked(project, capsys, "--json")[1])
    assert found["timing"]["yosys"] == {"optimistic": 3.5, "realistic": 5.25}
    assert found["resources"]["ff"]["synthesized"] == 28000
    assert found["notes"] == []
    out = asked(project, capsys)[1]
    assert "Yosys, realistic" in out and "-0.250" in out
    (answer,) = cache.folder().glob("*.answer.json")  # type: ignore[union-attr]
    for content in (b"", b"{}", b'{"total": {"lut": "x"}, "worst_ns": {}}', b"[" * 10**4):
        answer.write_bytes(content)
        assert kept.read(answer.parent, answer.name.removesuffix(".answer.json")) is None


@pytest.mark.parametrize(
    ("missed", "said"),
    [
        ({"paths": [("-0.412", *GOOD.paths[0][1:])], "failing": 1234}, "setup slack -0.412 ns at"),
        ({"hold": "-0.020", "failing": 1}, "hold slack -0.020 ns at 1 endpoint\n"),
        ({"pulse_width": "-0.300", "failing": 2}, "pulse width slack -0.300 ns at 2 endpoints\n"),
    ],
)
def test_a_clock_that_is_not_met_is_a_result(
    project: Path, capsys: pytest.CaptureFixture[str], missed: dict[str, object], said: str
) -> None:
    fake_vivado.run(project / "rtl", replace(GOOD, **missed))
    code, out, err = asked(project, capsys)
    assert (code, err) == (0, "")
    assert "the clock of 5.000 ns is NOT met: " in out and said in out
    assert json.loads(asked(project, capsys, "--json")[1])["timing"]["met"] is False


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize("version", fake_vivado.VERSIONS)
def test_every_version_leaves_the_same(
    project: Path, capsys: pytest.CaptureFixture[str], version: str, windows: bool
) -> None:
    before = json.loads(asked(project, capsys, "--json")[1])
    fake_vivado.run(project / "rtl", replace(GOOD, version=version, windows=windows))
    after = json.loads(asked(project, capsys, "--json")[1])
    assert after == before | {"tool": f"Vivado {version}"}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"top": "counter"}, "its top module is counter, the project's vaqf_accelerator"),
        (
            {"part": "xczu7ev-ffvc1156-2-e"},
            f"its part is xczu7ev-ffvc1156-2-e, the project's {PART}",
        ),
        ({"clock_ns": "4.000"}, "its clock in ns is 4.000, the project's 5.000"),
        ({"routed": 0}, "Vivado could not route every net"),
        ({"version": "two"}, "has no good version"),
        ({"paths": [("inf", *GOOD.paths[0][1:])]}, "has a path that is none"),
        ({"paths": [(*GOOD.paths[0][:4], "a\x1b[2J", "b")]}, "has a path that is none"),
    ],
)
def test_a_run_of_another_design_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str], other: dict[str, object], said: str
) -> None:
    fake_vivado.run(project / "rtl", replace(GOOD, **other))
    assert said in refused(project, capsys)


def test_another_board_is_another_part(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(project, capsys, "--board", "kv260")
    assert f"was built for the part {PART}, and the board kv260 has xck26" in said


def test_a_board_of_one_s_own_is_asked_for(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name alone does not tell its device, even where one of ours has that name."""
    manifest = project / "manifest.json"
    good = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(good | {"board": "mine"}))
    assert "built for the board mine, which is none of vaqf's own" in refused(project, capsys)
    manifest.write_text(json.dumps(good | {"part": "xczu9eg-ffvb1156-1-e"}))
    said = refused(project, capsys)
    assert "xczu9eg-ffvb1156-1-e, and the board zcu102 has" in said and "--board" in said
    manifest.write_text(json.dumps(good | {"model": "a\x1b[31m"}))
    assert "manifest.json: model is 'a\\x1b[31m'" in refused(project, capsys)


def test_a_run_older_than_the_project_is_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A project built anew keeps rtl/vivado/, which is not ours to remove."""
    package, manifest = project / "rtl/vaqf_pkg.sv", project / "manifest.json"
    package.write_text(package.read_text() + "// built again\n")
    content = json.loads(manifest.read_text())
    content["sha256"]["rtl/vaqf_pkg.sv"] = _sha256(package)
    manifest.write_text(json.dumps(content))
    said = refused(project, capsys)
    assert "is of other SystemVerilog or constraints than lie beside it now" in said
    assert f"run vivado -mode batch -source {project / 'rtl/vivado.tcl'}" in said


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["rtl/ring.sv", f"rtl/{vivado.CONSTRAINTS}"])
def test_edited_sources_are_named(
    project: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (project / name).write_text((project / name).read_text() + "\n")
    assert f"{name} is not as it was built" in refused(project, capsys)


def test_edited_tcl_is_a_note(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another directive is a person's right, and what it gives is told with that."""
    script = project / "rtl" / vivado.VIVADO_TCL
    script.write_text(script.read_text().replace("place_design", "place_design -directive Explore"))
    assert "note: rtl/vivado.tcl is not as it was built" in asked(project, capsys)[1]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "Vivado has not run on this project; run vivado -mode batch -source "),
        (vivado.RECORD, "it has not ended, or failed; see vivado.log"),
        (vivado.UTILIZATION, "utilization.rpt is missing"),
        (vivado.TIMING, "timing_summary.rpt is missing"),
    ],
)
def test_what_is_missing_is_named_with_what_to_run(
    project: Path, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    path = project / "rtl" / vivado.RUN / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert said in refused(project, capsys)


@pytest.mark.parametrize("name", [vivado.RECORD, vivado.UTILIZATION, vivado.TIMING])
def test_a_file_cut_anywhere_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = project / "rtl" / vivado.RUN / name
    whole = path.read_bytes()
    for at in (0, 1, len(whole) // 3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:at])
        assert name in refused(project, capsys)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _nowhere(path: Path) -> None:
    path.symlink_to(path.name)


def _folder(path: Path) -> None:
    path.mkdir()


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MAX_REPORT_BYTES + 1)


@pytest.mark.parametrize("name", [vivado.RECORD, vivado.UTILIZATION, vivado.TIMING])
@pytest.mark.parametrize("put", [_pipe, _device, _nowhere, _folder, _huge])
def test_what_is_no_file_is_refused_at_once(
    project: Path, capsys: pytest.CaptureFixture[str], name: str, put: Callable[[Path], None]
) -> None:
    path = project / "rtl" / vivado.RUN / name
    path.unlink()
    put(path)
    assert name in refused(project, capsys)


@pytest.mark.parametrize("clock", [None, "200", True, 0, -5, float("nan"), 1e300])
def test_a_manifest_without_a_clock_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str], clock: object
) -> None:
    manifest = project / "manifest.json"
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(content | {"clock_mhz": clock}))
    assert "clock_mhz" in refused(project, capsys)
