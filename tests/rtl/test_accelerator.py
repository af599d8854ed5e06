"""rtl/vaqf_accelerator.sv: whole networks through the AXI ports, logits as golden has them."""

import json
import os
import random
import struct
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import cocotb
import numpy as np
import pytest
from axi_memory import Pace, ReadMemory, WriteMemory
from cocotb.triggers import FallingEdge, ReadOnly, RisingEdge
from hls_bench import calibrated, design_for, extreme, pictures
from rtl_bench import CLOCK_NS
from samples import GRAY, ODD, RGB

from sim import golden
from vaqf.design import from_json
from vaqf.packing import STATUS_BYTES, pack_images, unpack_logits
from vaqf.program import compile_network
from vaqf.vit import Vit

MODELS = {vit.name: vit for vit in (RGB, GRAY, ODD)}
DESIGNS: dict[str, dict[str, Any]] = {
    "two frames": {},
    "adder, one frame, resident": {
        "engine": "adder",
        "frames_in_flight": 1,
        "resident": True,
        "act_bits": 3,
        "tokens": 3,
        "norm_tokens": 3,
    },
}
# model, network, frames, whether the memories are slow
RUNS = (
    ("small", "calibrated", 1, False),
    ("gray", "calibrated", 3, True),
    ("odd", "extreme", 2, True),
)
MEMORIES = {"commands": 0x10, "weights": 0x1C, "images": 0x28, "results": 0x34}
N_FRAMES, N_COMMANDS = 0x40, 0x48
BASE = 0x1_2345_0000  # beyond 32 bits
LIMIT = 400_000  # cycles


@pytest.mark.parametrize("name", DESIGNS)
def test_networks(
    simulate: Callable[..., None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = design_for(list(MODELS.values()), **DESIGNS[name])
    monkeypatch.setenv("VAQF_DESIGN", json.dumps(asdict(design)))
    simulate(__file__, "vaqf_accelerator", {}, design=design)


class Ports:
    """The accelerator as axi_memory.py wants it: its clock is called clk."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.clk = dut.ap_clk

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dut, name)


async def write(dut: Any, address: int, value: int) -> None:
    """One register of the control port."""
    prefix = dut.s_axi_control_awvalid
    prefix.value = dut.s_axi_control_wvalid.value = 1
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


async def read(dut: Any, address: int) -> int:
    """One register of the control port."""
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


@cocotb.test()
async def logits_are_golden(dut: Any) -> None:
    from cocotb.clock import Clock

    design = from_json(json.loads(os.environ["VAQF_DESIGN"]))
    Clock(dut.ap_clk, CLOCK_NS, unit="ns").start()
    for name in ("awvalid", "wvalid", "bready", "arvalid", "rready"):
        getattr(dut, f"s_axi_control_{name}").value = 0
    dut.ap_rst_n.value = 0
    rng = random.Random(1)
    memories: dict[str, Any] = {}
    for number, name in enumerate(MEMORIES):
        kind = WriteMemory if name == "results" else ReadMemory
        base = BASE + 0x1000_0000 * number
        memories[name] = kind(Ports(dut), base, bytearray(), rng, f"m_axi_{name}_")
        memories[name].start()
    for _ in range(4):
        await RisingEdge(dut.ap_clk)
    await FallingEdge(dut.ap_clk)
    dut.ap_rst_n.value = 1
    await FallingEdge(dut.ap_clk)  # AXI: nothing is valid before an edge without reset
    for vit_name, kind, frames, slow in RUNS:
        pace = Pace(0.4, 0.6, 0.5, 30) if slow else Pace(latency=5)
        for memory in memories.values():
            memory.pace = pace
        cycles = await network_runs(dut, design, MODELS[vit_name], kind, frames, memories)
        dut._log.info("%s: %d frames in %d cycles", vit_name, frames, cycles)


async def network_runs(
    dut: Any, design: Any, vit: Vit, kind: str, frames: int, memories: dict[str, Any]
) -> int:
    """One run of one network; its cycles."""
    network = (calibrated if kind == "calibrated" else extreme)(vit, design.act_bits, 3)
    images = pictures(vit, frames, 3)
    program = compile_network(design, network)
    wanted = golden.run(network, images)
    contents = {
        "commands": program.commands,
        "weights": program.weights,
        "images": pack_images(network, images),
        "results": bytes(STATUS_BYTES + frames * program.result_bytes),
    }
    for name, memory in memories.items():
        # a burst of the port may end behind the last block
        memory.content = bytearray(contents[name]) + bytearray(4096 if name != "results" else 0)
        await write(dut, MEMORIES[name], memory.base & 0xFFFFFFFF)
        await write(dut, MEMORIES[name] + 4, memory.base >> 32)
    await write(dut, N_FRAMES, frames)
    await write(dut, N_COMMANDS, program.command_count)
    await write(dut, 0, 1)
    cycles = 0
    while not await read(dut, 0) & 2:
        for _ in range(50):
            await FallingEdge(dut.ap_clk)
        cycles += 50
        assert cycles < LIMIT, "the run does not end"
    result = bytes(memories["results"].content)
    assert struct.unpack_from("<3I", result) == (0, 0, frames)
    found = unpack_logits(network, result[STATUS_BYTES:])
    assert np.array_equal(found, wanted), (found, wanted)
    return cycles
