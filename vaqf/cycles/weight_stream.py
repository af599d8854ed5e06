"""The weight port against the clock: when weights and parameters of each command have arrived.

Weights come in command order, as far ahead as the ring has room, in chunks that are asked for when
all of their room is free. Parameters go first, but behind what the port was asked for before; of
them table entries are stored one a cycle, records one or those of a whole read. loader.sv and
what is below it.
"""

from collections import deque

from vaqf.arithmetic.widths import ceil_div
from vaqf.cycles.command_cycles import Command
from vaqf.hardware.design import PORT_BITS, RECORD_BYTES, Design

EFFICIENCY = 0.7  # of the peak of AXI ports and of DRAM, for long bursts
READ_LATENCY = 60  # cycles from an address to its first data, of a DRAM behind an interconnect
ASK = 8  # from the wish for data to its address, and from data to where they are kept
CHUNK_BYTES = 4096  # asked for at once (fetch_weights.sv)
ARRIVED = 2  # from the last part of a ring word to its first use
STRETCHES = 4  # of a command, each of whole chunks, that are told apart here
QUEUE_BEATS = 512  # asked for and not yet arrived (axi_read.sv)


class WeightStream:
    """One weight port and ring; times in cycles, `rate` in bits per cycle."""

    def __init__(self, design: Design, rate: float) -> None:
        self._design, self._rate = design, rate
        self._word_bits, self._ring = design.ring_word_bits, design.ring_words
        self._width = design.weight_ports * PORT_BITS  # bits of a read
        # ring words that are asked for at once
        self._chunk = min(max(1, CHUNK_BYTES * 8 // self._word_bits), self._ring)
        # cycles of what is asked for ahead: what the port has room for, and the chunk behind it
        self._queue = (QUEUE_BEATS * self._width + self._chunk * self._word_bits) / rate
        self._now = 0.0  # until then the memory is busy
        self._kept = 0.0  # until then what has come is not yet where it belongs
        self._placed = 0  # ring words that arrived or were asked for
        # of released words: the first, the one behind the last, from when to when
        self._freed: deque[tuple[int, int, float, float]] = deque()
        self._released = 0
        self._waiting: deque[tuple[int, int]] = deque()  # position and words
        self._arrivals: dict[int, float] = {}  # of first and last words
        self._announced = 0  # ring words of the commands so far

    def announce(self, words: int) -> range:
        """The next command's weights: positions of its words."""
        chunks = max(1, ceil_div(words, self._chunk))
        first, stretch = self._announced, self._chunk * ceil_div(chunks, STRETCHES)
        for at in range(first, first + words, stretch):
            self._waiting.append((at, min(stretch, first + words - at)))
        self._announced += words
        return range(first, first + words)

    def _room(self, position: int) -> float | None:
        """When there is room for all words up to a position; None: not before more is released."""
        needed = position - self._ring
        if needed <= 0:
            return 0.0
        if needed > self._released:
            return None
        for before, behind, begin, end in self._freed:
            if behind >= needed:
                return begin + (end - begin) * max(0, needed - before) / (behind - before)
        raise AssertionError("released words are forgotten only behind those that need their room")

    def _last_asked(self) -> float | None:
        """When the last chunk of the next stretch may be asked for; None: not before more is
        released. The stretch is cut behind the chunks that find room where one command was."""
        at, words = self._waiting[0]
        found = at - self._ring  # room up to there is not enough for one more
        if found < 0:
            end = self._ring
        else:
            end = self._ring + next(
                (freed[1] for freed in self._freed if freed[1] > found), words + found
            )
        whole = max(1, (end - at) // self._chunk) * self._chunk
        if whole < words:
            self._waiting[0] = (at + whole, words - whole)
            self._waiting.appendleft((at, whole))
            words = whole
        return self._room(at + words)

    def _take(self, last: float) -> None:
        """The next stretch of weights comes; the last of its chunks is asked for at a time."""
        at, words = self._waiting.popleft()
        chunk = min(self._chunk, words)
        first = self._room(at + chunk)
        assert first is not None  # as it is before the last
        bits, chunk_bits = (count * self._word_bits for count in (words, chunk))
        word = self._word_bits / self._rate
        begin, _ = self._come(first, bits - chunk_bits, (bits - chunk_bits) / self._width)
        self._arrivals[at] = begin + word
        begin, kept = self._come(last, chunk_bits, chunk_bits / self._width)
        self._arrivals |= {at + words - chunk: begin + word, at + words - 1: kept}
        self._placed = at + words
        while self._freed and self._freed[0][1] <= at - self._ring:
            self._freed.popleft()

    def _come(self, asked: float, bits: int, cycles: float) -> tuple[float, float]:
        """Data that take so many cycles to be kept: when they begin to come, and are kept.

        Meanwhile more data come.
        """
        begin = max(self._now, asked + ASK + READ_LATENCY)
        self._now = begin + bits / self._rate
        self._kept = max(max(self._kept, begin) + cycles, self._now)
        return begin, self._kept

    def _go_first(self, asked: float) -> None:
        """Fill the ring with what was asked for before a time, and not too far ahead."""
        while self._waiting and self._now <= asked + self._queue:
            last = self._last_asked()
            if last is None or last >= asked:
                return
            self._take(last)

    def parameters(self, asked: float, records: int, entries: int) -> tuple[float, float]:
        """Records and table entries asked for at a time; when the last is stored, and when the last
        was asked for."""
        ports, pe = self._design.weight_ports, self._design.pe
        at_once = ports if pe % ports == 0 else 1
        self._go_first(asked)
        accepted = max(asked, self._now - self._queue)
        if entries:
            self._come(asked, 8 * entries, entries)
        _, kept = self._come(asked, 8 * RECORD_BYTES * records, records / at_once)
        return kept, accepted

    def constants(self, asked: float, bits: int) -> tuple[float, float, float]:
        """Data that are stored as they come; when the first and the last are stored, and when the
        last was asked for."""
        self._go_first(asked)
        tile = 8 * self._design.constant_tile_bytes
        _, first = self._come(asked, tile, tile / self._width)
        _, last = self._come(asked, bits - tile, (bits - tile) / self._width)
        return first + ARRIVED, last + ARRIVED, max(asked, self._now - self._queue)

    def wait(self, command: Command, words: range, first: float) -> float:
        """How much later a command's weights are than its first group wants them.

        first: its first look-up. A pass uses the next n / P words, digits the same ones again.
        """
        while self._placed < words.stop:
            last = self._last_asked()
            assert last is not None  # the ring holds all weights of a command
            self._take(last)
        late = 0.0
        interval = command.group_cycles / command.passes
        for index, arrival in self._arrivals.items():
            if index in words:
                place, word = divmod(index - words.start, command.outputs)
                plane, step = divmod(place, command.slices)
                used = first + (plane * command.digits * command.slices + step) * interval + word
                late = max(late, arrival + ARRIVED - used)
        return late

    def release(self, words: range, begin: float, end: float) -> None:
        """Words are released evenly; those before are forgotten."""
        self._freed.append((words.start, words.stop, begin, end))
        self._released = words.stop
        for word in [word for word in self._arrivals if word < words.stop]:
            del self._arrivals[word]
