"""What the units around a unit see of it, bit by bit of its ports."""

from dataclasses import dataclass
from typing import NamedTuple

Bit = tuple[str, int]  # of a port


class Sink(NamedTuple):
    """An input of a unit: the pins behind it, and ns from one of them to a register, if any."""

    pins: int
    ns: float | None


class Source(NamedTuple):
    """An output of a unit: further pins of its net inside, and ns from a register, if any."""

    pins: int
    ns: float | None


@dataclass(frozen=True)
class Border:
    """What the units around one see of it."""

    inputs: dict[Bit, Sink]
    outputs: dict[Bit, Source]
    passes: list[tuple[Bit, Bit, float]]  # from a pin behind an input to an output's driver
    wires: list[tuple[Bit, Bit]]  # an input that is an output
