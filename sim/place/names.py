"""Cells and nets of a mapped netlist, by the names that the RTL gives them.

Yosys names a cell after a net at its output and nets between LUTs after cells, in long rows. What
a person looks for is the declared signal: of a netlist's names for a bit the one whose `src` is a
line of our sources.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Json = Mapping[str, Any]
# what Yosys's autoname and nextpnr put behind the name of a net or a cell
MADE = re.compile(r"_(?:TRELLIS|LUT4|CCU2C|PFUMX|L6MUX21|DP16KD|PDPW16KD|MULT18X18D)(?:_|$)")
PACKED = re.compile(r"\$.*")
# and a port of the memory beside which Yosys made a register
PORT = re.compile(r"_(?:DO|DI|AD|RAD|WAD)[AB]?\d*$")
SOURCE = re.compile(r"\d+_([\w.]+):(\d+)\.")  # as read_all numbers files
# pins by which a cell gives what it holds
OUTPUTS = re.compile(r"Q|DO[AB]?\d*|P\d+|D[OC]\d*")


class Place(NamedTuple):
    """A declared signal, or what the netlist has where nobody knows of one."""

    name: str
    file: str = ""
    line: int = 0

    def to_json(self) -> dict[str, Any]:
        """Its entry of a path."""
        return self._asdict()


@dataclass(frozen=True)
class _Signal:
    """One bit of a declared signal."""

    name: str
    file: str
    line: int


class Names:
    """Of one netlist as Yosys writes it to JSON; `inside`: the instance whose name is left out."""

    def __init__(self, module: Json, inside: str = "") -> None:
        self._inside = inside
        self._cells: Json = module["cells"]
        self._signals: dict[Any, list[_Signal]] = {}
        for name, net in module["netnames"].items():
            source = SOURCE.search(net.get("attributes", {}).get("src", ""))
            if net.get("hide_name") or source is None or MADE.search(name):
                continue
            low, bits = net.get("offset", 0), net["bits"]
            for index, bit in enumerate(bits):
                shown = f"{name}[{low + index}]" if len(bits) > 1 else name
                signal = _Signal(shown, source[1], int(source[2]))
                self._signals.setdefault(bit, []).append(signal)
        self._nets = module["netnames"]

    def register(self, cell: str) -> Place:
        """What a flip-flop, LUTRAM, block RAM or DSP is in the RTL."""
        name = PACKED.sub("", cell)
        found = self._cells.get(name)
        if found is None:
            return self._shown(Place(name))
        source = SOURCE.search(found.get("attributes", {}).get("src", ""))
        file = source[1] if source else ""
        for port, bits in found["connections"].items():
            if found["port_directions"].get(port) == "output" and OUTPUTS.fullmatch(port):
                for bit in bits:
                    if place := self._signal(bit, file):
                        return self._shown(place)
        plain = PORT.sub("", MADE.split(name)[0])
        return self._shown(Place(plain, file, int(source[2]) if source else 0))

    def net(self, name: str) -> Place | None:
        """The declared signal on a net; None for one that only tools know."""
        found = self._nets.get(name)
        index = 0
        if found is None and (bit := re.fullmatch(r"(.*)\[(\d+)\]", name)):
            found = self._nets.get(bit[1])
            index = int(bit[2]) - (found or {}).get("offset", 0)
        if found is None or not 0 <= index < len(found["bits"]):
            return None
        place = self._signal(found["bits"][index], "")
        return None if place is None else self._shown(place)

    def _signal(self, bit: object, file: str) -> Place | None:
        """One of a bit's signals: in `file` if there is one, the deepest, ports of it last."""
        known = self._signals.get(bit, [])
        here = [signal for signal in known if signal.file == file] or known
        if not here:
            return None
        best = max(here, key=lambda signal: (signal.name.count("."), signal.line, signal.name))
        return Place(best.name, best.file, best.line)

    def _shown(self, place: Place) -> Place:
        return place._replace(name=place.name.removeprefix(f"{self._inside}."))
