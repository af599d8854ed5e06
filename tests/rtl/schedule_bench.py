"""What runs when, from docs/accelerator.md, and command lists to try it on."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hls_bench import extreme, small_vit

from vaqf.arithmetic.widths import ceil_div
from vaqf.hardware.command import COMMAND_WORDS, Opcode, decode, encode
from vaqf.hardware.design import Design
from vaqf.program.compile import Program, compile_network

COMMAND_BYTES = 4 * COMMAND_WORDS
Command = dict[str, int]


@dataclass(frozen=True)
class Run:
    """One command that runs for one frame."""

    index: int
    frame: int
    step: int
    command: Command

    @property
    def is_attention(self) -> bool:
        return self.command["opcode"] == Opcode.ATTENTION


def iterations(in_flight: int, n_frames: int) -> int:
    """How often the list runs."""
    return n_frames if in_flight == 1 else ceil_div(n_frames, 2) + 1


def schedule(commands: Sequence[Command], in_flight: int, n_frames: int) -> list[Run]:
    """Everything that runs, in the order of the list."""
    runs = []
    step = 0
    for iteration in range(iterations(in_flight, n_frames)):
        for index, command in enumerate(commands):
            frame = iteration * in_flight + command["frame_offset"]
            if 0 <= frame < n_frames:
                runs.append(Run(index, frame, step, command))
            step += command["step_end"] or index + 1 == len(commands)
    return runs


def decoded(commands: bytes) -> list[Command]:
    """The commands of a list."""
    return [
        decode(commands[at : at + COMMAND_BYTES]) for at in range(0, len(commands), COMMAND_BYTES)
    ]


def bits(command: Command) -> int:
    """A command as the list memory holds it."""
    return int.from_bytes(encode(command), "little")


def compiled(design: Design, seed: int, **changes: Any) -> Program:
    """Commands and weights of a small network of random integers."""
    return compile_network(design, extreme(small_vit(**changes), design.act_bits, seed))


def random_list(rng: random.Random, in_flight: int, steps: int) -> list[Command]:
    """A list that no compiler makes: steps of any length, engines in different slots.

    It ends with attention, and with its last step left open.
    """
    slots = [[-1, 0], [-1, 0]] if in_flight == 1 else [[-2, 0], [-1, 1]]  # frame offsets of each
    commands: list[Command] = []
    for step in range(steps):
        last = step + 1 == steps
        attention = last or rng.random() < 0.5
        matmuls = 0 if last or (attention and in_flight == 1) else rng.randrange(4)
        rng.shuffle(slots)
        for left in range(attention + matmuls, 0, -1):
            kind = Opcode.ATTENTION if attention and left > matmuls else Opcode.MATMUL
            command = {
                "opcode": kind,
                "frame_offset": rng.choice(slots[kind == Opcode.ATTENTION]),
                "step_end": int(left == 1 and not last),
                "weight_offset": rng.getrandbits(32),
                "pixel_bytes": rng.getrandbits(16),
            }
            commands.append(decode(encode(command)))
    return commands
