"""Netlists of a few cells, as Yosys writes them."""

from typing import Any

OUTPUTS = {"O", "O5", "O6", "Q", "CO", "DOA", "DOB", "P", "PCOUT", "DOUTBDOUT", "DOBDO"}


def cell(kind: str, outputs: set[str] | None = None, **pins: Any) -> dict[str, Any]:
    """One cell: a pin's net, constant or list of them; LUT6_2 with the table of a ternary adder."""
    driven = OUTPUTS if outputs is None else outputs
    parameters = {name: pins.pop(name) for name in list(pins) if name.endswith(("REG", "_MULT"))}
    if kind == "LUT6_2":
        parameters["INIT"] = f"{0x69966996E8E8E8E8:064b}"
    return {
        "type": kind,
        "parameters": parameters,
        "port_directions": {pin: "output" if pin in driven else "input" for pin in pins},
        "connections": {
            pin: bits if isinstance(bits, list) else [bits] for pin, bits in pins.items()
        },
    }


def module(ports: dict[str, tuple[str, int]], **cells: dict[str, Any]) -> dict[str, Any]:
    """With ports of one bit each, which give their nets a name."""
    return {
        "ports": {
            name: {"direction": direction, "bits": [bit]}
            for name, (direction, bit) in ports.items()
        },
        "cells": cells,
        "netnames": {name: {"bits": [bit]} for name, (_, bit) in ports.items()},
    }
