"""When every command of the list (order.py) starts and ends, frame after frame."""

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

from vaqf.cycles.command_cycles import (
    PLANNED,
    Command,
    attention_cycles,
    commands,
    context_records,
    pixel_row_cycles,
)
from vaqf.cycles.port import ASK, EFFICIENCY, READ_LATENCY, Port
from vaqf.cycles.ring import ARRIVED, Ring, Weights, chunk_words
from vaqf.hardware.board import Board
from vaqf.hardware.design import PORT_BITS, RECORD_BYTES, Design
from vaqf.hardware.family import Family
from vaqf.hardware.order import ATTENTION, Entry
from vaqf.model.layers import Kind
from vaqf.model.vit import Vit

ENGINE_TURN = 3  # cycles from the end of a command to the next one's start
WALK = 6  # from a command that is taken to the next one, which the list is read for
BEGIN = WALK + 1  # from a command's start to the next one's: it is taken a cycle later
BUFFERS = 2  # of parameters, for matmuls and for attention
STORED = 4  # from the last parameter to the start that it allows
READ = ("weights", "parameters", "pixels")  # what a command may wait for, from DRAM


class Event(NamedTuple):
    """When a command ran, and what it waited for."""

    entry: Entry
    start: float
    end: float
    stall: float  # cycles inside
    stalled_by: str  # one of READ
    waited_for: str  # before its start: compute, attention, parameters


class Stall(NamedTuple):
    """How much later a matmul's groups are than without waiting, and for what."""

    cycles: float
    reason: str


def stream_rate(board: Board, weight_ports: int, clock_mhz: float) -> float:
    """Bits per cycle that fill the ring: 70 % of the ports, at most 70 % of the DRAM's peak."""
    dram = board.dram_gbytes_per_s * 8e3 / clock_mhz  # bits per cycle
    return EFFICIENCY * min(weight_ports * PORT_BITS, dram)


class Timeline:
    """Commands of the list one after the other, each when its engine and its data are there."""

    def __init__(
        self, vit: Vit, design: Design, family: Family, rate: float, entries: tuple[Entry, ...]
    ) -> None:
        self._vit, self._design = vit, design
        self.by_kind = commands(vit, design)
        self._entries = entries
        self.attention = attention_cycles(vit, design, family, design.attention_rows)
        # by how much longer an attention layer delays nothing else
        self.spare = math.inf
        self._context_records = context_records(vit, design)
        self._port = Port(design, rate, chunk_words(design) * design.ring_word_bits)
        self._ring = Ring(design, self._port)
        # False: of attention commands, True: of matmuls
        self._ends: dict[bool, list[float]] = {False: [], True: []}
        self._fetched = {False: 0, True: 0}
        self._fetcher: float | None = 0.0  # when it goes on; None: when the embedding has started
        self._loaded: list[float] = []  # by command
        self._image = 0.0  # when the next embedding's first pixels come

    def run(self) -> Iterator[Event]:
        """All commands of the list, from the first on."""
        weights = self._announced()
        started = -float(BEGIN)
        for index, entry in enumerate(self._entries):
            self._fetch()
            matmul = entry.kind != ATTENTION
            compute, attention = started + BEGIN, 0.0
            if matmul or entry.new_step:
                compute = max(compute, self._free(True))
            if not matmul or entry.new_step:
                attention = self._free(False)
            parameters = self._loaded[index] + STORED
            start = started = max(compute, attention, parameters)
            waited_for = "parameters"
            if attention:
                self._spare(max(compute, parameters) - attention)
            if start == compute:
                waited_for = "compute"
            elif start == attention:
                waited_for = "attention"
            if matmul:
                stall, cycles = self._matmul(entry, start, next(weights))
            else:
                stall, cycles = Stall(0.0, "weights"), self.attention
            end = start + cycles + stall.cycles
            self._ends[matmul].append(end)
            yield Event(entry, start, end, *stall, waited_for)

    def _announced(self) -> Iterator[Weights | None]:
        """The weights of every matmul; a ring that holds several frames' is filled with theirs."""
        matmuls = [self.by_kind[entry.kind] for entry in self._entries if entry.kind != ATTENTION]
        if self._design.resident:
            return iter([None] * len(matmuls))
        found = [self._ring.announce(command.weight_words) for command in matmuls]
        following, behind = itertools.cycle(matmuls), 0
        while behind < self._design.ring_words:
            words = next(following).weight_words
            self._ring.announce(words)
            behind += words
        return iter(found)

    def _spare(self, cycles: float) -> None:
        """So much later the end of an attention layer would change nothing."""
        self.spare = min(self.spare, cycles)

    def _free(self, matmul: bool) -> float:
        """When the engine of the last command can start another."""
        ends = self._ends[matmul]
        return ends[-1] + ENGINE_TURN if ends else 0.0

    def _matmul(self, entry: Entry, start: float, weights: Weights | None) -> tuple[Stall, int]:
        """Its longest wait and its cycles without; what it reads and releases meanwhile."""
        command = self.by_kind[entry.kind]
        first = start + command.first
        stall = Stall(self._ring.wait(command, weights, first) if weights else 0.0, "weights")
        if entry.kind == Kind.EMBED:
            constants = Stall(self._constants_late(command, start, first), "parameters")
            pixels = Stall(self._pixels_late(command, start), "pixels")
            stall = max(stall, constants, pixels, key=lambda each: each.cycles)
            self._fetch()
        if weights:
            first += stall.cycles
            last_group = first + (command.groups - 1) * command.group_cycles
            self._ring.release(weights, last_group, first + command.used)
        return stall, command.cycles

    def _constants_late(self, command: Command, start: float, first: float) -> float:
        """How much later the embedding's constants are than they are wanted, from the last pass of
        the first group on; they are stored as they come."""
        self._ring.fill(start)
        tile = 8 * self._design.constant_tile_bytes
        _, begin = self._port.store(start, tile)
        _, end = self._port.store(start, command.constant_bits - tile)
        self._fetcher = self._port.accepted(start)
        wanted = first + command.group_cycles - command.outputs
        return max(begin + ARRIVED - wanted, end + ARRIVED - (first + command.used))

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
            asked = max(self._fetcher, ends[before]) if before >= 0 else self._fetcher
            if not matmul and before >= 0:
                self._spare(self._fetcher - ends[before])
            records, gelu_entries = self._context_records, 0
            if matmul:
                command = self.by_kind[entry.kind]
                records, gelu_entries = command.records, command.gelu_entries
            self._fetcher = self._parameters(asked, records, gelu_entries) + WALK
            self._fetched[matmul] += 1
            if entry.kind == Kind.EMBED:  # its size is counted row by row, and a cycle
                self._image = asked + self._vit.tokens + 1 + ASK + READ_LATENCY
                self._fetcher = None

    def _parameters(self, asked: float, records: int, entries: int) -> float:
        """Records and table entries of the next command; when the last of them was asked for.

        They go first, but behind what the port was asked for before. Entries are stored one a
        cycle, records one or those of a whole read.
        """
        ports = self._design.weight_ports
        at_once = ports if self._design.pe % ports == 0 else 1
        self._ring.fill(asked)
        accepted = self._port.accepted(asked)
        if entries:
            self._port.read(asked, 8 * entries, entries)
        _, kept = self._port.read(asked, 8 * RECORD_BYTES * records, records / at_once)
        self._loaded.append(kept)
        return accepted
