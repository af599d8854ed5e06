"""sequencer.sv and walk.sv: every command once, in its step, when its engine is free."""

import os
import random
from collections.abc import Callable, Sequence
from typing import Any

import cocotb
import pytest
from cocotb.triggers import FallingEdge
from hls_bench import design_for, small_vit
from rtl_bench import latency, reset, start_clock
from schedule_bench import Command, Run, bits, compiled, decoded, iterations, random_list, schedule

from vaqf.cycles.timeline import ENGINE_TURN
from vaqf.hardware.command import MAX_COMMANDS, Opcode, decode, encode

ENGINES = ("matmul", "attention")
IN_FLIGHT = "VAQF_BENCH_FRAMES_IN_FLIGHT"


@pytest.mark.parametrize("in_flight", [1, 2])
def test_sequencer(
    simulate: Callable[..., None], monkeypatch: pytest.MonkeyPatch, in_flight: int
) -> None:
    monkeypatch.setenv(IN_FLIGHT, str(in_flight))
    design = design_for([small_vit()], frames_in_flight=in_flight)
    simulate(__file__, "sequencer", {}, design=design)


class Around:
    """The list memory, the loader and both engines, at random speeds."""

    def __init__(self, dut: Any, commands: Sequence[Command], n_frames: int, seed: int) -> None:
        self.dut = dut
        self.rng = random.Random(seed)
        self.n_frames = n_frames
        self.words = [bits(command) for command in commands]
        self.in_flight = int(os.environ[IN_FLIGHT])
        self.runs = schedule(commands, self.in_flight, n_frames)
        self.todo = {
            name: [run for run in self.runs if run.is_attention == (name == "attention")]
            for name in ENGINES
        }
        self.answers_after: int | None = self.rng.choice([latency("MEMORY"), None])
        self.takes = range(self.rng.choice([1, 5, 30]))  # cycles of a command
        self.eager = self.rng.choice([1.0, 0.05])  # how soon parameters are there
        self.answer_in = -1
        self.loaded = dict.fromkeys(ENGINES, 0)
        self.done = dict.fromkeys(ENGINES, 0)
        self.busy = dict[str, int]()  # engine -> cycles to go
        self.order = list[Run]()  # as they started
        self.driven = dict[str, bool]()
        self.reads = 0  # of the list
        self.cycle = 0
        self.free_since = 0  # cycle in which an engine was last done
        self.gaps = list[int]()  # from there to each start

    def started(self, name: str) -> int:
        return self.done[name] + (name in self.busy)

    def drive(self, name: str, now: bool) -> None:
        if self.driven.get(name) != now:
            getattr(self.dut, name).value = int(now)
            self.driven[name] = now

    def memory(self) -> None:
        dut, rng = self.dut, self.rng
        if self.answer_in > 0:
            self.answer_in -= 1
        elif not self.driven.get("list_answer") and int(dut.list_request.value):
            self.answer_in = self.answers_after or rng.randrange(1, 6)  # not in this cycle
        answers = self.answer_in == 0
        if answers:
            assert int(dut.list_request.value)
            dut.list_command.value = self.words[int(dut.list_index.value)]
            self.answer_in = -1
            self.reads += 1
        elif self.driven.get("list_answer"):
            dut.list_command.value = rng.getrandbits(512)
        self.drive("list_answer", answers)

    def loader(self, name: str) -> None:
        ahead = self.loaded[name] - self.done[name]
        now = ahead < 2 and self.loaded[name] < len(self.todo[name])
        now = now and self.rng.random() < self.eager
        self.drive(f"{name}_loaded", now)
        self.loaded[name] += now

    def engine(self, name: str) -> None:
        def port(what: str) -> int:
            return int(getattr(self.dut, f"{name}_{what}").value)

        number = self.done[name]
        if port("start"):
            run = self.todo[name][number]
            assert name not in self.busy, "two at a time"
            assert self.loaded[name] > number, "parameters are not there"
            for other in self.busy:
                assert self.todo[other][self.done[other]].step == run.step, "steps overlap"
            halves = (run.frame % self.in_flight, number % 2)
            assert (port("slot"), port("parity")) == halves
            self.order.append(run)
            self.busy[name] = self.rng.choice(self.takes)
            self.gaps.append(self.cycle - self.free_since)
        ends = self.busy.get(name) == 0
        if port("start") or ends:
            run = self.todo[name][number]
            assert port("command") == bits(run.command)
            assert (port("index"), port("frame")) == (run.index, run.frame)
        if ends:
            del self.busy[name]
            self.done[name] += 1
            self.free_since = self.cycle
        elif name in self.busy:
            self.busy[name] -= 1
        self.drive(f"{name}_done", ends)

    async def run(self) -> None:
        """One run from start to run_done."""
        dut = self.dut
        dut.n_frames.value, dut.n_commands.value = self.n_frames, len(self.words)
        dut.start.value = 1
        await FallingEdge(dut.clk)
        dut.start.value = 0
        while not int(dut.run_done.value):
            for name in ENGINES:
                self.engine(name)
                self.loader(name)
            self.memory()
            await FallingEdge(dut.clk)
            self.cycle += 1
            if not self.busy:
                assert self.cycle - self.free_since < 3000, f"stuck after {len(self.order)}"
        assert not self.busy and len(self.order) == len(self.runs)
        assert self.reads == len(self.words) * max(1, iterations(self.in_flight, self.n_frames))
        steps = [run.step for run in self.order]
        assert steps == sorted(steps)
        for _ in range(5):
            await FallingEdge(dut.clk)
            after = (dut.run_done, dut.matmul_start, dut.attention_start)
            assert not any(int(signal.value) for signal in after)


async def prepare(dut: Any) -> int:
    """Reset; the design's frames in flight."""
    start_clock(dut)
    pulses = [f"{name}_{what}" for name in ENGINES for what in ("loaded", "done")]
    for name in ("start", "list_answer", *pulses):
        getattr(dut, name).value = 0
    await reset(dut)
    return int(os.environ[IN_FLIGHT])


@cocotb.test()
async def runs_compiled_networks(dut: Any) -> None:
    in_flight = await prepare(dut)
    design = design_for([small_vit(depth=2)], frames_in_flight=in_flight)
    for depth in (1, 2):
        commands = decoded(compiled(design, depth, depth=depth).commands)
        for n_frames in (1, 2, 3, 5):
            await Around(dut, commands, n_frames, 10 * depth + n_frames).run()


@cocotb.test()
async def runs_any_list(dut: Any) -> None:
    in_flight = await prepare(dut)
    rng = random.Random(3)
    for seed in range(20):
        commands = random_list(rng, in_flight, rng.randrange(1, 9))
        await Around(dut, commands, rng.randrange(6), seed).run()


@cocotb.test()
async def runs_the_longest_list(dut: Any) -> None:
    in_flight = await prepare(dut)
    rng = random.Random(4)
    commands = list[Command]()
    while len(commands) < MAX_COMMANDS:
        commands += [{**command, "step_end": 1} for command in random_list(rng, in_flight, 2)]
    await Around(dut, commands[:MAX_COMMANDS], 1, 0).run()


@cocotb.test()
async def ends_a_step_where_the_list_ends(dut: Any) -> None:
    in_flight = await prepare(dut)
    first = {"opcode": Opcode.MATMUL, "frame_offset": 0, "step_end": 1}
    last = {"opcode": Opcode.ATTENTION, "frame_offset": in_flight - 1}
    around = Around(dut, [decode(encode(command)) for command in (first, last)], 4, 0)
    around.takes, around.eager = range(30, 40), 1.0
    await around.run()


@cocotb.test()
async def wastes_few_cycles(dut: Any) -> None:
    await prepare(dut)
    matmul = {"opcode": Opcode.MATMUL, "frame_offset": 0}
    commands = [decode(encode({**matmul, "step_end": i % 5 == 4})) for i in range(10)]
    around = Around(dut, commands, 3, 0)
    around.answers_after, around.takes, around.eager = latency("MEMORY"), range(12, 30), 1.0
    await around.run()
    # done, the engine is free, its command, start: the list was read ahead
    assert max(around.gaps[1:]) == ENGINE_TURN
