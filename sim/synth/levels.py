"""How many LUTs lie between registers: a netlist of Yosys, as JSON, walked from source to sink.

A LUT, and a read of a LUTRAM, is one level; wide multiplexers and carry chains are none beside the
LUTs in front of them. Block RAMs and DSPs begin and end paths, as flip-flops do. Across modules
paths are put together port by port, so the longest path is an upper bound where a port has bits of
different depth.
"""

from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

Json = Mapping[str, Any]
Place = tuple[str, str]  # (instance, port); instance "" is the module itself
Arcs = dict[tuple[Place, Place], int]  # (where a path begins, where it ends) -> levels
REGISTER: Place = ("", "")

_LEVELS = {
    "LUT6_2": 1,
    "INV": 1,
    "MUXF7": 0,
    "MUXF8": 0,
    "MUXF9": 0,
    "CARRY4": 0,
    "CARRY8": 0,
    **{f"LUT{n}": 1 for n in range(1, 7)},
}
# of a LUTRAM: what is read passes through, everything else is written at the clock
_READ_ADDRESS = {
    "RAM32M": [("DO" + port, "ADDR" + port) for port in "ABCD"],
    "RAM32M16": [("DO" + port, "ADDR" + port) for port in "ABCDEFGH"],
    "RAM64M": [("DO" + port, "ADDR" + port) for port in "ABCD"],
    "RAM64M8": [("DO" + port, "ADDR" + port) for port in "ABCDEFGH"],
    "RAM32X1D": [("DPO", "DPRA"), ("SPO", "A")],
    "RAM64X1D": [("DPO", "DPRA"), ("SPO", "A")],
    "RAM128X1D": [("DPO", "DPRA"), ("SPO", "A")],
    "RAM256X1D": [("DPO", "DPRA"), ("SPO", "A")],
    **{f"RAM{words}X1S": [("O", "A"), ("O", "ADDR")] for words in (16, 32, 64, 128, 256, 512)},
}


def arcs(module: Json, children: frozenset[str] = frozenset()) -> Arcs:
    """The longest path between every two of: registers, ports, and ports of the children.

    A wire from port to port is an arc of no levels.
    """
    sources: dict[int, Place] = {}
    drivers: dict[int, tuple[int, list[int]]] = {}  # of a net: levels, and the nets in front
    sinks: list[tuple[Place, list[int]]] = []
    for port, description in module["ports"].items():
        bits = _nets(description["bits"])
        if description["direction"] == "input":
            sources.update((bit, ("", port)) for bit in bits)
        else:
            sinks.append((("", port), bits))
    for name, cell in module["cells"].items():
        pins, child = cell["connections"], cell["type"] in children
        outputs = {p for p, direction in cell["port_directions"].items() if direction == "output"}
        passing = dict(_passing(cell, outputs & set(pins)))
        for pin, bits in pins.items():
            if pin in passing:
                levels, given = passing[pin]
                nets = [net for one in given for net in _nets(pins[one])]
                drivers.update((net, (levels, nets)) for net in _nets(bits))
            elif pin in outputs:
                sources.update((net, (name, pin) if child else REGISTER) for net in _nets(bits))
            elif child or cell["type"] not in _LEVELS:
                sinks.append(((name, pin) if child else REGISTER, _nets(bits)))

    arrivals = _arrivals(sources, drivers)
    found: Arcs = {}
    for sink, nets in sinks:
        for source, levels in _latest(arrivals, nets).items():
            found[source, sink] = max(levels, found.get((source, sink), 0))
    return found


def _arrivals(
    sources: Mapping[int, Place], drivers: Mapping[int, tuple[int, list[int]]]
) -> dict[int, dict[Place, int]]:
    """What reaches every net, and through how many levels at most."""
    found: dict[int, dict[Place, int]] = {net: {place: 0} for net, place in sources.items()}
    for net in TopologicalSorter({net: nets for net, (_, nets) in drivers.items()}).static_order():
        if net in drivers:
            levels, nets = drivers[net]
            found[net] = {place: levels + n for place, n in _latest(found, nets).items()}
    return found


def _latest(arrivals: Mapping[int, Mapping[Place, int]], nets: Iterable[int]) -> dict[Place, int]:
    """What reaches these nets, and through how many levels at most."""
    found: dict[Place, int] = {}
    for net in nets:
        for place, levels in arrivals.get(net, {}).items():
            if levels > found.get(place, -1):
                found[place] = levels
    return found


def _passing(cell: Json, outputs: set[str]) -> Iterator[tuple[str, tuple[int, list[str]]]]:
    """The outputs of a cell that no register is in front of: levels, and the pins they follow."""
    kind = cell["type"]
    given = [pin for pin in cell["connections"] if pin not in outputs]
    if kind == "LUT6_2":
        init = int(cell["parameters"]["INIT"], 2)
        half = init & 0xFFFF_FFFF
        for pin, table, size in (("O6", init, 64), ("O5", half, 32)):
            if pin in outputs:
                yield pin, (1, [one for one in given if _matters(table, size, int(one[1]))])
    elif kind in _LEVELS:
        yield from ((pin, (_LEVELS[kind], given)) for pin in outputs)
    for data, prefix in _READ_ADDRESS.get(kind, ()):
        address = [pin for pin in given if pin.rstrip("0123456789") == prefix]
        if data in outputs and address:
            yield data, (1, address)


def _matters(table: int, size: int, pin: int) -> bool:
    """Whether a truth table depends on one of its inputs."""
    flip = 1 << pin
    return flip < size and any((table >> i ^ table >> (i ^ flip)) & 1 for i in range(size))


def _nets(bits: Iterable[int | str]) -> list[int]:
    return [bit for bit in bits if isinstance(bit, int)]


def longest(tree: Mapping[str, tuple[Arcs, Mapping[str, str]]], top: str) -> int:
    """The longest path from register to register of a hierarchy: module -> (arcs, instances)."""
    return _whole(tree, top, {}).get((REGISTER, REGISTER), 0)


def _whole(
    tree: Mapping[str, tuple[Arcs, Mapping[str, str]]], name: str, known: dict[str, Arcs]
) -> Arcs:
    """The arcs of a module with all below it: between its registers and its ports."""
    if name in known:
        return known[name]
    own, instances = tree[name]
    following: dict[Place, list[tuple[Place, int]]] = {}
    for (source, sink), levels in own.items():
        following.setdefault(source, []).append((sink, levels))
    begins = {source: (source, 0) for source in following if source[0] == ""}
    ends: dict[Place, int] = {}  # levels from a child's port to its registers
    found: Arcs = {}

    def keep(source: Place, sink: Place, levels: int) -> None:
        found[source, sink] = max(levels, found.get((source, sink), 0))

    for instance, module in instances.items():
        for (source, sink), levels in _whole(tree, module, known).items():
            if source == sink == REGISTER:
                keep(REGISTER, REGISTER, levels)
            elif source == REGISTER:
                begins[instance, sink[1]] = (REGISTER, levels)
            elif sink == REGISTER:
                ends[instance, source[1]] = levels
            else:
                arc = ((instance, sink[1]), levels)
                following.setdefault((instance, source[1]), []).append(arc)
    for place, (origin, levels) in begins.items():
        for sink, total in _reached(place, levels, following).items():
            if sink[0] == "":
                keep(origin, sink, total)
            elif sink in ends:
                keep(origin, REGISTER, total + ends[sink])
    known[name] = found
    return found


def _reached(
    start: Place, levels: int, following: Mapping[Place, list[tuple[Place, int]]]
) -> dict[Place, int]:
    """Longest distances from one place on; registers, own ports and circles end a path."""
    reached: dict[Place, int] = {}
    stack = [(start, levels, frozenset([start]))]
    while stack:
        here, so_far, way = stack.pop()
        for sink, more in following.get(here, ()):
            total, ends = so_far + more, sink[0] == ""
            if total > reached.get(sink, -1) and (ends or sink not in way):
                reached[sink] = total
                if not ends:
                    stack.append((sink, total, way | {sink}))
    return reached
