"""Designs cut into units, synthesized once each and added up: on modules of a few gates."""

import hashlib
import os
import re
import zlib
from pathlib import Path

import pytest
from hls_bench import design_for
from random_designs import fitted
from samples import ODD

from vaqf.cli import app
from vaqf.errors import InputError, ToolFailed, ToolMissing
from vaqf.hardware.family import SERIES_7, ULTRASCALE_PLUS
from vaqf.project import read, render, rtl
from vaqf.project.read import Project
from vaqf.sim import processes
from vaqf.sim.synth import cache, mapping, netlist, synthesize, units, yosys
from vaqf.sim.synth.netlist import Counts

ADDER = """
module adder #(parameter int WIDTH = 8) (
    input logic clk, input logic [WIDTH-1:0] a, input logic [WIDTH-1:0] b,
    output logic [WIDTH-1:0] sum
);
  always_ff @(posedge clk) sum <= a + b;
endmodule
"""
TOP = """
module top (input logic clk, input logic [7:0] a, input logic [7:0] b, output logic [7:0] y);
  logic [7:0] u, v;
  adder u_one (.clk, .a, .b, .sum(u));
  adder u_two (.clk, .a(u), .b, .sum(v));
  adder u_three (.clk, .a(v), .b, .sum(y));
endmodule
"""
SOURCES = [("adder.sv", ADDER), ("top.sv", TOP)]
ONE = Counts(lut=8, ff=8, carry=2)


def test_units_times_their_instances(tmp_path: Path) -> None:
    made = synthesize.synthesize(SOURCES, "top", ULTRASCALE_PLUS, tmp_path)
    assert [(part.module, part.kinds, part.instances) for part in made.parts] == [
        ("adder", 1, 3),
        ("top", 1, 1),
    ]
    assert made.total == ONE * 3
    assert made.part("adder") == ONE * 3
    assert made.part("nobody") == Counts()
    assert [len(timing.paths) > 0 for timing in made.timings] == [True, True]
    whole = synthesize.synthesize(SOURCES, "top", ULTRASCALE_PLUS, tmp_path, whole=True)
    assert (len(whole.parts), whole.total) == (1, made.total)


def test_constants_and_what_nobody_reads_go_through_boundaries(tmp_path: Path) -> None:
    """A unit with a constant operand and four outputs that are used, with nothing in between."""
    constant = TOP.replace(".a(u), .b, ", ".a(u), .b(8'd0), ").replace(".b, .sum(y)", ".b, .sum(y)")
    narrow = """
module top (input logic clk, input logic [7:0] a, output logic [3:0] y);
  logic [7:0] sum;
  adder u_adder (.clk, .a, .b(8'd16), .sum);
  assign y = sum[3:0];
endmodule
"""
    made = synthesize.synthesize([SOURCES[0], ("top.sv", narrow)], "top", ULTRASCALE_PLUS, tmp_path)
    assert made.total == Counts(ff=4)
    # one kind for all instances: what only some of them have stays
    made = synthesize.synthesize(
        [SOURCES[0], ("top.sv", constant)], "top", ULTRASCALE_PLUS, tmp_path
    )
    assert made.part("adder") == ONE * 3


def test_what_was_synthesized_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = synthesize.synthesize(SOURCES, "top", ULTRASCALE_PLUS, tmp_path)
    kept = sorted(tmp_path.glob("*.json.z"))
    assert kept
    monkeypatch.setattr(mapping, "_synthesize", None)  # nobody may call it
    other = TOP.replace("u_one", "u_first")
    assert synthesize.synthesize(SOURCES, "top", ULTRASCALE_PLUS, tmp_path).total == first.total
    with pytest.raises(TypeError):
        synthesize.synthesize(SOURCES, "top", SERIES_7, tmp_path)
    monkeypatch.undo()
    again = synthesize.synthesize([SOURCES[0], ("top.sv", other)], "top", ULTRASCALE_PLUS, tmp_path)
    assert again.total == first.total
    whole = kept[0].read_bytes()
    packed = [zlib.compress(text.encode()) for text in ("[]", "{", '{"cells": {"a": 1}}')]
    for damage in (b"", b"{}", whole[:-9], *packed):
        for path in kept:
            path.write_bytes(damage)
        assert synthesize.synthesize(SOURCES, "top", ULTRASCALE_PLUS, tmp_path).total == first.total


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    assert synthesize.synthesize(SOURCES, "top", ULTRASCALE_PLUS, file / "cache").total == ONE * 3
    assert file.read_text() == "no folder"


def test_a_cache_waits_for_no_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key.json.z")
    assert cache.read(tmp_path, "key") is None


def test_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "vaqf" / "yosys"


def test_sources_that_yosys_refuses(tmp_path: Path) -> None:
    broken = [("top.sv", "module top (input logic a);\n  nonsense nonsense\nendmodule\n")]
    with pytest.raises(ToolFailed, match=f"^Yosys {re.escape(yosys.version())}: ."):
        synthesize.synthesize(broken, "top", ULTRASCALE_PLUS, tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "assign y = a[4:1];",
        "always_comb y[4:1] = a;",
        "assign y = '0; always_ff @(posedge a[0]) y[0] <= a[1];",
        "logic [3:0] w; assign w[2:0] = a[2:0]; assign y = w;",
    ],
    ids=["read", "written", "driven twice", "not driven"],
)
def test_bits_without_a_place_or_with_no_driver_or_two_are_errors(
    tmp_path: Path, line: str
) -> None:
    """Yosys itself warns, and goes on with undefined or constant ones."""
    top = f"module top (input logic [3:0] a, output logic [3:0] y);\n  {line}\nendmodule\n"
    with pytest.raises(ToolFailed, match=f"^Yosys {re.escape(yosys.version())}: ."):
        synthesize.synthesize([("top.sv", top)], "top", ULTRASCALE_PLUS, tmp_path)


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("reads\n0_top.sv:2: ERROR: odd\nstops\n", "0_top.sv:2: ERROR: odd"),
        ("reads\n  killed\n\n", "killed"),
        ("", "it says nothing"),
    ],
)
def test_yosys_own_words_are_shown(
    printed: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "run", lambda *_, **__: (1, printed.splitlines()))
    with pytest.raises(ToolFailed) as caught:
        yosys.run("", tmp_path)
    assert str(caught.value) == f"Yosys {yosys.version()}: {said}"


def test_a_cell_that_nobody_knows_is_no_zero() -> None:
    cells = {"odd": {"type": "FROBNICATE", "connections": {}}}
    with pytest.raises(netlist.UnknownCell, match="FROBNICATE"):
        netlist.count({"cells": cells, "ports": {}})


def test_no_yosys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ToolMissing, match=r"pip install 'vaqf\[synth\]'.*work without it"):
        yosys.version()


def built(folder: Path, **texts: str) -> Project:
    """A project with nothing but SystemVerilog, for UltraScale+."""
    (folder / "rtl").mkdir()
    texts = {"vaqf_pkg": "localparam int FAMILY = XCUP;"} | texts
    files = {"design.json": "{}"} | {f"rtl/{name}.sv": text for name, text in texts.items()}
    for name, text in files.items():
        (folder / name).write_text(text)
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    return Project(folder, {"model": "small", "sha256": hashes})


def test_sources_of_a_project_in_reading_order(tmp_path: Path) -> None:
    found = built(tmp_path, top="d", adder="c", sizes="b", latency="e")
    names = [name for name, _ in read.rtl_sources(found, ULTRASCALE_PLUS)]
    assert names == ["vaqf_pkg.sv", "latency.sv", "sizes.sv", "adder.sv", "top.sv"]


def test_another_familys_sources_are_what_a_build_for_it_writes(tmp_path: Path) -> None:
    found = built(tmp_path, top="module top; endmodule")
    found.__dict__["design"] = design_for([ODD])  # as if read
    (name, package), *_ = read.rtl_sources(found, SERIES_7)
    assert name == rtl.PACKAGE and "FAMILY = XC7;" in package
    assert f"DSP_BITS = {SERIES_7.dsp_bits};" in package


def test_an_edited_project_is_refused(tmp_path: Path) -> None:
    found = built(tmp_path, top="module top; endmodule")
    (tmp_path / "rtl" / "top.sv").write_text("module top (input a); endmodule")
    with pytest.raises(InputError, match=r"top\.sv is not as it was built"):
        read.rtl_sources(found, ULTRASCALE_PLUS)
    (tmp_path / "rtl" / "top.sv").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        read.rtl_sources(found, ULTRASCALE_PLUS)


def test_names_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "outside.sv").write_text("module outside; endmodule")
    (tmp_path / "inside").mkdir()
    found = built(tmp_path / "inside", top="module top; endmodule")
    found.manifest["sha256"]["rtl/../../outside.sv"] = "0"
    names = [name for name, _ in read.rtl_sources(found, ULTRASCALE_PLUS)]
    assert names == ["vaqf_pkg.sv", "top.sv"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["synth", "nowhere"], "is no project"),
        (["synth", "nowhere", "--tool", "vitis"], "it must be one of yosys, vivado"),
        (["synth"], "DIR"),
    ],
)
def test_wrong_words(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(words) == 2
    assert sentence in capsys.readouterr().err


def test_every_module_of_the_library_is_a_unit_or_inline() -> None:
    names = {path.stem for path in rtl.rtl_library()}
    assert set(units.INLINE) | set(units.UNIQUE) <= names


COPIES = """
module copies (
    input logic clk, input logic [3:0] a, input logic [1:0] turn, output logic [3:0] y
);
  (* keep = "true" *) logic [3:0] one, two;
  logic [3:0] three, four;
  always_ff @(posedge clk) begin
    one <= a;
    two <= a;
    three <= one & {4{turn[0]}};
    four <= two & {4{turn[1]}};
  end
  assign y = three | four;
endmodule
"""


@pytest.mark.parametrize("kept", [True, False])
def test_copies_of_registers_are_kept_where_the_source_says_so(tmp_path: Path, kept: bool) -> None:
    """Else equal ones are one, as vendor tools have it."""
    text = COPIES if kept else COPIES.replace('(* keep = "true" *) ', "")
    made = synthesize.synthesize([("copies.sv", text)], "copies", ULTRASCALE_PLUS, tmp_path)
    assert made.total.ff == (16 if kept else 12)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["table", "adder"])
def test_units_add_up_to_the_whole(tmp_path: Path, name: str) -> None:
    """Accelerators of 512 and 1,280 binary MACs a cycle, cut and flattened."""
    design, _ = fitted(name, 1)
    sources = rtl.rtl_sources(design, "small", ULTRASCALE_PLUS)
    cut = synthesize.synthesize(sources, render.TOP, ULTRASCALE_PLUS, tmp_path).total
    whole = synthesize.synthesize(sources, render.TOP, ULTRASCALE_PLUS, tmp_path, whole=True).total
    print(f"{name}\nunits {cut}\nwhole {whole}")
    assert cut.dsp == whole.dsp
    for resource in ("lut", "lutram", "ff", "bram36"):
        assert getattr(cut, resource) == pytest.approx(getattr(whole, resource), rel=0.03), resource
