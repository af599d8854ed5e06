"""Where paths begin, pass and end in each primitive of UltraScale+ and series 7."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vaqf.sim.synth.netlist import UnknownCell, lut6_2_inputs
from vaqf.sim.synth.timing.delays import Delays, Dsp

Json = Mapping[str, Any]
# what lies between a driver and a pin: the fabric's wires, or one of its short cuts
WIRE, CARRY, SELECT, SITE, CASCADE = "wire", "carry", "select", "site", "cascade"
FREE = ("GND", "VCC", "$scopeinfo")


@dataclass(frozen=True)
class Begin:
    """A register's output: ns from the clock."""

    net: int
    ns: float


@dataclass(frozen=True)
class End:
    """A pin in front of a register: ns of setup, whatever is in between."""

    net: int
    ns: float
    pin: str
    via: str = WIRE


@dataclass(frozen=True)
class Pass:
    """An output that follows inputs: (net, ns, via) each. ranked: ns by the order of arrival."""

    net: int
    inputs: list[tuple[int, float, str]]
    ranked: bool = False


@dataclass(frozen=True)
class Inside:
    """From register to register within a primitive."""

    ns: float


Arc = Begin | End | Pass | Inside


@dataclass
class Pins:
    """A cell's nets by pin; constants are none."""

    cell: Json
    outputs: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for pin, way in self.cell["port_directions"].items():
            (self.outputs if way == "output" else self.inputs).append(pin)

    def nets(self, pin: str) -> list[int]:
        return [bit for bit in self.cell["connections"].get(pin, ()) if isinstance(bit, int)]

    def bit(self, pin: str, index: int) -> int | None:
        bits = self.cell["connections"].get(pin, ())
        found = bits[index] if index < len(bits) else None
        return found if isinstance(found, int) else None

    def number(self, parameter: str, default: int) -> int:
        text = self.cell.get("parameters", {}).get(parameter, default)
        return int(text, 2) if isinstance(text, str) and re.fullmatch("[01]+", text) else int(text)

    def text(self, parameter: str, default: str) -> str:
        return str(self.cell.get("parameters", {}).get(parameter, default)).strip()


def arcs(name: str, cell: Json, d: Delays) -> Iterator[Arc]:
    """All of one cell; UnknownCell for one whose paths nobody told."""
    kind = cell["type"]
    if kind in FREE:
        return iter(())
    for pattern, told in _KINDS:
        if re.fullmatch(pattern, kind):
            return told(Pins(cell), d)
    raise UnknownCell(f"cell {name} of type {kind}")


def _plain_lut(pins: Pins, d: Delays) -> Iterator[Arc]:
    yield from _lut(pins, "O", pins.inputs, d, 0.0)


def _lut6_2(pins: Pins, d: Delays) -> Iterator[Arc]:
    for pin, more in (("O6", 0.0), ("O5", d.lut_lower)):
        yield from _lut(pins, pin, lut6_2_inputs(pins.cell, pin), d, more)


def _multiplexer(pins: Pins, d: Delays) -> Iterator[Arc]:
    data = [(net, d.mux_data, SITE) for pin in ("I0", "I1") for net in pins.nets(pin)]
    select = [(net, d.mux_select, WIRE) for net in pins.nets("S")]
    yield from (Pass(net, data + select) for net in pins.nets("O"))


def _flip_flop(pins: Pins, d: Delays) -> Iterator[Arc]:
    yield from (Begin(net, d.register_out) for net in pins.nets("Q"))
    for pin in pins.inputs:
        ns = {"D": d.register_data, "CE": d.register_enable}.get(pin, d.register_reset)
        via = SITE if pin == "D" else WIRE
        if pin != "C":
            yield from (End(net, ns, pin, via) for net in pins.nets(pin))


def _lut(pins: Pins, out: str, given: list[str], d: Delays, more: float) -> Iterator[Arc]:
    nets = [net for pin in given for net in pins.nets(pin)]
    inputs = [(net, d.lut[min(rank, 5)] + more, WIRE) for rank, net in enumerate(nets)]
    yield from (Pass(net, inputs, ranked=True) for net in pins.nets(out))


def _carry(pins: Pins, d: Delays) -> Iterator[Arc]:
    width = int(pins.cell["type"][-1])
    below = [net for pin in ("CI", "CYINIT") for net in pins.nets(pin)]
    select = [pins.bit("S", i) for i in range(width)]
    data = [pins.bit("DI", i) for i in range(width)]
    for bit in range(width):
        chosen = [(net, SELECT, j) for j, net in enumerate(select[: bit + 1]) if net is not None]
        given = [(net, SELECT, j) for j, net in enumerate(data[: bit + 1]) if net is not None]
        total, out = pins.bit("O", bit), pins.bit("CO", bit)
        if total is not None:
            inputs = [(net, d.carry_sum, CARRY) for net in below]
            inputs += [
                (net, d.carry_select_sum if j == bit else d.carry_select_above, via)
                for net, via, j in chosen
            ]
            inputs += [(net, d.carry_data_above, via) for net, via, j in given if j < bit]
            yield Pass(total, inputs)
        if out is not None:
            carry = d.carry_through if bit == width - 1 else d.carry_part
            inputs = [(net, carry, CARRY) for net in below]
            inputs += [(net, d.carry_select_out, via) for net, via, _ in chosen]
            inputs += [(net, d.carry_data_out, via) for net, via, _ in given]
            yield Pass(out, inputs)


def _shift_register(pins: Pins, d: Delays) -> Iterator[Arc]:
    for pin in pins.outputs:
        yield from (Begin(net, d.shift_out) for net in pins.nets(pin))
    address = [pin for pin in pins.inputs if pin.startswith("A")]
    yield from _lut(pins, "Q", address, d, 0.0)
    for pin, ns in (("D", d.shift_data), ("CE", d.lutram_write)):
        yield from (End(net, ns, pin) for net in pins.nets(pin))


def _lutram(pins: Pins, d: Delays) -> Iterator[Arc]:
    for out in pins.outputs:
        yield from (Begin(net, d.lutram_out) for net in pins.nets(out))
        for net in pins.nets(out):
            address = [bit for pin in _read_address(pins, out) for bit in pins.nets(pin)]
            inputs = [(bit, d.lut[min(i, 5)], WIRE) for i, bit in enumerate(address)]
            yield Pass(net, inputs, ranked=True)
    for pin in pins.inputs:
        if "CLK" not in pin:
            ns = d.lutram_write if pin.startswith("WE") else d.lutram_data
            yield from (End(net, ns, pin) for net in pins.nets(pin))


def _read_address(pins: Pins, out: str) -> list[str]:
    """The pins of the address that an output follows."""
    if re.fullmatch(r"DO[A-H]", out):
        return [f"ADDR{out[-1]}"]
    prefix = "DPRA" if out == "DPO" else "A"
    return [pin for pin in pins.inputs if re.fullmatch(rf"{prefix}(DDR)?\d*", pin)]


def _block_ram(pins: Pins, d: Delays) -> Iterator[Arc]:
    registered = {port: pins.number(f"DO{port}_REG", 0) for port in "AB"}
    for pin in pins.outputs:
        port = "B" if re.search(r"BDO|BDOP|DOUTB|DOUTPB|DOBDO|DOPBDOP", pin) else "A"
        ns = d.ram_out if registered[port] else d.ram_out_direct
        yield from (Begin(net, ns) for net in pins.nets(pin))
    for pin in pins.inputs:
        if "CLK" in pin:
            continue
        if "ADDR" in pin:
            ns = d.ram_address
        elif pin.startswith("WE"):
            ns = d.ram_write
        else:
            ns = d.ram_enable if re.match("EN|REGCE|RST|SLEEP", pin) else d.ram_data
        yield from (End(net, ns, pin) for net in pins.nets(pin))


def _dsp(pins: Pins, delays: Delays) -> Iterator[Arc]:
    has = {name: pins.number(f"{name}REG", 1) > 0 for name in ("A", "B", "C", "D", "AD", "M", "P")}
    multiplies = pins.text("USE_MULT", "MULTIPLY") != "NONE"
    d = delays.dsp if multiplies else delays.dsp.without_multiplier()
    adds = pins.text("AMULTSEL", "A") == "AD" or pins.text("USE_DPORT", "FALSE") == "TRUE"
    product = has["M"] and multiplies
    outputs = [net for pin in ("P", "PCOUT") for net in pins.nets(pin)]
    passing: list[tuple[int, float, str]] = []
    for pin in pins.inputs:
        for net in pins.nets(pin):
            found = _operand(pin, net, has, product, adds, d)
            if isinstance(found, End):
                yield found
            elif found is not None:
                passing.append(found)
    clocked = has["A"] or has["B"] or (has["D"] and adds)
    if has["P"]:
        yield from (Begin(net, d.sum_out) for net in outputs)
        if product:
            yield Inside(d.product_to_sum)
            if clocked:
                yield Inside(d.operand_to_product + (d.before if adds and not has["AD"] else 0.0))
        elif clocked:
            yield Inside(d.operand_to_sum)
    elif product:
        yield from (Begin(net, d.product_out) for net in outputs)
        if clocked:
            yield Inside(d.operand_to_product)
    elif clocked:
        yield from (Begin(net, d.operand_out) for net in outputs)
    if passing:
        yield from (Pass(net, passing) for net in outputs)


def _operand(
    pin: str, net: int, has: Mapping[str, bool], product: bool, adds: bool, d: Dsp
) -> End | tuple[int, float, str] | None:
    """What becomes of one pin: where it ends, or how it passes to the output."""
    if pin == "CLK":
        return None
    if pin in ("A", "B", "D"):
        before = d.before if adds and pin != "B" else 0.0
        if has[pin]:
            return End(net, d.setup, pin)
        if before and has["AD"]:
            return End(net, d.setup + before, pin)
        if product:
            return End(net, d.to_product + before, pin)
        if has["P"]:
            return End(net, d.to_sum + before, pin)
        return net, d.through + before, WIRE
    if pin == "PCIN":
        return (
            End(net, d.cascade_to_sum, pin, CASCADE)
            if has["P"]
            else (net, d.cascade_through, CASCADE)
        )
    if pin in ("C", "CARRYIN", "OPMODE", "ALUMODE", "INMODE", "CARRYINSEL"):
        if pin == "C" and has["C"]:
            return End(net, d.setup, pin)
        return End(net, d.addend_to_sum, pin) if has["P"] else (net, d.addend_through, WIRE)
    return End(net, d.setup, pin)


_KINDS: tuple[tuple[str, Callable[[Pins, Delays], Iterator[Arc]]], ...] = (
    (r"LUT[1-6]|INV", _plain_lut),
    ("LUT6_2", _lut6_2),
    ("CARRY[48]", _carry),
    ("MUXF[789]", _multiplexer),
    ("FD[RSCP]E", _flip_flop),
    (r"SRLC?16E|SRLC32E", _shift_register),
    (r"RAMB(18|36)E[12]", _block_ram),
    (r"RAM\d+M(8|16)?|RAM\d+X\d+(S|D|SW|DR8)", _lutram),
    ("DSP48E[12]", _dsp),
)
