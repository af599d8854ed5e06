"""How long the RTL takes for one command: a matmul of the binary engine, a layer of attention.

From the pulse that starts it to the one that says it is done, if nothing that it needs is late.
docs/rtl.md has the order of loads and passes; the numbers of pipelines are latency.sv's.
"""

from functools import cached_property, lru_cache
from itertools import accumulate
from typing import NamedTuple

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import ceil_div, round_up
from vaqf.cycles import latency
from vaqf.hardware.design import MIN_INTERVAL, PORT_BITS, RECORD_BYTES, TABLE_ENTRIES, Design
from vaqf.hardware.family import Family
from vaqf.hardware.matmuls import MatMulShape, matmul_shapes, weight_words
from vaqf.model.layers import NORM_BEFORE, Kind
from vaqf.model.vit import Vit

PLANNED = 3  # cycles from a start to the first step through its rows
HEADSTART = 4  # from the last entry of a half of the tables to the first look-up in it
GATHERED = 2  # from the last operand to the first sum of the adder engine
REFILL = 7  # from the last look-up in a half, with HEADSTART, to where it is filled again
RETAKE = 4  # the same of the adder engine, from the last look-up to where operands are gathered
NUMBERS = 1  # from a row's sums to where the layer norm may use them, but for the pipeline


class Command(NamedTuple):
    """One matmul: `groups` token groups of `passes` K slices, planes and digits each.

    A pass issues a look-up per output word; the next pass is prepared meanwhile. All in cycles
    unless said.
    """

    kind: str  # a layers.Kind
    groups: int
    outputs: int  # words, so look-ups of a pass
    slices: int  # of K
    digits: int
    passes: int  # of a group: slices, for each plane and digit
    compute_cycles: int  # of a group, what the array itself needs
    read_cycles: int  # of a group: its inputs, through the layer norm or not
    group_cycles: float  # from a group's first look-up to that of the next
    first: int  # from the start to the first look-up
    used: int  # from the first look-up to the last
    cycles: int  # from the start to the end, without waiting for weights
    norm_cycles: int  # of `first`, what the layer norm adds
    binds: str  # what group_cycles follow from: compute, table fill, fetch
    weight_words: int  # of the ring
    weight_bits: int  # 0 for weights that stay on chip
    records: int  # of layer norm and requantization
    gelu_entries: int
    constant_bits: int  # of the patch embedding, after its start

    @property
    def parameter_bits(self) -> int:
        """What is read before its start."""
        return 8 * (RECORD_BYTES * self.records + self.gelu_entries)

    @property
    def stream_bits(self) -> int:
        """What is read for it, without the weights of a resident design."""
        return self.parameter_bits + self.constant_bits + self.weight_bits


def _first_load(kind: str, design: Design) -> int:
    """From the start to the first load at the engine: its rows are read, and normalized."""
    way = latency.cycles("DIAGONAL") + 5  # three cycles to the addresses, two to the engine
    if kind not in NORM_BEFORE:
        return PLANNED + way
    rows = 1 if kind == Kind.HEAD else design.tokens
    numbers = rows + NUMBERS + _numbers_way()
    return numbers + _norm_beats(design) - 1 + way + latency.cycles("LAYER_NORM")


def _numbers_way() -> int:
    """From a row's sums to 1 / sigma."""
    return latency.cycles("NORM_SUMS") + 1 + latency.normalizer(widths.VARIANCE_BITS)


def _norm_beats(design: Design) -> int:
    """Cycles of a load of normalized rows."""
    return design.tokens // design.norm_tokens


class Half(NamedTuple):
    """One of two halves of the tables (of the operands, in the adder engine): it is filled while
    the other one is read. Cycles from its first load on.
    """

    first: int  # to the first look-up in it
    prepared: int  # to the first load of the other half
    again: int  # to where it could be filled again if a pass read it in no time


def _half(design: Design, read: int, beats: int) -> Half:
    """read: cycles in which a slice of K is read, `beats` a load. A generator of `share` tokens
    fills their tables one after the other; each takes 16 entries, or waits for its loads.
    """
    if design.engine == "adder":
        return Half(read - beats + 1 + GATHERED, read, read + RETAKE)
    turn = max(TABLE_ENTRIES, read // design.share)
    fill = turn * (design.share - 1) + TABLE_ENTRIES
    first = read // design.share - beats + 1 + fill + HEADSTART
    return Half(first, turn * design.share, fill + REFILL)


class Pace(NamedTuple):
    """How the passes of a matmul follow each other, and its groups. docs/rtl.md has a picture."""

    busy: int  # of a pass, what the array itself needs
    read: int  # of a pass, in which its inputs are read
    half: Half
    passes: int  # of a group
    interval: float  # from a pass's first look-up to that of the next
    norm_pair: int  # of two groups, what the layer norm needs; 0 if it never binds

    @property
    def next_pass(self) -> int:
        """From a pass to the next if that was prepared in time: the faster one of two."""
        return max(self.busy, self.half.prepared)

    @property
    def pass_cycles(self) -> float:
        """Of a group if the layer norm does not bind."""
        return self.passes * self.interval

    @property
    def norm_binds(self) -> bool:
        """Whether groups wait for the layer norm's numbers of their rows."""
        return self.norm_pair > 2 * self.pass_cycles

    @property
    def group_cycles(self) -> float:
        """From a group's first look-up to that of the next, the mean of two."""
        return self.norm_pair / 2 if self.norm_binds else self.pass_cycles

    @property
    def binds(self) -> str:
        """What the passes wait for: compute, table fill, fetch."""
        if self.interval == self.busy:
            return "compute"
        return "fetch" if self.half.prepared == self.read else "table fill"

    def used(self, groups: int, outputs: int) -> int:
        """From the first look-up of all to the last: of two passes, or groups, that bind together
        the second follows the first faster.
        """
        last_pass = outputs - 1
        if not self.norm_binds:
            return _in_pairs(groups * self.passes - 1, int(2 * self.interval), self.next_pass) + (
                last_pass
            )
        last_group = int((self.passes - 1) * self.interval)
        faster = last_group + self.next_pass
        return _in_pairs(groups - 1, self.norm_pair, faster) + last_group + last_pass


def _in_pairs(steps: int, pair: int, single: int) -> int:
    """Cycles of so many steps, two of them in `pair` and one left over in `single`."""
    return steps // 2 * pair + steps % 2 * single


def pace(kind: str, shape: MatMulShape, design: Design, beats: int) -> Pace:
    """The slowest of three binds the passes of a matmul, each load in `beats` cycles.

    A pass takes max(n / P, 4) cycles (a partial sum is written before it is read again), or as
    long as it takes to read the next slice (K / P loads), or to fill the table engine's tables
    (16 * share). Filling a half and reading it takes no longer than two passes. So it is with the
    rows' numbers of the layer norm, and two groups.
    """
    busy = max(shape.n // design.pe, MIN_INTERVAL)
    read = design.simd // design.pe * beats
    half = _half(design, read, beats)
    passes = shape.passes(design.simd)
    normed = kind in NORM_BEFORE and kind != Kind.HEAD
    return Pace(
        busy=busy,
        read=read,
        half=half,
        passes=passes,
        interval=max(busy, half.prepared, (half.again + busy) / 2),
        norm_pair=design.tokens + _numbers_way() + passes * read if normed else 0,
    )


def command(
    kind: str, shape: MatMulShape, design: Design, norm_channels: int | None = None
) -> Command:
    """Cycles of one matmul; norm_channels: of its layer norm if they are not its inputs."""
    beats = _norm_beats(design) if kind in NORM_BEFORE else 1
    runs = pace(kind, shape, design, beats)
    outputs = shape.n // design.pe
    groups = ceil_div(shape.m, design.tokens)
    first = _first_load(kind, design) + runs.half.first
    used = runs.used(groups, outputs)
    weights = weight_words(shape, design.pe, design.simd)
    records = shape.n
    if kind in NORM_BEFORE:
        records += shape.k if norm_channels is None else norm_channels
    return Command(
        kind=kind,
        groups=groups,
        outputs=outputs,
        slices=ceil_div(shape.k, design.simd),
        digits=shape.digits,
        passes=runs.passes,
        compute_cycles=runs.passes * runs.busy,
        read_cycles=runs.passes * runs.read,
        group_cycles=runs.group_cycles,
        first=first,
        used=used,
        cycles=first + used + _tail(kind, shape, design),
        norm_cycles=_first_load(kind, design) - _first_load(Kind.PROJ, design),
        binds=runs.binds,
        weight_words=weights,
        weight_bits=0 if design.resident else weights * design.ring_word_bits,
        records=records,
        gelu_entries=2**widths.GELU_INDEX_BITS if kind == Kind.FC1 else 0,
        constant_bits=8 * groups * outputs * design.constant_tile_bytes
        if kind == Kind.EMBED
        else 0,
    )


def pixel_row_cycles(vit: Vit, design: Design, efficiency: float) -> float:
    """Cycles in which one patch comes from the images' port, and is stored (pixels.sv)."""
    beat = PORT_BITS // 8
    beats = ceil_div(vit.patch_inputs, beat)
    together = min(max(1, beat // design.pe), design.tokens)
    return max(beats / efficiency, ceil_div(beats * beat, together * design.pe))


def least_cycles(engine: str) -> int:
    """What any command takes besides a cycle for each of its look-ups, or less."""
    first = PLANNED + latency.cycles("DIAGONAL") + 5
    first += TABLE_ENTRIES + HEADSTART if engine == "table" else GATHERED
    return first + latency.cycles("RING") + latency.cycles("REQUANTIZE")


def _tail(kind: str, shape: MatMulShape, design: Design) -> int:
    """From the last look-up to the end: the sum, and what becomes of it."""
    c = latency.cycles
    found = c("RING") + latency.sums(design.engine == "table", design.simd, design.dsp_sums) + 1
    found += 1 + c("REQUANTIZE")
    if kind == Kind.QKV:
        return found + c("DIAGONAL_WRITE")
    if kind == Kind.FC1:
        return found + c("GELU") + c("DIAGONAL_WRITE")
    if kind == Kind.HEAD:
        return found + 5 + _logit_steps(shape, design)
    return found + 2 + c("ROW_SUMS") + latency.add_tree(design.pe)


def _logit_steps(shape: MatMulShape, design: Design) -> int:
    """Cycles in which logits leave behind the last: a unit at a time, from the first word on."""
    unit = next(u for u in (4, 2, 1) if design.pe % u == 0)
    words = shape.n // design.pe
    return max(words * (design.pe // unit) - (words - 1), design.pe // unit) - 1


def commands(vit: Vit, design: Design) -> dict[str, Command]:
    """The six matmuls of a frame."""
    padded_head = design.padded_head(vit.head_dim)
    shapes = matmul_shapes(vit, design.act_bits, design.pe, design.simd, padded_head)
    # the head's layer norm is the same for all its tokens
    return {
        kind: command(kind, shape, design, shapes[Kind.QKV].k) for kind, shape in shapes.items()
    }


def _attention_fill(
    a: int, family: Family, rows: int, lanes: int, parts: int, sum_bits: int
) -> int:
    """From the start to the end of a layer, but for its groups and one more.

    Scores wait for their group's maximum, so values follow a group behind; R keys are gathered
    before each product. attention.sv and what is below it. parts: of a head, `lanes` channels each;
    sum_bits: of the sum of a row's exponents. family: of the DSPs that add up products.
    """
    c, limit = latency.cycles, widths.signed_limit(a)
    most = limit * widths.unsigned_limit(widths.exp_bits(a))
    scores = c("RUN") + rows + latency.products(lanes, a, limit**2, family)
    numerators = c("RUN") + rows
    weighed = rows * parts + c("WEIGH")
    sums = numerators + latency.products(rows, a, most, family) + c("ACCUMULATE")
    totals = numerators + latency.add_tree(rows) + c("ACCUMULATE")
    totals += latency.octave(sum_bits)
    written = c("SCALE_BY") + c("REQUANTIZE") + c("DIAGONAL_WRITE")
    behind = weighed - (numerators - c("TURN"))
    return scores + behind + max(sums, totals) + written


class Attention:
    """Cycles of one attention layer for any number of query rows R: one group after the other.

    A group of one head takes all keys in chunks of R, as often as the most parts of a head; there
    are heads * ceil(tokens / R) of them, and the time of one more.
    """

    def __init__(
        self,
        a: int,
        family: Family,
        heads: int,
        tokens: int,
        lanes: int,
        parts: int,
        sum_bits: int,
    ):
        self._heads, self._tokens, self._parts = heads, tokens, parts
        self._shape = (lanes, parts, sum_bits)
        self._act_bits, self._family = a, family
        self._known: dict[int, int] = {}

    def cycles(self, rows: int) -> int:
        """Of one layer."""
        if rows not in self._known:
            groups = self._heads * ceil_div(self._tokens, rows) + 1
            fill = _attention_fill(self._act_bits, self._family, rows, *self._shape)
            self._known[rows] = groups * round_up(self._tokens, rows) * self._parts + fill
        return self._known[rows]

    @cached_property
    def choices(self) -> list[tuple[int, int]]:
        """(R, cycles) for the fewest R of every number of groups."""
        groups = {ceil_div(self._tokens, rows) for rows in range(1, self._tokens + 1)}
        rows = sorted(ceil_div(self._tokens, count) for count in groups)
        return [(one, self.cycles(one)) for one in rows]

    @cached_property
    def least(self) -> dict[int, int]:
        """R of the choices -> fewest cycles with so many rows or fewer."""
        rows, cycles = zip(*self.choices, strict=True)
        return dict(zip(rows, accumulate(cycles, min), strict=True))


_attention = lru_cache(maxsize=1024)(Attention)


def context_records(vit: Vit, design: Design) -> int:
    """What an attention layer reads before its start: one for each channel of its padded heads."""
    return vit.heads * design.padded_head(vit.head_dim)


def attention(vit: Vit, design: Design, family: Family, act_bits: int, lanes: int) -> Attention:
    """Of a design, at another precision and width L."""
    tokens = round_up(design.capacity.tokens, design.tokens)
    parts, sum_bits = design.capacity.head // lanes, widths.exp_sum_bits(act_bits, tokens)
    return _attention(act_bits, family, vit.heads, vit.tokens, lanes, parts, sum_bits)


def attention_cycles(vit: Vit, design: Design, family: Family, rows: int) -> int:
    """One attention layer of a design on R = `rows` query rows."""
    return attention(vit, design, family, design.act_bits, design.attention_lanes).cycles(rows)
