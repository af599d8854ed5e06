"""The weight ring: when the weights of each command have arrived.

Weights come in command order, as far ahead as the ring has room, in chunks that are asked for when
all of their room is free; what else is read goes first (loader.sv and what is below it).
"""

from collections import deque
from dataclasses import dataclass, field

from vaqf.arithmetic.widths import ceil_div
from vaqf.cycles.command_cycles import Command
from vaqf.cycles.port import Port
from vaqf.hardware.design import Design
from vaqf.hardware.rtl_numbers import number

CHUNK_BYTES = number("sizes", "CHUNK_BYTES")  # asked for at once
ARRIVED = 2  # from the last part of a ring word to its first use
STRETCHES = 4  # of a command, each of whole chunks, that are told apart here


@dataclass(slots=True)
class Weights:
    """The words of one command, counted on and on."""

    start: int
    stop: int
    arrivals: list[tuple[int, float]] = field(default_factory=list)  # of some words, in order


@dataclass(slots=True)
class Stretch:
    """Words of one command that are asked for together."""

    weights: Weights
    start: int
    words: int


@dataclass(slots=True)
class Freed:
    """Words that were used one after the other in this time, so that there is room for others."""

    start: int
    stop: int
    begin: float
    end: float


def chunk_words(design: Design) -> int:
    """Ring words that are asked for at once."""
    return min(max(1, CHUNK_BYTES * 8 // design.ring_word_bits), design.ring_words)


class Ring:
    """Filled through a port; times in cycles."""

    def __init__(self, design: Design, port: Port) -> None:
        self._port = port
        self._words, self._word_bits = design.ring_words, design.ring_word_bits
        self._chunk = chunk_words(design)
        self._word_cycles = design.ring_word_bits / port.rate
        self._announced = self._placed = self._released = 0  # words so far
        self._waiting: deque[Stretch] = deque()
        self._freed: deque[Freed] = deque()

    def announce(self, words: int) -> Weights:
        """The next command's weights."""
        chunks = max(1, ceil_div(words, self._chunk))
        weights = Weights(self._announced, self._announced + words)
        stretch = self._chunk * ceil_div(chunks, STRETCHES)
        for at in range(weights.start, weights.stop, stretch):
            self._waiting.append(Stretch(weights, at, min(stretch, weights.stop - at)))
        self._announced += words
        return weights

    def _room(self, position: int) -> float | None:
        """When there is room for all words up to a position; None: not before more is released."""
        needed = position - self._words
        if needed <= 0:
            return 0.0
        if needed > self._released:
            return None
        for freed in self._freed:
            if freed.stop >= needed:
                used = max(0, needed - freed.start) / (freed.stop - freed.start)
                return freed.begin + (freed.end - freed.begin) * used
        raise AssertionError("released words are forgotten only behind those that need their room")

    def _last_asked(self) -> float | None:
        """When the last chunk of the next stretch may be asked for; None: not before more is
        released. The stretch is cut behind the chunks that find room where one command was."""
        stretch = self._waiting[0]
        found = stretch.start - self._words  # room up to there is not enough for one more
        end = self._words + self._freed_with(found, stretch.words) if found >= 0 else self._words
        whole = max(1, (end - stretch.start) // self._chunk) * self._chunk
        if whole < stretch.words:
            rest = Stretch(stretch.weights, stretch.start + whole, stretch.words - whole)
            self._waiting.insert(1, rest)
            stretch.words = whole
        return self._room(stretch.start + stretch.words)

    def _freed_with(self, found: int, words: int) -> int:
        """The end of the words that are freed together with one; if it is none yet, any end."""
        for freed in self._freed:
            if freed.stop > found:
                return freed.stop
        return words + found

    def _take(self, last: float) -> None:
        """The next stretch of weights comes; the last of its chunks is asked for at a time."""
        stretch = self._waiting.popleft()
        at, words, arrivals = stretch.start, stretch.words, stretch.weights.arrivals
        chunk = min(self._chunk, words)
        first = self._room(at + chunk)
        assert first is not None  # as it is before the last
        begin, _ = self._port.store(first, (words - chunk) * self._word_bits)
        arrivals.append((at, begin + self._word_cycles))
        begin, kept = self._port.store(last, chunk * self._word_bits)
        arrivals.append((at + words - chunk, begin + self._word_cycles))
        arrivals.append((at + words - 1, kept))
        self._placed = at + words
        while self._freed and self._freed[0].stop <= at - self._words:
            self._freed.popleft()

    def fill(self, asked: float) -> None:
        """With what was asked for before a time, and not too far ahead."""
        while self._waiting and self._port.now <= asked + self._port.queue:
            last = self._last_asked()
            if last is None or last >= asked:
                return
            self._take(last)

    def wait(self, command: Command, weights: Weights, first: float) -> float:
        """How much later a command's weights are than its first group wants them.

        first: its first look-up. A pass uses the next n / P words, digits the same ones again.
        """
        while self._placed < weights.stop:
            last = self._last_asked()
            assert last is not None  # the ring holds all weights of a command
            self._take(last)
        late, (_, last_of_all) = 0.0, weights.arrivals[-1]
        if last_of_all + ARRIVED <= first:
            return late
        slices, interval = command.slices, command.group_cycles / command.passes
        for index, arrival in weights.arrivals:
            place, word = divmod(index - weights.start, command.outputs)
            plane, step = divmod(place, slices)
            used = first + (plane * command.digits * slices + step) * interval + word
            late = max(late, arrival + ARRIVED - used)
        return late

    def release(self, weights: Weights, begin: float, end: float) -> None:
        """Words are released evenly."""
        self._freed.append(Freed(weights.start, weights.stop, begin, end))
        self._released = weights.stop
