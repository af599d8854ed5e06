"""loader.sv: everything of a run arrives where it belongs, in time and never too early."""

import os
import random
import struct
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import cocotb
import pytest
from cocotb.triggers import FallingEdge, Timer
from hls_bench import design_for, small_vit
from rtl_bench import reset, start_clock
from schedule_bench import Command, Run, bits, compiled, decoded, schedule

from vaqf.arithmetic.widths import ceil_div
from vaqf.hardware import layout
from vaqf.hardware.command import Dest, Opcode, Source, decode, encode
from vaqf.hardware.config import constants, rtl_sizes
from vaqf.hardware.design import Design

CASE = "VAQF_BENCH_LOADER"
NETWORK = {"dim": 21, "heads": 3, "distilled": True}
CASES: dict[str, dict[str, Any]] = {
    "table": {"pe": 4, "simd": 32, "norm_tokens": 2},
    "odd": {"pe": 3, "simd": 768, "tokens": 3, "attention_lanes": 9, "weight_ports": 2},
    "resident": {"pe": 1, "simd": 128, "resident": True, "act_bits": 3},
    "ports": {"pe": 8, "simd": 64, "norm_tokens": 4, "weight_ports": 4, "frames_in_flight": 1},
}
IMAGES = 0xFEDC_BA98_7000
WEIGHTS = 0x1_FFFF_FFC0
PULSES = ("start", "matmul_start", "matmul_done", "attention_done")


def design_of(case: str) -> Design:
    """The design of a case; its ring is as small as it may be."""
    design: Design = design_for([small_vit(**NETWORK)], **{"norm_tokens": 1, **CASES[case]})
    return design


@pytest.mark.parametrize("case", CASES)
def test_loader(simulate: Callable[..., None], monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.setenv(CASE, case)
    simulate(__file__, "loader", {}, design=design_of(case))


class Around:
    """Ports, ring, buffers and engines around the loader, at random speeds."""

    def __init__(
        self, dut: Any, commands: Sequence[Command], weights: bytes, n_frames: int, seed: int
    ) -> None:
        self.dut = dut
        self.rng = random.Random(seed)
        self.design = design = design_of(os.environ[CASE])
        self.values = {**constants(design), **rtl_sizes(design)}
        self.words = [bits(command) for command in commands]
        self.image = weights
        self.n_frames = n_frames
        self.runs = schedule(commands, design.frames_in_flight, n_frames)
        self.matmuls = [run for run in self.runs if not run.is_attention]
        self.attentions = [run for run in self.runs if run.is_attention]
        self.beat_bytes = design.weight_read_bytes
        # speeds
        self.port_latency = self.rng.choice([3, 40])
        self.port_rate = self.rng.choice([1.0, 0.6])
        self.engine_rate = self.rng.choice([1.0, 0.3])
        self.constant_rate = self.rng.choice([1.0, 0.4])
        # list memory
        self.answers = deque[int]([0, 0])  # one bit for each reader
        # weight port: when a beat may come, and its address
        self.beats = deque[tuple[int, int]]()
        self.cycle = 0
        self.shown: int | None = None
        # ring, in weight words of the port
        self.reserved = self.filled = self.released = 0
        self.parts = design.ring_word_bits // 8 // self.beat_bytes
        self.fill = deque(self.expected_fill())
        # buffers by half
        self.named = 0, 0
        self.gelu = [[-1] * 256 for _ in range(2)]
        self.norm = [dict[int, int]() for _ in range(2)]
        self.requant = [dict[int, int]() for _ in range(2)]
        self.context = [dict[int, int]() for _ in range(2)]
        # what runs
        self.matmuls_loaded = self.attentions_loaded = 0
        self.matmuls_done = self.attentions_done = 0
        self.matmul: Run | None = None
        self.attention: Run | None = None
        self.place = 0  # ring word of the matmul that runs
        self.constants = deque[int]()
        self.position = 0  # in runs
        self.weight_cycles = list[int]()
        # images
        self.patches = deque(run for run in self.matmuls if is_patches(run))
        self.image_wait: int | None = None
        self.pixels_busy = 0

    def expected_fill(self) -> list[int]:
        """Beats of the ring, in their order."""
        found = list[int]()
        for run in self.matmuls:
            if not self.design.resident or run.frame == 0:
                size = run.command["weight_words"] * self.design.ring_word_bits // 8
                found += self.content(run.command["weight_offset"], size)
        return found

    def content(self, offset: int, size: int) -> list[int]:
        """Beats of a block."""
        first = offset * layout.ALIGN
        assert first + size <= len(self.image)
        return [
            int.from_bytes(self.image[at : at + self.beat_bytes], "little")
            for at in range(first, first + size, self.beat_bytes)
        ]

    # -- what is around ----------------------------------------------------------------------------

    def list_memory(self) -> None:
        dut, rng = self.dut, self.rng
        request = int(dut.list_request.value)
        for on_the_way in self.answers:
            request &= ~on_the_way
        chosen = request & -request if rng.random() < 0.9 else 0
        self.answers.append(chosen)
        answer = self.answers.popleft()
        dut.list_answer.value = answer
        if answer:
            index = int(dut.list_index.value) >> (9 * (answer - 1)) & 511
            dut.list_command.value = self.words[index]
        else:
            dut.list_command.value = rng.getrandbits(32)

    def weight_port(self) -> None:
        """Takes requests, shows the next beat; call `after` once the beat is seen."""
        dut, rng = self.dut, self.rng
        ready = rng.random() < 0.7
        dut.request_ready.value = int(ready)
        if ready and int(dut.request_valid.value):
            address, beats = int(dut.request_address.value), int(dut.request_beats.value)
            assert beats >= 1 and address % self.beat_bytes == 0
            first = address - WEIGHTS
            assert first >= 0 and first + beats * self.beat_bytes <= len(self.image)
            when = self.cycle + self.port_latency
            self.beats += [(when, first + i * self.beat_bytes) for i in range(beats)]
        arrived = self.beats and self.beats[0][0] <= self.cycle
        if self.shown is None and arrived and rng.random() < self.port_rate:
            self.shown = self.beats.popleft()[1]
        dut.data_valid.value = int(self.shown is not None)
        if self.shown is None:
            dut.data.value = rng.getrandbits(32)
        else:
            beat = self.image[self.shown : self.shown + self.beat_bytes]
            dut.data.value = int.from_bytes(beat, "little")

    def ring(self) -> None:
        dut = self.dut
        room = self.design.ring_words - self.reserved + self.released
        assert 0 <= room <= self.design.ring_words
        dut.room.value = room

    def seen(self) -> None:
        """What the loader does with the inputs of this cycle."""
        dut = self.dut
        taken = self.shown is not None and int(dut.data_ready.value)
        if int(dut.reserve.value):
            count = int(dut.reserve_words.value)
            assert 1 <= count <= int(dut.room.value)
            self.reserved += count
        if int(dut.fill_valid.value):
            assert taken and int(dut.fill_data.value) == self.fill.popleft()
            self.filled += 1
            assert self.filled <= self.reserved * self.parts
            self.weight_cycles.append(self.cycle)
        if int(dut.constant_valid.value):
            assert self.matmul is not None and is_patches(self.matmul), "nobody takes constants"
            assert int(dut.constant_data.value) == self.constants[0]
            if int(dut.constant_ready.value):
                self.constants.popleft()
                assert taken
        if taken:
            self.shown = None

    def buffers(self) -> None:
        dut, values = self.dut, self.values
        half, address = self.named  # a cycle ahead of the word
        self.named = int(dut.parity.value), int(dut.record_address.value)
        lanes, width = values["pe"], values["record_bits"]

        def store(target: dict[int, int], writes: int, banks: int) -> None:
            if not writes:
                return
            bank = writes.bit_length() - 1
            assert writes == 1 << bank
            word = address * banks + bank
            data = int(dut.record_data.value)
            for lane in range(lanes):
                target[word * lanes + lane] = data >> (lane * width) & (2**width - 1)

        store(self.norm[half], int(dut.norm_write.value), values["norm_words"])
        store(self.requant[half], int(dut.requant_write.value), 1)
        store(self.context[half], int(dut.context_write.value), values["head_words"])
        if int(dut.gelu_write.value):
            self.gelu[half][int(dut.gelu_address.value)] = int(dut.gelu_data.value)
        self.matmuls_loaded += int(dut.matmul_loaded.value)
        self.attentions_loaded += int(dut.attention_loaded.value)
        assert self.matmuls_loaded <= min(self.matmuls_done + 2, len(self.matmuls))
        assert self.attentions_loaded <= min(self.attentions_done + 2, len(self.attentions))

    def records(self, offset: int, count: int) -> dict[int, int]:
        """Channel -> {bias, mult}, from memory."""
        found = {}
        for i in range(count):
            mult, _, bias = struct.unpack_from("<iiq", self.image, offset * layout.ALIGN + 16 * i)
            found[i] = (bias & (2**48 - 1)) << 18 | mult & (2**18 - 1)
        return found

    def check_parameters(self, run: Run, half: int) -> None:
        """The buffers' half holds what the command needs."""
        command, lanes = run.command, self.design.pe
        records = self.records(command["requant_offset"], command["n_words"] * lanes)
        if run.is_attention:
            assert records.items() <= self.context[half].items()
            return
        assert records.items() <= self.requant[half].items()
        if command["source"] in (Source.NORM, Source.NORM_PREFIX):
            count = ceil_div(command["dim"], lanes) * lanes
            wanted = self.records(command["norm_offset"], count)
            assert wanted.items() <= self.norm[half].items()
        if command["dest"] == Dest.HIDDEN:
            first = command["gelu_offset"] * layout.ALIGN
            assert self.gelu[half] == list(self.image[first : first + 256])

    def images(self) -> None:
        dut, rng = self.dut, self.rng
        if self.image_wait is not None:
            # asked for: the receiver is told within two cycles
            assert self.image_wait < 2
            self.image_wait += 1
        if int(dut.pixels_start.value):
            run = self.patches.popleft()
            assert self.image_wait is not None and self.pixels_busy == 0
            assert int(dut.pixels_command.value) == bits(run.command)
            self.image_wait = None
            self.pixels_busy = rng.randrange(1, 200)
        dut.pixels_idle.value = int(self.pixels_busy == 0)
        self.pixels_busy = max(self.pixels_busy - 1, 0)
        ready = rng.random() < 0.5
        dut.image_request_ready.value = int(ready)

    def image_seen(self) -> None:
        dut = self.dut
        if int(dut.image_request_valid.value) and int(dut.image_request_ready.value):
            run = self.patches[0]
            command = run.command
            size = (command["tokens"] - command["prefix_tokens"]) * command["pixel_bytes"]
            size = ceil_div(size, layout.ALIGN) * layout.ALIGN
            assert int(dut.image_request_address.value) == IMAGES + run.frame * size
            assert int(dut.image_request_beats.value) == size // 16
            assert self.image_wait is None
            self.image_wait = 0

    def engines(self) -> None:
        """What runs, in the order of the schedule."""
        dut, rng = self.dut, self.rng
        starts = matmul_done = attention_done = False
        if self.matmul is not None:
            command = self.matmul.command
            arrived = self.filled // self.parts
            if self.design.resident:
                self.place = min(arrived - command["ring_offset"], command["weight_words"])
            elif arrived > self.released and self.place < command["weight_words"]:
                step = rng.random() < self.engine_rate
                self.place += step
                self.released += step
            whole = self.place == command["weight_words"] and not self.constants
            if whole and not (is_patches(self.matmul) and self.matmul in self.patches):
                matmul_done = rng.random() < 0.2
        if self.attention is not None:
            attention_done = rng.random() < 0.05
        if self.position < len(self.runs):
            run = self.runs[self.position]
            last_step = self.runs[self.position - 1].step if self.position else run.step
            idle = self.matmul is None and self.attention is None
            may = (run.step == last_step or idle) and rng.random() < 0.5
            free = self.attention is None if run.is_attention else self.matmul is None
            ahead = self.attentions_loaded - self.attentions_done
            if not run.is_attention:
                ahead = self.matmuls_loaded - self.matmuls_done
            if may and free and ahead:
                self.position += 1
                starts = not run.is_attention
                self.begin(run)
        if matmul_done:
            assert self.matmul is not None
            self.check_parameters(self.matmul, self.matmuls_done % 2)
            self.matmul = None
            self.matmuls_done += 1
        if attention_done:
            assert self.attention is not None
            self.check_parameters(self.attention, self.attentions_done % 2)
            self.attention = None
            self.attentions_done += 1
        dut.matmul_start.value = int(starts)
        dut.matmul_done.value = int(matmul_done)
        dut.attention_done.value = int(attention_done)
        dut.constant_ready.value = int(rng.random() < self.constant_rate)

    def begin(self, run: Run) -> None:
        if run.is_attention:
            self.check_parameters(run, self.attentions_done % 2)
            self.attention = run
            return
        self.check_parameters(run, self.matmuls_done % 2)
        self.matmul, self.place = run, 0
        if is_patches(run):
            groups = ceil_div(run.command["tokens"], self.design.tokens)
            size = groups * run.command["n_words"] * self.design.constant_tile_bytes
            self.constants = deque(self.content(run.command["constant_offset"], size))

    def finished(self) -> bool:
        return self.matmuls_done + self.attentions_done == len(self.runs)

    async def run(self) -> None:
        """One run, until the last command is done."""
        dut = self.dut
        dut.n_frames.value, dut.n_commands.value = self.n_frames, len(self.words)
        dut.weights_address.value, dut.images_address.value = WEIGHTS, IMAGES
        dut.start.value = 1
        await FallingEdge(dut.clk)
        dut.start.value = 0
        progress = 0
        while not self.finished():
            before = (self.filled, self.position, self.matmuls_done, self.attentions_done)
            self.buffers()
            self.list_memory()
            self.images()
            self.ring()
            self.engines()
            self.weight_port()
            await Timer(1, "ns")
            self.seen()
            self.image_seen()
            await FallingEdge(dut.clk)
            self.cycle += 1
            after = (self.filled, self.position, self.matmuls_done, self.attentions_done)
            progress = 0 if after != before else progress + 1
            assert progress < 3000, f"stuck after {self.position} of {len(self.runs)}"
        assert not self.fill and not self.constants and not self.patches and not self.beats
        for name in PULSES:
            getattr(dut, name).value = 0
        await self.settle()

    async def settle(self) -> None:
        """Whatever still walks the list ends."""
        for _ in range(300):
            self.list_memory()
            await FallingEdge(self.dut.clk)
            assert not int(self.dut.request_valid.value)


def is_patches(run: Run) -> bool:
    return not run.is_attention and run.command["source"] == Source.PIXELS


async def prepare(dut: Any) -> Design:
    """Reset; the design."""
    start_clock(dut)
    quiet = ("list_answer", "request_ready", "data_valid", "image_request_ready", "pixels_idle")
    for name in (*PULSES, *quiet, "constant_ready"):
        getattr(dut, name).value = 0
    await reset(dut)
    return design_of(os.environ[CASE])


@cocotb.test()
async def loads_compiled_networks(dut: Any) -> None:
    design = await prepare(dut)
    for n_frames in (1, 2, 3, 5):
        for depth in (1, 2):
            if n_frames == 5 and depth == 2:
                continue
            # the images of one need padding, those of the other do not
            changes = {**NETWORK, "depth": depth, "image_size": 8 - 2 * depth}
            made = compiled(design, n_frames, **changes)
            commands = decoded(made.commands)
            await Around(dut, commands, made.weights, n_frames, 10 * depth + n_frames).run()


@cocotb.test()
async def hides_the_ports_latency(dut: Any) -> None:
    design = await prepare(dut)
    size = design.ring_word_bits // 8
    matmul = {
        "opcode": Opcode.MATMUL,
        "source": Source.CONTEXT,
        "outputs": design.pe,
        "n_words": 1,
        "step_end": 1,
    }
    count = 10
    words = design.ring_words // count
    block = ceil_div(words * size, layout.ALIGN)
    places = [{"weight_offset": i * block, "ring_offset": i * words} for i in range(count)]
    commands = [decode(encode({**matmul, "weight_words": words, **place})) for place in places]
    image = random.Random(0).randbytes(count * block * layout.ALIGN)
    around = Around(dut, commands, image, 1, 0)
    around.port_latency, around.port_rate = 60, 1.0
    await around.run()
    first, last = around.weight_cycles[0], around.weight_cycles[-1]
    # besides weights: the walk from command to command, and a record or two of each
    assert last - first < len(around.weight_cycles) + 25 * count
