"""ring.sv: every word where it belongs, no room promised twice."""

import os
import random
from collections import deque
from collections.abc import Callable
from typing import Any

import cocotb
import pytest
from cocotb.triggers import FallingEdge, Timer
from hls_bench import design_for, small_vit
from rtl_bench import latency, reset, start_clock

RING = 1 + latency("MEMORY")
CASE = "VAQF_BENCH_RING"
CASES = {
    "one": {"ring_words": 1, "pe": 4, "simd": 32},
    "odd": {"ring_words": 13, "pe": 4, "simd": 96},
    "even": {"ring_words": 16, "pe": 8, "simd": 64, "weight_ports": 2},
    "resident": {"ring_words": 21, "pe": 4, "simd": 64, "resident": True},
}


@pytest.mark.parametrize("case", CASES)
def test_ring(simulate: Callable[..., None], monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.setenv(CASE, case)
    simulate(__file__, "ring", {}, design=design_for([small_vit()], **CASES[case]))


class Model:
    """What fills the ring and what reads it."""

    def __init__(self, dut: Any, seed: int) -> None:
        case = CASES[os.environ[CASE]]
        self.dut = dut
        self.rng = random.Random(seed)
        self.words = int(case["ring_words"])
        self.port = 128 * int(case.get("weight_ports", 1))
        self.word_bits = int(case["pe"]) * int(case["simd"])
        self.resident = "resident" in case
        self.fast = self.rng.random() < 0.4  # no gaps
        # commands: where the first word of each lies, and how many it has
        sizes = list[int]()
        while sum(sizes) < (self.words if self.resident else 40 + 6 * self.words):
            most = self.words - sum(sizes) if self.resident else self.words
            sizes.append(self.rng.choice([1, most, self.rng.randint(1, most)]))
        self.commands = [(sum(sizes[:i]), size) for i, size in enumerate(sizes)]
        if self.resident:
            self.commands += self.rng.choices(self.commands, k=10)  # of later frames
        self.content = [self.rng.getrandbits(self.word_bits) for _ in range(sum(sizes))]
        self.reserved = self.arrived = self.released = 0  # words
        self.parts = deque[int]()  # reserved, not yet here
        self.arriving = deque(
            [0, 0]
        )  # 1 for each word that is written, two cycles behind its last part
        self.expected = deque[int | None]([None] * RING)

    def fill(self) -> None:
        dut, rng = self.dut, self.rng
        room = self.words - self.reserved + self.released
        assert int(dut.room.value) == room
        left = len(self.content) - self.reserved
        now = left > 0 and room > 0 and (self.fast or rng.random() < 0.3)
        count = min(left, room, rng.choice([1, self.words, rng.randint(1, self.words)]))
        dut.reserve.value = int(now)
        dut.reserve_words.value = count if now else rng.randrange(self.words + 1)
        self.arrived += self.arriving.popleft()
        valid = bool(self.parts) and (self.fast or rng.random() < 0.7)
        dut.fill_valid.value = int(valid)
        dut.fill_data.value = self.parts.popleft() if valid else rng.getrandbits(self.port)
        whole = valid and len(self.parts) % (self.word_bits // self.port) == 0
        self.arriving.append(int(whole))
        if now:
            for word in self.content[self.reserved : self.reserved + count]:
                for low in range(0, self.word_bits, self.port):
                    self.parts.append(word >> low & (2**self.port - 1))
            self.reserved += count

    async def cycle(
        self, offset: int, read: bool, first: int, release: bool, back: bool = False
    ) -> None:
        """One cycle in which the engine looks at a word; `back`: next at one it read before."""
        dut = self.dut
        wanted = self.expected.popleft()
        if wanted is not None:
            assert int(dut.read_data.value) == wanted
        self.expected.append(self.content[first + offset] if read else None)
        dut.offset.value, dut.read.value = offset, int(read)
        # a read decides, or the engine skips; else it returns later
        dut.returns.value = int(back or not read)
        dut.skips.value = int(back and not read)
        dut.release_word.value = int(release)
        self.fill()
        self.released += release
        await FallingEdge(dut.clk)

    async def command(self, first: int, size: int) -> None:
        """One command: every word is read, some again and again, all are released in order.

        From one cycle to the next the engine stays, goes on behind a read, or back.
        """
        dut, rng = self.dut, self.rng
        dut.command_offset.value = first if self.resident else rng.randrange(self.words)
        dut.matmul_start.value = 1
        await self.cycle(0, False, first, False)
        dut.matmul_start.value = 0
        dut.command_offset.value = rng.randrange(self.words)
        gone = 0  # words of this command that were released, or read once if resident
        idle = offset = seen = 0
        fresh = True  # the answer takes a cycle
        looks = rng.choice([0, 20])  # before the first release
        while gone < size:
            here = min(self.arrived - first, size)
            await Timer(1, "ns")
            assert int(dut.available.value) == (offset < here and not fresh)
            read = offset < here and not fresh and (self.resident or gone <= offset)
            read = read and (self.fast or rng.random() < 0.8)
            last = read and offset == gone and looks == 0
            looks = max(looks - 1, 0)
            seen = max(seen, offset + read)
            oldest = 0 if self.resident else gone + last
            back = oldest < seen and (offset + read == size or rng.random() < 0.2)
            await self.cycle(offset, read, first, last and not self.resident, back)
            gone += last
            offset = rng.choice([oldest, rng.randrange(oldest, seen)]) if back else offset + read
            dut.offset.value = offset % self.words
            fresh = False
            idle = 0 if read else idle + 1
            assert idle < 500, "no word arrives"


@cocotb.test()
async def keeps_every_word(dut: Any) -> None:
    start_clock(dut)
    for name in (
        "start",
        "reserve",
        "fill_valid",
        "matmul_start",
        "read",
        "returns",
        "skips",
        "release_word",
    ):
        getattr(dut, name).value = 0
    await reset(dut)
    for seed in range(6):
        model = Model(dut, seed)
        dut.start.value = 1
        await FallingEdge(dut.clk)
        dut.start.value = 0
        for first, size in model.commands:
            await model.command(first, size)
        for _ in range(10):
            await model.cycle(0, False, 0, False)
        assert model.arrived == len(model.content)
