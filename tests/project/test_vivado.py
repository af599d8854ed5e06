"""rtl/vivado.tcl of a project under a plain Tcl interpreter, with a stand-in for Vivado."""

import re
import zlib
from dataclasses import replace
from pathlib import Path

import fake_vivado
import pytest
from fake_vivado import TOP, Answers
from hls_bench import design_for
from samples import ODD

from vaqf.hardware.family import ULTRASCALE_PLUS
from vaqf.project import rtl, vivado

PART = "xczu9eg-ffvb1156-2-e"
GOOD = Answers(PART, clock_ns="4.000")

pytestmark = pytest.mark.skipif(not fake_vivado.HAS_TCL, reason="no Tcl interpreter here")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """The RTL's folder in a project whose name has a space."""
    folder = tmp_path / "a project" / "rtl"
    folder.mkdir(parents=True)
    design = design_for([ODD])
    rtl.write_rtl(design, "odd", ULTRASCALE_PLUS, folder)
    vivado.write_vivado(design, "odd", PART, 250.0, folder)
    return folder


def record(built: Path) -> list[str]:
    return (built / vivado.RUN / vivado.RECORD).read_text().splitlines()


def test_reads_all_in_order_and_routes(built: Path) -> None:
    ran = fake_vivado.run(built, GOOD)
    assert (ran.code, ran.errors) == (0, "")
    names = (built / rtl.RTL_FILE_LIST).read_text().split()
    # Tcl braces a word with a space
    assert ran.of("read_verilog") == [f"read_verilog -sv {{{built / name}}}" for name in names]
    (synthesis,) = ran.of("synth_design")
    assert synthesis == f"synth_design -mode out_of_context -top {TOP} -part {PART}"
    steps = ["synth_design", "opt_design", "place_design", "phys_opt_design", "route_design"]
    assert [one for one in ran.order if one in steps] == steps
    assert ran.order.index("route_design") < ran.order.index("report_timing_summary")
    assert "create_clock -name ap_clk -period 4.000" in (built / vivado.CONSTRAINTS).read_text()
    assert "meets 4.000 ns" in ran.output


def test_the_record_says_what_was_implemented(built: Path) -> None:
    fake_vivado.run(built, GOOD)
    names = [*(built / rtl.RTL_FILE_LIST).read_text().split(), vivado.CONSTRAINTS]
    sources = zlib.crc32(b"".join((built / name).read_bytes() for name in names))
    reports = {
        name: zlib.crc32((built / vivado.RUN / name).read_bytes())
        for name in (vivado.UTILIZATION, vivado.TIMING)
    }
    assert record(built) == [
        "vaqf\t1",
        "version\t2023.2",
        f"top\t{TOP}",
        f"part\t{PART}",
        "clock_ns\t4.000",
        "routed\t1",
        f"sources\t{sources:08x}",
        *(f"{name}\t{crc:08x}" for name, crc in reports.items()),
        *("\t".join(["path", *path]) for path in GOOD.paths),
        "end",
    ]


def test_the_ten_worst_paths_are_enough(built: Path) -> None:
    fake_vivado.run(built, replace(GOOD, paths=GOOD.paths[:1] * 25))
    assert sum(line.startswith("path\t") for line in record(built)) == vivado.PATHS


@pytest.mark.parametrize("kind", ["setup", "hold", "pulse width"])
def test_fails_where_timing_is_not_met_and_says_so_in_the_record(built: Path, kind: str) -> None:
    missed: dict[str, dict[str, object]] = {
        "setup": {"paths": [("-0.010", *GOOD.paths[0][1:])]},
        "hold": {"hold": "-0.010"},
        "pulse width": {"pulse_width": "-0.010"},
    }
    ran = fake_vivado.run(built, replace(GOOD, **missed[kind]))
    assert ran.code == 1
    slack = "" if kind == "pulse width" else " slack -0.010 ns"
    assert f"does not meet 4.000 ns on {PART}: {kind}{slack}" in ran.output
    assert record(built)[-1] == "end"


@pytest.mark.parametrize("step", ["synth_design", "place_design", "route_design"])
def test_a_run_that_fails_leaves_no_record_of_an_earlier_one(built: Path, step: str) -> None:
    fake_vivado.run(built, GOOD)
    assert record(built)
    assert fake_vivado.run(built, GOOD, fails=step).code == 1
    assert not (built / vivado.RUN / vivado.RECORD).exists()


def test_asks_for_nothing_newer_than_tcl_8_5() -> None:
    """Vivado 2020.2 has Tcl 8.5.14: no try, lmap, zlib, string cat or dict map."""
    text = (Path(rtl.RTL) / "project" / "vivado.tcl.j2").read_text()
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert not re.search(r"\b(try|lmap|zlib|tailcall|string cat|dict (map|filter))\b", code)
