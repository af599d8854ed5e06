"""Cycles of one frame in the steady state: the interval, and what each layer has of it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import NamedTuple

from vaqf.cycles.bounds import block_bits, stream_bits
from vaqf.cycles.command_cycles import Command
from vaqf.cycles.timeline import ENGINE_TURN, Event, Timeline, stream_rate
from vaqf.hardware.board import Board
from vaqf.hardware.design import Design
from vaqf.hardware.family import Family
from vaqf.hardware.order import ATTENTION, command_list
from vaqf.model.layers import NORM_BEFORE, Kind
from vaqf.model.vit import Vit

WAIT_SHARE = 20  # a wait binds when it is more than 1 / 20 of the cycles
ROUNDS = 2  # of all the frames in flight; the second is the steady state
AHEAD = 1  # rounds behind them, whose weights and parameters are read meanwhile
SHALLOW = 4  # blocks that are followed: the first two, one for those between, the last
ALIKE = 0.5  # cycles of a round that blocks between may differ by
KEEPS_UP = 1.05  # so many times the cycles of its weights a block must take: the ring stays full
TIMED_AS = {ATTENTION: Kind.SCORES}  # the layer that has a command's cycles, if not its own


@dataclass
class LayerTiming:
    """Cycles of one workload layer, and what its exposed cycles wait for."""

    busy: int = 0  # of its engine
    elapsed: int = 0  # from its command's start to the end, with waits; mean of frames in flight
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
class _Followed:
    """A model's commands, or those of one with fewer blocks, through all rounds."""

    timeline: Timeline
    events: list[Event]
    shares: list[_Share]  # of the second round
    blocks: int  # that were followed
    depth: int  # of the model

    def stands_for(self, block: int) -> range:
        """The blocks of the model that a followed one is the timing of."""
        last = self.blocks - 1
        if block == last:
            return range(self.depth - 1, self.depth)
        if block == last - 1:
            return range(block, self.depth - 1)
        return range(block, block + 1)

    @property
    def cycles(self) -> float:
        """Of a round of the whole model."""
        return sum(share.cycles * len(self.stands_for(share.block)) for share in self.shares)

    def between_alike(self, port_cycles: float) -> bool:
        """Whether a block between the first and the last takes as long as the one before it, and
        longer than its weights, which come in so many cycles: else the ring runs empty block by
        block."""
        first, second = (
            sum(share.cycles for share in self.shares if share.block == block) for block in (1, 2)
        )
        return abs(second - first) <= ALIKE and second >= KEEPS_UP * port_cycles


def _follow(vit: Vit, board: Board, design: Design, clock_mhz: float) -> _Followed:
    """As few blocks as tell the timing of all."""
    rate = stream_rate(board, design.weight_ports, clock_mhz)
    family = board.generation
    found = _follow_blocks(min(vit.depth, SHALLOW), vit, design, family, rate)
    if vit.depth <= SHALLOW:
        return found
    bits = design.frames_in_flight * block_bits(vit, design, found.timeline.by_kind)
    if found.between_alike(bits / rate):
        return found
    return _follow_blocks(vit.depth, vit, design, family, rate)


def _follow_blocks(blocks: int, vit: Vit, design: Design, family: Family, rate: float) -> _Followed:
    """The model with so many blocks."""
    entries = command_list(blocks, design.frames_in_flight)
    model = replace(vit, depth=blocks)
    timeline = Timeline(model, design, family, rate, entries * (ROUNDS + AHEAD))
    events = list(islice(timeline.run(), ROUNDS * len(entries)))
    shares = list(_shares(timeline.by_kind, events))
    return _Followed(timeline, events, shares, blocks, vit.depth)


def schedule_frame(vit: Vit, board: Board, design: Design, clock_mhz: float) -> Schedule:
    """The steady state: the second of two rounds, each of all the frames in flight.

    With two in flight the latency is of a frame that begins in the first of them.
    """
    followed = _follow(vit, board, design, clock_mhz)
    events, cycles, frames = followed.events, followed.cycles, design.frames_in_flight
    # the first slot's frame that ends last began in the same round, or with two in flight before
    begin = [e.start for e in events if e.entry.kind == Kind.EMBED and e.entry.slot == 0][-frames]
    end = [e.end for e in events if e.entry.kind == Kind.HEAD and e.entry.slot == 0][-1]
    skipped = cycles - sum(share.cycles for share in followed.shares)
    return Schedule(
        interval=_per_frame(cycles, frames),
        latency=math.ceil(end - begin + skipped),
        stream_bits=stream_bits(vit, design, followed.timeline.by_kind),
        layers=_timings(vit, design, followed),
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
    followed = _follow(vit, board, design, clock_mhz)
    per_frame = _per_frame(followed.cycles, design.frames_in_flight)
    return Interval(per_frame, followed.timeline.attention, followed.timeline.spare)


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
        command.binds: command.groups * (command.group_cycles - command.compute_cycles),
    }
    waits[event.stalled_by] = waits.get(event.stalled_by, 0.0) + event.stall
    longest = max(waits, key=lambda key: waits[key])
    bound_by = longest if waits[longest] * WAIT_SHARE > cycles else "compute"
    yield _Share(kind, block, cycles, bound_by)


def _timings(vit: Vit, design: Design, followed: _Followed) -> dict[str, LayerTiming]:
    """Exposed cycles per frame, rounded so that they add up to the interval; busy cycles."""
    events, by_kind, frames = followed.events, followed.timeline.by_kind, design.frames_in_flight
    attention = followed.timeline.attention
    layers: dict[str, LayerTiming] = {}
    for i in range(vit.depth):
        scores = LayerTiming(attention, attention, 0, "hidden")
        layers[TIMED_AS[ATTENTION].of(i)] = scores
        layers[ATTENTION.of(i)] = LayerTiming(attention, 0, 0, "hidden")
    totals: dict[str, float] = {}
    for share in followed.shares:
        for block in followed.stands_for(share.block):
            name = share.kind.of(block)
            totals[name] = totals.get(name, 0.0) + share.cycles
            layers.setdefault(name, LayerTiming()).bound_by = share.bound_by
    running = 0.0
    for name, total in totals.items():
        before = _per_frame(running, frames)
        running += total
        layers[name].exposed = _per_frame(running, frames) - before
    elapsed: dict[str, float] = {}  # by all frames in flight
    for event in events[len(events) // ROUNDS :]:
        kind = event.entry.kind
        if kind == ATTENTION:
            continue
        command = by_kind[kind]
        for block in followed.stands_for(event.entry.block):
            name = kind.of(block)
            elapsed[name] = elapsed.get(name, 0.0) + event.end - event.start
            layers[name].busy, layers[name].elapsed = command.cycles, round(elapsed[name] / frames)
            if kind in NORM_BEFORE:
                norm = layers[NORM_BEFORE[kind].of(block)]
                norm.busy = command.groups * command.read_cycles
    return layers
