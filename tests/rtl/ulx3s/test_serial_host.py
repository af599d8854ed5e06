"""serial_host.sv: a host's messages become accesses, and their answers its bytes."""

import random
import struct
from collections.abc import Callable
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge
from rtl_bench import reset, start_clock

from vaqf.project.ulx3s_host import WORDS

LINE_CYCLES = 30  # of a byte; an access is over before the next one


def test_serial_host(simulate: Callable[..., None]) -> None:
    simulate(__file__, "serial_host", {})


class Host:
    """Both sides of the module: bytes, and a memory of words behind it."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.rng = random.Random(5)
        self.memory: dict[int, int] = {}
        self.asked: list[tuple[int, int]] = []
        self.heard = bytearray()
        for name in ("in_valid", "in_broken", "out_ready", "done"):
            getattr(dut, name).value = 0
        start_clock(dut)

    async def start(self) -> None:
        await reset(self.dut)
        cocotb.start_soon(self._serve())
        cocotb.start_soon(self._hear())

    async def _serve(self) -> None:
        dut = self.dut
        while True:
            await FallingEdge(dut.clk)
            dut.done.value = 0
            if not int(dut.ask.value):
                continue
            for _ in range(self.rng.randrange(8)):
                await FallingEdge(dut.clk)
            address = int(dut.address.value)
            self.asked.append((address, int(dut.write.value)))
            if int(dut.write.value):
                self.memory[address] = int(dut.write_data.value)
            dut.read_data.value = self.memory.get(address, 0)
            dut.done.value = 1

    async def _hear(self) -> None:
        dut = self.dut
        while True:
            dut.out_ready.value = int(self.rng.random() < 0.3)
            await FallingEdge(dut.clk)
            # what was shown before the edge behind us has been taken if it was ready
            if int(dut.out_ready.value) and self._shown is not None:
                self.heard.append(self._shown)
            self._shown = int(dut.out_data.value) if int(dut.out_valid.value) else None

    _shown: int | None = None

    async def send(self, data: bytes) -> None:
        for byte in data:
            self.dut.in_valid.value, self.dut.in_data.value = 1, byte
            await FallingEdge(self.dut.clk)
            self.dut.in_valid.value = 0
            for _ in range(LINE_CYCLES):
                await FallingEdge(self.dut.clk)

    async def rest(self, cycles: int) -> None:
        for _ in range(cycles):
            await FallingEdge(self.dut.clk)


@cocotb.test()
async def writes_and_reads_words(dut: Any) -> None:
    host = Host(dut)
    await host.start()
    words = [host.rng.getrandbits(32) for _ in range(5)]
    await host.send(b"?\0")  # passed over
    await host.send(WORDS.pack(ord("W"), 0x2000_0010, 5) + struct.pack("<5I", *words))
    await host.rest(50)
    assert host.heard == b"K"
    assert host.memory == {0x2000_0010 + 4 * i: word for i, word in enumerate(words)}
    await host.send(WORDS.pack(ord("R"), 0x2000_0014, 4))
    await host.rest(600)
    assert host.heard == b"K" + struct.pack("<4I", *words[1:])
    assert [address for address, write in host.asked if not write] == [
        0x2000_0014 + 4 * i for i in range(4)
    ]


@cocotb.test()
async def a_break_ends_what_has_begun(dut: Any) -> None:
    host = Host(dut)
    await host.start()
    await host.send(WORDS.pack(ord("W"), 0x10, 100) + b"\1\2")
    dut.in_broken.value = 1
    await FallingEdge(dut.clk)
    dut.in_broken.value = 0
    await host.send(WORDS.pack(ord("W"), 0x20, 1) + b"\1\2\3\4")
    await host.rest(50)
    assert (host.memory, bytes(host.heard)) == ({0x20: 0x04030201}, b"K")
