"""What one synthesized module takes: the primitives of a netlist of Yosys, as JSON.

LUTs are physical LUT6 sites before placement: a LUT6_2 is one, the two functions in front of one
bit of a carry chain share one if they have at most five inputs together, and a LUTRAM takes what
its primitive is made of (UG574, UG474). No other two functions share a site here; placers do pack
some.
"""

import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from vaqf.hardware.fabric import Resources

Json = Mapping[str, Any]

# sites of one primitive; those of _LUTRAM_SITES are in a SLICEM
_LUT_INPUTS = {"INV": 1} | {f"LUT{n}": n for n in range(1, 7)}
_LUTRAM_SITES = {
    "RAM32M": 4,
    "RAM32M16": 8,
    "RAM32X1S": 1,
    "RAM32X1D": 2,
    "RAM32X2S": 2,
    "RAM64M": 4,
    "RAM64M8": 8,
    "RAM64X1S": 1,
    "RAM64X1D": 2,
    "RAM64X8SW": 8,
    "RAM32X16DR8": 8,
    "RAM128X1S": 2,
    "RAM128X1D": 4,
    "RAM256X1S": 4,
    "RAM256X1D": 8,
    "RAM512X1S": 8,
    "SRL16E": 1,
    "SRLC16E": 1,
    "SRLC32E": 1,
}
_FLIP_FLOPS = ("FDRE", "FDSE", "FDCE", "FDPE")
_DSPS = ("DSP48E1", "DSP48E2")
_BLOCK_RAMS = {"RAMB18E1": 0.5, "RAMB18E2": 0.5, "RAMB36E1": 1.0, "RAMB36E2": 1.0}
_ULTRA_RAMS = ("URAM288", "URAM288_BASE")
_CARRIES = ("CARRY4", "CARRY8")
_FREE = ("MUXF7", "MUXF8", "MUXF9", "GND", "VCC", "$scopeinfo")
CHILD = "unit"  # the type of cells that are modules of their own
# that say where a primitive has registers
_PARAMETERS = (
    *(f"{name}REG" for name in ("A", "B", "C", "D", "AD", "M", "P")),
    "DOA_REG",
    "DOB_REG",
    "USE_MULT",
    "AMULTSEL",
    "USE_DPORT",
)
SHARED_INPUTS = 5  # of the two functions of one LUT6 site


class UnknownCell(ValueError):
    """The netlist has a cell that is neither a primitive we know nor a module."""


@dataclass(frozen=True)
class Counts(Resources):
    """What hardware takes, with shift registers among the LUTRAM."""

    carry: int = 0  # CARRY8 and CARRY4, which Yosys makes of sums on both families

    def __add__(self, other: Resources) -> "Counts":
        assert isinstance(other, Counts)
        return Counts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __mul__(self, times: int) -> "Counts":
        return Counts(*(times * value for value in astuple(self)))


def count(module: Json) -> Counts:
    """The primitives of one module of a netlist; modules of their own inside count nothing.

    UnknownCell for any other cell, so that nothing is left out silently.
    """
    lut = lutram = ff = dsp = uram = carry = 0
    bram36 = 0.0
    for name, cell in module["cells"].items():
        kind = cell["type"]
        if kind in _LUT_INPUTS or kind == "LUT6_2":
            lut += 1
        elif kind in _LUTRAM_SITES:
            lut += _LUTRAM_SITES[kind]
            lutram += _LUTRAM_SITES[kind]
        elif kind in _FLIP_FLOPS:
            ff += 1
        elif kind in _DSPS:
            dsp += 1
        elif kind in _BLOCK_RAMS:
            bram36 += _BLOCK_RAMS[kind]
        elif kind in _ULTRA_RAMS:
            uram += 1
        elif kind in _CARRIES:
            carry += 1
        elif kind not in _FREE and kind != CHILD:
            raise UnknownCell(f"cell {name} of type {kind}")
    return Counts(lut - _shared(module), lutram, ff, dsp, bram36, uram, carry)


def _shared(module: Json) -> int:
    """Pairs of LUTs that feed S and DI of one bit of a carry chain and fit one site."""
    cells = module["cells"]
    driver = {
        cell["connections"]["O"][0]: name
        for name, cell in cells.items()
        if cell["type"] in _LUT_INPUTS
    }
    paired: set[str] = set()
    for cell in cells.values():
        if cell["type"] in _CARRIES:
            pins = cell["connections"]
            for select, data in zip(pins["S"], pins["DI"], strict=True):
                pair = {driver.get(select), driver.get(data)}
                if None in pair or len(pair) < 2 or pair & paired:
                    continue
                inputs = {bit for name in pair if name for bit in lut_inputs(cells[name])}
                if len(inputs) <= SHARED_INPUTS:
                    paired |= {name for name in pair if name}
    return len(paired) // 2


def lut6_2_inputs(cell: Json, output: str) -> list[str]:
    """The pins of a LUT6_2 on which one of its outputs, O6 or O5, depends."""
    table, size = int(cell["parameters"]["INIT"], 2), 64
    if output == "O5":
        table, size = table & 0xFFFF_FFFF, 32
    return [
        pin
        for pin in cell["connections"]
        if re.fullmatch(r"I\d", pin) and _matters(table, size, int(pin[1]))
    ]


def _matters(table: int, size: int, pin: int) -> bool:
    """Whether a truth table depends on one of its inputs."""
    flip = 1 << pin
    return flip < size and any((table >> i ^ table >> (i ^ flip)) & 1 for i in range(size))


def compact(module: Json, children: frozenset[str]) -> Json:
    """What counting and timing need of a module as Yosys writes it; cells of the modules `children`
    become CHILD."""
    cells = {
        name: {
            "type": CHILD if cell["type"] in children else cell["type"],
            "parameters": {
                key: value
                for key, value in cell.get("parameters", {}).items()
                if key in _PARAMETERS or (key == "INIT" and cell["type"] == "LUT6_2")
            },
            "port_directions": cell["port_directions"],
            "connections": cell["connections"],
        }
        for name, cell in module["cells"].items()
    }
    names = {
        name: {"bits": one["bits"]}
        for name, one in module.get("netnames", {}).items()
        if not one.get("hide_name") and not name.startswith("$")
    }
    ports = {
        name: {"direction": one["direction"], "bits": one["bits"]}
        for name, one in module["ports"].items()
    }
    return {"ports": ports, "cells": cells, "netnames": names}


def lut_inputs(cell: Json) -> set[int]:
    """The nets that a LUT depends on; constants are none."""
    return {
        bits[0]
        for pin, bits in cell["connections"].items()
        if pin.startswith("I") and isinstance(bits[0], int)
    }
