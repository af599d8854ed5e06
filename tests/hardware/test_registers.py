"""The table of registers: nothing overlaps, and what Vitis HLS lays out lies where it lays it."""

from itertools import pairwise

import pytest

from vaqf.hardware import registers
from vaqf.hardware.registers import ARGUMENTS, KERNEL, REGISTERS, STATUS, Register

RESERVED = 1  # words behind an argument of Vitis HLS


def test_registers_lie_side_by_side() -> None:
    assert [one.address % registers.WORD_BYTES for one in REGISTERS] == [0] * len(REGISTERS)
    assert all(one.end <= other.address for one, other in pairwise(REGISTERS))
    assert len({one.name for one in REGISTERS}) == len(REGISTERS)


@pytest.mark.parametrize("register", REGISTERS, ids=lambda one: one.name)
def test_fields_lie_inside_their_register(register: Register) -> None:
    ends = [field.low + field.bits for field in register.fields]
    assert all(end <= other.low for end, other in zip(ends, register.fields[1:], strict=False))
    assert ends[-1] <= registers.WORD_BITS * register.words
    assert sum(bits for _, bits in registers.layout(register)) == 32 * register.words


def test_arguments_lie_as_vitis_hls_lays_them_out() -> None:
    """UG1399: control, three interrupt registers, then each argument and a reserved word."""
    assert [one.address for one in KERNEL[:4]] == [0x0, 0x4, 0x8, 0xC]
    at = 0x10
    for one in ARGUMENTS:
        assert one.address == at, one.name
        at += registers.WORD_BYTES * (one.words + RESERVED)
    assert at <= STATUS[0].address


def test_the_commands_cycles_are_found_by_an_index() -> None:
    """run_status.sv takes it from the address's low bits."""
    last = REGISTERS[-1]
    assert last.name == "command_cycles"
    assert last.address % (registers.WORD_BYTES * last.count) == 0


def test_a_host_writes_words() -> None:
    values = {"weights": 0x1_2345_0000, "control": registers.mask("control", "start")}
    assert registers.writes(values) == [(0x1C, 0x2345_0000), (0x20, 1), (0, 1)]
    assert registers.mask("running", "attention") == 0xFFFF_0000


def test_bits_between_fields_have_names() -> None:
    assert registers.layout(registers.BY_NAME["control"]) == [
        ("reserved_8", 24),
        ("auto_restart", 1),
        ("reserved_4", 3),
        ("ready", 1),
        ("idle", 1),
        ("done", 1),
        ("start", 1),
    ]
