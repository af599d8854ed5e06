"""Counting a netlist and its paths: hand-made ones whose answer a person can see."""

from typing import Any

import pytest

from vaqf.sim.synth import levels, netlist
from vaqf.sim.synth.levels import REGISTER
from vaqf.sim.synth.netlist import Counts

OUTPUTS = {"O", "O5", "O6", "Q", "CO", "DOA", "DOB", "P"}


def cell(kind: str, **pins: int | str | list[int | str]) -> dict[str, Any]:
    """One cell as Yosys writes it; LUT6_2 with the table of a ternary adder."""
    return {
        "type": kind,
        "parameters": {"INIT": f"{0x69966996E8E8E8E8:064b}"} if kind == "LUT6_2" else {},
        "port_directions": {pin: "output" if pin in OUTPUTS else "input" for pin in pins},
        "connections": {
            pin: bits if isinstance(bits, list) else [bits] for pin, bits in pins.items()
        },
    }


def module(ports: dict[str, tuple[str, int]], **cells: dict[str, Any]) -> dict[str, Any]:
    return {
        "ports": {
            name: {"direction": direction, "bits": [bit]}
            for name, (direction, bit) in ports.items()
        },
        "cells": cells,
    }


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
    netlist_of_it = module({}, odd=cell("$mul", A=2, B=3, O=4))
    with pytest.raises(netlist.UnknownCell, match="odd of type \\$mul"):
        netlist.count(netlist_of_it)
    assert netlist.count(netlist_of_it, frozenset({"$mul"})) == Counts()


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
    one = Counts(lut=3, lutram=1, ff=2, dsp=1, bram36=0.5, carry=4)
    assert one * 2 + Counts(lut=1) == Counts(7, 2, 4, 2, 1.0, 8)


def test_levels_between_registers() -> None:
    chain = module(
        {"in": ("input", 2), "out": ("output", 8)},
        a=cell("FDRE", D=2, Q=3),
        b=cell("LUT2", I0=3, I1=2, O=4),
        c=cell("LUT1", I0=4, O=5),
        m=cell("MUXF7", I0=5, I1=3, S=3, O=6),
        d=cell("FDRE", D=6, Q=7),
        e=cell("LUT1", I0=7, O=8),
    )
    assert levels.arcs(chain) == {
        (("", "in"), REGISTER): 2,
        (REGISTER, REGISTER): 2,
        (REGISTER, ("", "out")): 1,
    }


def test_a_ternary_adders_majority_does_not_ripple() -> None:
    """O5 of a LUT6_2 depends on three inputs, not on the majority below."""
    cells = {
        f"bit{i}": cell("LUT6_2", I0=2, I1=2, I2=2, I3=10 + i, I4="0", I5="1", O5=11 + i, O6=30 + i)
        for i in range(4)
    }
    found = levels.arcs(module({"in": ("input", 2), "out": ("output", 33)}, **cells))
    assert found == {(("", "in"), ("", "out")): 2}


def test_a_lutram_is_a_level_where_it_is_read() -> None:
    ram = cell("RAM32M", ADDRA=[2], DIA=[3], DOA=[4], WCLK=5)
    found = levels.arcs(module({"a": ("input", 2), "d": ("input", 3), "q": ("output", 4)}, r=ram))
    assert found[("", "a"), ("", "q")] == 1
    assert (("", "d"), ("", "q")) not in found


def test_paths_go_through_modules() -> None:
    """A register, two levels inside a child that passes, one outside, and a child's register."""
    passing = {(("", "x"), ("", "y")): 2, (REGISTER, REGISTER): 1}
    ending = {(("", "d"), REGISTER): 3}
    top = {
        (REGISTER, ("a", "x")): 1,
        (("a", "y"), ("b", "d")): 1,
        (("a", "y"), ("a", "x")): 0,  # no register: a circle ends where it began
    }
    tree = {"top": (top, {"a": "passing", "b": "ending"}), "passing": (passing, {})}
    assert levels.longest({**tree, "ending": (ending, {})}, "top") == 1 + 2 + 1 + 3
    assert levels.longest({**tree, "ending": ({}, {})}, "top") == 1
