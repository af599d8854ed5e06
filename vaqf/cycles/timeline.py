"""When every command of the list (order.py) starts and ends, frame after frame."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from vaqf.cycles.command_cycles import (
    PLANNED,
    Command,
    attention_cycles,
    commands,
    pixel_row_cycles,
)
from vaqf.cycles.weight_stream import ASK, EFFICIENCY, READ_LATENCY, WeightStream
from vaqf.hardware.board import Board
from vaqf.hardware.design import PORT_BITS, Design
from vaqf.hardware.order import ATTENTION, Entry, command_list
from vaqf.model.layers import Kind
from vaqf.model.vit import Vit

ENGINE_TURN = 2  # cycles from the end of a command to the next one's start
WALK = 6  # from a command's start to the next one's, which the list is read for
BUFFERS = 2  # of parameters, for matmuls and for attention
STORED = 2  # from the last parameter to the start that it allows


@dataclass(frozen=True)
class Event:
    """When a command ran, and what it waited for."""

    entry: Entry
    start: float
    end: float
    stall: float  # cycles inside, for weights
    waited_for: str  # before its start: compute, attention, parameters


def stream_rate(board: Board, weight_ports: int, clock_mhz: float) -> float:
    """Bits per cycle that fill the ring: 70 % of the ports, at most 70 % of the DRAM's peak."""
    dram = board.dram_gbytes_per_s * 8e3 / clock_mhz  # bits per cycle
    return EFFICIENCY * min(weight_ports * PORT_BITS, dram)


class Timeline:
    """Commands of the list one after the other, each when its engine and its data are there."""

    def __init__(self, vit: Vit, design: Design, rate: float, rounds: int) -> None:
        self.by_kind = commands(vit, design)
        self._entries = command_list(vit.depth, design.frames_in_flight) * rounds
        self._attention = attention_cycles(vit, design, design.attention_rows)
        self._context_records = vit.heads * design.padded_head(vit.head_dim)
        self._stream = WeightStream(design, rate)
        self._resident = design.resident
        # False: of attention commands, True: of matmuls
        self._ends: dict[bool, list[float]] = {False: [], True: []}
        self._fetched = {False: 0, True: 0}
        self._fetcher: float | None = 0.0  # when it goes on; None: when the embedding has started
        self._loaded: list[float] = []  # by command
        self._vit, self._design = vit, design
        self._image = 0.0  # when the next embedding's first pixels come

    def run(self) -> Iterator[Event]:
        """All rounds, from the first command on."""
        matmuls = [self.by_kind[entry.kind] for entry in self._entries if entry.kind != ATTENTION]
        counts = [0 if self._resident else command.weight_words for command in matmuls]
        words = iter([self._stream.announce(count) for count in counts])
        # the ring is filled for what follows, too
        following, behind = itertools.cycle(counts), 0
        while behind < self._design.ring_words and not self._resident:
            behind += len(self._stream.announce(next(following)))
        started = -float(WALK)
        for i, entry in enumerate(self._entries):
            self._fetch()
            matmul = entry.kind != ATTENTION
            engines = (True, False) if entry.new_step else (matmul,)
            free = {engine: self._free(engine) for engine in engines}
            reasons = {
                "compute": max(free.get(True, 0.0), started + WALK),
                "attention": free.get(False, 0.0),
                "parameters": self._loaded[i] + STORED,
            }
            waited_for = max(reasons, key=lambda key: reasons[key])
            start = started = reasons[waited_for]
            if matmul:
                stall, cycles = self._matmul(entry, start, next(words))
            else:
                stall, cycles = 0.0, self._attention
            end = start + cycles + stall
            self._ends[matmul].append(end)
            yield Event(entry, start, end, stall, waited_for)

    def _free(self, matmul: bool) -> float:
        """When the engine of the last command can start another."""
        ends = self._ends[matmul]
        return ends[-1] + ENGINE_TURN if ends else 0.0

    def _matmul(self, entry: Entry, start: float, words: range) -> tuple[float, int]:
        """Its wait for weights and its cycles without; what it reads and releases meanwhile."""
        command = self.by_kind[entry.kind]
        first = start + command.first
        stall = self._stream.wait(command, words, first) if words else 0.0
        if entry.kind == Kind.EMBED:
            begin, end, self._fetcher = self._stream.constants(start, command.constant_bits)
            # wanted from the last pass of the first group on
            wanted = first + command.group_cycles - command.outputs
            stall = max(stall, begin - wanted, end - (first + command.used))
            stall = max(stall, self._pixels_late(command, start))
            self._fetch()
        if words:
            last_group = first + stall + (command.groups - 1) * command.group_cycles
            self._stream.release(words, last_group, first + stall + command.used)
        return stall, command.cycles

    def _pixels_late(self, command: Command, start: float) -> float:
        """How much later the pixels of a group are than it could be read: of the first two, which
        are stored ahead, and of the last, as no more than two are.
        """
        row = pixel_row_cycles(self._vit, self._design, EFFICIENCY)
        tokens, prefix, group = self._design.tokens, self._vit.prefix_tokens, command.group_cycles
        rows, last = self._vit.tokens - prefix, command.groups - 1
        first = self._image - start - PLANNED
        late = max(
            first + min(rows, (index + 1) * tokens - prefix) * row - index * group
            for index in (0, min(1, last), last)
        )
        if last > 1:
            left = rows - 2 * tokens + prefix
            late = max(late, group + left * row - last * group)
        return late

    def _fetch(self) -> None:
        """Ask for parameters as far ahead as there are buffers: two of each engine."""
        while self._fetcher is not None and len(self._loaded) < len(self._entries):
            entry = self._entries[len(self._loaded)]
            matmul = entry.kind != ATTENTION
            ends, before = self._ends[matmul], self._fetched[matmul] - BUFFERS
            if before >= len(ends):
                return
            asked = max(self._fetcher, ends[before] if before >= 0 else 0.0)
            records, gelu_entries = self._context_records, 0
            if matmul:
                command = self.by_kind[entry.kind]
                records, gelu_entries = command.records, command.gelu_entries
            kept, accepted = self._stream.parameters(asked, records, gelu_entries)
            self._loaded.append(kept)
            self._fetched[matmul] += 1
            self._fetcher = accepted + WALK
            if entry.kind == Kind.EMBED:  # the size of an image is counted row by row
                self._image = asked + self._vit.tokens + ASK + READ_LATENCY
                self._fetcher = None
