"""control.sv against the table of registers."""

import random
from collections.abc import Callable
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly
from rtl_bench import latency, reset, start_clock

from vaqf.hardware import registers

CONTROL, INTERRUPTS_ON = registers.address("control"), registers.address("interrupts_on")
INTERRUPT_ENABLE = registers.address("interrupt_enable")
INTERRUPT_STATUS = registers.address("interrupt_status")
# name -> addresses of its words
ARGUMENTS = {
    one.name: tuple(range(one.address, one.end, registers.WORD_BYTES))
    for one in registers.ARGUMENTS
}
N_FRAMES = registers.address("n_frames")
STATUS = registers.STATUS[0].address
PATIENCE = 200  # cycles of one channel
START, DONE, IDLE, READY, AUTO_RESTART = (
    registers.mask("control", field) for field in ("start", "done", "idle", "ready", "auto_restart")
)


def test_control(simulate: Callable[..., None]) -> None:
    simulate(__file__, "control", {})


def status(word: int) -> int:
    """What stands at a word of the status."""
    return (word * 0x9E3779B1 + 0x1234) & 0xFFFFFFFF


class Host:
    """Reads and writes registers, each channel at a pace of its own."""

    def __init__(self, dut: Any, seed: int, pace: float = 1.0) -> None:
        self.dut = dut
        self.rng = random.Random(seed)
        self.pace = pace
        self.starts = 0  # pulses of `start`

    async def start(self) -> None:
        start_clock(self.dut)
        for name in ("awvalid", "wvalid", "bready", "arvalid", "rready", "done", "ready"):
            getattr(self.dut, name).value = 0
        self.dut.idle.value = 1
        self.dut.status.value = 0
        await reset(self.dut)
        cocotb.start_soon(self.count_starts())
        cocotb.start_soon(self.show_status())

    async def show_status(self) -> None:
        """Each word is a number of its own, there for one cycle, as late as control is told."""
        line = [0] * latency("STATUS")
        while True:
            await FallingEdge(self.dut.clk)
            line.append(status(int(self.dut.status_word.value)))
            self.dut.status.value = line.pop(0)

    async def count_starts(self) -> None:
        while True:
            await FallingEdge(self.dut.clk)
            await ReadOnly()
            self.starts += int(self.dut.start.value)

    async def wait(self) -> None:
        while self.rng.random() >= self.pace:
            await FallingEdge(self.dut.clk)

    async def send(self, channel: str, **payload: int) -> None:
        await self.wait()
        for name, value in payload.items():
            getattr(self.dut, name).value = value
        getattr(self.dut, channel + "valid").value = 1
        for _ in range(PATIENCE):
            await ReadOnly()
            taken = int(getattr(self.dut, channel + "ready").value)
            await FallingEdge(self.dut.clk)
            if taken:
                break
        else:
            raise AssertionError(f"nothing is taken on {channel}")
        getattr(self.dut, channel + "valid").value = 0
        for name in payload:
            signal = getattr(self.dut, name)
            signal.value = self.rng.getrandbits(len(signal))

    async def receive(self, channel: str, *payload: str) -> list[int]:
        """What a response holds; fails if it changes while it waits, or does not come."""
        waited: list[int] | None = None
        for _ in range(PATIENCE):
            ready = self.rng.random() < self.pace
            getattr(self.dut, channel + "ready").value = int(ready)
            await ReadOnly()
            valid = int(getattr(self.dut, channel + "valid").value)
            found = [int(getattr(self.dut, name).value) for name in payload]
            assert waited is None or (valid and found == waited)
            await FallingEdge(self.dut.clk)
            waited = found if valid else None
            if valid and ready:
                getattr(self.dut, channel + "ready").value = 0
                return found
        raise AssertionError(f"no response on {channel}")

    async def write(self, address: int, value: int, strobes: int = 15) -> None:
        answer = cocotb.start_soon(self.receive("b", "bresp"))
        data = cocotb.start_soon(self.send("w", wdata=value, wstrb=strobes))
        await self.send("aw", awaddr=address)
        await data
        assert await answer == [0]

    async def read(self, address: int) -> int:
        answer = cocotb.start_soon(self.receive("r", "rresp", "rdata"))
        await self.send("ar", araddr=address)
        response, value = await answer
        assert response == 0
        return value

    async def pulse(self, *names: str) -> None:
        """As the kernel does at the end of a run."""
        for name in names:
            getattr(self.dut, name).value = 1
        await FallingEdge(self.dut.clk)
        for name in names:
            getattr(self.dut, name).value = 0

    async def rest(self, cycles: int = 4) -> None:
        for _ in range(cycles):
            await FallingEdge(self.dut.clk)


@cocotb.test()
async def keeps_arguments_and_shows_status(dut: Any) -> None:
    for pace in (1.0, 0.4):
        host = Host(dut, 1, pace)
        await host.start()
        rng = host.rng
        arguments = [address for pair in ARGUMENTS.values() for address in pair]
        model: dict[int, int] = {}
        for address in arguments:
            model[address] = rng.getrandbits(32)
            await host.write(address, model[address])
        known = {
            address
            for one in registers.KERNEL
            for address in range(one.address, one.end, registers.WORD_BYTES)
        }
        others = [a for a in range(0, STATUS, registers.WORD_BYTES) if a not in known]
        shown = [STATUS, STATUS + 4, 0x7FC, 0x800, 0xFFC]
        for address in shown:
            model[address] = status(address // 4)
        for _ in range(250):
            address = rng.choice([*arguments, *shown, *others])
            if rng.random() < 0.5:
                value, strobes = rng.getrandbits(32), rng.randrange(16)
                await host.write(address, value, strobes)
                if address in arguments:
                    for lane in range(4):
                        mask = 0xFF << 8 * lane if strobes >> lane & 1 else 0
                        model[address] = model[address] & ~mask | value & mask
            else:
                assert await host.read(address) == model.get(address, 0), hex(address)
        for name, addresses in ARGUMENTS.items():
            wanted = sum(model[address] << 32 * i for i, address in enumerate(addresses))
            assert int(getattr(dut, name).value) == wanted
        assert host.starts == 0 and await host.read(CONTROL) == IDLE


@cocotb.test()
async def runs_once_when_told(dut: Any) -> None:
    host = Host(dut, 2)
    await host.start()
    await host.write(CONTROL, START, 0b1110)  # not the byte with the bit
    await host.rest()
    assert host.starts == 0 and await host.read(CONTROL) == IDLE
    for run in range(1, 4):
        await host.write(CONTROL, START)
        # not idle even before the kernel says so
        assert await host.read(CONTROL) == START
        dut.idle.value = 0
        await host.write(CONTROL, START)  # while it runs: nothing more
        await host.rest()
        assert host.starts == run and await host.read(CONTROL) == START
        await host.pulse("done", "ready")
        dut.idle.value = 1
        assert await host.read(CONTROL) == DONE | READY | IDLE
        assert await host.read(CONTROL) == IDLE  # cleared by reading
        assert host.starts == run


@cocotb.test()
async def loses_no_event(dut: Any) -> None:
    """Neither one that comes while the register is read nor a start while the last run ends."""
    host = Host(dut, 3)
    await host.start()
    dut.idle.value = 0
    for delay in range(6):
        await host.write(CONTROL, START)
        reading = cocotb.start_soon(host.read(CONTROL))
        await host.rest(delay)
        await host.pulse("done", "ready")
        first = await reading
        assert (first | await host.read(CONTROL)) & (DONE | READY) == DONE | READY
    for delay in range(6):
        starts = host.starts
        await host.write(CONTROL, START)
        await host.rest()
        assert host.starts == starts + 1
        again = cocotb.start_soon(host.write(CONTROL, START))
        await host.rest(delay)
        await host.pulse("ready")
        await again
        await host.rest()
        # the write acts in its second cycle: a start before the end is one of a run that is on
        running = await host.read(CONTROL) & START
        assert host.starts == starts + 1 + running and running == int(delay < 2)
        if running:
            await host.pulse("ready")


@cocotb.test()
async def restarts_by_itself(dut: Any) -> None:
    host = Host(dut, 4)
    await host.start()
    await host.write(CONTROL, START | AUTO_RESTART)
    dut.idle.value = 0
    for run in range(1, 5):
        await host.rest()
        assert host.starts == run
        assert await host.read(CONTROL) & ~(DONE | READY) == START | AUTO_RESTART
        if run < 4:
            await host.pulse("done", "ready")
    await host.write(CONTROL, 0)
    await host.pulse("done", "ready")
    dut.idle.value = 1
    await host.rest()
    assert host.starts == 4 and await host.read(CONTROL) == DONE | READY | IDLE


@cocotb.test()
async def interrupts(dut: Any) -> None:
    host = Host(dut, 5)
    await host.start()
    for enabled in range(4):
        for on in (0, 1):
            await host.write(INTERRUPTS_ON, on)
            await host.write(INTERRUPT_ENABLE, enabled)
            assert await host.read(INTERRUPTS_ON) == on
            assert await host.read(INTERRUPT_ENABLE) == enabled
            await host.write(CONTROL, START)
            for bit, event in enumerate(("done", "ready")):
                await host.pulse(event)
                await host.rest()
                raised = enabled & 1 << bit
                assert await host.read(INTERRUPT_STATUS) == raised
                assert int(dut.interrupt_request.value) == int(on and raised != 0)
                await host.write(INTERRUPT_STATUS, raised)  # toggles
                await host.rest(2)
                assert await host.read(INTERRUPT_STATUS) == 0
                assert not int(dut.interrupt_request.value)
    await host.write(INTERRUPT_STATUS, 2)  # a toggle sets, too
    await host.rest(2)
    assert await host.read(INTERRUPT_STATUS) == 2 and int(dut.interrupt_request.value)


@cocotb.test()
async def reads_while_it_writes(dut: Any) -> None:
    host = Host(dut, 6, 0.5)
    await host.start()
    await host.write(N_FRAMES, 1)
    seen = [1]

    async def count() -> None:
        for value in range(2, 60):
            await host.write(N_FRAMES, value)

    writing = cocotb.start_soon(count())
    while not writing.done():
        seen.append(await host.read(N_FRAMES))
    assert seen == sorted(seen) and len(set(seen)) > 20
    assert await host.read(N_FRAMES) == 59


@cocotb.test()
async def answers_every_write(dut: Any) -> None:
    """Also those that come before the response to the last one is taken."""
    host = Host(dut, 7)
    await host.start()
    for _ in range(2):  # as many as may wait
        data = cocotb.start_soon(host.send("w", wdata=1, wstrb=15))
        await host.send("aw", awaddr=N_FRAMES)
        await data
    await host.rest()
    assert await host.receive("b", "bresp") == [0]
    assert await host.receive("b", "bresp") == [0]
    await host.rest()
    assert not int(dut.bvalid.value)
