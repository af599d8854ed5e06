"""One unit's netlist as a graph of delays, and what others see of it at its ports.

Times are of a net's driver pin: a net adds its own delay on the way to each pin that it drives. How
long that is follows from how many pins there are, those inside other units included.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from vaqf.errors import ToolFailed
from vaqf.sim.synth.timing.border import Bit, Border, Sink, Source
from vaqf.sim.synth.timing.delays import Delays
from vaqf.sim.synth.timing.primitives import (
    CARRY,
    CASCADE,
    SELECT,
    SITE,
    WIRE,
    Begin,
    End,
    Inside,
    Pass,
    arcs,
)

Json = Mapping[str, Any]


class Endpoint(NamedTuple):
    """Where a path ends: at a pin of a cell, or at the input of a unit inside."""

    ns: float  # from the register where it begins, setup included
    net: int  # the last one; -1: all of it lies within a primitive
    cell: str
    pin: str
    bit: int = 0  # of a unit's port


@dataclass(frozen=True)
class _Pin:
    """A pin that a net drives: what comes behind it."""

    via: str
    ns: float  # to a register behind it (end), or to `net`
    net: int | None  # the driver that follows


@dataclass
class Graph:
    """A unit's nets with their arrivals from registers; children: cell -> border of its unit."""

    module: Json
    delays: Delays
    scenario: str
    children: Mapping[str, Border]
    name: str = ""
    _same: dict[int, int] = field(default_factory=dict)  # nets that are others
    _kinds: dict[int, str] = field(default_factory=dict)  # of drivers
    _passes: dict[int, list[Pass]] = field(default_factory=dict)
    _begins: dict[int, float] = field(default_factory=dict)
    _ends: list[tuple[End, str, int]] = field(default_factory=list)  # cell, bit of a port
    _inside: list[tuple[float, str]] = field(default_factory=list)
    pins: dict[int, int] = field(default_factory=dict)  # of every net

    def __post_init__(self) -> None:
        cells = self.module["cells"]
        for cell in cells.values():
            if cell["type"] == "INV":  # part of what it drives
                pins = cell["connections"]
                if all(isinstance(pins[pin][0], int) for pin in "IO"):
                    self._same[pins["O"][0]] = pins["I"][0]
        for name, border in self.children.items():
            bits = cells[name]["connections"]
            for (port, i), (out, j) in border.wires:
                given, made = bits[port][i], bits[out][j]
                if isinstance(given, int) and isinstance(made, int):
                    self._same[made] = given
        for name, cell in cells.items():
            if name in self.children:
                self._add_unit(name, cell, self.children[name])
            elif cell["type"] != "INV":
                self._add_cell(name, cell)

    def root(self, net: int) -> int:
        """The net that drives this one behind inverters."""
        while net in self._same:
            net = self._same[net]
        return net

    def _add_cell(self, name: str, cell: Json) -> None:
        kind = cell["type"]
        driver = "lut" if kind.startswith("LUT") else "carry" if kind.startswith("CARRY") else kind
        for pin, way in cell["port_directions"].items():
            for net in cell["connections"].get(pin, ()):
                if not isinstance(net, int):
                    continue
                if way == "output":
                    self._kinds[net] = "mux" if driver.startswith("MUXF") else driver
                else:
                    self._count(net, 1)
        for arc in arcs(name, cell, self.delays):
            if isinstance(arc, Begin):
                self._begins[arc.net] = max(arc.ns, self._begins.get(arc.net, 0.0))
            elif isinstance(arc, End):
                self._ends.append((arc, name, 0))
            elif isinstance(arc, Inside):
                self._inside.append((arc.ns, name))
            else:
                self._passes.setdefault(arc.net, []).append(arc)

    def _add_unit(self, name: str, cell: Json, border: Border) -> None:
        bits = cell["connections"]

        def net(bit: Bit) -> int | None:
            port, index = bit
            found = bits[port][index] if index < len(bits.get(port, ())) else None
            return found if isinstance(found, int) else None

        for bit, sink in border.inputs.items():
            given = net(bit)
            if given is not None:
                self._count(given, sink.pins)
                if sink.ns is not None:
                    self._ends.append((End(given, sink.ns, bit[0]), name, bit[1]))
        for bit, source in border.outputs.items():
            made = net(bit)
            if made is not None:
                self._count(made, source.pins)
                if source.ns is not None:
                    self._begins[made] = source.ns
        for here, there, ns in border.passes:
            given, made = net(here), net(there)
            if given is not None and made is not None:
                self._passes.setdefault(made, []).append(Pass(made, [(given, ns, WIRE)]))

    def begin(self, net: int, ns: float) -> None:
        """A register outside drives this net."""
        self._begins[net] = ns

    def end(self, net: int, ns: float, port: str, bit: int) -> None:
        """A register outside takes this net, with so much of setup."""
        self._ends.append((End(net, ns, port), "", bit))

    def _count(self, net: int, pins: int) -> None:
        root = self.root(net)
        self.pins[root] = self.pins.get(root, 0) + pins

    def wire(self, net: int, via: str) -> float:
        """ns from a net's driver to a pin of it."""
        kind, pins = self._kinds.get(net, ""), self.pins.get(net, 1)
        if via == CASCADE:
            return 0.0
        if via == CARRY and kind == "carry":
            return self.delays.carry_net
        if via == SELECT and kind in ("lut", "LUT6_2") and pins <= 1:
            return self.delays.select_net
        if via == SITE and kind in ("lut", "carry", "mux") and pins <= 1:
            return self.delays.site_net
        return self.delays.net(self.scenario, pins)

    @cached_property
    def order(self) -> list[int]:
        """Nets that follow others, each behind those; ToolFailed for a loop."""
        before = {
            net: {self.root(given) for one in found for given, _, _ in one.inputs}
            for net, found in self._passes.items()
        }
        try:
            found = TopologicalSorter(before).static_order()
            return [net for net in found if net in self._passes]
        except CycleError as error:
            nets = dict.fromkeys(self.named(net) for net in error.args[1])
            raise ToolFailed(
                f"{self.name or 'the netlist'} has a combinational loop, which no clock times:"
                f" {' -> '.join(nets)}"
            ) from None

    @cached_property
    def arrivals(self) -> dict[int, tuple[float, int | None]]:
        """Net -> ns from a register, and the net before it; nets that follow none are not there."""
        found: dict[int, tuple[float, int | None]] = {
            net: (ns, None) for net, ns in self._begins.items()
        }
        for net in self.order:
            best = found.get(net)
            for one in self._passes[net]:
                came = self._came(one, found)
                if came is not None and (best is None or came[0] > best[0]):
                    best = came
            if best is not None:
                found[net] = best
        return found

    def _came(
        self, one: Pass, found: Mapping[int, tuple[float, int | None]]
    ) -> tuple[float, int] | None:
        """When an output has followed its inputs, and the one that was last."""
        came = []
        for given, ns, via in one.inputs:
            net = self.root(given)
            if net in found:
                came.append((found[net][0] + self.wire(net, via), ns, net))
        if not came:
            return None
        if one.ranked:
            came.sort(reverse=True)
            steps = sorted(ns for _, ns, _ in one.inputs)
            return max((at + ns, net) for (at, _, net), ns in zip(came, steps, strict=False))
        return max((at + ns, net) for at, ns, net in came)

    @cached_property
    def sinks(self) -> dict[int, list[_Pin]]:
        """Net -> the pins that it drives."""
        found: dict[int, list[_Pin]] = {}
        for end, _, _ in self._ends:
            found.setdefault(self.root(end.net), []).append(_Pin(end.via, end.ns, None))
        for net, passes in self._passes.items():
            for one in passes:
                first = min((ns for _, ns, _ in one.inputs), default=0.0)
                for given, ns, via in one.inputs:
                    # what comes through a port is taken as the last
                    behind = _Pin(via, first if one.ranked else ns, net)
                    found.setdefault(self.root(given), []).append(behind)
        return found

    @cached_property
    def tails(self) -> dict[int, float]:
        """Net -> ns from its driver to the furthest register behind it."""
        found: dict[int, float] = {}
        behind = dict.fromkeys([*reversed(self.order), *self.sinks])
        for net in behind:
            ways = [
                self.wire(net, pin.via) + ns
                for pin in self.sinks.get(net, ())
                if (ns := self._behind(pin, found)) is not None
            ]
            if ways:
                found[net] = max(ways)
        return found

    def _behind(self, pin: _Pin, tails: Mapping[int, float]) -> float | None:
        """ns from a pin to the furthest register."""
        if pin.net is None:
            return pin.ns
        return pin.ns + tails[pin.net] if pin.net in tails else None

    def endpoints(self) -> Iterator[Endpoint]:
        """Every pin in front of a register that a path inside reaches."""
        arrivals = self.arrivals
        for end, cell, bit in self._ends:
            net = self.root(end.net)
            if net in arrivals:
                ns = arrivals[net][0] + self.wire(net, end.via) + end.ns
                yield Endpoint(ns, net, cell, end.pin, bit)
        for ns, cell in self._inside:
            yield Endpoint(ns, -1, cell, "")

    def way(self, net: int) -> list[int]:
        """The nets of the longest path to one, from where it begins."""
        found = [net]
        while (before := self.arrivals[found[-1]][1]) is not None:
            found.append(before)
        return found[::-1]

    def way_on(self, net: int) -> tuple[list[int], tuple[End, str, int] | None]:
        """The nets of the longest path from one on, and where it ends."""
        found = [net]
        while True:
            here = found[-1]
            pins = self.sinks.get(here, [])
            reach = [
                (self.wire(here, p.via) + ns, p)
                for p in pins
                if (ns := self._behind(p, self.tails)) is not None
            ]
            if not reach:
                return found, None
            pin = max(reach, key=lambda one: one[0])[1]
            if pin.net is None:
                ends = [
                    one
                    for one in self._ends
                    if self.root(one[0].net) == here and one[0].ns == pin.ns
                ]
                return found, ends[0]
            found.append(pin.net)

    def ports(self, direction: str) -> Iterator[tuple[Bit, int]]:
        """The bits of ports of one direction that are nets."""
        for port, one in self.module["ports"].items():
            if one["direction"] == direction:
                for index, net in enumerate(one["bits"]):
                    if isinstance(net, int):
                        yield (port, index), net

    @cached_property
    def border(self) -> Border:
        """What others see."""
        given = dict(self.ports("input"))
        of_input: dict[int, list[Bit]] = {}
        for bit, net in given.items():
            of_input.setdefault(net, []).append(bit)
        inputs = {}
        for bit, net in given.items():
            ways = [
                ns
                for pin in self.sinks.get(net, ())
                if (ns := self._behind(pin, self.tails)) is not None
            ]
            inputs[bit] = Sink(self.pins.get(net, 0), max(ways, default=None))
        outputs, wires = {}, []
        made: dict[int, list[Bit]] = {}
        for bit, net in self.ports("output"):
            root = self.root(net)
            if root in of_input:
                wires.append((of_input[root][0], bit))
                continue
            arrived = self.arrivals.get(root)
            outputs[bit] = Source(self.pins.get(root, 0), arrived[0] if arrived else None)
            made.setdefault(root, []).append(bit)
        passes = [
            (of_input[source][0], bit, ns)
            for net, found in self._through(set(of_input), made).items()
            for source, ns in found.items()
            for bit in made[net]
        ]
        return Border(inputs, outputs, passes, wires)

    def _through(self, given: set[int], made: Iterable[int]) -> dict[int, dict[int, float]]:
        """Output net -> input net -> ns, of those that no register is between."""
        leads, stack = set(), [net for net in made if net in self._passes]
        while stack:
            net = stack.pop()
            if net not in leads:
                leads.add(net)
                for one in self._passes.get(net, ()):
                    stack.extend(self.root(source) for source, _, _ in one.inputs)
        found: dict[int, dict[int, float]] = {net: {net: 0.0} for net in given & leads}
        for net in self.order:
            if net not in leads:
                continue
            best: dict[int, float] = {}
            for one in self._passes[net]:
                first = min((ns for _, ns, _ in one.inputs), default=0.0)
                for source, ns, via in one.inputs:
                    before = self.root(source)
                    step = first if one.ranked else ns
                    for origin, so_far in found.get(before, {}).items():
                        wire = 0.0 if before == origin else self.wire(before, via)
                        best[origin] = max(best.get(origin, 0.0), so_far + wire + step)
            if best:
                found[net] = best
        return {net: found[net] for net in made if net in found and net not in given}

    @cached_property
    def _names(self) -> dict[int, str]:
        """The shortest name that the source gives a net."""
        found: dict[int, str] = {}
        for name, one in self.module.get("netnames", {}).items():
            if one.get("hide_name") or name.startswith("$"):
                continue
            for index, net in enumerate(one["bits"]):
                if isinstance(net, int):
                    shown = f"{name}[{index}]" if len(one["bits"]) > 1 else name
                    if net not in found or len(shown) < len(found[net]):
                        found[net] = shown
        return found

    def named(self, net: int) -> str:
        """A net's name, or the empty string for one that the source has no name for."""
        return self._names.get(net, "")

    def cell_named(self, cell: str) -> str:
        """A cell by what it drives."""
        one = self.module["cells"][cell]
        for pin, way in one["port_directions"].items():
            for net in one["connections"].get(pin, ()) if way == "output" else ():
                if isinstance(net, int) and self.named(net):
                    return self.named(net)
        return "" if cell.startswith("$") else cell
