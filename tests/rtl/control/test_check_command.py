"""check_command.sv and divide_by.sv: the verdict of check.hpp on the same commands."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cocotb
import pytest
from check_cases import CASES, DESIGN, SOURCE, ask, changed
from cocotb.triggers import FallingEdge, RisingEdge
from hls_bench import Bench, calibrated, design_for, random_vit
from rtl_bench import reset, start_clock
from schedule_bench import COMMAND_BYTES

from vaqf.hardware.command import COMMAND_WORDS, FIELDS, decode, encode
from vaqf.hardware.design import Design
from vaqf.program.compile import compile_network

VERDICTS = "VAQF_VERDICTS"  # a file: for each command its bits and whether it is good
# no power of two anywhere
ODD_VITS = [random_vit(seed) for seed in range(3)]
ODD = design_for(
    ODD_VITS, act_bits=5, pe=6, simd=192, tokens=3, attention_lanes=18, norm_tokens=1, resident=True
)
DESIGNS: dict[str, Design] = {"limits": DESIGN, "odd": ODD}


def compiled(design: Design) -> list[bytes]:
    """All commands of the networks that an odd design runs."""
    lists = [
        compile_network(design, calibrated(vit, design.act_bits, 0)).commands for vit in ODD_VITS
    ]
    return [
        commands[at : at + COMMAND_BYTES]
        for commands in lists
        for at in range(0, len(commands), COMMAND_BYTES)
    ]


def corrupted(good: list[bytes], rng: random.Random) -> list[bytes]:
    """Every field of every command in turn: its limits, its neighbours, one bit, anything."""
    found = []
    for command in good:
        values = decode(command)
        for field in FIELDS:
            low = -(2 ** (field.bits - 1)) if field.signed else 0
            high = low + 2**field.bits - 1
            value = values[field.name]
            tries = {low, high, 0, 1, value - 1, value + 1, rng.randint(low, high)}
            tries |= {2 * value, value // 2, 3 * value}
            found += [encode(values | {field.name: t}) for t in tries if low <= t <= high]
        spoilt = bytearray(command)
        for _ in range(2):
            spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
            found.append(bytes(spoilt))
    return found


@pytest.mark.parametrize("name", DESIGNS)
def test_check_command(
    simulate: Callable[..., None], tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(1)
    design = DESIGNS[name]
    if name == "odd":
        good = compiled(design)
        commands = good + corrupted(rng.sample(good, 12), rng)
    else:
        cases = [changed(base, change) for base, *both in CASES for change in ({}, *both)]
        commands = cases + corrupted(rng.sample(cases, 20), rng)
    commands += [rng.randbytes(4 * COMMAND_WORDS) for _ in range(100)]
    checks = Bench(tmp_path).driver("checks", SOURCE, design, None, [])
    verdicts = [taken for taken, _ in ask(checks, commands)]
    assert sum(verdicts) > 100 and len(verdicts) - sum(verdicts) > 1000
    rows = [(command.hex(), verdict) for command, verdict in zip(commands, verdicts, strict=True)]
    (tmp_path / "verdicts").write_text(json.dumps(rows))
    monkeypatch.setenv(VERDICTS, str(tmp_path / "verdicts"))
    simulate(__file__, "check_command", {}, design=design)


@cocotb.test()
async def agrees_with_the_kernel(dut: Any) -> None:
    start_clock(dut)
    dut.start.value = 0
    await reset(dut)
    rng = random.Random(2)
    for command, verdict in json.loads(Path(os.environ[VERDICTS]).read_text()):
        dut.command.value = int.from_bytes(bytes.fromhex(command), "little")
        dut.start.value = 1
        await FallingEdge(dut.clk)
        dut.start.value = 0
        await RisingEdge(dut.done)
        await FallingEdge(dut.clk)
        assert bool(int(dut.good.value)) == verdict, decode(bytes.fromhex(command))
        for _ in range(rng.randrange(3)):
            await FallingEdge(dut.clk)
            assert not int(dut.done.value)
