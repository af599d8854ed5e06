"""The paths of a whole hierarchy of units, each unit kind looked at once."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vaqf.sim.synth.timing.border import Border
from vaqf.sim.synth.timing.delays import OUTSIDE, Delays
from vaqf.sim.synth.timing.graph import Endpoint, Graph

Json = Mapping[str, Any]
BIN_NS = 0.25  # of the histogram
FAN_OUT = 1000  # pins of a net from which on it is told
SHOWN = 10


@dataclass(frozen=True)
class Place:
    """A register, or a net on the way, by the name that its source gives it."""

    name: str  # with the instances above it
    file: str  # "" where nobody knows
    line: int

    def to_json(self) -> dict[str, Any]:
        """Its entry of a path."""
        return {"name": self.name, "file": self.file, "line": self.line}


@dataclass(frozen=True)
class Path:
    """The longest of the paths between the same two modules."""

    ns: float
    places: tuple[Place, ...]  # from register to register
    levels: int  # LUTs, carry chains and other primitives in between
    instances: int  # of the unit in which it ends

    def to_json(self) -> dict[str, Any]:
        """One entry of paths[]."""
        return {
            "ns": round(self.ns, 3),
            "levels": self.levels,
            "instances": self.instances,
            "places": [place.to_json() for place in self.places],
        }


@dataclass(frozen=True)
class Net:
    """One that drives many pins, all instances of its unit alike."""

    place: Place
    pins: int
    instances: int


@dataclass(frozen=True)
class Timing:
    """Of a whole design in one scenario."""

    scenario: str
    worst_ns: float
    paths: tuple[Path, ...]  # the longest first
    histogram: tuple[tuple[float, int], ...]  # (ns at most, endpoints), the slowest first
    nets: tuple[Net, ...]  # the ones with most pins first
    by_module: Mapping[str, float]  # source module -> its worst path that ends there

    def to_json(self) -> dict[str, Any]:
        """One entry of timing."""
        return {
            "scenario": self.scenario,
            "worst_ns": round(self.worst_ns, 3),
            "paths": [path.to_json() for path in self.paths],
            "endpoints": [{"ns_at_most": ns, "count": n} for ns, n in self.histogram],
            "nets": [
                {**net.place.to_json(), "pins": net.pins, "instances": net.instances}
                for net in self.nets
            ],
            "modules": {name: round(ns, 3) for name, ns in self.by_module.items()},
        }


@dataclass(frozen=True)
class Part:
    """A unit as the analysis wants it."""

    netlist: Json
    module: str  # the name of its source
    instances: Mapping[str, str]  # cell -> unit
    sources: Mapping[str, tuple[str, int]]  # wire -> (file, line)


class Hierarchy:
    """Units below a top, with the graph of each."""

    def __init__(
        self,
        parts: Mapping[str, Part],
        times: Mapping[str, int],
        top: str,
        d: Delays,
        scenario: str,
    ) -> None:
        self._parts, self._times, self._top, self._scenario = parts, times, top, scenario
        self._graphs: dict[str, Graph] = {}
        borders: dict[str, Border] = {}
        # `times` has the ones that use others first
        for name in reversed(list(times)):
            part = parts[name]
            inside = {cell: borders[kind] for cell, kind in part.instances.items()}
            graph = Graph(part.netlist, d, scenario, inside, part.module)
            if name == top:
                _outside(graph)
            self._graphs[name] = graph
            borders[name] = graph.border

    def timing(self) -> Timing:
        """What is told of all of them."""
        worst: dict[tuple[str, str], tuple[Endpoint, str]] = {}
        bins: Counter[int] = Counter()
        by_module: dict[str, float] = {}
        for name, graph in self._graphs.items():
            module = self._parts[name].module
            for end in graph.endpoints():
                bins[int(end.ns / BIN_NS)] += self._times[name]
                by_module[module] = max(end.ns, by_module.get(module, 0.0))
                key = self._between(name, graph, end)
                if key not in worst or end.ns > worst[key][0].ns:
                    worst[key] = (end, name)
        longest = sorted(worst.values(), key=lambda one: -one[0].ns)[:SHOWN]
        paths = tuple(self._path(end, name) for end, name in longest)
        return Timing(
            self._scenario,
            paths[0].ns if paths else 0.0,
            paths,
            tuple(((one + 1) * BIN_NS, bins[one]) for one in sorted(bins, reverse=True)),
            tuple(sorted(self._nets(), key=lambda net: -net.pins)),
            dict(sorted(by_module.items(), key=lambda one: -one[1])),
        )

    def _between(self, name: str, graph: Graph, end: Endpoint) -> tuple[str, str]:
        """Which paths are alike: those that begin and end at the same registers, whichever bit of
        them and whichever of equal lanes."""
        if end.net < 0:
            return name, _alike(graph.cell_named(end.cell))
        first = graph.way(end.net)[0]
        last = f"{end.cell}.{end.pin}"
        if end.cell and end.cell not in graph.children:
            last = graph.cell_named(end.cell)
        return f"{name} {_alike(graph.named(first))}", _alike(last)

    def _path(self, end: Endpoint, name: str) -> Path:
        graph = self._graphs[name]
        if end.net < 0:
            place = self._place(name, graph.cell_named(end.cell))
            return Path(end.ns, (place,), 0, self._times[name])
        before = list(self._before(name, end.net, ""))
        behind = list(self._behind(name, end.cell, end.pin, end.bit, ""))
        steps = before + behind
        places = [place for place in steps if place.name]
        return Path(
            end.ns,
            tuple(dict.fromkeys(places)),
            len(before) - 1 + max(0, len(behind) - 1),
            self._times[name],
        )

    def _before(self, name: str, net: int, above: str) -> Iterator[Place]:
        """From the register where a path begins to a net of this unit."""
        graph = self._graphs[name]
        way = graph.way(net)
        source = self._from_unit(name, way[0])
        if source is not None:
            cell, port, bit = source
            kind = self._parts[name].instances[cell]
            inner = dict(self._graphs[kind].ports("output"))[port, bit]
            yield from self._before(kind, self._graphs[kind].root(inner), f"{above}{cell}.")
            way = way[1:]
        for one in way:
            yield self._place(name, graph.named(one), above)

    def _behind(self, name: str, cell: str, pin: str, bit: int, above: str) -> Iterator[Place]:
        """From a pin of this unit to the register where a path ends."""
        graph = self._graphs[name]
        if cell not in graph.children:
            yield self._place(name, graph.cell_named(cell) if cell else pin, above)
            return
        kind = self._parts[name].instances[cell]
        inner = self._graphs[kind]
        way, end = inner.way_on(dict(inner.ports("input"))[pin, bit])
        for one in way:
            yield self._place(kind, inner.named(one), f"{above}{cell}.")
        if end is not None:
            yield from self._behind(kind, end[1], end[0].pin, end[2], f"{above}{cell}.")

    def _from_unit(self, name: str, net: int) -> tuple[str, str, int] | None:
        """The unit inside, its port and the bit that drive a net."""
        graph = self._graphs[name]
        for cell in graph.children:
            for port, bits in graph.module["cells"][cell]["connections"].items():
                if graph.module["cells"][cell]["port_directions"][port] == "output":
                    for index, bit in enumerate(bits):
                        if bit == net:
                            return cell, port, index
        return None

    def _nets(self) -> Iterator[Net]:
        """Of all units; a net that ends at a port is counted where it is driven from."""
        for name, graph in self._graphs.items():
            ports = {graph.root(net) for way in ("input", "output") for _, net in graph.ports(way)}
            for net, pins in graph.pins.items():
                whole = name == self._top or net not in ports
                if pins >= FAN_OUT and whole and net in graph.arrivals and net in graph.tails:
                    yield Net(self._place(name, graph.named(net)), pins, self._times[name])

    def _place(self, name: str, net: str, above: str = "") -> Place:
        part = self._parts[name]
        file, line = part.sources.get(_bare(net), ("", 0))
        return Place(f"{above}{net}" if net else "", file or f"{part.module}.sv", line)


def _outside(graph: Graph) -> None:
    """The ports of the whole: registers behind each, a little away."""
    for _, net in graph.ports("input"):
        graph.begin(net, OUTSIDE)
    for (port, bit), net in graph.ports("output"):
        graph.end(net, OUTSIDE, port, bit)


def _alike(name: str) -> str:
    """Without any index."""
    return re.sub(r"\[\d+\]", "", name)


def _bare(name: str) -> str:
    """Without the bit."""
    return re.sub(r"\[\d+\]$", "", name)
