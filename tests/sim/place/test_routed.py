"""What nextpnr said of a small adder (adder.json: a netlist and a report of it), in RTL's names."""

import json
from pathlib import Path
from typing import Any

import pytest

from vaqf.errors import Infeasible
from vaqf.sim.place import nextpnr, pins, routed
from vaqf.sim.place.device import LFE5U_85F, NEXTPNR_NAMES
from vaqf.sim.place.names import Names, Place


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    return dict(json.loads(Path(__file__).with_name("adder.json").read_text()))


def test_paths_have_the_names_of_the_rtl(recorded: dict[str, Any]) -> None:
    found = routed.of("adder", recorded["report"], Names(recorded["module"], "u_dut"))
    places = [place._replace(name=place.name.split("[")[0]) for place in found.path.places]
    assert places == [Place("right", "adder.sv", 8), Place("sum", "adder.sv", 6)]
    assert found.clock_mhz == pytest.approx(1e3 / found.path.ns, rel=1e-3)
    assert 0 < found.path.routing_ns < found.path.ns
    assert [end.ns for end in found.slowest] == sorted((e.ns for e in found.slowest), reverse=True)
    names = [end.place.name.split("[")[0] for end in found.slowest]
    assert len(set(names)) == len(names) and names[0] == "sum"
    assert found.slowest[0].ns == pytest.approx(found.path.ns, abs=0.01)


def test_what_no_source_declares_keeps_its_tools_name(recorded: dict[str, Any]) -> None:
    names = Names(recorded["module"], "u_dut")
    assert names.register("u_dut.nobody_TRELLIS_FF_Q_3$conn") == Place("nobody_TRELLIS_FF_Q_3")
    assert names.net("nobody") is None


def test_a_register_beside_a_memory_has_the_memorys_name(recorded: dict[str, Any]) -> None:
    cell = {"attributes": {}, "port_directions": {"Q": "output"}, "connections": {"Q": [-1]}}
    module = recorded["module"] | {"cells": {"u_f.memory.0.0_DOB17_TRELLIS_FF_Q": cell}}
    assert Names(module).register("u_f.memory.0.0_DOB17_TRELLIS_FF_Q") == Place("u_f.memory.0.0")


def test_the_device_has_what_nextpnr_says(recorded: dict[str, Any]) -> None:
    use = recorded["report"]["utilization"]
    assert {name: use[NEXTPNR_NAMES[name]]["available"] for name in LFE5U_85F.available} == dict(
        LFE5U_85F.available
    )


def test_what_does_not_fit_is_said_with_its_number(recorded: dict[str, Any]) -> None:
    nextpnr.check_fits(recorded["module"], LFE5U_85F)
    multiplier = {"type": "MULT18X18D"}
    cells = {f"u{number}": multiplier for number in range(157)}
    with pytest.raises(Infeasible, match=r"needs 157 mult18 and the LFE5U-85F-6BG381 has 156"):
        nextpnr.check_fits({"cells": cells}, LFE5U_85F)


def test_pins_give_every_port_a_register() -> None:
    ports = pins.listed("module m\ninput [0:0] clk\ninput [3:0] a\noutput [7:0] b\n")
    text = pins.around("m", "clk", ports)
    assert ".clk(clk), .a(given[0+:4]), .b(found[0+:8])" in text
    assert "reg [3:0] given;" in text and "reg [7:0] folded;" in text
