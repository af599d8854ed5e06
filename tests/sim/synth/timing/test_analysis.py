"""Whole designs through Yosys: worst paths by the names of the source, and what moves them."""

from pathlib import Path

import pytest

from vaqf.errors import ToolFailed
from vaqf.hardware.family import SERIES_7, ULTRASCALE_PLUS
from vaqf.sim.synth import synthesize
from vaqf.sim.synth.timing.analysis import BIN_NS

# an adder and a comparison between registers, in a unit of its own; what holds back is its `full`
STAGE = """
module stage (
    input logic clk, input logic hold, input logic [31:0] a, output logic full,
    output logic [31:0] sum
);
  logic [31:0] kept;
  assign full = sum > 32'd1000;
  always_ff @(posedge clk) begin
    kept <= a;
    if (!hold) sum <= sum + kept;
  end
endmodule
"""
TOP = """
module top (input logic clk, input logic [31:0] a, output logic [31:0] y);
  logic hold, full, held, filled;
  logic [31:0] first;
  stage u_first (.clk, .hold, .a, .full, .sum(first));
  stage u_second (.clk, .hold(held), .a(first), .full(filled), .sum(y));
  always_ff @(posedge clk) held <= filled;
  HOLD
endmodule
"""
AT_ONCE = "assign hold = full;"
A_CYCLE_LATER = "always_ff @(posedge clk) hold <= full;"


def timed(folder: Path, hold: str, **changes: object) -> synthesize.Synthesis:
    sources = [("stage.sv", STAGE), ("top.sv", TOP.replace("HOLD", hold))]
    arguments = {"family": ULTRASCALE_PLUS, "cache": folder, "part": "xczu9eg-2-e"} | changes
    return synthesize.synthesize(sources, "top", **arguments)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_the_worst_path_has_names_and_lines(folder: Path) -> None:
    """From one register of the unit out of it, and back in at another port."""
    made = timed(folder, AT_ONCE)
    for timing in made.timings:
        path = timing.paths[0]
        assert timing.worst_ns == path.ns == max(one.ns for one in timing.paths)
        first, last = path.places[0], path.places[-1]
        assert (first.file, last.file) == ("stage.sv", "stage.sv")
        assert first.name.startswith("u_first.sum[")
        assert last.name.startswith("u_first.sum[")
        line = STAGE.splitlines()[first.line - 1]
        assert "sum" in line
    optimistic, realistic = made.timings
    assert optimistic.worst_ns < realistic.worst_ns


def test_a_register_less_is_seen(folder: Path) -> None:
    """The same design with the register in front of `hold`: both units' own paths are left."""
    without, with_it = timed(folder, AT_ONCE), timed(folder, A_CYCLE_LATER)
    for before, after in zip(without.timings, with_it.timings, strict=True):
        assert before.worst_ns > after.worst_ns + 0.15


def test_every_endpoint_is_counted(folder: Path) -> None:
    made = timed(folder, A_CYCLE_LATER, whole=True)
    (timing, _) = made.timings
    # each flip-flop's data, the enables, the outputs of the whole
    assert sum(count for _, count in timing.histogram) >= made.total.ff
    assert timing.histogram[0][0] - BIN_NS <= timing.worst_ns <= timing.histogram[0][0]


def test_units_are_about_as_slow_as_the_whole(folder: Path) -> None:
    cut, whole = timed(folder, AT_ONCE), timed(folder, AT_ONCE, whole=True)
    for units, dissolved in zip(cut.timings, whole.timings, strict=True):
        assert units.worst_ns == pytest.approx(dissolved.worst_ns, rel=0.15)


def test_other_devices_are_slower(folder: Path) -> None:
    fast = timed(folder, AT_ONCE).timings[1].worst_ns
    slow = timed(folder, AT_ONCE, part="xczu3eg-1-i").timings[1].worst_ns
    series_7 = timed(folder, AT_ONCE, part="xc7z020clg400-1", family=SERIES_7).timings[1].worst_ns
    assert fast < slow < series_7


def test_a_net_of_many_pins_is_told(tmp_path: Path) -> None:
    many = """
module top (input logic clk, input logic [1999:0] d, input logic go, output logic [1999:0] q);
  logic enable;
  always_ff @(posedge clk) begin
    enable <= go;
    if (enable) q <= d;
  end
endmodule
"""
    made = synthesize.synthesize([("top.sv", many)], "top", ULTRASCALE_PLUS, tmp_path)
    (net,) = made.timings[0].nets
    assert (net.place.name, net.pins, net.place.file) == ("enable", 2000, "top.sv")


def test_a_loop_through_two_units_is_an_error(tmp_path: Path) -> None:
    loop = """
module half (input logic a, input logic b, output logic y);
  assign y = !(a && b);
endmodule
module top (input logic clk, input logic a, output logic q);
  logic x, y;
  half u_one (.a, .b(y), .y(x));
  half u_two (.a, .b(x), .y);
  always_ff @(posedge clk) q <= x;
endmodule
"""
    with pytest.raises(ToolFailed, match="loop"):
        synthesize.synthesize([("top.sv", loop)], "top", ULTRASCALE_PLUS, tmp_path)
