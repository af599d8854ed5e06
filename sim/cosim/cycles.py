"""Cycles that the RTL took, beside those of `vaqf estimate`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vaqf.cycles.schedule import TIMED_AS
from vaqf.errors import InputError
from vaqf.hardware import order
from vaqf.hardware.design import Design
from vaqf.program.compile import Program
from vaqf.project.read import Project, read_json

MAX_CYCLES = 2**40  # an hour at 300 MHz: no frame takes that long


@dataclass(frozen=True)
class Expected:
    """What the project's estimate says."""

    frame: int  # cycles from frame to frame
    weight_rate: float  # bits per cycle that the weight ports deliver
    layers: Mapping[str, int]  # by the workload's names: from start to end of its command


@dataclass(frozen=True)
class CommandCycles:
    """One command, from its start to its end."""

    layer: str  # golden's name
    measured: float  # mean over the frames that were counted
    estimated: int


@dataclass(frozen=True)
class Cycles:
    """One run."""

    run: int  # from start to interrupt
    frame: float  # cycles per frame, as `frame_is` says
    frame_is: str
    estimated: int  # cycles per frame
    commands: tuple[CommandCycles, ...]  # empty where the RTL's signals are not vaqf's

    def to_json(self) -> dict[str, Any]:
        """One run's cycles, the estimate's beside them."""
        return {
            "run": self.run,
            "per_frame": self.frame,
            "per_frame_is": self.frame_is,
            "estimated_per_frame": self.estimated,
            "commands": [asdict(one) for one in self.commands],
        }


def expected(project: Project) -> Expected:
    """From report/estimate.json; InputError if that is not what `build` wrote."""
    path = project.folder / "report" / "estimate.json"
    content = read_json(path)
    try:
        layers = {layer["name"]: _cycles(layer["elapsed_cycles"]) for layer in content["layers"]}
        frame = _cycles(content["cycles_per_frame"])
        rate = content["weight_bits_per_cycle"]
        if not isinstance(rate, float) or not 0 < rate <= project.design.weight_read_bytes * 8:
            raise ValueError
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} holds no estimate; build the project again") from error
    return Expected(max(frame, 1), rate, layers)


def _cycles(value: Any) -> int:
    if type(value) is not int or not 0 <= value < MAX_CYCLES:
        raise ValueError
    return value


def measured(
    trace: Path,
    written: Sequence[int],
    run: int,
    program: Program,
    design: Design,
    depth: int,
    of: Expected,
) -> Cycles:
    """The cycles of a run whose frames' last logits were written in the cycles `written`.

    depth: the model's blocks. of: what the estimate says.

    A frame takes the steady interval: from frame 0's logits to those of a later one that went
    through the same slot while all slots had frames. Where no such frame follows it is the run,
    divided by its frames.
    """
    slots = design.frames_in_flight
    rounds = len(written) // slots - 1
    if rounds > 0:
        last = rounds * slots
        frame = (written[last] - written[0]) / last
        means = f"from the logits of frame 0 to those of frame {last}, divided by {last}"
    else:
        frame = run / len(written)
        means = f"the run, divided by its {len(written)} frames: start and end are in it"
    spans = _spans(trace)
    at_command = {entry.layer: entry.command for entry in program.traced}
    commands = []
    for command in order.commands(depth):
        name, kind = order.result(command), TIMED_AS.get(command.kind, command.kind)
        if mine := spans.get(at_command[name]):
            steady = [span for at, span in mine if at >= slots] or [span for _, span in mine]
            estimated = of.layers.get(kind.of(command.block), 0)
            commands.append(CommandCycles(name, sum(steady) / len(steady), estimated))
    return Cycles(run, frame, means, of.frame, tuple(commands))


def _events(trace: Path) -> list[tuple[str, int, int, int]]:
    """start or done, command, frame, cycle."""
    if not trace.exists():
        return []
    lines = (line.split() for line in trace.read_text(encoding="ascii").splitlines())
    return [(line[0], int(line[1]), int(line[2]), int(line[3])) for line in lines if len(line) == 4]


def _spans(trace: Path) -> dict[int, list[tuple[int, int]]]:
    """Frame and cycles of every time a command ran."""
    began: dict[tuple[int, int], int] = {}
    spans: dict[int, list[tuple[int, int]]] = {}
    for event, command, frame, cycle in _events(trace):
        if event == "start":
            began[command, frame] = cycle
        elif (command, frame) in began:
            spans.setdefault(command, []).append((frame, cycle - began.pop((command, frame))))
    return spans


def last_started(trace: Path) -> str:
    """Where a run that does not end has stopped, as a clause."""
    starts = [event for event in _events(trace) if event[0] == "start"]
    if not starts:
        return "no command has started"
    _, command, frame, cycle = starts[-1]
    return f"command {command} of frame {frame} was the last to start, in cycle {cycle}"
