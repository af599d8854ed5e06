"""One run of the accelerator through its control port, as a host does it. cocotb loads this file.

The environment variable VAQF_RUN holds {"writes": [[address, value], ...], "limit": cycles}; the
last write starts the run. run.json says how it ended.
"""

import json
import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, First, ReadOnly, RisingEdge, Timer

CLOCK_NS = 2
RESET_CYCLES = 4


async def write(dut: Any, address: int, value: int) -> None:
    """One register of the control port."""
    dut.s_axi_control_awvalid.value = dut.s_axi_control_wvalid.value = 1
    dut.s_axi_control_awaddr.value, dut.s_axi_control_wdata.value = address, value
    waiting = {"aw", "w", "b"}
    while waiting:
        await ReadOnly()
        names = {channel: "valid" if channel == "b" else "ready" for channel in waiting}
        seen = {c for c in waiting if int(getattr(dut, f"s_axi_control_{c}{names[c]}").value)}
        await FallingEdge(dut.clk)
        waiting -= seen
        for channel in seen - {"b"}:
            getattr(dut, f"s_axi_control_{channel}valid").value = 0


@cocotb.test()
async def run(dut: Any) -> None:
    """Reset, registers, start; the interrupt, or the limit."""
    task = json.loads(os.environ["VAQF_RUN"])
    dut.rst_n.value = 0
    for name in ("awvalid", "wvalid", "arvalid"):
        getattr(dut, f"s_axi_control_{name}").value = 0
    dut.s_axi_control_bready.value = dut.s_axi_control_rready.value = 1
    dut.s_axi_control_wstrb.value = 15
    for _ in range(RESET_CYCLES):
        await FallingEdge(dut.clk)
    dut.rst_n.value = 1
    await FallingEdge(dut.clk)  # AXI: nothing is valid before an edge without reset
    for address, value in task["writes"]:
        await write(dut, address, value)
    began = int(dut.cycle.value)
    limit = Timer(task["limit"] * CLOCK_NS, "ns")
    ended = await First(RisingEdge(dut.interrupt), limit)
    cycles = int(dut.cycle.value) - began
    Path("run.json").write_text(json.dumps({"ended": ended is not limit, "cycles": cycles}))
