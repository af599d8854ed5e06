"""gearbox.sv and pixels.sv: every byte of a frame's rows is where its reader looks for it."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cocotb
import pytest
from cocotb.triggers import FallingEdge, ReadOnly
from hls_bench import design_for, small_vit
from rtl_bench import latency, reset, start_clock

from vaqf.arithmetic.widths import ceil_div, round_up
from vaqf.hardware.command import encode
from vaqf.hardware.design import PORT_BITS
from vaqf.hardware.layout import ALIGN

BEAT = PORT_BITS // 8
DIAGONAL = latency("MEMORY") + 2
# what is stored in a cycle: four words, three (no part of a row's), two, one, one of two beats
SHAPES = {
    "small words": {"tokens": 4, "pe": 4, "simd": 32},
    "three of four": {"tokens": 3, "pe": 4, "simd": 32, "norm_tokens": 1},
    "odd banks": {"tokens": 5, "pe": 8, "simd": 16, "norm_tokens": 1},
    "one token": {"tokens": 1, "pe": 8, "simd": 16, "norm_tokens": 1},
    "large words": {"tokens": 4, "pe": 24, "simd": 48, "norm_tokens": 1, "attention_lanes": 24},
}


@pytest.mark.parametrize(("taken", "given"), [(16, 4), (16, 12), (16, 48), (4, 6)])
def test_gearbox(simulate: Callable[..., None], taken: int, given: int) -> None:
    simulate(__file__, "gearbox", {"IN": taken, "OUT": given})


@pytest.mark.parametrize("shape", SHAPES)
def test_pixels(simulate: Callable[..., None], shape: str) -> None:
    design = design_for([small_vit(image_size=30, patch_size=6, channels=3)], **SHAPES[shape])
    simulate(__file__, "pixels", {}, design=design)


@cocotb.test()
async def works(dut: Any) -> None:
    await {"gearbox": gearbox, "pixels": pixels}[dut._name](dut)


# -- gearbox ----------------------------------------------------------------------------------


async def gearbox(dut: Any) -> None:
    """Rows of all lengths, each side ready with its probability; at full speed no cycle is lost."""
    start_clock(dut)
    taken, given = int(dut.IN.value), int(dut.OUT.value)
    rng = random.Random(taken * given)
    for offer, accept in [(1.0, 1.0), (0.5, 0.5), (1.0, 0.2), (0.2, 1.0), (0.9, 0.9)]:
        await reset(dut)
        rows = [rng.randbytes(taken * rng.choice([1, 2, 3, 4, 5, 17])) for _ in range(25)]
        words = [row[i : i + given] for row in rows for i in range(0, len(row), given)]
        cycles = await convey(dut, rows, words, rng, offer, accept)
        if offer == accept == 1:
            # a row's words take as long as its input with the padding
            spans = [ceil_div(len(row), given) for row in rows]
            bound = sum(max(span, ceil_div(span * given, taken)) for span in spans)
            assert cycles <= bound + 1


async def convey(
    dut: Any, rows: list[bytes], words: list[bytes], rng: random.Random, offer: float, accept: float
) -> int:
    """Send rows, find words and the ends of rows; the cycles it takes."""
    taken, given = int(dut.IN.value), int(dut.OUT.value)
    beats = [
        (row[i : i + taken], i + taken == len(row))
        for row in rows
        for i in range(0, len(row), taken)
    ]
    lasts, end = set[int](), 0
    for row in rows:
        end += ceil_div(len(row), given)
        lasts.add(end - 1)
    sent, found, cycles = 0, 0, 0
    offered, waited = False, None
    while found < len(words):
        offered = offered or (sent < len(beats) and rng.random() < offer)
        accepted = rng.random() < accept
        data, last = beats[sent] if offered else (rng.randbytes(taken), rng.random() < 0.5)
        dut.in_valid.value, dut.out_ready.value = int(offered), int(accepted)
        dut.in_data.value, dut.in_last.value = int.from_bytes(data, "little"), int(last)
        await ReadOnly()
        if offered and int(dut.in_ready.value):
            sent, offered = sent + 1, False
        word = None
        if int(dut.out_valid.value):
            word = (int(dut.out_data.value), int(dut.out_last.value))
        assert waited in (None, word), "a word changed while it waited"
        waited = None if accepted else word
        if word is not None and accepted:
            wanted = words[found]
            assert word[0].to_bytes(given, "little")[: len(wanted)] == wanted, found
            assert word[1] == (found in lasts), found
            found += 1
        cycles += 1
        assert cycles < 100 * len(words) + 1000, f"{found} of {len(words)} words"
        await FallingEdge(dut.clk)
    assert sent == len(beats)
    return cycles


# -- pixels -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frame:
    """One image: rows[token], empty for prefix tokens."""

    rows: list[bytes]
    command: int
    beats: list[bytes]


def frame(rng: random.Random, tokens: int, prefix: int, row_beats: int) -> Frame:
    """Random pixels, and random bytes where the frame is padded."""
    rows = [b"" if token < prefix else rng.randbytes(BEAT * row_beats) for token in range(tokens)]
    data = b"".join(rows)
    data += rng.randbytes(round_up(len(data), ALIGN) - len(data))
    fields = {name: rng.randrange(1000) for name in ("outputs", "k_words", "dim", "norm_offset")}
    fields |= {"tokens": tokens, "prefix_tokens": prefix, "pixel_bytes": BEAT * row_beats}
    command = int.from_bytes(encode(fields), "little")
    return Frame(rows, command, [data[i : i + BEAT] for i in range(0, len(data), BEAT)])


class Reader:
    """Reads groups that are stored, and says when it is done with the oldest."""

    def __init__(self, dut: Any, frames: list[Frame], patience: int, rng: random.Random) -> None:
        self.dut, self.patience, self.rng = dut, patience, rng
        self.tokens, self.pe = int(dut.TOKENS.value), int(dut.WORD.value) // 8
        self.depth = int(dut.ROW_WORDS.value)
        self.address_bits = (2 * self.depth - 1).bit_length()
        self.groups = [
            (g, shown.rows[g * self.tokens : (g + 1) * self.tokens])
            for shown in frames
            for g in range(ceil_div(len(shown.rows), self.tokens))
        ]
        self.stored = self.released = 0
        self.left = 0  # reads of the oldest group
        self.expected: deque[list[bytes | None]] = deque([[None]] * DIAGONAL)

    def word(self, group: int, bank: int) -> tuple[int, bytes | None]:
        """A word of that bank, its address and content."""
        number, rows = self.groups[group]
        row, word = self.rng.randrange(len(rows)), self.rng.randrange(self.depth)
        word -= (row + word - bank) % self.tokens
        data = rows[row][self.pe * word : self.pe * (word + 1)] if word >= 0 else b""
        return number % 2 * self.depth + max(word, 0), data or None

    def step(self) -> None:
        """One cycle: look at what was asked for, ask anew, at times for the last time."""
        found = int(self.dut.read_data.value).to_bytes(self.tokens * self.pe, "little")
        for element, data in enumerate(self.expected.popleft()):
            if data is not None:
                first = element * self.pe
                assert found[first : first + len(data)] == data, f"group {self.released}"
        self.stored += int(self.dut.stored.value)
        first = self.rng.randrange(self.tokens)
        asked: list[tuple[int, bytes | None]] = [(0, None)] * self.tokens
        release = False
        if self.released < self.stored:
            oldest = self.rng.random() < 0.7 or self.stored == self.released + 1
            group = self.released if oldest else self.released + 1
            asked = [self.word(group, (first + e) % self.tokens) for e in range(self.tokens)]
            release = self.left == 0
            self.released += release
            self.left = self.rng.randrange(self.patience) if release else self.left - 1
        self.dut.read_first.value = first
        self.dut.read_address.value = sum(
            address << e * self.address_bits for e, (address, _) in enumerate(asked)
        )
        self.dut.release_group.value = int(release)
        self.expected.append([data for _, data in asked])


async def pixels(dut: Any) -> None:
    """Frames of all shapes behind each other; the port and the reader at many speeds."""
    start_clock(dut)
    tokens, pe = int(dut.TOKENS.value), int(dut.WORD.value) // 8
    longest = int(dut.ROW_WORDS.value) * pe // BEAT
    together = int(dut.TOGETHER.value) * pe
    rng = random.Random(tokens * pe)
    for offer, patience in [(1.0, 1), (1.0, 100), (0.3, 2), (0.8, 20)]:
        dut.start.value = dut.release_group.value = dut.in_valid.value = 0
        await reset(dut)
        shapes = [(rng.randrange(1, 4 * tokens + 3), rng.choice([1, longest, 0])) for _ in range(6)]
        frames = [
            frame(rng, count + prefix, prefix, beats or rng.randrange(1, longest + 1))
            for count, beats in shapes
            for prefix in [rng.randrange(4)]
        ]
        reader = Reader(dut, frames, patience, rng)
        await show(dut, frames, reader, rng, offer)
        assert reader.stored == reader.released == len(reader.groups)

    # as fast as the port and the memory allow, where two groups hold the frame
    rows, prefix = max(2 * tokens - 1, 1), 1
    for beats in (longest, 1):
        dut.in_valid.value = 0
        await reset(dut)
        shown = frame(rng, rows + prefix, prefix, beats)
        cycles = await show(dut, [shown], Reader(dut, [shown], 1, rng), rng, 1.0)
        stored = ceil_div(BEAT * beats, together)
        span = max(stored, ceil_div(stored * together, BEAT))
        assert cycles <= rows * span + prefix + ALIGN // BEAT + 12


async def show(
    dut: Any, frames: list[Frame], reader: Reader, rng: random.Random, offer: float
) -> int:
    """Start each frame as soon as it may be, or later; the cycles until all are read."""
    beats = [beat for shown in frames for beat in shown.beats]
    ends = [sum(len(shown.beats) for shown in frames[:i]) for i in range(len(frames) + 1)]
    sent, started, cycles, last = 0, 0, 0, 0
    offered = False
    while reader.released < len(reader.groups) or not int(dut.idle.value):
        reader.step()
        idle = int(dut.idle.value)
        if idle:
            assert sent == ends[started], "not a frame's beats"
        start = idle and started < len(frames) and (offer == 1 or rng.random() < 0.2)
        dut.start.value = int(start)
        dut.command.value = frames[started].command if start else rng.getrandbits(512)
        started += bool(start)
        offered = offered or (sent < len(beats) and rng.random() < offer)
        dut.in_valid.value = int(offered)
        data = beats[sent] if offered else rng.randbytes(BEAT)
        dut.in_data.value = int.from_bytes(data, "little")
        await ReadOnly()
        if offered and int(dut.in_ready.value):
            sent, offered, last = sent + 1, False, cycles
        cycles += 1
        assert cycles - last < 2000, f"nothing moves after {sent} of {len(beats)} beats"
        await FallingEdge(dut.clk)
    assert started == len(frames) and sent == len(beats)
    for _ in range(DIAGONAL):  # the last words read
        reader.step()
        await FallingEdge(dut.clk)
    return cycles
