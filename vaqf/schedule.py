"""The order in which the accelerator runs one frame, and how long every command takes.

A frame is cut into phases of the binary engine: phase 0 = embed, qkv of block 0; phase i = proj
of block i-1, fc1, fc2, qkv of block i; phase L = proj, fc1, fc2 of the last block, head. With two
frames in flight the attention engine works on one frame while the binary engine runs a phase of
the other; both must end before the next step. Phase L of a frame and phase 0 of the next one in
the same slot share a step. With one frame in flight phases and attention alternate.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from vaqf import arithmetic
from vaqf.board import Board
from vaqf.design import (
    MIN_INTERVAL,
    PORT_BITS,
    RECORD_BYTES,
    TABLE_ENTRIES,
    Design,
    MatMulShape,
    ceil_div,
    matmul_shapes,
    weight_words,
)
from vaqf.vit import Vit

EFFICIENCY = 0.7  # of the peak of AXI ports and of DRAM, for long bursts
PIPELINE_CYCLES = 40  # first operand to last result: look-up, adder levels, requantize, write
ATTENTION_FILL_GROUPS = 2
WAIT_SHARE = 20  # a wait binds when it is more than 1 / 20 of the cycles
BLOCK = ("qkv", "proj", "fc1", "fc2")  # matmuls of an encoder block
NORMALIZED = ("qkv", "fc1", "head")  # matmuls whose inputs pass the layer norm


@dataclass(frozen=True)
class Command:
    """One matmul of the binary engine: `groups` token groups of `group_cycles` after a start."""

    kind: str  # embed, qkv, proj, fc1, fc2, head
    groups: int
    group_cycles: int
    compute_cycles: int  # of group_cycles, what the array itself needs
    start_cycles: int  # exposed: first fetch, first table fill, pipeline
    fetch_cycles: int
    cycles: int  # start and all groups, without waiting for weights
    weight_bits: int  # through the ring
    stream_bits: int  # with parameters and position constants


@dataclass
class LayerTiming:
    """Busy and exposed cycles of one workload layer, and what its exposed cycles wait for."""

    busy: int = 0
    exposed: int = 0
    bound_by: str = "compute"


@dataclass(frozen=True)
class Schedule:
    """One frame in the steady state."""

    interval: int  # cycles from frame to frame
    latency: int
    stream_bits: int  # weights and parameters read per frame
    layers: dict[str, LayerTiming] = field(default_factory=dict)


def command(kind: str, shape: MatMulShape, design: Design) -> Command:
    """Cycles of one matmul.

    Compute per token group: digits * slices * planes * n / P (at least 4, so that a partial sum
    is written before it is read again); the table engine adds one all-ones
    row per slice of a binary matmul, for sum(a), and cannot start a slice before its tables are
    filled (16 * share cycles). The next group is fetched meanwhile: k / P cycles, or
    k / P * T / norm_tokens through the layer norm.
    """
    slices, outputs = ceil_div(shape.k, design.simd), shape.n // design.pe
    table = design.engine == "table"
    fill = TABLE_ENTRIES * design.share if table else 0
    per_slice = shape.planes * max(outputs, MIN_INTERVAL) + (
        1 if table and shape.planes == 1 else 0
    )
    compute = shape.digits * slices * per_slice
    filled = shape.digits * slices * max(per_slice, fill)
    rows = min(design.tokens, shape.m)
    fetch = shape.k // design.pe
    if kind in NORMALIZED:
        fetch *= ceil_div(rows, design.norm_tokens)
    words = weight_words(shape, design.pe, design.simd)
    bits = words * design.ring_word_bits
    records = shape.n + (shape.k if kind in NORMALIZED else 0)
    parameters = 8 * RECORD_BYTES * records
    if kind == "fc1":
        parameters += 8 * 2**arithmetic.GELU_INDEX_BITS  # the table, one byte an entry
    if kind == "embed":
        parameters += shape.m * shape.n * arithmetic.RESIDUAL_BITS
    groups, group, start = ceil_div(shape.m, design.tokens), max(filled, fetch), fetch + fill
    start += PIPELINE_CYCLES
    return Command(
        kind=kind,
        groups=groups,
        group_cycles=group,
        compute_cycles=compute,
        start_cycles=start,
        cycles=start + groups * group,
        fetch_cycles=fetch,
        weight_bits=0 if design.resident else bits,
        stream_bits=parameters + (0 if design.resident else bits),
    )


def commands(vit: Vit, design: Design) -> dict[str, Command]:
    """The six matmuls of a frame."""
    padded_head = design.padded_head(vit.head_dim)
    shapes = matmul_shapes(vit, design.act_bits, design.pe, design.simd, padded_head)
    return {kind: command(kind, shape, design) for kind, shape in shapes.items()}


def attention_group_cycles(vit: Vit, design: Design) -> int:
    """One head's group of query rows against all keys: tokens * padded_head / L."""
    return vit.tokens * (design.padded_head(vit.head_dim) // design.attention_lanes)


def attention_layer_cycles(vit: Vit, group_cycles: int, rows: int) -> int:
    """One attention layer: QK^T and AV in pipeline, both `rows` query rows at a time.

    heads * ceil(tokens / rows) groups, and two of fill (scores before their maximum is known,
    exponents before their products).
    """
    groups = vit.heads * ceil_div(vit.tokens, rows) + ATTENTION_FILL_GROUPS
    return groups * group_cycles + PIPELINE_CYCLES


def attention_cycles(vit: Vit, design: Design) -> int:
    """attention_layer_cycles of a design."""
    return attention_layer_cycles(vit, attention_group_cycles(vit, design), design.attention_rows)


def phases(vit: Vit) -> list[list[tuple[str, str]]]:
    """The phases 0..L of one frame as (kind, workload layer name)."""
    names: list[list[tuple[str, str]]] = [[("embed", "patch_embed")]]
    for i in range(vit.depth):
        block = f"blocks.{i}"
        names[-1].append(("qkv", f"{block}.attn.qkv"))
        names.append(
            [
                ("proj", f"{block}.attn.proj"),
                ("fc1", f"{block}.mlp.fc1"),
                ("fc2", f"{block}.mlp.fc2"),
            ]
        )
    names[-1].append(("head", "head"))
    return names


def stream_rate(board: Board, weight_ports: int, clock_mhz: float) -> float:
    """Bits per cycle that fill the ring: 70 % of the ports, at most 70 % of the DRAM's peak."""
    dram = board.dram_gbytes_per_s * 8e3 / clock_mhz  # bits per cycle
    return EFFICIENCY * min(weight_ports * PORT_BITS, dram)


def closed_interval(
    vit: Vit, by_kind: dict[str, Command], attention: int, frames: int, rate: float
) -> int:
    """Cycles per frame if the ring never ran dry: a lower bound of schedule_frame's interval."""
    block, ends = binary_cycles(by_kind)
    streamed = math.floor(stream_bits(vit, by_kind) / rate)
    if frames == 1:
        return max(vit.depth * (block + attention) + ends, streamed)
    middle = (vit.depth - 1) * max(block, attention)
    return max(middle + max(block + ends, attention), streamed)


def binary_cycles(by_kind: dict[str, Command]) -> tuple[int, int]:
    """Cycles of the binary engine in one block, and in the embedding and head together."""
    block = sum(by_kind[kind].cycles for kind in BLOCK)
    return block, by_kind["embed"].cycles + by_kind["head"].cycles


def stream_bits(vit: Vit, by_kind: dict[str, Command]) -> int:
    """DRAM bits of weights and parameters per frame."""
    block = sum(by_kind[kind].stream_bits for kind in BLOCK)
    return by_kind["embed"].stream_bits + vit.depth * block + by_kind["head"].stream_bits


class _Ring:
    """The weight stream against the clock: when the last word of each command has arrived.

    The stream runs in command order at a constant rate, as far ahead as the ring has room: words
    are freed while the last token group uses them. Parameters share the rate but have buffers of
    their own, double: those of a command come after the command two before has ended.
    """

    def __init__(self, rate: float, capacity_bits: int) -> None:
        self._rate = rate
        self._capacity = capacity_bits
        self._filled = 0.0  # when the previous command's last word arrived
        self._position = 0  # weight bits streamed so far
        self._ends = (0, 0)  # of the two commands before
        # (position, when the ring frees from there on), and the last such time already passed
        self._freed: deque[tuple[int, int]] = deque()
        self._freed_since = 0

    def wait(self, cmd: Command, start: int) -> int:
        """Cycles that `cmd`, starting at `start`, waits for its weights; records its end."""
        parameters = (cmd.stream_bits - cmd.weight_bits) / self._rate
        filled = max(self._filled + cmd.stream_bits / self._rate, self._ends[0] + parameters)
        last = self._position + cmd.weight_bits
        if cmd.weight_bits:
            while self._freed and self._freed[0][0] + self._capacity < self._position:
                self._freed_since = self._freed.popleft()[1]
            filled = max(filled, self._freed_since + cmd.weight_bits / self._rate)
            for position, when in self._freed:
                if position + self._capacity >= last:
                    break
                missing = last - max(position + self._capacity, self._position)
                filled = max(filled, when + missing / self._rate)
        stall = max(0, math.ceil(filled) - (start + cmd.start_cycles + cmd.group_cycles))
        end = start + cmd.cycles + stall
        if cmd.weight_bits:
            self._freed.append((self._position, end - cmd.group_cycles))
        self._filled, self._position = filled, last
        self._ends = (self._ends[1], end)
        return stall


def _steps(vit: Vit, frames: int) -> Iterator[tuple[list[tuple[str, str]], bool]]:
    """The binary engine's phases in order, with whether attention runs beside (or after) them."""
    parts = phases(vit)
    if frames == 1:
        for i, phase in enumerate(parts):
            yield phase, i < vit.depth
        return
    merged = [parts[-1] + parts[0], *parts[1:-1]]
    for phase in merged:
        yield phase, True
        yield phase, True  # the same phase of the other frame


def schedule_frame(vit: Vit, board: Board, design: Design, clock_mhz: float) -> Schedule:
    """The steady state: the second of two rounds, each of all the frames in flight."""
    by_kind = commands(vit, design)
    spent: list[tuple[str, int, str]] = []
    cycles = _second_round(vit, board, design, clock_mhz, by_kind, spent)
    frames = design.frames_in_flight
    interval = ceil_div(cycles, frames)
    return Schedule(
        interval=interval,
        latency=frames * interval,
        stream_bits=stream_bits(vit, by_kind),
        layers=_timings(vit, design, by_kind, spent, frames),
    )


def interval(vit: Vit, board: Board, design: Design, clock_mhz: float) -> int:
    """schedule_frame's interval alone, for the search."""
    by_kind = commands(vit, design)
    cycles = _second_round(vit, board, design, clock_mhz, by_kind, None)
    return ceil_div(cycles, design.frames_in_flight)


def _second_round(
    vit: Vit,
    board: Board,
    design: Design,
    clock_mhz: float,
    by_kind: dict[str, Command],
    spent: list[tuple[str, int, str]] | None,
) -> int:
    """Cycles of the second round; (layer, exposed cycles, bound by) of it go to `spent`."""
    attention = attention_cycles(vit, design)
    frames = design.frames_in_flight
    ring = _Ring(
        stream_rate(board, design.weight_ports, clock_mhz),
        design.ring_words * design.ring_word_bits,
    )
    steps = list(_steps(vit, frames))
    begin = now = 0
    for record in (None, spent):
        begin = now
        attention_index = 0
        for phase, with_attention in steps:
            step = now
            for kind, name in phase:
                cmd = by_kind[kind]
                stall = ring.wait(cmd, now)
                now += cmd.cycles + stall
                if record is not None:
                    record.extend(_exposed(cmd, name, stall))
            if with_attention:
                end = now + attention if frames == 1 else step + attention
                if record is not None:
                    layer = f"blocks.{attention_index // frames}.attn.scores"
                    record.append((layer, max(0, end - now), "attention"))
                now = max(now, end)
                attention_index += 1
    return now - begin


def _exposed(cmd: Command, name: str, stall: int) -> Iterator[tuple[str, int, str]]:
    """A command's cycles by the layer they belong to: its layer norm's first fetch apart."""
    fetch = cmd.fetch_cycles
    norm = _norm_of(name) if cmd.kind in NORMALIZED else None
    if norm is not None:
        yield norm, fetch, "start-up"
    waits = {
        "weights": stall,
        "fetch" if cmd.group_cycles == fetch else "table fill": cmd.groups
        * (cmd.group_cycles - cmd.compute_cycles),
    }
    longest = max(waits, key=lambda key: waits[key])
    bound = longest if waits[longest] * WAIT_SHARE > cmd.cycles else "compute"
    yield name, cmd.cycles + stall - (fetch if norm is not None else 0), bound


def _norm_of(name: str) -> str:
    block, _, layer = name.rpartition(".")
    if layer == "qkv":
        return block.removesuffix(".attn") + ".norm1"
    return block.removesuffix(".mlp") + ".norm2" if layer == "fc1" else "norm"


def _timings(
    vit: Vit,
    design: Design,
    by_kind: dict[str, Command],
    spent: list[tuple[str, int, str]],
    frames: int,
) -> dict[str, LayerTiming]:
    """Exposed cycles per frame, rounded so that they add up to the interval; busy cycles."""
    layers: dict[str, LayerTiming] = {}
    totals: dict[str, int] = {}
    for name, cycles, bound in spent:
        totals[name] = totals.get(name, 0) + cycles
        layers.setdefault(name, LayerTiming()).bound_by = bound
    running = 0
    for name, total in totals.items():
        layers[name].exposed = ceil_div(running + total, frames) - ceil_div(running, frames)
        running += total
    for phase in phases(vit):
        for kind, name in phase:
            cmd = by_kind[kind]
            layers[name].busy = cmd.groups * cmd.group_cycles
            if kind in NORMALIZED:
                layers[_norm_of(name)].busy = cmd.groups * cmd.fetch_cycles
    groups = vit.heads * ceil_div(vit.tokens, design.attention_rows)
    busy = groups * attention_group_cycles(vit, design)
    for i in range(vit.depth):
        scores = layers[f"blocks.{i}.attn.scores"]
        scores.busy = busy
        scores.bound_by = "attention" if scores.exposed else "hidden"
        layers[f"blocks.{i}.attn.context"] = LayerTiming(busy, 0, "hidden")
    return layers
