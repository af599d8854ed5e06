"""Memories behind AXI4 masters: they answer at random and check what AXI asks of a master."""

import random
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly

OKAY, SLAVE_ERROR, DECODE_ERROR = 0, 2, 3
INCREMENT, MODIFIABLE = 1, 3
PAGE = 4096


@dataclass(frozen=True)
class Pace:
    """How often a channel is ready or valid, and the cycles before a burst's answer begins."""

    address: float = 1.0
    data: float = 1.0
    response: float = 1.0
    latency: int = 0


Request = tuple[int, int]  # address and beats


def cut(requests: Iterable[Request], width: int, burst: int) -> list[Request]:
    """The bursts of requests: they end where a block of `burst` beats of `width` bytes ends."""
    found = []
    for address, beats in requests:
        end = address + beats * width
        at = address
        while at < end:
            behind = min(end, (at // (burst * width) + 1) * burst * width)
            found.append((at, (behind - at) // width))
            at = behind
    return found


def some_requests(
    rng: random.Random, count: int, width: int, base: int, size: int
) -> list[Request]:
    """Requests of all lengths that do not overlap, in any order, many of them around pages."""
    found = list[Request]()
    beats_of = size // width
    at = 0
    while len(found) < count:
        beats = rng.choice([1, 1, 2, 3, rng.randint(1, 40), rng.randint(1, 300)])
        if rng.random() < 0.3:  # ends a little before, at or behind the end of a page
            page = PAGE // width
            at += -(at + beats + rng.randint(-2, 2)) % page
        elif rng.random() < 0.5:
            at += rng.randrange(70)
        if at + beats > beats_of:
            break
        found.append((base + at * width, beats))
        at += beats
    rng.shuffle(found)
    return found


async def offer(
    dut: Any, name: str, items: Sequence[Mapping[str, int]], rng: random.Random, chance: float
) -> None:
    """Pass items through the stream `name`, each a value for every signal of its payload."""
    valid, ready = getattr(dut, f"{name}_valid"), getattr(dut, f"{name}_ready")
    for item in items:
        while rng.random() >= chance:
            await FallingEdge(dut.clk)
        valid.value = 1
        for signal, value in item.items():
            getattr(dut, signal).value = value
        taken = 0
        while not taken:
            await ReadOnly()
            taken = int(ready.value)
            await FallingEdge(dut.clk)
        valid.value = 0
        for signal in item:
            getattr(dut, signal).value = rng.getrandbits(len(getattr(dut, signal)))


def as_items(requests: Iterable[Request]) -> list[dict[str, int]]:
    """Requests as `offer` takes them."""
    return [{"request_address": a, "request_beats": beats} for a, beats in requests]


@dataclass
class Burst:
    """One burst as its address was accepted."""

    address: int
    beats: int
    due: int  # the cycle from which on it may be answered


@dataclass
class Memory:
    """Bytes from `base` on, and the AXI ports `prefix + arvalid` (or awvalid) and so on.

    responses: address of a beat (or of a burst that is written) -> a response other than OKAY.
    stops: channel (ar, r, aw, w, b) -> transfers that pass in all before it stops answering.
    """

    dut: Any
    base: int
    content: bytearray
    rng: random.Random
    prefix: str = ""
    pace: Pace = Pace()
    responses: Mapping[int, int] = field(default_factory=dict)
    stops: dict[str, int] = field(default_factory=dict)
    bursts: list[Burst] = field(default_factory=list)
    cycle: int = 0
    shown: dict[str, int | None] = field(default_factory=dict)
    passed: Counter[str] = field(default_factory=Counter)  # transfers of each channel
    task: Any = None

    def start(self) -> None:
        """Serve from now on."""
        self.task = cocotb.start_soon(self.serve())

    def forget(self) -> None:
        """As a reset of both sides does: serve no more, and answer nothing when started again."""
        if self.task is not None:
            self.task.cancel()
        self.bursts.clear()
        self.shown.clear()

    def stopped(self, channel: str) -> bool:
        return channel in self.stops and self.passed[channel] >= self.stops[channel]

    async def serve(self) -> None:
        raise NotImplementedError

    def get(self, name: str) -> int:
        return int(getattr(self.dut, self.prefix + name).value)

    def put(self, name: str, value: int) -> None:
        getattr(self.dut, self.prefix + name).value = value

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def offered(self, channel: str, payload: tuple[str, ...], taken: bool) -> dict[str, int] | None:
        """The payload of a transfer that ends this cycle; fails if it changed while it waited."""
        valid = self.get(channel + "valid")
        values = {name: self.get(name) for name in payload} if valid else {}
        word = hash(tuple(values.values())) if valid else None
        waited = self.shown.get(channel)
        assert waited in (None, word), f"{channel} was withdrawn or changed while it waited"
        self.shown[channel] = None if taken else word
        if not (valid and taken):
            return None
        self.passed[channel] += 1
        return values

    def accept(self, channel: str, taken: bool) -> None:
        """Take the address that channel ar or aw offers, if any; fails if it breaks a rule."""
        names = ("addr", "len", "size", "burst", "cache", "prot")
        found = self.offered(channel, tuple(channel + name for name in names), taken)
        if found is None:
            return
        address, length, size, burst, cache, prot = found.values()
        width = self.width()
        assert (2**size, burst, cache, prot) == (width, INCREMENT, MODIFIABLE, 0)
        assert address % width == 0, "an address inside a beat"
        assert address % PAGE + (length + 1) * width <= PAGE, "a burst crosses 4 KiB"
        self.bursts.append(Burst(address, length + 1, self.cycle + self.pace.latency))

    def width(self) -> int:
        """Bytes of a beat."""
        raise NotImplementedError


@dataclass
class ReadMemory(Memory):
    """Answers reads, in order."""

    arrived: int = 0  # bursts whose last beat was taken

    def forget(self) -> None:
        self.arrived = 0
        self.put("rvalid", 0)
        super().forget()

    def width(self) -> int:
        return len(getattr(self.dut, self.prefix + "rdata")) // 8

    async def serve(self) -> None:
        self.put("rvalid", 0)
        beat, valid = 0, False
        while True:
            await FallingEdge(self.dut.clk)
            self.cycle += 1
            ready = not self.stopped("ar") and self.chance(self.pace.address)
            self.put("arready", int(ready))
            waiting = self.arrived < len(self.bursts) and not self.stopped("r")
            if not valid and waiting and self.cycle > self.bursts[self.arrived].due:
                valid = self.chance(self.pace.data)
            if valid:
                burst = self.bursts[self.arrived]
                address = burst.address + beat * self.width()
                at = address - self.base
                data = self.content[at : at + self.width()]
                assert len(data) == self.width(), f"a read outside the memory: {address:#x}"
                self.put("rdata", int.from_bytes(data, "little"))
                self.put("rresp", self.responses.get(address, OKAY))
                self.put("rlast", int(beat == burst.beats - 1))
            else:
                self.put("rdata", self.rng.getrandbits(8 * self.width()))
                self.put("rresp", self.rng.randrange(4))
            self.put("rvalid", int(valid))
            await ReadOnly()
            self.accept("ar", ready)
            if valid and self.get("rready"):
                valid = False
                self.passed["r"] += 1
                beat += 1
                if beat == self.bursts[self.arrived].beats:
                    beat = 0
                    self.arrived += 1


@dataclass
class WriteMemory(Memory):
    """Takes writes; a response comes when address and data of a burst were taken."""

    patient: str = ""  # "aw" or "w": that channel waits for the other to offer the same burst
    answered: int = 0  # responses taken

    def forget(self) -> None:
        self.answered = 0
        self.put("bvalid", 0)
        super().forget()

    def width(self) -> int:
        return len(getattr(self.dut, self.prefix + "wdata")) // 8

    async def serve(self) -> None:
        self.put("bvalid", 0)
        beats = deque[dict[str, int]]()  # of bursts whose address may not be here yet
        due = deque[tuple[int, int]]()  # cycle and response of what is written
        written = ends = 0  # bursts in memory, bursts whose last beat is here
        valid = within = False
        while True:
            await FallingEdge(self.dut.clk)
            self.cycle += 1
            ready = {"aw": self.chance(self.pace.address), "w": self.chance(self.pace.data)}
            for channel in ready:
                ready[channel] &= not self.stopped(channel)
            ahead = len(self.bursts) - ends  # bursts of which one channel has had more
            if self.patient == "aw" and ahead >= 0:
                ready["aw"] &= bool(self.get("wvalid"))
            if self.patient == "w" and ahead <= 0:
                ready["w"] &= bool(self.get("awvalid"))
            self.put("awready", int(ready["aw"]))
            self.put("wready", int(ready["w"]))
            if not valid and due and self.cycle > due[0][0] and not self.stopped("b"):
                valid = self.chance(self.pace.response)
            self.put("bvalid", int(valid))
            self.put("bresp", due[0][1] if valid else self.rng.randrange(4))
            await ReadOnly()
            self.accept("aw", ready["aw"])
            assert not within or self.get("wvalid"), "a burst lets its slave wait for data"
            found = self.offered("w", ("wdata", "wstrb", "wlast"), ready["w"])
            if found is not None:
                beats.append(found)
                within = not found["wlast"]
                ends += found["wlast"]
            if valid and self.get("bready"):
                valid = False
                due.popleft()
                self.answered += 1
                self.passed["b"] += 1
            while written < len(self.bursts) and len(beats) >= self.bursts[written].beats:
                burst = self.bursts[written]
                self.write(burst, [beats.popleft() for _ in range(burst.beats)])
                response = self.responses.get(burst.address, OKAY)
                due.append((self.cycle + self.pace.latency, response))
                written += 1

    def write(self, burst: Burst, beats: list[dict[str, int]]) -> None:
        """Put a burst's beats where they belong."""
        width = self.width()
        for i, beat in enumerate(beats):
            assert beat["wlast"] == (i == burst.beats - 1), "the last beat is not marked as such"
            at = burst.address - self.base + i * width
            assert 0 <= at <= len(self.content) - width, f"a write outside the memory: {at:#x}"
            data = beat["wdata"].to_bytes(width, "little")
            for lane in range(width):
                if beat["wstrb"] >> lane & 1:
                    self.content[at + lane] = data[lane]
