"""The host's own program against the simulated board, over the serial line. cocotb loads this file.

The environment variable VAQF_SERIAL holds {"board": the folder of a board, "bit_cycles": cycles of
a bit, "load": whether commands and weights are loaded, too, "frames": images to run}. logits.json
has the answer: {"logits": [[...], ...], "cycles": of the last run}.
"""

import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import cocotb
from cocotb.queue import Queue
from cocotb.task import bridge, resume
from cocotb.triggers import FallingEdge, First, Timer

CLOCK_NS = 2
RESET_CYCLES = 8
BREAK_BITS = 12
PATIENCE_BITS = 100_000  # in which a byte must come


class Line:
    """The host's end of the serial line: what pyserial's Serial is on a computer."""

    def __init__(self, dut: Any, bit_cycles: int) -> None:
        self._dut = dut
        self._bit = bit_cycles * CLOCK_NS
        self.write = resume(self._send)
        self.read = resume(self._receive)
        self._heard = Queue[int]()
        cocotb.start_soon(self._listen())

    def send_break(self, duration: float) -> None:
        """Longer than a byte, whatever the duration would be."""
        resume(self._break)()

    async def _break(self) -> None:
        self._dut.ftdi_txd.value = 0
        await Timer(BREAK_BITS * self._bit, "ns")
        self._dut.ftdi_txd.value = 1
        await Timer(BREAK_BITS * self._bit, "ns")

    async def _send(self, data: bytes) -> None:
        for byte in data:
            for bit in (0, *((byte >> place) & 1 for place in range(8)), 1):
                self._dut.ftdi_txd.value = bit
                await Timer(self._bit, "ns")

    async def _listen(self) -> None:
        while True:
            await FallingEdge(self._dut.ftdi_rxd)
            await Timer(self._bit * 3 // 2, "ns")  # the middle of the first bit
            byte = 0
            for place in range(8):
                byte |= int(self._dut.ftdi_rxd.value) << place
                await Timer(self._bit, "ns")
            assert int(self._dut.ftdi_rxd.value), "no stop bit"
            self._heard.put_nowait(byte)

    async def _receive(self, count: int) -> bytes:
        found = bytearray()
        while len(found) < count:
            heard = cocotb.start_soon(self._heard.get())
            late = Timer(PATIENCE_BITS * self._bit, "ns")
            if await First(heard, late) is late:
                heard.cancel()
                break
            found.append(heard.result())
        return bytes(found)


def host(folder: Path) -> ModuleType:
    """The program that lies beside the bitstream."""
    spec = importlib.util.spec_from_file_location("board_host", folder / "host.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cocotb.test()
async def run(dut: Any) -> None:
    """Reset by the button, then what a user does."""
    task = json.loads(os.environ["VAQF_SERIAL"])
    folder = Path(task["board"])
    program = host(folder)
    board = json.loads((folder / "board.json").read_text())
    dut.ftdi_txd.value = 1
    dut.fire1.value = 1
    await Timer(RESET_CYCLES * CLOCK_NS, "ns")
    dut.fire1.value = 0
    line = Line(dut, task["bit_cycles"])

    def use() -> dict[str, Any]:
        accelerator = program.Accelerator(line, board)
        if task["load"]:
            commands, weights = (folder / f"{name}.bin" for name in ("commands", "weights"))
            accelerator.load(program.payload(commands), program.payload(weights))
        images = program.payload(folder / "images.bin")
        logits = accelerator.run(images[: task["frames"] * board["frame_bytes"]])
        return {"logits": logits, "cycles": accelerator.cycles()}

    found = await bridge(use)()
    Path("logits.json").write_text(json.dumps(found))
