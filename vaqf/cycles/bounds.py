"""Cycles of a frame that no schedule goes below, from sums alone.

A search discards designs by them, before it follows the others command by command (schedule.py).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from vaqf.cycles.command_cycles import Command, context_records
from vaqf.cycles.timeline import BUFFERS, ENGINE_TURN
from vaqf.hardware.design import RECORD_BYTES, Design
from vaqf.model.layers import BINARY, FIXED
from vaqf.model.vit import Vit


class Held(NamedTuple):
    """Commands that hold their weights in the ring while there is little room for others."""

    times: int  # in a frame
    cycles: float  # from the end of the first token group to the start of the last
    more_bits: int  # what may be read meanwhile, at most


@dataclass(frozen=True)
class BinaryWork:
    """What the binary engine does for one frame if nothing is late, and what is read for it."""

    block: int  # cycles of one encoder block
    ends: int  # of the embedding and the head together
    stream_bits: int  # of weights and parameters
    held: tuple[Held, ...]


def binary_work(vit: Vit, design: Design, by_kind: dict[str, Command]) -> BinaryWork:
    """The commands of a frame added up."""
    held = () if design.resident else tuple(_held(vit, design, by_kind))
    return BinaryWork(*binary_cycles(by_kind), stream_bits(vit, design, by_kind), held)


def _held(vit: Vit, design: Design, by_kind: dict[str, Command]) -> Iterator[Held]:
    """All of a command's weights have come when its first group ends, and none is released before
    its last begins: meanwhile the next may fill the rest of the ring, and parameters come one
    matmul ahead."""
    parameters = BUFFERS * context_bits(vit, design) + max(
        one.parameter_bits for one in by_kind.values()
    )
    for kind, command in by_kind.items():
        room = (design.ring_words - command.weight_words) * design.ring_word_bits
        cycles = max(0, command.groups - 2) * command.group_cycles
        more = room + parameters + command.constant_bits
        yield Held(vit.depth if kind in BINARY else 1, cycles, more)


def port_cycles(work: BinaryWork, rate: float) -> int:
    """Cycles per frame that the weight port needs at least, idle ones included.

    rate: bits per cycle.
    """
    idle = sum(held.times * max(0.0, held.cycles - held.more_bits / rate) for held in work.held)
    return math.floor(work.stream_bits / rate + idle)


def closed_interval(depth: int, work: BinaryWork, attention: int, frames: int, port: int) -> int:
    """No fewer cycles per frame: the engines' work, or the port's.

    attention: cycles of a layer; port: port_cycles, or 0 if weights are always there.
    """
    if frames == 1:
        return max(depth * (work.block + attention) + work.ends, port)
    middle = (depth - 1) * max(work.block, attention)
    return max(middle + max(work.block + work.ends, attention), port)


def binary_cycles(by_kind: dict[str, Command]) -> tuple[int, int]:
    """Cycles of the binary engine in one block, and in the embedding and head together."""
    block = sum(by_kind[kind].cycles + ENGINE_TURN for kind in BINARY)
    return block, sum(by_kind[kind].cycles + ENGINE_TURN for kind in FIXED)


def context_bits(vit: Vit, design: Design) -> int:
    """DRAM bits of the parameters of an attention layer."""
    return 8 * RECORD_BYTES * context_records(vit, design)


def block_bits(vit: Vit, design: Design, by_kind: dict[str, Command]) -> int:
    """DRAM bits of weights and parameters of one encoder block."""
    return sum(by_kind[kind].stream_bits for kind in BINARY) + context_bits(vit, design)


def stream_bits(vit: Vit, design: Design, by_kind: dict[str, Command]) -> int:
    """DRAM bits of weights and parameters per frame."""
    ends = sum(by_kind[kind].stream_bits for kind in FIXED)
    return vit.depth * block_bits(vit, design, by_kind) + ends
