"""The command list: what one command says, as fields of sixteen 32-bit words.

docs/accelerator.md describes the fields; C++ and SystemVerilog are generated from FIELDS.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

from vaqf.errors import InputError
from vaqf.hardware.order import commands
from vaqf.model.vit import MAX_DEPTH

COMMAND_WORDS = 16  # of 32 bits
# of the list memory: a power of two that holds the deepest model, two frames in flight
MAX_COMMANDS = 2 ** (2 * len(commands(MAX_DEPTH)) - 1).bit_length()


class Opcode(IntEnum):
    """What a command runs on."""

    MATMUL = 1  # binary engine, with what comes before and behind it
    ATTENTION = 2  # attention engine: all heads of one layer


class Source(IntEnum):
    """Where the rows of a matmul come from."""

    PIXELS = 0
    NORM = 1  # layer norm of the residual stream
    CONTEXT = 2
    HIDDEN = 3
    NORM_PREFIX = 4  # layer norm of the head's tokens, concatenated to one row


class Dest(IntEnum):
    """What becomes of a matmul's accumulators."""

    QKV = 0
    RESIDUAL = 1  # added to the residual stream
    HIDDEN = 2  # through the gelu table
    LOGITS = 3


class Status(IntEnum):
    """How a run ended: the first word of the status block."""

    DONE = 0
    BAD_COMMAND = 1  # one asks for what the design does not have
    BAD_ARGUMENTS = 2  # no commands, or more than MAX_COMMANDS
    BUS_ERROR = 3  # a memory answered with an error; RTL only, as is the next
    WATCHDOG = 4  # nothing moved for long: a memory does not answer


@dataclass(frozen=True)
class Field:
    """Bits of one command field."""

    name: str
    word: int  # of 32 bits
    low: int
    bits: int
    signed: bool = False


FIELDS = (
    Field("opcode", 0, 0, 4),
    Field("source", 0, 4, 4),
    Field("dest", 0, 8, 4),
    Field("step_end", 0, 12, 1),  # both engines finish before the next command
    Field("frame_offset", 0, 16, 4, signed=True),  # frame = iteration * frames_in_flight + this
    Field("tokens", 1, 0, 16),  # rows of the matmul; keys and queries of attention
    Field("outputs", 1, 16, 16),  # channels written; the rest of the last word is 0
    Field("k_words", 2, 0, 16),  # inputs in words of pe channels
    Field("n_words", 2, 16, 16),  # outputs in words of pe channels
    Field("planes", 3, 0, 4),  # 1: weights are -1, +1; 8: two's complement bit planes
    Field("digits", 3, 4, 4),  # act_bits digits per input; more than 1 only for pixels
    Field("pre_shift", 3, 8, 4),
    Field("shift", 3, 12, 6),
    Field("prefix_tokens", 3, 18, 4),  # rows without pixels; rows joined by NORM_PREFIX
    Field("heads", 3, 22, 10),
    Field("weight_offset", 4, 0, 32),  # in units of ALIGN bytes
    Field("weight_words", 5, 0, 32),  # ring words
    Field("ring_offset", 6, 0, 32),  # ring word, for a design with resident weights
    Field("norm_offset", 7, 0, 32),  # records of the layer norm, k_words * pe of them
    Field("requant_offset", 8, 0, 32),  # records of the outputs, n_words * pe of them
    Field("gelu_offset", 9, 0, 32),
    Field("constant_offset", 10, 0, 32),  # added to the pixels' rows: tiles of 16-bit constants
    Field("eps_low", 11, 0, 32),
    Field("eps_high", 12, 0, 16),
    Field("norm_shift", 12, 16, 6),
    Field("dim", 13, 0, 16),  # true channels of the residual stream
    Field("head_words", 13, 16, 16),  # words one head takes in memory
    Field("score_mult", 14, 0, 18),
    Field("score_shift", 14, 18, 6),
    Field("pixel_bytes", 15, 0, 16),  # of one patch row in memory
)


def layout() -> list[Field]:
    """The fields from the highest bit to the lowest, with the bits between them as fields too."""
    found: list[Field] = []
    end = 0
    for field in sorted(FIELDS, key=lambda field: (field.word, field.low)):
        start = 32 * field.word + field.low
        if start > end:
            found.append(Field(f"reserved_{end}", end // 32, end % 32, start - end))
        found.append(field)
        end = start + field.bits
    if end < 32 * COMMAND_WORDS:
        found.append(Field(f"reserved_{end}", end // 32, end % 32, 32 * COMMAND_WORDS - end))
    return found[::-1]


_BY_NAME = {field.name: field for field in FIELDS}
FIELD_BITS = {field.name: field.bits for field in FIELDS}


def encode(values: dict[str, int]) -> bytes:
    """One command; missing fields are 0."""
    words = [0] * COMMAND_WORDS
    for name, value in values.items():
        field = _BY_NAME[name]
        low = -(2 ** (field.bits - 1)) if field.signed else 0
        if not low <= value < low + 2**field.bits:
            raise InputError(
                f"the program needs {name} = {value}, which its {field.bits} bits do not hold;"
                " use a smaller model"
            )
        words[field.word] |= (value & (2**field.bits - 1)) << field.low
    return struct.pack(f"<{COMMAND_WORDS}I", *words)


def decode(command: bytes) -> dict[str, int]:
    """The fields of one command."""
    words = struct.unpack(f"<{COMMAND_WORDS}I", command)
    values = {}
    for field in FIELDS:
        value = words[field.word] >> field.low & (2**field.bits - 1)
        if field.signed and value >> (field.bits - 1):
            value -= 2**field.bits
        values[field.name] = value
    return values
