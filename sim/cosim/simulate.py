"""One simulation of the compiled bench: memories in; logits, status and cycles out."""

import json
import math
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaqf.arithmetic.widths import ceil_div
from vaqf.cycles.port import EFFICIENCY, READ_LATENCY
from vaqf.errors import ToolFailed
from vaqf.hardware import layout, registers
from vaqf.hardware.design import PORT_BITS
from vaqf.program import packing
from vaqf.reporting import Report
from vaqf.sim.cosim import cycles as rtl_cycles
from vaqf.sim.cosim import launch
from vaqf.sim.cosim import model as rtl_model

MEMORIES = ("commands", "weights", "images", "results")  # each by its register's name
STATUS = struct.Struct("<3I")  # status, command, frames done
BASE = 0x1_2345_0000  # of the first memory: addresses beyond 32 bits
APART = 2**32  # from one memory to the next
BEHIND = 4096  # bytes: a burst may end behind the last block
BEATS = 1024  # the bench's unit of a memory's rate: beats of as many cycles
POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Task:
    """What one simulation runs; `memories` by the names of MEMORIES, without the results'."""

    memories: Mapping[str, bytes]
    tables: Mapping[str, bytes]  # files that the RTL reads from the current folder
    weight_bytes: int  # of one read of the weight port
    weight_rate: float  # of the bits it could give
    frames: int
    n_commands: int
    result_bytes: int  # of one frame
    limit: int  # cycles after which it does not end
    layers: bool  # layers.txt is written
    stalls: int | None  # a seed
    waveform: Path | None


@dataclass(frozen=True)
class Run:
    """What a simulation left behind."""

    cycles: int  # from start to interrupt
    status: tuple[int, int, int] | None  # status, command, frames done; None: never written
    results: bytes  # without the status block
    written: tuple[int, ...]  # the cycle in which each frame's last logits were written
    broken: str  # what an assertion said; empty if none failed


def simulate(model: launch.Model, task: Task, folder: Path, report: Report) -> Run:
    """Run the bench once, in an empty folder.

    ToolFailed if the run does not end or the simulator breaks off; an assertion that fails is an
    answer.
    """
    for name, content in task.tables.items():
        (folder / name).write_bytes(content)
    _write_memories(task, folder)
    environment = {"VAQF_RUN": json.dumps({"writes": _writes(task), "limit": task.limit})}
    bench = rtl_model.BENCH / "run_bench.py"
    with _watching(folder / "results.txt", task, report):
        outcomes = launch.simulate(model, bench, folder, environment, _arguments(task))
    log = folder / launch.LOG
    broken = _assertion(log)
    if not broken and (not outcomes or any(outcome.failure for outcome in outcomes)):
        raise ToolFailed(f"the simulation broke off:\n{launch.errors(log)}")
    answer: dict[str, Any] = {"ended": False, "cycles": 0}
    with suppress(FileNotFoundError):
        answer = json.loads((folder / "run.json").read_text(encoding="ascii"))
    if not broken and not answer["ended"]:
        where = rtl_cycles.last_started(folder / "commands.txt")
        raise ToolFailed(f"the run did not end within {task.limit} cycles; {where}")
    return _collected(task, folder, answer["cycles"], broken)


def _writes(task: Task) -> list[tuple[int, int]]:
    """What the host writes to the registers, the start last."""
    values = {name: _base(name) for name in MEMORIES}
    values |= {"n_frames": task.frames, "n_commands": task.n_commands}
    values["interrupts_on"] = registers.mask("interrupts_on", "on")
    values["interrupt_enable"] = registers.mask("interrupt_enable", "done")
    values["control"] = registers.mask("control", "start")
    return registers.writes(values)


def _arguments(task: Task) -> list[str]:
    """The simulation's command line."""
    return [
        *(f"+{name}_base={_base(name):x}" for name in task.memories),
        f"+latency={READ_LATENCY}",
        *(f"+{name}_rate={math.floor(BEATS * rate)}" for name, rate in _rates(task).items()),
        *(["+layers=1"] if task.layers else []),
        *([] if task.stalls is None else [f"+stalls={task.stalls}"]),
        *([] if task.waveform is None else ["--trace", "--trace-file", str(task.waveform)]),
    ]


def _rates(task: Task) -> dict[str, float]:
    """Shares of its width that each memory delivers, as the estimate assumes."""
    return {"commands": EFFICIENCY, "weights": task.weight_rate, "images": EFFICIENCY}


def _base(name: str) -> int:
    return BASE + APART * MEMORIES.index(name)


def _write_memories(task: Task, folder: Path) -> None:
    """What the bench's memories hold, for $readmemh: a beat a line, highest byte first."""
    for name, content in task.memories.items():
        width = task.weight_bytes if name == "weights" else PORT_BITS // 8
        text = packing.beats_text(content + bytes(-len(content) % width + BEHIND), width)
        (folder / f"{name}.hex").write_text(text, encoding="ascii")


def _collected(task: Task, folder: Path, cycles: int, broken: str) -> Run:
    """The beats of the results port as the memory that they were written to."""
    memory = bytearray(layout.STATUS_BYTES + task.frames * task.result_bytes)
    status: tuple[int, int, int] | None = None
    written = [0] * task.frames
    for cycle, address, data in _beats(folder / "results.txt"):
        at = address - _base("results")
        if not 0 <= at <= len(memory) - len(data):
            broken = broken or f"the results port wrote to {address:#x}, outside its memory"
            continue
        memory[at : at + len(data)] = data
        if at == 0:
            status = STATUS.unpack_from(memory)
        elif at >= layout.STATUS_BYTES:
            written[(at - layout.STATUS_BYTES) // task.result_bytes] = cycle
    body = bytes(memory[layout.STATUS_BYTES :])
    return Run(cycles, status, body, tuple(written), broken)


def _beats(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Cycle, address and data of every beat that was written."""
    if path.exists():
        for line in path.read_text(encoding="ascii").splitlines():
            cycle, address, _, data = line.split()
            yield int(cycle), int(address, 16), bytes.fromhex(data)[::-1]


def _assertion(log: Path) -> str:
    """The first assertion that failed; empty if none did."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return next((line.strip() for line in text.splitlines() if "Assertion failed" in line), "")


@contextmanager
def _watching(path: Path, task: Task, report: Report) -> Iterator[None]:
    """Report the frames whose logits are written, while the block runs."""
    ended = threading.Event()
    beats = ceil_div(task.result_bytes, PORT_BITS // 8)

    def watch() -> None:
        while not ended.wait(POLL_SECONDS):
            with suppress(OSError):
                done = path.read_bytes().count(b"\n") // beats
                report("simulating", min(done, task.frames), task.frames)

    report("simulating", 0, task.frames)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    report("simulating", task.frames, task.frames)
