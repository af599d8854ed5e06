"""The whole accelerator on four memories: its host, its registers, networks that it runs."""

import json
import os
import random
import struct
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from axi_memory import Memory, Pace, ReadMemory, WriteMemory
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, First, ReadOnly, RisingEdge
from hls_bench import calibrated, extreme, pictures
from numpy.typing import NDArray
from rtl_bench import CLOCK_NS

from vaqf.hardware import registers
from vaqf.hardware.design import Design, from_json
from vaqf.hardware.layout import STATUS_BYTES
from vaqf.model.vit import Vit
from vaqf.network.structure import Network
from vaqf.program.compile import Program, compile_network
from vaqf.program.packing import pack_images, unpack_logits
from vaqf.sim import golden

DESIGN = "VAQF_DESIGN"  # the environment variable that brings it to the simulation
PORTS = ("commands", "weights", "images", "results")
CONTROL, ERROR, RUNNING = (registers.address(name) for name in ("control", "error", "running"))
INTERRUPT_STATUS = registers.address("interrupt_status")
CAPABILITY, DESIGN_ID = registers.address("capability"), registers.address("design_id")
STOPPED_AT, FRAMES_DONE = registers.address("stopped_at"), registers.address("frames_done")
RUN_CYCLES, LOOK_UPS = registers.address("run_cycles"), registers.address("look_ups")
COMMAND_CYCLES = registers.address("command_cycles")
START, DONE, IDLE, READY = (
    registers.mask("control", field) for field in ("start", "done", "idle", "ready")
)
BASE = 0x1_2345_0000  # beyond 32 bits
LIMIT = 400_000  # cycles of a run


def in_environment(design: Design) -> str:
    """A design as the simulation reads it."""
    return json.dumps(asdict(design))


def of_environment() -> Design:
    """The design that is simulated."""
    return from_json(json.loads(os.environ[DESIGN]))


@dataclass(frozen=True)
class Work:
    """One network and its images, as memories hold them."""

    network: Network
    program: Program
    frames: int
    images: bytes
    logits: NDArray[np.int64]  # golden's


def work(design: Design, vit: Vit, kind: str, frames: int) -> Work:
    """Random images for a network of random integers: kind is calibrated or extreme."""
    network = (calibrated if kind == "calibrated" else extreme)(vit, design.act_bits, 3)
    images = pictures(vit, frames, 3)
    program = compile_network(design, network)
    return Work(network, program, frames, pack_images(network, images), golden.run(network, images))


class Ports:
    """The accelerator as axi_memory.py wants it: its clock is called clk."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.clk = dut.ap_clk

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dut, name)


class Host:
    """Starts runs and reads registers; the memories are `memories[port]`."""

    def __init__(self, dut: Any, seed: int = 1) -> None:
        self.dut = dut
        self.rng = random.Random(seed)
        self.memories: dict[str, Any] = {}
        for number, name in enumerate(PORTS):
            kind: type[Memory] = WriteMemory if name == "results" else ReadMemory
            base = BASE + 0x1000_0000 * number
            self.memories[name] = kind(Ports(dut), base, bytearray(), self.rng, f"m_axi_{name}_")

    async def power_up(self) -> None:
        """A clock, a reset, interrupts."""
        Clock(self.dut.ap_clk, CLOCK_NS, unit="ns").start()
        await self.reset()

    async def reset(self) -> None:
        """Of everything at once."""
        dut = self.dut
        dut.ap_rst_n.value = 0
        for memory in self.memories.values():
            memory.forget()
        for name in ("awvalid", "wvalid", "bready", "arvalid", "rready"):
            getattr(dut, f"s_axi_control_{name}").value = 0
        for _ in range(4):
            await RisingEdge(dut.ap_clk)
        await FallingEdge(dut.ap_clk)
        for memory in self.memories.values():
            memory.start()
        dut.ap_rst_n.value = 1
        await FallingEdge(dut.ap_clk)  # AXI: nothing is valid before an edge without reset
        await self.set(interrupts_on=registers.mask("interrupts_on", "on"))
        await self.set(interrupt_enable=registers.mask("interrupt_enable", "done"))

    def pace(self, pace: Pace) -> None:
        for memory in self.memories.values():
            memory.pace = pace

    async def set(self, **values: int) -> None:
        """Registers by their names."""
        for address, word in registers.writes(values):
            await self.write(address, word)

    async def write(self, address: int, value: int) -> None:
        """One word."""
        dut = self.dut
        dut.s_axi_control_awvalid.value = dut.s_axi_control_wvalid.value = 1
        dut.s_axi_control_awaddr.value, dut.s_axi_control_wdata.value = address, value
        dut.s_axi_control_wstrb.value, dut.s_axi_control_bready.value = 15, 1
        waiting = {"aw", "w"}
        while waiting:
            await ReadOnly()
            taken = {c for c in waiting if int(getattr(dut, f"s_axi_control_{c}ready").value)}
            await FallingEdge(dut.ap_clk)
            waiting -= taken
            for channel in taken:
                getattr(dut, f"s_axi_control_{channel}valid").value = 0
        while True:
            await ReadOnly()
            answered = int(dut.s_axi_control_bvalid.value)
            await FallingEdge(dut.ap_clk)
            if answered:
                return

    async def read(self, address: int) -> int:
        """One word."""
        dut = self.dut
        dut.s_axi_control_arvalid.value = dut.s_axi_control_rready.value = 1
        dut.s_axi_control_araddr.value = address
        asked = False
        while True:
            await ReadOnly()
            asked = asked or bool(int(dut.s_axi_control_arready.value))
            valid, value = int(dut.s_axi_control_rvalid.value), dut.s_axi_control_rdata.value
            value = int(value) if valid else 0
            await FallingEdge(dut.ap_clk)
            if asked:
                dut.s_axi_control_arvalid.value = 0
            if valid:
                return value

    async def start(self, work: Work, commands: bytes = b"", count: int | None = None) -> None:
        """Start a run; `commands` and their `count` in place of the program's."""
        contents = {
            "commands": commands or work.program.commands,
            "weights": work.program.weights,
            "images": work.images,
            "results": bytes(STATUS_BYTES + work.frames * work.program.result_bytes),
        }
        for name, memory in self.memories.items():
            # a burst of the port may end behind the last block
            memory.content = bytearray(contents[name]) + bytearray(4096 * (name != "results"))
            await self.set(**{name: memory.base})
        await self.set(n_frames=work.frames)
        await self.set(n_commands=work.program.command_count if count is None else count)
        await self.set(control=START)

    async def finish(self, limit: int = LIMIT) -> None:
        """Wait for the interrupt at the end of a run; fails if it takes more cycles."""
        dut = self.dut
        if not int(dut.interrupt.value):
            await First(RisingEdge(dut.interrupt), ClockCycles(dut.ap_clk, limit))
        await FallingEdge(dut.ap_clk)
        assert int(dut.interrupt.value), "the run does not end"
        assert await self.read(INTERRUPT_STATUS) == 1
        await self.write(INTERRUPT_STATUS, 1)
        assert await self.read(CONTROL) == DONE | IDLE | READY
        assert not int(dut.interrupt.value)

    def block(self) -> tuple[int, int, int]:
        """The status block in memory: status, command it stopped at, frames done."""
        status, stopped_at, frames = struct.unpack_from("<3I", self.memories["results"].content)
        return status, stopped_at, frames

    async def check(self, work: Work) -> None:
        """Fails unless the run that ended did all its work."""
        assert self.block() == (0, 0, work.frames)
        found = unpack_logits(work.network, bytes(self.memories["results"].content)[STATUS_BYTES:])
        assert np.array_equal(found, work.logits), (found, work.logits)
        assert await self.read(ERROR) == 0
        assert await self.read(FRAMES_DONE) == work.frames
        assert await self.read(STOPPED_AT) == 0

    async def run(self, work: Work) -> int:
        """A whole run that must be good; its cycles."""
        await self.start(work)
        await self.finish()
        await self.check(work)
        return await self.read(RUN_CYCLES) + (await self.read(RUN_CYCLES + 4) << 32)
