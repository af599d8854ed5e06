"""Paths of hand-made netlists, whose nanoseconds a person can add up."""

import pytest
from netlists import cell, module

from vaqf.errors import ToolFailed
from vaqf.hardware import speed
from vaqf.hardware.family import FAMILIES, SERIES_7, ULTRASCALE_PLUS
from vaqf.sim.synth.netlist import CHILD, UnknownCell
from vaqf.sim.synth.timing import delays
from vaqf.sim.synth.timing.border import Border, Sink, Source
from vaqf.sim.synth.timing.delays import OPTIMISTIC, REALISTIC, SCENARIOS
from vaqf.sim.synth.timing.graph import Graph

D = delays.of(speed.of(ULTRASCALE_PLUS, "xczu9eg-ffvb1156-2-e"))
ONE, TWO, THREE = (D.net(REALISTIC, pins) for pins in (1, 2, 3))


def graph(netlist: dict, **children: Border) -> Graph:
    return Graph(netlist, D, REALISTIC, children, "small")


def worst(netlist: dict, **children: Border) -> float:
    return max(end.ns for end in graph(netlist, **children).endpoints())


def test_a_register_to_a_register() -> None:
    pair = module({}, a=cell("FDRE", D=2, Q=3, C=1), b=cell("FDRE", D=3, Q=4, C=1))
    assert worst(pair) == pytest.approx(D.register_out + ONE + D.register_data)
    reset = module({}, a=cell("FDRE", D=2, Q=3, C=1), b=cell("FDRE", D=9, R=3, Q=4, C=1))
    assert worst(reset) == pytest.approx(D.register_out + ONE + D.register_reset)


def test_the_last_signal_gets_the_fast_pin_of_a_lut() -> None:
    """One register goes through a LUT first; of the second LUT it has the fastest pin."""
    late = module(
        {},
        a=cell("FDRE", D=9, Q=2),
        b=cell("FDRE", D=9, Q=3),
        first=cell("LUT1", I0=2, O=4),
        second=cell("LUT2", I0=3, I1=4, O=5),
        end=cell("FDRE", D=5, Q=6),
    )
    ns = D.register_out + ONE + D.lut[0] + ONE + D.lut[0] + D.site_net + D.register_data
    assert worst(late) == pytest.approx(ns)


def test_a_net_is_slower_the_more_pins_it_drives() -> None:
    ends = {f"e{i}": cell("FDRE", D=2, Q=10 + i) for i in range(3)}
    one = module({}, a=cell("FDRE", D=9, Q=2), **ends)
    assert worst(one) == pytest.approx(D.register_out + THREE + D.register_data)
    for family in FAMILIES:
        for scenario in SCENARIOS:
            wires = [
                delays.of(speed.of(family, "")).net(scenario, pins) for pins in (1, 3, 9, 99, 10**6)
            ]
            assert wires == sorted(wires)


def test_an_inverter_is_part_of_what_it_drives() -> None:
    plain = module({}, a=cell("FDRE", D=9, Q=2), b=cell("FDRE", D=2, Q=3))
    inverted = module(
        {}, a=cell("FDRE", D=9, Q=2), i=cell("INV", I=2, O=4), b=cell("FDRE", D=4, Q=3)
    )
    assert worst(inverted) == worst(plain)


def test_a_carry_chain_costs_its_length() -> None:
    """Two CARRY8: in at the lowest bit, through both, out at the top sum."""
    low = cell(
        "CARRY8", CI="0", S=[2] + 7 * ["0"], DI=8 * ["0"], O=[*range(10, 18)], CO=[*range(20, 28)]
    )
    high = cell("CARRY8", CI=27, S=8 * ["0"], DI=8 * ["0"], O=[*range(30, 38)], CO=[*range(40, 48)])
    chain = module({}, a=cell("FDRE", D=9, Q=2), low=low, high=high, b=cell("FDRE", D=37, Q=3))
    ns = D.register_out + ONE + D.carry_select_out + D.carry_net + D.carry_sum
    assert worst(chain) == pytest.approx(ns + D.site_net + D.register_data)


def test_a_lutram_is_read_through_and_written_at_the_clock() -> None:
    ram = cell("RAM32M", ADDRA=[2], DIA=[3], DOA=[4], WCLK=1, WE=5)
    read = module(
        {}, a=cell("FDRE", D=9, Q=2), r=ram, b=cell("FDRE", D=4, Q=6), w=cell("FDRE", D=9, Q=5)
    )
    found = {end.pin: end.ns for end in graph(read).endpoints()}
    assert found["WE"] == pytest.approx(D.register_out + ONE + D.lutram_write)
    through = D.register_out + ONE + D.lut[0]
    assert found["D"] == pytest.approx(max(through, D.lutram_out) + ONE + D.register_data)


@pytest.mark.parametrize(
    ("parameters", "ns"),
    [
        ({}, D.register_out + ONE + D.dsp.through + ONE + D.register_data),
        ({"MREG": 1}, D.register_out + ONE + D.dsp.to_product),
        ({"MREG": 1, "PREG": 1}, D.register_out + ONE + D.dsp.to_product),
        ({"AREG": 1, "MREG": 1, "PREG": 1}, D.dsp.operand_to_product),
        ({"AREG": 1, "PREG": 1}, D.dsp.operand_to_sum),
        ({"PREG": 1, "USE_MULT": "NONE"}, D.register_out + ONE + D.dsp.side_to_sum),
        ({"AREG": 1, "PREG": 1, "USE_MULT": "NONE"}, D.dsp.added_to_sum),
    ],
)
def test_a_dsp_by_its_registers(parameters: dict[str, int | str], ns: float) -> None:
    none = dict.fromkeys(("AREG", "BREG", "CREG", "DREG", "ADREG", "MREG", "PREG"), 0)
    given = {
        name: value if isinstance(value, str) else f"{value:032b}"
        for name, value in (none | parameters).items()
    }
    dsp = cell("DSP48E2", A=[2], CLK=1, P=[3], **given)
    assert worst(module({}, a=cell("FDRE", D=9, Q=2), d=dsp, b=cell("FDRE", D=3, Q=4))) == (
        pytest.approx(ns)
    )


def test_a_block_ram_by_its_output_register() -> None:
    for registered, out in ((0, D.ram_out_direct), (1, D.ram_out)):
        ram = cell("RAMB36E2", ADDRARDADDR=[2], DOUTBDOUT=[3], CLKBWRCLK=1)
        ram["parameters"]["DOB_REG"] = registered
        found = module({}, a=cell("FDRE", D=9, Q=2), r=ram, b=cell("FDRE", D=3, Q=4))
        assert worst(found) == pytest.approx(
            max(out + ONE + D.register_data, D.register_out + ONE + D.ram_address)
        )


def test_a_primitive_that_nobody_knows_is_named() -> None:
    with pytest.raises(UnknownCell, match="odd of type FROBNICATE"):
        graph(module({}, odd=cell("FROBNICATE", I=2, O=3)))


def test_a_loop_is_named() -> None:
    loop = module({"x": ("output", 3)}, a=cell("LUT1", I0=2, O=3), b=cell("LUT1", I0=3, O=2))
    with pytest.raises(ToolFailed, match=r"small has a combinational loop.*x"):
        list(graph(loop).endpoints())


def test_what_others_see_of_a_unit() -> None:
    """An input with a LUT in front of a register, one that passes a LUT to an output."""
    unit = module(
        {"d": ("input", 2), "x": ("input", 3), "y": ("output", 4), "z": ("output", 3)},
        end=cell("LUT1", I0=2, O=5),
        register=cell("FDRE", D=5, Q=6),
        through=cell("LUT2", I0=3, I1=6, O=4),
    )
    border = graph(unit).border
    tail = D.lut[0] + D.site_net + D.register_data
    assert border.inputs == {("d", 0): Sink(1, pytest.approx(tail)), ("x", 0): Sink(1, None)}
    came = D.register_out + ONE + D.lut[0]
    assert border.outputs == {("y", 0): Source(0, pytest.approx(came))}
    assert border.passes == [(("x", 0), ("y", 0), D.lut[0])]
    assert border.wires == [(("x", 0), ("z", 0))]


def test_paths_go_through_units_as_if_they_were_dissolved() -> None:
    """The net between two units is as slow as all its pins make it."""
    unit = module(
        {"d": ("input", 2), "y": ("output", 3)},
        lut=cell("LUT1", I0=2, O=3),
        also=cell("FDRE", D=2, Q=4),
    )
    border = graph(unit).border
    a, c = cell("FDRE", D=9, Q=2), cell("FDRE", D=3, Q=5)
    box = cell(CHILD, {"y"}, d=[2], y=[3])
    cut = module({}, a=a, u=box, c=c)
    whole = module({}, a=a, c=c, lut=cell("LUT1", I0=2, O=3), also=cell("FDRE", D=2, Q=4))
    ns = D.register_out + TWO + D.lut[0]
    assert worst(whole) == pytest.approx(ns + D.site_net + D.register_data)
    assert worst(cut, u=border) == pytest.approx(ns + ONE + D.register_data)  # no site is shared


def test_a_part_tells_how_fast_it_is() -> None:
    """Faster grades are faster; what nobody quotes is taken as slower."""
    for name in ("register_out", "ram_out", "carry_sum"):
        slow, fast, faster, low, nothing = (
            getattr(delays.of(speed.of(ULTRASCALE_PLUS, part)), name)
            for part in (
                "xczu3eg-sbva484-1-i",
                "xczu9eg-ffvb1156-2-e",
                "xczu9eg-ffvb1156-3-e",
                "xck26-sfvc784-2LV-c",
                "xczu9eg",
            )
        )
        assert low > slow == nothing > fast == faster
        artix, other, kintex = (
            getattr(delays.of(speed.of(SERIES_7, part)), name)
            for part in ("xc7z020clg400-1", "xc7z020clg400-2", "xc7z045ffg900-2")
        )
        assert artix == other > kintex
    assert delays.of(speed.of(SERIES_7, "xc7z045ffg900-2")).net(OPTIMISTIC, 1) > D.net(
        OPTIMISTIC, 1
    )
