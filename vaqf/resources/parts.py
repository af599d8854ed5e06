"""The parts of a design, each by what it depends on alone.

A search looks at thousands of designs of few parts: what a part takes is added up once.
"""

from typing import NamedTuple

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import ceil_div, round_up
from vaqf.hardware.design import Capacity, Design, accumulator_bits, banks_for, run_words

Array = tuple[int, int, int]  # T, P, K


class ArrayPart(NamedTuple):
    """The binary engine, what is as wide in front of it and behind it, and what is there once."""

    engine: str
    act_bits: int
    array: Array
    share: int
    norm_tokens: int
    capacity: Capacity
    dsp_sums: int = 0

    @property
    def lanes(self) -> int:
        """Results of a cycle."""
        return self.array[0] * self.array[1]

    @property
    def acc_bits(self) -> int:
        """Of a partial sum."""
        return accumulator_bits(self.act_bits, self.capacity)

    @property
    def run_words(self) -> int:
        """Words of one token that are read together."""
        return run_words(*self.array)


class FramesPart(NamedTuple):
    """The memories of activations, with the rotators at both ends of them."""

    act_bits: int
    array: Array
    banks: int
    frames: int  # in flight
    capacity: Capacity

    @property
    def groups(self) -> int:
        """Of tokens."""
        return ceil_div(self.capacity.tokens, self.array[0])


class AttentionPart(NamedTuple):
    """The attention engine, but for the scores that wait."""

    act_bits: int
    pe: int
    rows: int  # R
    lanes: int  # L
    head: int  # channels of one
    channels: int  # of all heads
    context_bits: int

    @property
    def softmax_lanes(self) -> int:
        """Exponents per cycle: R scores in as many cycles as a head has parts."""
        return ceil_div(self.rows, self.head // self.lanes)


class ScoresPart(NamedTuple):
    """The scores of a group of queries, while it is read, and a chunk of the next."""

    rows: int  # R
    score_bits: int
    tokens: int  # in whole groups

    @property
    def words(self) -> int:
        """Of R scores."""
        return (ceil_div(self.tokens, self.rows) + 1) * self.rows


class WeightsPart(NamedTuple):
    """The ring and the ports that fill it."""

    ring_word_bits: int
    ring_words: int
    ports: int


class Parts(NamedTuple):
    """All of a design."""

    array: ArrayPart
    frames: FramesPart
    attention: AttentionPart
    scores: ScoresPart
    weights: WeightsPart

    def with_rows(self, rows: int) -> "Parts":
        """Those of the design with so many query rows R."""
        return self._replace(
            attention=self.attention._replace(rows=rows), scores=self.scores._replace(rows=rows)
        )

    def with_sums(self, dsp_sums: int) -> "Parts":
        """Those of the design with so many sums that begin on DSPs."""
        return self._replace(array=self.array._replace(dsp_sums=dsp_sums))

    def with_ports(self, ports: int) -> "Parts":
        """Those of the design with so many weight ports."""
        return self._replace(weights=self.weights._replace(ports=ports))

    def at(self, act_bits: int, lanes: int) -> "Parts":
        """Those of a design of another precision and width L with heads of the same size."""
        a, f, t, s = self.array, self.frames, self.attention, self.scores
        banks, score = banks_for(a.array[0], lanes // t.pe), widths.score_bits(act_bits, t.head)
        context = widths.context_bits(act_bits, s.tokens)
        return Parts(
            a._replace(act_bits=act_bits),
            FramesPart(act_bits, f.array, banks, f.frames, f.capacity),
            AttentionPart(act_bits, t.pe, t.rows, lanes, t.head, t.channels, context),
            ScoresPart(s.rows, score, s.tokens),
            self.weights,
        )


def of(d: Design) -> Parts:
    """The parts of a design."""
    c, a, array = d.capacity, d.act_bits, (d.tokens, d.pe, d.simd)
    rows, lanes, tokens = d.attention_rows, d.attention_lanes, round_up(c.tokens, d.tokens)
    context, score = widths.context_bits(a, tokens), widths.score_bits(a, c.head)
    return Parts(
        ArrayPart(d.engine, a, array, d.share, d.norm_tokens, c, d.dsp_sums),
        FramesPart(a, array, d.banks, d.frames_in_flight, c),
        AttentionPart(a, d.pe, rows, lanes, c.head, c.attention, context),
        ScoresPart(rows, score, tokens),
        WeightsPart(d.ring_word_bits, d.ring_words, d.weight_ports),
    )
