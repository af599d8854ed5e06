"""The order of commands: of one frame, in phases, in steps of both engines with frames in flight.

A phase is what the binary engine does between two attention layers. With one frame in flight
phases and attention alternate. With two the attention engine works on one frame while the binary
engine runs a phase of the other; both end before the next step. The last phase of a frame shares
a step with the first phase of the next frame in the same slot, so the list, which runs again and
again, has two steps per block and ends two frames.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from vaqf.model.layers import BINARY, FIXED, Kind, Layer, of_frame

ATTENTION = Kind.CONTEXT  # one command computes scores, softmax and context
COMMANDS = (*FIXED, *BINARY, ATTENTION)  # layers that a command is named after


@dataclass(frozen=True)
class Entry(Layer):
    """One command of the list: the layer that it writes, and for which frame."""

    frame: int  # counted from the first that this round of the list begins
    new_step: bool  # both engines are done before it starts

    @property
    def slot(self) -> int:
        """Where the frame lies in memory."""
        return self.frame % 2


def commands(depth: int) -> list[Layer]:
    """The commands of one frame."""
    return [layer for layer in of_frame(depth) if layer.kind in COMMANDS]


def phases(depth: int) -> list[list[Layer]]:
    """The phases 0 to `depth` of one frame: its commands, cut at attention."""
    found: list[list[Layer]] = [[]]
    for layer in commands(depth):
        if layer.kind == ATTENTION:
            found.append([])
        else:
            found[-1].append(layer)
    return found


@lru_cache(maxsize=64)
def command_list(depth: int, frames: int) -> tuple[Entry, ...]:
    """What runs again and again, with one or two frames in flight."""
    steps = _one_frame(depth) if frames == 1 else _two_frames(depth)
    return tuple(
        Entry(layer.kind, layer.block, frame, new_step=position == 0)
        for step in steps
        for position, (layer, frame) in enumerate(step)
    )


Step = list[tuple[Layer, int]]  # what runs, for which frame


def _of(frame: int, layers: list[Layer]) -> Step:
    return [(layer, frame) for layer in layers]


def _one_frame(depth: int) -> Iterator[Step]:
    for block, phase in enumerate(phases(depth)):
        yield _of(0, phase)
        if block < depth:
            yield [(Layer(ATTENTION, block), 0)]


def _two_frames(depth: int) -> Iterator[Step]:
    """The first step of both slots ends the frames that the round before began."""
    first, *between, last = phases(depth)
    yield [(Layer(ATTENTION, depth - 1), -1), *_of(-2, last), *_of(0, first)]
    yield [(Layer(ATTENTION, 0), 0), *_of(-1, last), *_of(1, first)]
    for block, phase in enumerate(between):
        yield [(Layer(ATTENTION, block), 1), *_of(0, phase)]
        yield [(Layer(ATTENTION, block + 1), 0), *_of(1, phase)]


def result(command: Layer) -> str:
    """Golden's name of what a command writes; outside of blocks that is the kind's own word."""
    return command.name if command.kind.in_block else command.kind.value
