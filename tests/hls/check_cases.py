"""Commands at the limits of check.hpp and check_command.sv, and the design they are for."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from hls_bench import design_for, small_vit

from vaqf.hardware.command import Dest, Opcode, Source, encode
from vaqf.hardware.design import Capacity

SOURCE = (Path(__file__).parent / "checks.cpp").read_text()  # asks the kernel
CAPACITY = Capacity(
    tokens=12, dim=40, hidden=80, attention=48, head=16, pixels=32, outputs=160, partial_outputs=36
)
DESIGN = design_for(
    [small_vit()],
    act_bits=4,
    pe=4,
    simd=32,
    tokens=4,
    attention_lanes=8,
    capacity=CAPACITY,
    ring_words=130,
)

# commands this design takes: k_words, n_words in words of 4 channels, K slices of 8 words
ANY = {"opcode": Opcode.MATMUL, "tokens": 9, "planes": 1, "digits": 1, "dim": 20}
PIXELS = ANY | {"source": Source.PIXELS, "dest": Dest.RESIDUAL, "planes": 8, "outputs": 20}
PIXELS |= {
    "digits": 2,
    "k_words": 4,
    "n_words": 5,
    "weight_words": 40,
    "prefix_tokens": 1,
    "pixel_bytes": 16,
}
QKV = ANY | {"source": Source.NORM, "dest": Dest.QKV, "k_words": 5, "n_words": 15}
QKV |= {"weight_words": 15, "outputs": 60}
CONTEXT = ANY | {"source": Source.CONTEXT, "dest": Dest.RESIDUAL, "k_words": 6, "n_words": 5}
CONTEXT |= {"weight_words": 5, "outputs": 20}
FC1 = ANY | {"source": Source.NORM, "dest": Dest.HIDDEN, "k_words": 5, "n_words": 10}
FC1 |= {"weight_words": 10, "outputs": 40}
FC2 = ANY | {"source": Source.HIDDEN, "dest": Dest.RESIDUAL, "k_words": 10, "n_words": 5}
FC2 |= {"weight_words": 10, "outputs": 20}
HEAD = ANY | {"source": Source.NORM_PREFIX, "dest": Dest.LOGITS, "tokens": 1, "prefix_tokens": 2}
HEAD |= {"planes": 8, "k_words": 16, "n_words": 4, "weight_words": 64, "outputs": 15}
ATTENTION = {"opcode": Opcode.ATTENTION, "tokens": 9, "heads": 3, "head_words": 4, "n_words": 12}
ATTENTION |= {"outputs": 48}
NINE, TEN = {"n_words": 9, "outputs": 36}, {"n_words": 10, "weight_words": 10}
TWO_SLICES = {"dim": 40, "k_words": 10}
RESIDENT = QKV | {"ring_offset": 115}

# (a good command, changes that are still good, changes that are not)
CASES: list[tuple[dict[str, int], dict[str, int], dict[str, int]]] = [
    (QKV, {"opcode": Opcode.MATMUL}, {"opcode": 0}),
    (QKV, {}, {"opcode": 3}),
    (QKV, {"frame_offset": 1}, {"frame_offset": 2}),
    (QKV, {"frame_offset": -2}, {"frame_offset": -3}),
    (QKV, {"tokens": 12}, {"tokens": 13}),
    (QKV, {"tokens": 1}, {"tokens": 0}),
    (QKV, {"shift": 47}, {"shift": 48}),
    (QKV, {"norm_shift": 47}, {"norm_shift": 48}),
    (QKV, {"outputs": 60}, {"outputs": 61}),
    (QKV, {}, {"n_words": 0, "weight_words": 0, "outputs": 0}),
    (QKV, {"n_words": 18, "weight_words": 18}, {"n_words": 16, "weight_words": 16}),
    (QKV, {"n_words": 36, "weight_words": 36}, {"n_words": 39, "weight_words": 39}),
    (QKV, {"dim": 17}, {"dim": 16}),
    (QKV, {"dim": 17}, {"dim": 21}),
    (FC1, {"dim": 1, "k_words": 1}, {"dim": 0, "k_words": 0, "weight_words": 0}),
    (FC1, {"dim": 32, "k_words": 8}, NINE | {"dim": 44, "k_words": 11, "weight_words": 18}),
    (FC1, TWO_SLICES | {"n_words": 9, "weight_words": 18, "outputs": 36}, {"k_words": 4}),
    (FC1, {}, {"digits": 2}),
    (FC1, {}, {"digits": 0}),
    (FC1, NINE | {"planes": 8, "weight_words": 72}, NINE | {"planes": 2, "weight_words": 18}),
    (FC1, {}, {"planes": 0, "weight_words": 0}),
    (FC1, {}, {"weight_words": 9}),
    (FC1, {}, {"weight_words": 2**32 - 1}),
    # 10 words of partial sums do not fit, 9 do: more planes, more slices or more digits
    (FC1, {}, {"planes": 8, "weight_words": 80}),
    (FC1, {}, TWO_SLICES | {"weight_words": 20}),
    (PIXELS, NINE | {"dim": 36, "planes": 1, "weight_words": 9}, TEN | {"dim": 40, "planes": 1}),
    (FC1, {"n_words": 20, "weight_words": 20}, {"n_words": 21, "weight_words": 21}),
    (FC1, {}, {"dest": Dest.RESIDUAL, "n_words": 5, "weight_words": 5, "outputs": 20}),
    (FC1, {"tokens": 1}, {"tokens": 1, "dest": 4}),
    (FC1, {}, {"source": 5}),
    (FC1, {}, {"source": Source.HIDDEN}),
    (FC1, {}, {"dest": Dest.LOGITS}),
    (CONTEXT, {"k_words": 8}, {"k_words": 13, "weight_words": 10}),
    (CONTEXT, {"k_words": 12, "weight_words": 10}, {"digits": 2}),
    (CONTEXT, {}, {"k_words": 0, "weight_words": 0}),
    (CONTEXT, {"n_words": 4, "weight_words": 4, "dim": 16, "outputs": 16}, {"dim": 24}),
    (CONTEXT, {}, {"dest": Dest.QKV, "n_words": 6, "weight_words": 6}),
    (CONTEXT, {}, {"dest": Dest.HIDDEN}),
    (FC2, {"k_words": 20, "weight_words": 15}, {"k_words": 21, "weight_words": 15}),
    (FC2, {}, {"digits": 4}),
    (FC2, {}, {"source": 5}),
    (PIXELS, {"k_words": 8}, {"k_words": 9, "weight_words": 80}),
    (PIXELS, {"pixel_bytes": 32}, {"pixel_bytes": 48}),
    (PIXELS, {}, {"pixel_bytes": 20}),
    (PIXELS, {}, {"pixel_bytes": 0}),
    (PIXELS, {"prefix_tokens": 8}, {"prefix_tokens": 9}),
    # some channels in the last word; of attention all
    (QKV, {"outputs": 57}, {"outputs": 56}),
    (ATTENTION, {"outputs": 48}, {"outputs": 47}),
    (PIXELS, {"planes": 1, "weight_words": 5}, {"digits": 1}),
    (PIXELS, {}, {"dest": Dest.LOGITS, "tokens": 1}),
    (HEAD, {"prefix_tokens": 1, "k_words": 5, "weight_words": 32}, {"prefix_tokens": 1}),
    (HEAD, {}, {"tokens": 2}),
    (HEAD, {}, {"digits": 2}),
    (HEAD, {"dest": Dest.HIDDEN}, {"dest": Dest.HIDDEN, "tokens": 2}),
    (HEAD, {}, {"k_words": 10}),  # each token starts a slice
    (
        HEAD | {"dim": 4, "n_words": 1, "outputs": 4, "weight_words": 16},
        {"prefix_tokens": 2, "k_words": 16, "weight_words": 16},
        {"prefix_tokens": 3, "k_words": 24, "weight_words": 24},
    ),
    (HEAD, {}, {"prefix_tokens": 0, "k_words": 0}),
    # accumulators are no wider than a multiplier's port
    (HEAD, {}, {"pre_shift": 1}),
    (FC1, {}, {"pre_shift": 1}),
    (HEAD, {"n_words": 8, "weight_words": 128}, {"n_words": 9, "weight_words": 144}),
    (ATTENTION, {"tokens": 12}, {"tokens": 13}),
    (ATTENTION, {"tokens": 1}, {"tokens": 0}),
    (ATTENTION, {"shift": 47}, {"shift": 48}),
    (ATTENTION, {"heads": 1, "n_words": 4}, {"heads": 0, "n_words": 0}),
    (ATTENTION, {"head_words": 2, "n_words": 6}, {"head_words": 0, "n_words": 0}),
    (ATTENTION, {"heads": 2, "n_words": 8}, {"head_words": 3, "n_words": 9}),
    (ATTENTION, {}, {"head_words": 6, "heads": 2}),
    (ATTENTION, {}, {"heads": 4, "n_words": 16}),
    (ATTENTION, {}, {"n_words": 11}),
    (ATTENTION, {}, {"opcode": 3}),
    (ATTENTION, {"heads": 1, "head_words": 2, "n_words": 2}, {"frame_offset": -3}),
]


def changed(base: dict[str, int], change: dict[str, int]) -> bytes:
    """A command with these changes; every channel of its words means something, unless said."""
    values = base | change
    if "n_words" in change and "outputs" not in change:
        values["outputs"] = 4 * values["n_words"]
    return encode(values)


def ask(program_path: Path, commands: Sequence[bytes]) -> list[tuple[bool, int]]:
    """(taken, end of what it reads) of each command."""
    done = subprocess.run([program_path], input=b"".join(commands), capture_output=True, check=True)
    rows = [line.split() for line in done.stdout.decode().splitlines()]
    assert len(rows) == len(commands)
    return [(taken == "1", int(end)) for taken, end in rows]
