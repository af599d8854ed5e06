"""Counting a netlist: hand-made ones whose answer a person can see."""

from typing import Any

import pytest
from netlists import cell, module

from vaqf.sim.synth import netlist
from vaqf.sim.synth.netlist import Counts


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("LUT1", Counts(lut=1)),
        ("INV", Counts(lut=1)),
        ("LUT6_2", Counts(lut=1)),
        ("RAM32M16", Counts(lut=8, lutram=8)),
        ("RAM64M8", Counts(lut=8, lutram=8)),
        ("RAM32M", Counts(lut=4, lutram=4)),
        ("RAM256X1S", Counts(lut=4, lutram=4)),
        ("SRL16E", Counts(lut=1, lutram=1)),
        ("SRLC32E", Counts(lut=1, lutram=1)),
        ("FDRE", Counts(ff=1)),
        ("DSP48E2", Counts(dsp=1)),
        ("RAMB18E2", Counts(bram36=0.5)),
        ("RAMB36E1", Counts(bram36=1.0)),
        ("URAM288", Counts(uram=1)),
        ("CARRY8", Counts(carry=1)),
        ("MUXF7", Counts()),
    ],
)
def test_what_a_primitive_takes(kind: str, expected: Counts) -> None:
    pins: dict[str, Any] = {"O": 9}
    if kind == "CARRY8":
        pins = {"S": ["0"] * 8, "DI": ["0"] * 8, "O": list(range(2, 10))}
    assert netlist.count(module({}, one=cell(kind, **pins))) == expected


def test_an_unknown_cell_is_no_zero() -> None:
    with pytest.raises(netlist.UnknownCell, match="odd of type \\$mul"):
        netlist.count(module({}, odd=cell("$mul", A=2, B=3, O=4)))


def carry(select: int, data: int | str) -> dict[str, Any]:
    return cell("CARRY4", S=[select, "0", "0", "0"], DI=[data, "0", "0", "0"], O=[90, 91, 92, 93])


@pytest.mark.parametrize(
    ("inputs", "sites"),
    [((2, 3), 1), ((2, 6), 1), ((6, 7), 2)],  # together 3, 5 and 6 nets
)
def test_a_carry_bit_is_one_site_if_five_inputs_do(inputs: tuple[int, int], sites: int) -> None:
    select = cell("LUT4", I0=2, I1=3, I2=4, I3=5, O=20)
    data = cell("LUT2", I0=inputs[0], I1=inputs[1], O=21)
    assert netlist.count(module({}, s=select, d=data, c=carry(20, 21))).lut == sites
    assert netlist.count(module({}, s=select, d=data, c=carry(20, "1"))).lut == 2


def test_a_site_is_shared_once() -> None:
    cells = {f"s{i}": cell("LUT1", I0=2, O=20 + i) for i in range(2)}
    data = cell("LUT1", I0=3, O=30)
    both = cell("CARRY4", S=[20, 21, "0", "0"], DI=[30, 30, "0", "0"], O=[90, 91, 92, 93])
    assert netlist.count(module({}, d=data, c=both, **cells)).lut == 2


def test_counts_add_up() -> None:
    one = Counts(lut=3, lutram=1, ff=2, dsp=1, bram36=0.5, uram=1, carry=4)
    assert one * 2 + Counts(lut=1) == Counts(7, 2, 4, 2, 1.0, 2, 8)


def test_what_is_kept_of_a_netlist_counts_the_same() -> None:
    """Modules inside become cells that count nothing; what a LUT computes is not kept."""
    box = cell("box_1", {"y"}, a=2, y=3)
    lut = cell("LUT2", I0=3, I1=2, O=4) | {"parameters": {"INIT": "1000"}, "attributes": {"a": "b"}}
    whole = module({"a": ("input", 2), "y": ("output", 4)}, one=box, two=lut)
    whole["netnames"] |= {"$1": {"bits": [3]}, "x": {"bits": [3], "hide_name": 1}}
    kept = netlist.compact(whole, frozenset({"box_1"}))
    assert kept["cells"]["one"]["type"] == netlist.CHILD
    assert kept["cells"]["two"]["parameters"] == {}
    assert set(kept["netnames"]) == {"a", "y"}
    assert netlist.count(kept) == Counts(lut=1)
    with pytest.raises(netlist.UnknownCell, match="one of type box_1"):
        netlist.count(whole)


def test_what_a_lut6_2s_outputs_follow() -> None:
    """Of a ternary adder: the majority below is in the sum, not in the majority."""
    adder = cell("LUT6_2", I0=2, I1=3, I2=4, I3=5, I4="0", I5="1", O5=6, O6=7)
    assert netlist.lut6_2_inputs(adder, "O5") == ["I0", "I1", "I2"]
    assert netlist.lut6_2_inputs(adder, "O6") == ["I0", "I1", "I2", "I3", "I5"]
