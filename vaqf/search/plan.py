"""Everything around one array: plans, one per width L of the attention engine."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import ceil_div, round_up
from vaqf.cycles import bounds, command_cycles, timeline
from vaqf.cycles.bounds import BinaryWork
from vaqf.cycles.command_cycles import Attention, Command
from vaqf.hardware import design as shapes
from vaqf.hardware import matmuls
from vaqf.hardware.design import Design
from vaqf.hardware.matmuls import capacity_for
from vaqf.model.layers import Kind
from vaqf.model.vit import Vit
from vaqf.resources import parts
from vaqf.resources.memories import bram18
from vaqf.resources.parts import Array, Parts
from vaqf.resources.use import array_dsps, array_use, attention_dsps, frames_use, total
from vaqf.search import dsp_sums
from vaqf.search.space import Problem, Weighed, lane_choices


class Works:
    """What the binary engine of a design does for a frame, at any precision.

    rate: bits per cycle that fill the ring through all of the design's ports.
    """

    def __init__(self, vit: Vit, design: Design, rate: float) -> None:
        self._vit, self._design, self._rate = vit, design, rate
        self._by_kind = command_cycles.commands(vit, design)
        self._known: dict[int, tuple[BinaryWork, int]] = {}
        self._add(widths.pixel_digits(design.act_bits), self._by_kind)

    def at(self, act_bits: int) -> tuple[BinaryWork, int]:
        """The work, and the cycles that its weights come in.

        Precision changes the digits of the embedding's pixels alone.
        """
        digits = widths.pixel_digits(act_bits)
        if digits not in self._known:
            vit, d = self._vit, self._design
            padded_head = d.padded_head(vit.head_dim)
            by_kind = matmuls.matmul_shapes(vit, act_bits, d.pe, d.simd, padded_head)
            embed = command_cycles.command(Kind.EMBED, by_kind[Kind.EMBED], d)
            self._add(digits, self._by_kind | {Kind.EMBED: embed})
        return self._known[digits]

    def _add(self, digits: int, by_kind: dict[str, Command]) -> None:
        work = bounds.binary_work(self._vit, self._design, by_kind)
        self._known[digits] = work, bounds.port_cycles(work, self._rate)


@dataclass(eq=False)
class Outline:
    """What the designs of an array and a width L have in common, whatever their precision."""

    problem: Problem
    lanes: int  # L
    base: Design  # one query row, most frames, streamed weights through most ports, any L
    resident: Design | None  # the same with all weights on chip, if they alone fit
    works: Works  # of the resident design if there is one
    least: Parts  # of the base with fewest frames and one port
    array_shares: dict[int, float]  # of the budget, by precision; of all L with heads of this size
    fits: bool = False  # the smallest of a higher precision does, so that those of lower ones do


@dataclass(frozen=True, eq=False)
class Plan:
    """A design to be: cheap to time, before it is built and weighed."""

    outline: Outline
    act_bits: int
    work: BinaryWork
    port: int  # cycles that its weights come in, through most ports
    attention: Attention

    @property
    def problem(self) -> Problem:
        """What it is looked at for."""
        return self.outline.problem

    @property
    def least_share(self) -> float:
        """A lower bound of that of smallest: the array, with what is as wide, alone."""
        known, act_bits = self.outline.array_shares, self.act_bits
        if act_bits not in known:
            problem, family = self.problem, self.problem.board.generation
            part = self.outline.least.array._replace(act_bits=act_bits)
            share = array_use(part, family).worst_share(problem.budget)[0]
            if share > 1 and part.engine == "table":
                spare = problem.budget.dsp - array_dsps(part, family)
                sums = dsp_sums.most(act_bits, part.array, spare)
                with_sums = array_use(part._replace(dsp_sums=sums), family)
                share = min(share, with_sums.worst_share(problem.budget)[0])
            known[act_bits] = share
        return known[act_bits]

    @cached_property
    def _least(self) -> Parts:
        return self.outline.least.at(self.act_bits, self.outline.lanes)

    @cached_property
    def _smallest(self) -> tuple[Weighed, Parts]:
        """The least any design of this plan uses, and its parts: of one frame in flight, unless two
        fill blocks of RAM that one would put on LUTs."""
        frames, family = self.problem.frames, self.problem.board.generation
        weighed = self.problem.fit(self._least)
        if weighed.share > 1 and weighed.resource not in ("dsp", "bram36"):
            more = self._least._replace(frames=self._least.frames._replace(frames=frames[0]))
            one, two = (frames_use(every.frames, family) for every in (self._least, more))
            if two.lut < one.lut or two.lutram < one.lutram or two.ff < one.ff:
                both = (weighed, self._least), (self.problem.fit(more), more)
                return min(both, key=lambda entry: entry[0].share)
        return weighed, self._least

    @property
    def smallest(self) -> Weighed:
        """The least any design of this plan uses, to be legal."""
        return self._smallest[0]

    @property
    def smallest_parts(self) -> Parts:
        """The parts of that design, without sums on DSPs."""
        return self._smallest[1]

    def smallest_design(self) -> Design:
        """The design that uses it."""
        return replace(
            self.outline.base,
            act_bits=self.act_bits,
            attention_lanes=self.outline.lanes,
            weight_ports=1,
            frames_in_flight=self.smallest_parts.frames.frames,
            dsp_sums=self.smallest.dsp_sums,
        )

    def interval(self, frames: int, rows: int) -> int:
        """A lower bound of cycles per frame, through most ports."""
        return self._interval(frames, self.attention.cycles(rows))

    def _interval(self, frames: int, attention: int) -> int:
        depth = self.problem.vit.depth
        return bounds.closed_interval(depth, self.work, attention, frames, self.port)

    def engines(self, limit: int | None, than: float) -> list[tuple[int, int]]:
        """(frames in flight, query rows) that may take fewer cycles; limit: see rows()."""
        least = self.attention.least[self._most_rows]
        return [
            (frames, rows)
            for frames in self.problem.frames
            if self._interval(frames, least) < than
            for rows in self.rows(frames, limit)
            if self.interval(frames, rows) < than
        ]

    def bound(self, design: Design) -> int:
        """A lower bound of cycles per frame of one of the plan's designs, through its ports."""
        problem, attention = self.problem, self.attention.cycles(design.attention_rows)
        rate = timeline.stream_rate(problem.board, design.weight_ports, problem.counted_mhz)
        port, frames = bounds.port_cycles(self.work, rate), design.frames_in_flight
        return bounds.closed_interval(problem.vit.depth, self.work, attention, frames, port)

    def rows(self, frames: int, limit: int | None) -> list[int]:
        """Query rows R worth looking at: fewest that do not bind, or that meet the limit."""
        depth, block, ends = self.problem.vit.depth, self.work.block, self.work.ends
        most = self._most_rows
        if frames == 1:
            if limit is None:
                return [most]
            return [min(most, self._rows_within((limit - ends) // depth - block))]
        rows = {min(most, self._rows_within(block if depth > 1 else block + ends))}
        if limit is not None:
            longest = limit // depth
            if depth > 1 and (limit - block - ends) // (depth - 1) <= block + ends:
                longest = (limit - block - ends) // (depth - 1)
            rows.add(min(most, self._rows_within(longest)))
        return sorted(rows)

    def _rows_within(self, cycles: int) -> int:
        """Fewest rows whose attention layer takes at most `cycles`; all tokens if none does."""
        fits = (rows for rows, taken in self.attention.choices if taken <= cycles)
        return next(fits, self.problem.vit.tokens)

    @cached_property
    def _most_rows(self) -> int:
        """Most rows the DSP budget allows, of them the fewest with as many groups."""
        vit, family = self.problem.vit, self.problem.board.generation
        attention, part = self._least.attention, self._least.array
        one, nine = (attention_dsps(attention._replace(rows=rows), family) for rows in (1, 9))
        spare = self.problem.budget.dsp - array_dsps(part, family) - one
        if self.smallest.dsp_sums:  # without some nothing is legal
            each = dsp_sums.one(self.act_bits, part.array)
            spare -= each.dsp * dsp_sums.fewest(
                each, total(self._least, family), self.problem.budget
            )
        most = max(1, min(vit.tokens, 1 + int(8 * spare / max(1, nine - one))))
        return ceil_div(vit.tokens, ceil_div(vit.tokens, most))

    @cached_property
    def storages(self) -> tuple[Design, ...]:
        """Designs with all weights on chip, if they alone fit there, and with streamed ones."""
        resident, streamed = self.outline.resident, self.outline.base
        return (streamed,) if resident is None else (resident, streamed)

    def design(self, storage: Design, frames: int, rows: int) -> Design:
        """One of the plan's designs, through most ports."""
        return replace(
            storage,
            act_bits=self.act_bits,
            attention_lanes=self.outline.lanes,
            frames_in_flight=frames,
            attention_rows=rows,
        )

    def narrowest(self, storage: Design, frames: int, rows: int) -> Parts:
        """The parts of the same design through one port."""
        every = self._least.with_rows(rows)
        return every._replace(
            frames=every.frames._replace(frames=frames),
            weights=every.weights._replace(ring_words=storage.ring_words),
        )


def plans(problem: Problem, act_bits: int, array: Array) -> list[Plan]:
    """One plan per width L of the attention engine."""
    if array not in problem.outlines:
        problem.outlines[array] = list(_outlines(problem, act_bits, array))
    return [_plan(outline, act_bits) for outline in problem.outlines[array]]


def _plan(outline: Outline, act_bits: int) -> Plan:
    work, port = outline.works.at(act_bits)
    problem = outline.problem
    attention = command_cycles.attention(
        problem.vit, outline.base, problem.board.generation, act_bits, outline.lanes
    )
    return Plan(outline, act_bits, work, port, attention)


def _outlines(problem: Problem, act_bits: int, array: Array) -> Iterator[Outline]:
    """One per width L; all but the attention engine follows from the size of a padded head."""
    made: dict[int, Outline] = {}
    for lanes in lane_choices(problem.vit, array[1]):
        head = round_up(problem.vit.head_dim, lanes)
        if head not in made:
            made[head] = _outline(problem, act_bits, array, lanes)
        yield replace(made[head], lanes=lanes)


def _outline(problem: Problem, act_bits: int, array: Array, lanes: int) -> Outline:
    vit, (tokens, pe, simd) = problem.vit, array
    shape = (vit, act_bits, pe, simd, lanes)
    base = Design(
        engine=problem.engine,
        act_bits=act_bits,
        tokens=tokens,
        pe=pe,
        simd=simd,
        attention_rows=1,
        attention_lanes=lanes,
        norm_tokens=tokens,
        frames_in_flight=problem.frames[0],
        share=_share(problem, act_bits, array, lanes),
        weight_ports=_most_ports(problem, pe * simd),
        ring_words=matmuls.streamed_ring_words(*shape),
        resident=False,
        capacity=capacity_for(*shape),
    )
    base = replace(base, norm_tokens=_norm_tokens(vit, base))
    words = matmuls.total_weight_words(*shape)
    resident = None
    family = problem.board.generation
    if bram18(base.ring_word_bits, words, family) / 2 <= problem.budget.bram36:
        resident = replace(base, resident=True, ring_words=words)
    every = parts.of(base)
    fewest = every.frames._replace(frames=problem.frames[-1])
    least = every.with_ports(1)._replace(frames=fewest)
    rate = timeline.stream_rate(problem.board, base.weight_ports, problem.counted_mhz)
    works = Works(vit, resident or base, rate)
    return Outline(problem, lanes, base, resident, works, least, {})


def _most_ports(problem: Problem, ring_word_bits: int) -> int:
    """Most ports the ring takes whole; beyond the DRAM's bandwidth they bring nothing."""
    dram = math.ceil(problem.board.dram_gbytes_per_s * 8e3 / problem.counted_mhz)
    most = max(1, ceil_div(dram, shapes.PORT_BITS))
    whole = [n for n in shapes.WEIGHT_PORTS if ring_word_bits % (n * shapes.PORT_BITS) == 0]
    return max(n for n in whole if n <= most)


def _share(problem: Problem, act_bits: int, array: Array, lanes: int) -> int:
    """Most tokens that share a table generator and never wait for it."""
    if problem.engine != "table":
        return 1
    vit, (tokens, pe, simd) = problem.vit, array
    most = matmuls.most_sharing(vit, act_bits, array, lanes)
    by_kind = matmuls.matmul_shapes(vit, act_bits, pe, simd, round_up(vit.head_dim, lanes))
    slowest = min(s.n // pe for s in by_kind.values() if s.planes == 1)
    run = shapes.run_words(tokens, pe, simd)
    fits = (f for f in range(most, 1, -1) if run % f == 0)
    wait = command_cycles.REFILL
    return next((f for f in fits if shapes.TABLE_ENTRIES * f + wait <= slowest), 1)


def _norm_tokens(vit: Vit, design: Design) -> int:
    """Fewest layer-norm rows per cycle that bind no more than all of them."""
    padded_head = design.padded_head(vit.head_dim)
    by_kind = matmuls.matmul_shapes(vit, design.act_bits, design.pe, design.simd, padded_head)

    def cycles(rows: int) -> float:
        beats = design.tokens // rows
        return sum(
            command_cycles.pace(kind, by_kind[kind], design, beats).group_cycles
            for kind in (Kind.QKV, Kind.FC1)
        )

    least = cycles(design.tokens)
    for rows in range(1, design.tokens):
        legal = design.tokens % rows == 0 and shapes.legal_norm_tokens(rows, design.run_words)
        if legal and cycles(rows) <= least:
            return rows
    return design.tokens
