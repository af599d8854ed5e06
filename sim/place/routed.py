"""A routed design: what nextpnr reports of it, with the names of the RTL."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vaqf.sim.place.device import NEXTPNR_NAMES
from vaqf.sim.place.names import Json, Names, Place

SLOWEST = 10  # registers told
_INDEX = re.compile(r"\[\d+\]$")


@dataclass(frozen=True)
class Path:
    """The longest path from register to register."""

    ns: float
    routing_ns: float  # of it on wires
    levels: int  # LUTs, carry chains and other cells on the way
    places: tuple[Place, ...]  # the registers at its ends, and named signals between them

    def to_json(self) -> dict[str, Any]:
        """The key critical_path."""
        return {
            "ns": round(self.ns, 3),
            "routing_ns": round(self.routing_ns, 3),
            "levels": self.levels,
            "places": [place.to_json() for place in self.places],
        }


@dataclass(frozen=True)
class End:
    """A register, and the latest arrival at one of its bits."""

    ns: float
    place: Place

    def to_json(self) -> dict[str, Any]:
        """One entry of slowest[]."""
        return {"ns": round(self.ns, 3)} | self.place.to_json()


@dataclass(frozen=True)
class Routed:
    """One design after place and route."""

    name: str
    clock_mhz: float
    used: Mapping[str, int]  # by our names of resources
    path: Path
    slowest: tuple[End, ...]  # registers at which the longest paths end, each once

    def to_json(self) -> dict[str, Any]:
        """Its clock, resources and paths."""
        return {
            "name": self.name,
            "clock_mhz": round(self.clock_mhz, 2),
            "resources": dict(self.used),
            "critical_path": self.path.to_json(),
            "slowest": [end.to_json() for end in self.slowest],
        }


def of(name: str, report: Json, names: Names) -> Routed:
    """From nextpnr's report (--detailed-timing-report); of several clocks the slowest."""
    clock, speed = min(report["fmax"].items(), key=lambda found: found[1]["achieved"])
    event = f"posedge {clock}"
    steps = next(
        found["path"]
        for found in report["critical_paths"]
        if found["from"] == event and found["to"] == event
    )
    return Routed(
        name,
        speed["achieved"],
        {ours: report["utilization"][theirs]["used"] for ours, theirs in NEXTPNR_NAMES.items()},
        _path(steps, names),
        tuple(_slowest(report["detailed_net_timings"], event, names)),
    )


def _path(steps: list[Json], names: Names) -> Path:
    """Of the steps in nextpnr's report: clk-to-q, routing and logic by turns, setup."""
    routing = [step for step in steps if step["type"] == "routing"]
    places = [names.register(steps[0]["from"]["cell"])]
    # the first net carries the register, by whatever name
    for step in routing[1:]:
        place = names.net(step["net"])
        if place is not None and place != places[-1]:
            places.append(place)
    places.append(names.register(steps[-1]["to"]["cell"]))
    return Path(
        sum(step["delay"] for step in steps),
        sum(step["delay"] for step in routing),
        sum(step["type"] == "logic" for step in steps),
        tuple(places),
    )


def _slowest(nets: Iterable[Json], event: str, names: Names) -> Iterable[End]:
    """Registers with the latest arrivals, from the latest on."""
    arrivals = sorted(
        (
            (end["delay"][1], end["cell"])
            for net in nets
            if net["event"] == event
            for end in net["endpoints"]
            if end["event"] == event
        ),
        reverse=True,
    )
    told: set[str] = set()
    for ns, cell in arrivals:
        place = names.register(cell)
        whole = _INDEX.sub("", place.name)
        if whole not in told:
            told.add(whole)
            yield End(ns, place)
            if len(told) == SLOWEST:
                return
