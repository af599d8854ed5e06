"""Cycles of one frame in the steady state: the interval, and what each layer has of it."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from vaqf.cycles.command_cycles import Command, attention_cycles
from vaqf.cycles.timeline import ENGINE_TURN, Event, Timeline, stream_rate
from vaqf.hardware.board import Board
from vaqf.hardware.design import Design
from vaqf.hardware.order import ATTENTION
from vaqf.model.layers import BINARY, FIXED, NORM_BEFORE, Kind
from vaqf.model.vit import Vit

WAIT_SHARE = 20  # a wait binds when it is more than 1 / 20 of the cycles
ROUNDS = 2  # of all the frames in flight; the second is the steady state
DEPTH = 4  # blocks that are followed: the first two, one for those between, the last
BETWEEN = 2  # that one
TIMED_AS = {ATTENTION: Kind.SCORES}  # the layer that has a command's cycles, if not its own


@dataclass
class LayerTiming:
    """Cycles of one workload layer, and what its exposed cycles wait for."""

    busy: int = 0  # of its engine
    elapsed: int = 0  # from its command's start to the end, with waits for weights
    exposed: int = 0  # of the frame's interval
    bound_by: str = "compute"


@dataclass(frozen=True)
class Schedule:
    """One frame in the steady state."""

    interval: int  # cycles from frame to frame
    latency: int  # from the start of a frame's first command to its logits
    stream_bits: int  # weights and parameters read per frame
    layers: dict[str, LayerTiming] = field(default_factory=dict)


class _Share(NamedTuple):
    """Cycles of a round that belong to one layer of one block."""

    kind: Kind
    block: int
    cycles: float
    bound_by: str


@dataclass(frozen=True)
class BinaryWork:
    """What the binary engine does for one frame if nothing is late, and what is read for it."""

    block: int  # cycles of one encoder block
    ends: int  # of the embedding and the head together
    stream_bits: int  # of weights and parameters


def binary_work(vit: Vit, by_kind: dict[str, Command]) -> BinaryWork:
    """The commands of a frame added up."""
    return BinaryWork(*binary_cycles(by_kind), stream_bits(vit, by_kind))


def closed_interval(depth: int, work: BinaryWork, attention: int, frames: int, rate: float) -> int:
    """Cycles per frame if nothing were late: a lower bound of schedule_frame's interval.

    attention: cycles of a layer; rate: bits per cycle.
    """
    streamed = math.floor(work.stream_bits / rate)
    if frames == 1:
        return max(depth * (work.block + attention) + work.ends, streamed)
    middle = (depth - 1) * max(work.block, attention)
    return max(middle + max(work.block + work.ends, attention), streamed)


def binary_cycles(by_kind: dict[str, Command]) -> tuple[int, int]:
    """Cycles of the binary engine in one block, and in the embedding and head together."""
    block = sum(by_kind[kind].cycles + ENGINE_TURN for kind in BINARY)
    return block, sum(by_kind[kind].cycles + ENGINE_TURN for kind in FIXED)


def stream_bits(vit: Vit, by_kind: dict[str, Command]) -> int:
    """DRAM bits of weights and parameters per frame."""
    block = sum(by_kind[kind].stream_bits for kind in BINARY)
    return vit.depth * block + sum(by_kind[kind].stream_bits for kind in FIXED)


class Followed(NamedTuple):
    """The events of all rounds of a model with no more than DEPTH blocks."""

    timeline: Timeline
    events: list[Event]


def _follow(vit: Vit, board: Board, design: Design, clock_mhz: float) -> Followed:
    shallow = vit if vit.depth <= DEPTH else replace(vit, depth=DEPTH)
    rate = stream_rate(board, design.weight_ports, clock_mhz)
    timeline = Timeline(shallow, design, rate, ROUNDS)
    return Followed(timeline, list(timeline.run()))


def _stands_for(block: int, depth: int) -> range:
    """The blocks of the model that a followed one is the timing of."""
    if depth <= DEPTH or block < BETWEEN:
        return range(block, block + 1)
    return range(BETWEEN, depth - 1) if block == BETWEEN else range(depth - 1, depth)


def schedule_frame(vit: Vit, board: Board, design: Design, clock_mhz: float) -> Schedule:
    """The steady state: the second of two rounds, each of all the frames in flight."""
    timeline, events = _follow(vit, board, design, clock_mhz)
    by_kind = timeline.by_kind
    frames = design.frames_in_flight
    shares = list(_shares(by_kind, events))
    cycles = _cycles(shares, vit.depth)
    # the first slot's frame that ends last began in the same round, or with two in flight before
    begin = [e.start for e in events if e.entry.kind == Kind.EMBED and e.entry.slot == 0][-frames]
    end = [e.end for e in events if e.entry.kind == Kind.HEAD and e.entry.slot == 0][-1]
    skipped = cycles - sum(share.cycles for share in shares)
    return Schedule(
        interval=_per_frame(cycles, frames),
        latency=math.ceil(end - begin + skipped),
        stream_bits=stream_bits(vit, by_kind),
        layers=_timings(vit, design, by_kind, events, shares),
    )


class Interval(NamedTuple):
    """Cycles per frame, and for which attention engines they are the same."""

    cycles: int
    attention: int  # cycles of an attention layer
    spare: float  # a layer may take so much longer, or any less; negative: not one cycle of either

    def holds(self, attention: int) -> bool:
        """Whether the interval is the same with an attention layer of so many cycles."""
        more = attention - self.attention
        return more == 0 or more <= self.spare >= 0


def interval(vit: Vit, board: Board, design: Design, clock_mhz: float) -> Interval:
    """schedule_frame's interval alone, for the search."""
    timeline, events = _follow(vit, board, design, clock_mhz)
    cycles = _cycles(_shares(timeline.by_kind, events), vit.depth)
    per_frame = _per_frame(cycles, design.frames_in_flight)
    return Interval(per_frame, timeline.attention, timeline.spare)


def _cycles(shares: Iterable[_Share], depth: int) -> float:
    """Cycles of a round of the whole model."""
    return sum(share.cycles * len(_stands_for(share.block, depth)) for share in shares)


def _per_frame(cycles: float, frames: int) -> int:
    return math.ceil(round(cycles / frames, 3))


def _shares(by_kind: dict[str, Command], events: list[Event]) -> Iterator[_Share]:
    """The second round's time on the binary engine, cut at the ends of its commands.

    Time before a command that attention takes is the share of its block's scores.
    """
    count = len(events) // ROUNDS
    attention_waited = False  # for the attention before it
    previous = next(e for e in reversed(events[:count]) if e.entry.kind != ATTENTION)
    for event in events[count:]:
        entry = event.entry
        if entry.kind == ATTENTION:
            attention_waited = event.waited_for == "attention"
            continue
        gap = event.start - previous.end - ENGINE_TURN
        if attention_waited or event.waited_for == "attention":
            yield _Share(TIMED_AS[ATTENTION], entry.block, gap, "attention")
            gap = 0.0
        yield from _command_shares(by_kind[entry.kind], event, gap)
        previous, attention_waited = event, False


def _command_shares(command: Command, event: Event, gap: float) -> Iterator[_Share]:
    """A command's cycles by the layer they belong to: its layer norm's first fetch apart."""
    kind, block = event.entry.kind, event.entry.block
    if kind in NORM_BEFORE:
        yield _Share(NORM_BEFORE[kind], block, command.norm_cycles, "start-up")
    cycles = ENGINE_TURN + gap + event.end - event.start - command.norm_cycles
    waits = {
        "parameters": gap,
        "weights": event.stall,
        command.binds: command.groups * (command.group_cycles - command.compute_cycles),
    }
    longest = max(waits, key=lambda key: waits[key])
    bound_by = longest if waits[longest] * WAIT_SHARE > cycles else "compute"
    yield _Share(kind, block, cycles, bound_by)


def _timings(
    vit: Vit,
    design: Design,
    by_kind: dict[str, Command],
    events: list[Event],
    shares: list[_Share],
) -> dict[str, LayerTiming]:
    """Exposed cycles per frame, rounded so that they add up to the interval; busy cycles."""
    frames = design.frames_in_flight
    attention = attention_cycles(vit, design, design.attention_rows)
    layers: dict[str, LayerTiming] = {}
    for i in range(vit.depth):
        scores = LayerTiming(attention, attention, 0, "hidden")
        layers[TIMED_AS[ATTENTION].of(i)] = scores
        layers[ATTENTION.of(i)] = LayerTiming(attention, 0, 0, "hidden")
    totals: dict[str, float] = {}
    for share in shares:
        for block in _stands_for(share.block, vit.depth):
            name = share.kind.of(block)
            totals[name] = totals.get(name, 0.0) + share.cycles
            layers.setdefault(name, LayerTiming()).bound_by = share.bound_by
    running = 0.0
    for name, total in totals.items():
        before = _per_frame(running, frames)
        running += total
        layers[name].exposed = _per_frame(running, frames) - before
    for event in events[len(events) // ROUNDS :]:
        kind = event.entry.kind
        if kind == ATTENTION:
            continue
        command = by_kind[kind]
        for block in _stands_for(event.entry.block, vit.depth):
            layer = layers[kind.of(block)]
            layer.busy, layer.elapsed = command.cycles, round(event.end - event.start)
            if kind in NORM_BEFORE:
                norm = layers[NORM_BEFORE[kind].of(block)]
                norm.busy = command.groups * command.read_cycles
    return layers
