"""The registers of the control port: where each lies, its bits, who may do what with them.

docs/accelerator.md shows this table; the SystemVerilog's constants and structs, the benches and
whoever drives the hardware take their addresses from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from vaqf.hardware.command import MAX_COMMANDS

MAP_VERSION = 1  # what `capability.version` shows
WORD_BYTES = 4
WORD_BITS = 8 * WORD_BYTES


class Access(Enum):
    """What a host may do; reading is always allowed."""

    READ = "read"
    WRITE = "write"
    SET = "set"  # 1 stays until the hardware clears it; 0 does nothing
    CLEARED = "cleared by reading"
    TOGGLED = "toggled by writing 1"


@dataclass(frozen=True)
class Bits:
    """Bits of a register that mean something of their own; the others are 0."""

    name: str
    low: int
    bits: int
    access: Access
    meaning: str


@dataclass(frozen=True)
class Register:
    """One or more whole words of 32 bits, the low one first."""

    name: str
    address: int  # of the first byte
    fields: tuple[Bits, ...]
    words: int = 1
    count: int = 1  # registers like this one, side by side

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + WORD_BYTES * self.words * self.count

    @property
    def structured(self) -> bool:
        """Whether it has fields, and is not one number."""
        return self.fields[0].name != self.name


def _number(
    name: str, address: int, access: Access, meaning: str, words: int = 1, count: int = 1
) -> Register:
    """A register that is one number."""
    bits = Bits(name, 0, WORD_BITS * words, access, meaning)
    return Register(name, address, (bits,), words, count)


_READ, _WRITE = Access.READ, Access.WRITE
# laid out as Vitis HLS 2020.2 and later does: an argument takes a word more than it has
ARGUMENTS = (
    _number("commands", 0x10, _WRITE, "address of the command list", words=2),
    _number("weights", 0x1C, _WRITE, "address of the weight image", words=2),
    _number("images", 0x28, _WRITE, "address of the images", words=2),
    _number("results", 0x34, _WRITE, "address of status block and logits", words=2),
    _number("n_frames", 0x40, _WRITE, "frames of a run"),
    _number("n_commands", 0x48, _WRITE, "commands of the list"),
)
KERNEL = (
    Register(
        "control",
        0x00,
        (
            Bits("start", 0, 1, Access.SET, "a run begins; 1 until it ends"),
            Bits("done", 1, 1, Access.CLEARED, "a run has ended"),
            Bits("idle", 2, 1, _READ, "nothing runs"),
            Bits("ready", 3, 1, Access.CLEARED, "may be started again"),
            Bits("auto_restart", 7, 1, _WRITE, "a run that ends starts the next one"),
        ),
    ),
    Register("interrupts_on", 0x04, (Bits("on", 0, 1, _WRITE, "global interrupt enable"),)),
    Register(
        "interrupt_enable",
        0x08,
        (
            Bits("done", 0, 1, _WRITE, "interrupt when a run has ended"),
            Bits("ready", 1, 1, _WRITE, "interrupt when it may be started again"),
        ),
    ),
    Register(
        "interrupt_status",
        0x0C,
        (
            Bits("done", 0, 1, Access.TOGGLED, "a run ended while its interrupt was enabled"),
            Bits("ready", 1, 1, Access.TOGGLED, "the same of ready"),
        ),
    ),
    *ARGUMENTS,
)
# of the RTL alone; numbers of a run stand from its end to the next start
STATUS = (
    Register(
        "capability",
        0x80,
        (
            Bits("version", 0, 8, _READ, f"of this map, {MAP_VERSION}"),
            Bits("act_bits", 8, 8, _READ, "activation bits"),
            Bits("table_engine", 16, 1, _READ, "engine, 1 table or 0 adder"),
        ),
    ),
    _number("design_id", 0x84, _READ, "CRC-32 of the constants of the design"),
    Register(
        "error",
        0x88,
        (
            Bits("status", 0, 8, _READ, "how the run ended, as in the status block"),
            Bits("commands", 8, 2, _READ, "the first error response of this port"),
            Bits("weights", 10, 2, _READ, "the same of this one"),
            Bits("images", 12, 2, _READ, "the same of this one"),
            Bits("results", 14, 2, _READ, "the same of this one"),
            Bits("timed_out", 16, 1, _READ, "the watchdog expired"),
        ),
    ),
    _number(
        "stopped_at",
        0x8C,
        _READ,
        "command at which the run stopped: the refused one, or the matmul that ran; otherwise 0",
    ),
    _number("frames_done", 0x90, _READ, "frames whose logits are in memory"),
    _number("run_cycles", 0x94, _READ, "cycles of the run, from start to done", words=2),
    _number("look_ups", 0x9C, _READ, "cycles in which the binary engine issued a look-up; wraps"),
    Register(
        "running",
        0xA0,
        (
            Bits("matmul", 0, 16, _READ, "command that runs now; 0xffff none"),
            Bits("attention", 16, 16, _READ, "the same of the attention engine"),
        ),
    ),
    _number(
        "command_cycles",
        0x800,
        _READ,
        "cycles of each command when it last ran, start to done; 0 if it did not since the list"
        " was read",
        count=MAX_COMMANDS,
    ),
)
REGISTERS = (*KERNEL, *STATUS)
BY_NAME = {register.name: register for register in REGISTERS}


def address(name: str) -> int:
    """Of the first byte of a register."""
    return BY_NAME[name].address


def mask(name: str, field: str) -> int:
    """All bits of a register's field set, at their place."""
    (found,) = (one for one in BY_NAME[name].fields if one.name == field)
    return ((1 << found.bits) - 1) << found.low


def writes(values: Mapping[str, int]) -> list[tuple[int, int]]:
    """(address, word) for every word that a host writes to give registers these values."""
    return [
        (BY_NAME[name].address + WORD_BYTES * word, value >> WORD_BITS * word & (2**WORD_BITS - 1))
        for name, value in values.items()
        for word in range(BY_NAME[name].words)
    ]


def layout(register: Register) -> list[tuple[str, int]]:
    """(name, bits) from the highest bit to the lowest, with the bits between fields as fields."""
    found: list[tuple[str, int]] = []
    end = 0
    for field in register.fields:
        if field.low > end:
            found.append((f"reserved_{end}", field.low - end))
        found.append((field.name, field.bits))
        end = field.low + field.bits
    if end < WORD_BITS * register.words:
        found.append((f"reserved_{end}", WORD_BITS * register.words - end))
    return found[::-1]
