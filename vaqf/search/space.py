"""The designs worth looking at: arrays T x P x K, and everything else around one array."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import NamedTuple

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import ceil_div, round_up
from vaqf.cycles import command_cycles, schedule, timeline
from vaqf.hardware import design as shapes
from vaqf.hardware import matmuls
from vaqf.hardware.board import Board
from vaqf.hardware.design import Capacity, Design
from vaqf.hardware.matmuls import capacity_for
from vaqf.model.layers import Kind
from vaqf.model.vit import Vit
from vaqf.resources.memories import (
    Array,
    activation_memories,
    bram18,
    memory_use,
    on_luts,
)
from vaqf.resources.use import dsps, largest_share, least_logic, resources, worst_share
from vaqf.search.estimate import Estimate, estimate

MAX_TOKENS_PER_CYCLE = 64
PE_CHOICES = (1, 2, 3, 4, 6, 8, 12, 16)
SIMD_DIVISIONS = (1, 2, 3, 4, 6, 8, 12, 16)  # K = dim / division, rounded up to whole words
LANE_DIVISIONS = (1, 2, 4, 8)  # L = head / division, rounded up to whole words


class Weighed(NamedTuple):
    """A design, what it takes, and the largest share of the budget; legal up to 1."""

    share: float
    resource: str  # whose share it is
    design: Design
    use: dict[str, float]


@dataclass(frozen=True)
class Problem:
    """What all candidates share: the model, the device, and what a design may use of it."""

    vit: Vit
    board: Board
    engine: str
    clock_mhz: float
    budget: dict[str, int]
    frames: tuple[int, ...]  # numbers of frames in flight to look at, most first
    # plans of an array, made once for all precisions
    planned: dict[Array, list["Plan"]] = field(default_factory=dict, repr=False, compare=False)

    def weigh(self, design: Design) -> Weighed:
        """What a design takes, against the budget."""
        use = resources(design, self.board)
        return Weighed(*worst_share(use, self.budget), design, use)

    def interval(self, design: Design) -> int:
        """Cycles per frame, the weight ring followed command by command."""
        return schedule.interval(self.vit, self.board, design, self.clock_mhz)

    def estimate(self, design: Design) -> Estimate:
        """The whole estimate of a design."""
        return estimate(self.vit, self.board, design, self.clock_mhz)


def arrays(problem: Problem, act_bits: int) -> list[tuple[int, Array]]:
    """(lower bound of cycles per frame, array) of every array, fastest first.

    The bound has the computation of all token groups and each command's start (schedule.py) but
    no waiting: neither for attention, nor for weights, nor for the layer norm.
    """
    vit, digits = problem.vit, widths.pixel_digits(act_bits)
    planes = widths.FIXED_WEIGHT_BITS
    starts = (vit.depth * 4 + 2) * command_cycles.least_cycles(problem.engine)
    tokens_and_groups = [(t, ceil_div(vit.tokens, t)) for t in _token_choices(vit)]
    found: list[tuple[int, Array]] = []
    for pe in PE_CHOICES:
        if pe > vit.dim:
            continue
        dim, hidden = ceil_div(vit.dim, pe), ceil_div(vit.hidden, pe)
        for simd in _simd_choices(vit, pe):
            slices = ceil_div(vit.dim, simd)
            block = slices * (4 * dim + hidden)
            block += ceil_div(vit.hidden, simd) * dim
            embed = ceil_div(vit.patch_inputs, simd) * digits * planes * dim
            head = ceil_div(vit.prefix_tokens * vit.dim, simd) * planes * ceil_div(vit.classes, pe)
            each, once = vit.depth * block + embed, head + starts
            found += [(g * each + once, (t, pe, simd)) for t, g in tokens_and_groups]
    return sorted(found)


def _simd_choices(vit: Vit, pe: int) -> list[int]:
    """K with pe * K in whole 128s, K in whole words and tables: dim, dim / 2, dim / 3, ..."""
    step = math.lcm(shapes.TABLE_INPUTS, pe, shapes.PORT_BITS // math.gcd(shapes.PORT_BITS, pe))
    return sorted({round_up(ceil_div(vit.dim, d), step) for d in SIMD_DIVISIONS})


def _token_choices(vit: Vit) -> list[int]:
    """Only the smallest T of every number of token groups."""
    groups = {ceil_div(vit.tokens, t) for t in range(1, MAX_TOKENS_PER_CYCLE + 1)}
    return sorted({ceil_div(vit.tokens, g) for g in groups})


def array_floor(problem: Problem, act_bits: int, array: Array) -> tuple[float, str]:
    """The array and the large memories against the budget: a cheap lower bound."""
    share = worst_share(_array_logic(problem, act_bits, array), problem.budget)
    if share[0] > 1:
        return share
    blocks = _large_memories(problem, act_bits, array)
    return max(share, worst_share({"bram36": blocks}, problem.budget))


def size_floor(problem: Problem, act_bits: int, array: Array) -> float:
    """The same against all that the device has."""
    available = problem.board.available()
    blocks = {"bram36": _large_memories(problem, act_bits, array)}
    return largest_share(_array_logic(problem, act_bits, array) | blocks, available)


def _array_logic(problem: Problem, act_bits: int, array: Array) -> dict[str, float]:
    (_, pe, simd), vit = array, problem.vit
    capacity = _least_capacity(vit, act_bits, pe, simd)
    return least_logic(problem.engine, array, act_bits, capacity, problem.board.is_series_7)


@lru_cache(maxsize=1024)
def _least_capacity(vit: Vit, act_bits: int, pe: int, simd: int) -> Capacity:
    return capacity_for(vit, act_bits, pe, simd, min(lane_choices(vit, pe)))


def _large_memories(problem: Problem, act_bits: int, array: Array) -> float:
    """BRAM36 of the activations and the ring, with the narrowest attention engine."""
    vit, frames, series_7 = problem.vit, problem.frames[-1], problem.board.is_series_7
    tokens, pe, simd = array
    capacity = _least_capacity(vit, act_bits, pe, simd)
    words = matmuls.streamed_ring_words(vit, act_bits, pe, simd, min(lane_choices(vit, pe)))
    blocks = memory_use(pe * simd, words, 2, series_7).blocks
    banks = shapes.banks_for(tokens, 1)
    for memory in activation_memories(capacity, act_bits, array, banks, frames):
        use = memory_use(memory.width, memory.depth, memory.registers, series_7)
        blocks += memory.copies * use.blocks
    return blocks / 2


def lane_choices(vit: Vit, pe: int) -> list[int]:
    """Widths L of the attention engine: a head, half of it, ... in whole words; widest first."""
    choices = {round_up(ceil_div(vit.head_dim, d), pe) for d in LANE_DIVISIONS}
    return sorted(choices, reverse=True)


@dataclass(frozen=True)
class Plan:
    """A design to be, with its commands: cheap to time, before it is built and weighed."""

    problem: Problem
    base: Design  # one query row, most frames, streamed weights through most ports
    resident: Design | None  # the same with all weights on chip, if they alone fit
    by_kind: dict[str, command_cycles.Command]  # of the resident design if there is one

    def at(self, act_bits: int) -> "Plan":
        """The same at another precision, of which the commands depend by the pixels' digits."""
        before = self.base.act_bits
        if act_bits == before:
            return self
        base = replace(self.base, act_bits=act_bits)
        resident = self.resident and replace(self.resident, act_bits=act_bits)
        by_kind = self.by_kind
        if widths.pixel_digits(act_bits) != widths.pixel_digits(before):
            by_kind = by_kind | {Kind.EMBED: _embedding(self.problem.vit, resident or base)}
        return Plan(self.problem, base, resident, by_kind)

    @cached_property
    def smallest(self) -> Weighed:
        """The least any design of this plan uses: one frame, unless two fill blocks of RAM that one
        would put on LUTs."""
        frames = self.problem.frames
        least = replace(self.base, weight_ports=1, frames_in_flight=frames[-1])
        weighed = self.problem.weigh(least)
        if weighed.share > 1 and weighed.resource not in ("dsp", "bram36"):
            more = replace(least, frames_in_flight=frames[0])
            series_7 = self.problem.board.is_series_7
            one, two = (on_luts(design, series_7) for design in (least, more))
            if any(b < a for a, b in zip(one, two, strict=True)):
                return min(weighed, self.problem.weigh(more), key=lambda entry: entry.share)
        return weighed

    @cached_property
    def work(self) -> schedule.BinaryWork:
        """What the binary engine does for a frame."""
        return schedule.binary_work(self.problem.vit, self.by_kind)

    def interval(self, frames: int, rows: int, ports: int | None = None) -> int:
        """Cycles per frame if the ring never ran dry, filled through most ports or fewer."""
        vit, ports = self.problem.vit, ports or self.base.weight_ports
        attention = command_cycles.attention_cycles(vit, self.base, rows)
        rate = timeline.stream_rate(self.problem.board, ports, self.problem.clock_mhz)
        return schedule.closed_interval(vit.depth, self.work, attention, frames, rate)

    def bound(self, design: Design) -> int:
        """The same of one of the plan's designs, with its rows, frames and ports."""
        rows, frames = design.attention_rows, design.frames_in_flight
        return self.interval(frames, rows, design.weight_ports)

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
        fits = (rows for rows, taken in self._attention if taken <= cycles)
        return next(fits, self.problem.vit.tokens)

    @cached_property
    def _attention(self) -> list[tuple[int, int]]:
        """(R, cycles of an attention layer) for the fewest R of every number of groups."""
        vit = self.problem.vit
        choices = _row_choices(vit.tokens)
        return [(r, command_cycles.attention_cycles(vit, self.base, r)) for r in choices]

    @cached_property
    def _most_rows(self) -> int:
        """Most rows the DSP budget allows, of them the fewest with as many groups."""
        vit, series_7 = self.problem.vit, self.problem.board.is_series_7
        one, nine = (dsps(replace(self.base, attention_rows=r), series_7) for r in (1, 9))
        spare = self.problem.budget["dsp"] - one
        most = max(1, min(vit.tokens, 1 + int(8 * spare / max(1, nine - one))))
        return ceil_div(vit.tokens, ceil_div(vit.tokens, most))

    def designs(self, frames: int, rows: int, *, all_ports: bool) -> Iterator[Design]:
        """Resident if the weights alone fit, and streamed; through most ports, or every number."""
        for storage in (self.resident, self.base):
            if storage is None:
                continue
            base = replace(storage, frames_in_flight=frames, attention_rows=rows)
            if all_ports:
                for ports in shapes.WEIGHT_PORTS:
                    if ports < base.weight_ports:
                        yield replace(base, weight_ports=ports)
            yield base


def plans(problem: Problem, act_bits: int, array: Array) -> list[Plan]:
    """One plan per width L of the attention engine."""
    if array not in problem.planned:
        problem.planned[array] = list(_plans(problem, act_bits, array))
    return [plan.at(act_bits) for plan in problem.planned[array]]


def _embedding(vit: Vit, design: Design) -> command_cycles.Command:
    """The embedding's command."""
    padded_head = design.padded_head(vit.head_dim)
    shapes = matmuls.matmul_shapes(vit, design.act_bits, design.pe, design.simd, padded_head)
    return command_cycles.command(Kind.EMBED, shapes[Kind.EMBED], design)


def _plans(problem: Problem, act_bits: int, array: Array) -> Iterator[Plan]:
    vit, (tokens, pe, simd) = problem.vit, array
    # what depends on the number of lanes by the size of a head alone, and by the sharing
    norm_tokens: dict[tuple[int, int], int] = {}
    by_kind: dict[tuple[int, int, bool], dict[str, command_cycles.Command]] = {}
    for lanes in lane_choices(vit, pe):
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
        same = base.share, base.padded_head(vit.head_dim)
        if same not in norm_tokens:
            norm_tokens[same] = _norm_tokens(vit, base)
        base = replace(base, norm_tokens=norm_tokens[same])
        words = matmuls.total_weight_words(*shape)
        resident = None
        if bram18(base.ring_word_bits, words) / 2 <= problem.budget["bram36"]:
            resident = replace(base, resident=True, ring_words=words)
        kinds = (*same, resident is not None)
        if kinds not in by_kind:
            by_kind[kinds] = command_cycles.commands(vit, resident or base)
        yield Plan(problem, base, resident, by_kind[kinds])


def _most_ports(problem: Problem, ring_word_bits: int) -> int:
    """Most ports the ring takes whole; beyond the DRAM's bandwidth they bring nothing."""
    dram = math.ceil(problem.board.dram_gbytes_per_s * 8e3 / problem.clock_mhz)
    most = max(1, ceil_div(dram, shapes.PORT_BITS))
    whole = [n for n in shapes.WEIGHT_PORTS if ring_word_bits % (n * shapes.PORT_BITS) == 0]
    return max(n for n in whole if n <= most)


@lru_cache(maxsize=16)
def _row_choices(tokens: int) -> list[int]:
    """The fewest rows of every number of groups."""
    groups = {ceil_div(tokens, rows) for rows in range(1, tokens + 1)}
    return sorted(ceil_div(tokens, count) for count in groups)


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
