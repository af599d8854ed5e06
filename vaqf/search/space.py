"""What is searched: the problem, the arrays T x P x K worth looking at, and their lower bounds."""

import math
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import ceil_div, round_up
from vaqf.clock import met
from vaqf.cycles import command_cycles, schedule
from vaqf.cycles.schedule import Interval
from vaqf.hardware import design as shapes
from vaqf.hardware import matmuls
from vaqf.hardware.board import Board
from vaqf.hardware.design import Capacity, Design
from vaqf.hardware.fabric import Resources
from vaqf.hardware.matmuls import capacity_for
from vaqf.model.vit import Vit
from vaqf.resources import parts
from vaqf.resources.memories import activation_memories, memory_use
from vaqf.resources.parts import Array, ArrayPart, FramesPart, Parts
from vaqf.resources.use import array_dsps, dsp_sums_use, least_logic, total
from vaqf.search import dsp_sums
from vaqf.search.estimate import Estimate, estimate

MAX_TOKENS_PER_CYCLE = 64
PE_CHOICES = (1, 2, 3, 4, 6, 8, 12, 16)
SIMD_DIVISIONS = (1, 2, 3, 4, 6, 8, 12, 16)  # K = dim / division, rounded up to whole words
LANE_DIVISIONS = (1, 2, 4, 8)  # L = head / division, rounded up to whole words


class Weighed(NamedTuple):
    """What a design takes, and the largest share of the budget; legal up to 1."""

    share: float
    resource: str  # whose share it is
    use: Resources
    dsp_sums: int  # of the design


@dataclass(frozen=True)
class Problem:
    """What all candidates share: the model, the device, and what a design may use of it."""

    vit: Vit
    board: Board
    engine: str
    clock_mhz: float | None  # None: what each design meets
    budget: Resources
    frames: tuple[int, ...]  # numbers of frames in flight to look at, most first
    # of arrays that were looked at: plan.py, which makes them once for all precisions
    outlines: dict[Array, list[Any]] = field(default_factory=dict, repr=False, compare=False)
    # of designs but for their attention engines
    followed: dict[tuple[Design, int, int], Interval] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def counted_mhz(self) -> float:
        """The clock at which cycles are counted: DRAM delivers in time, so at a slower one each
        cycle brings more, and none takes longer."""
        return met.ceiling(self.board) if self.clock_mhz is None else self.clock_mhz

    def clock(self, design: Design) -> float:
        """A design's own clock in MHz, never above `counted_mhz`."""
        return met.met(design, self.board).mhz if self.clock_mhz is None else self.clock_mhz

    def duration(self, design: Design) -> float:
        """Time per frame in periods of `counted_mhz`: more than its cycles if its clock is
        slower."""
        return self.interval(design) * self.counted_mhz / self.clock(design)

    def weigh(self, design: Design) -> Weighed:
        """What a design takes, against the budget."""
        return self.weigh_parts(parts.of(design))

    def weigh_parts(self, every: Parts) -> Weighed:
        """The same of a design that is not made yet."""
        use = total(every, self.board.generation)
        return Weighed(*use.worst_share(self.budget), use, every.array.dsp_sums)

    def fit(self, every: Parts) -> Weighed:
        """The same, with sums on DSPs where nothing else makes it legal: they come later."""
        weighed = self.weigh_parts(every)
        if weighed.share <= 1 or weighed.resource not in dsp_sums.FABRIC:
            return weighed
        return min(weighed, self._with_best_sums(every, weighed), key=lambda w: w.share)

    def smallest(self, every: Parts) -> Weighed:
        """The same, with as many sums on DSPs as make it small."""
        return self._with_best_sums(every, self.weigh_parts(every))

    def _with_best_sums(self, every: Parts, weighed: Weighed) -> Weighed:
        part = every.array
        sums = dsp_sums.best(part, weighed.use, self.budget, self.board.available())
        if sums == 0:
            return weighed
        use = weighed.use + dsp_sums_use(part.act_bits, part.array, sums)
        return Weighed(*use.worst_share(self.budget), use, sums)

    def interval(self, design: Design) -> int:
        """Cycles per frame, the weight ring followed command by command.

        Once for all precisions and widths L that differ by attention alone, if it delays nothing.
        """
        rows, family = design.attention_rows, self.board.generation
        attention = command_cycles.attention_cycles(self.vit, design, family, rows)
        digits = widths.pixel_digits(design.act_bits)
        heads = design.padded_head(self.vit.head_dim)
        key = (
            replace(
                design,
                act_bits=8,
                attention_rows=1,
                attention_lanes=design.pe,
                dsp_sums=min(design.dsp_sums, 1),
            ),
            digits,
            heads,
        )
        known = self.followed.get(key)
        if known is None or not known.holds(attention):
            known = schedule.interval(self.vit, self.board, design, self.counted_mhz)
            self.followed[key] = known
        return known.cycles

    def estimate(self, design: Design) -> Estimate:
        """The whole estimate of a design."""
        return estimate(self.vit, self.board, design, self.clock(design))


def arrays(problem: Problem, act_bits: int) -> list[tuple[int, Array]]:
    """(lower bound of cycles per frame, array) of every array, fastest first.

    The bound has the computation of all token groups and each command's start (least_cycles) but
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
            head = ceil_div(vit.head_tokens * vit.dim, simd) * planes * ceil_div(vit.classes, pe)
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
    share = _array_logic(problem, act_bits, array).worst_share(problem.budget)
    if share[0] > 1:
        return share
    banks = shapes.banks_for(array[0], 1)
    memories = _large_memories(problem, act_bits, array, banks)
    return max(share, memories.worst_share(problem.budget))


def size_floor(problem: Problem, act_bits: int, array: Array) -> float:
    """The same against all that the device has, with the banks that take fewest blocks."""
    tokens, pe, _ = array
    choices = {shapes.banks_for(tokens, lanes // pe) for lanes in lane_choices(problem.vit, pe)}
    memories = min(
        (_large_memories(problem, act_bits, array, banks) for banks in choices),
        key=lambda use: use.bram36,
    )
    use = _array_logic(problem, act_bits, array) + memories
    return use.largest_share(problem.board.available())


def _array_logic(problem: Problem, act_bits: int, array: Array) -> Resources:
    (_, pe, simd), family = array, problem.board.generation
    capacity, _ = _least_storage(problem.vit, act_bits, pe, simd)
    least = ArrayPart(problem.engine, act_bits, array, 1, 1, capacity)
    logic = least_logic(problem.engine, array, act_bits, capacity, family)
    if problem.engine != "table":
        return logic
    sums = dsp_sums.most(act_bits, array, problem.budget.dsp - array_dsps(least, family))
    return replace(logic + dsp_sums_use(act_bits, array, sums), dsp=0)


@lru_cache(maxsize=1024)
def _least_storage(vit: Vit, act_bits: int, pe: int, simd: int) -> tuple[Capacity, int]:
    """Capacity and words of the ring with the narrowest attention engine."""
    shape = (vit, act_bits, pe, simd, min(lane_choices(vit, pe)))
    return capacity_for(*shape), matmuls.streamed_ring_words(*shape)


def _large_memories(problem: Problem, act_bits: int, array: Array, banks: int) -> Resources:
    """BRAM36 of the activations and the ring, with the narrowest attention engine."""
    (_, pe, simd), frames, family = array, problem.frames[-1], problem.board.generation
    capacity, words = _least_storage(problem.vit, act_bits, pe, simd)
    blocks = memory_use(pe * simd, words, 2, family).blocks
    for memory in activation_memories(FramesPart(act_bits, array, banks, frames, capacity)):
        use = memory_use(memory.width, memory.depth, memory.registers, family)
        blocks += memory.copies * use.blocks
    return Resources(bram36=blocks / 2)


def lane_choices(vit: Vit, pe: int) -> list[int]:
    """Widths L of the attention engine: a head, half of it, ... in whole words; widest first."""
    choices = {round_up(ceil_div(vit.head_dim, d), pe) for d in LANE_DIVISIONS}
    return sorted(choices, reverse=True)
