"""What the kernel takes: each limit of check.hpp by itself, the last good value and the next."""

from dataclasses import replace

import numpy as np
import pytest
from check_cases import CASES, DESIGN, RESIDENT, SOURCE, ask, changed
from hls_bench import calibrated, design_for, random_vit

from vaqf.hardware.command import COMMAND_WORDS, decode, encode
from vaqf.program.compile import compile_network


@pytest.fixture(scope="module")
def checks(bench):
    return bench.driver("checks", SOURCE, DESIGN, None, ["-O1", "-fsanitize=undefined"])


def test_the_last_good_value_is_taken_and_the_next_refused(checks):
    commands = []
    for base, good, bad in CASES:
        commands += [encode(base), changed(base, good), changed(base, bad)]
    answers = [taken for taken, _ in ask(checks, commands)]
    for number, (base, good, bad) in enumerate(CASES):
        assert answers[3 * number : 3 * number + 3] == [True, True, False], (base, good, bad)


def test_resident_weights_stay_inside_the_ring(bench):
    design = replace(DESIGN, resident=True)
    resident = bench.driver("checks", SOURCE, design, None, ["-O1"])
    commands = [RESIDENT, RESIDENT | {"ring_offset": 116}, RESIDENT | {"ring_offset": 2**32 - 15}]
    answers = ask(resident, [encode(command) for command in commands])
    assert [taken for taken, _ in answers] == [True, False, False]


def test_random_commands_do_not_overflow(checks):
    rng = np.random.default_rng(0)
    commands = [rng.bytes(4 * COMMAND_WORDS) for _ in range(2000)]
    mixed = [changed(base, good) for base, good, _ in CASES]
    for _ in range(2000):
        command = bytearray(mixed[rng.integers(len(mixed))])
        command[rng.integers(len(command))] = rng.integers(256)
        commands.append(bytes(command))
    assert any(taken for taken, _ in ask(checks, commands[2000:]))
    ask(checks, commands)


@pytest.mark.parametrize("seed", range(5))
def test_every_command_of_a_program_is_taken_and_reads_inside_the_image(bench, seed):
    vits = [random_vit(seed) for seed in range(5)]
    design = design_for(vits, act_bits=4, engine="adder", weight_ports=1)
    taker = bench.driver("checks", SOURCE, design, None, ["-O1"])
    compiled = compile_network(design, calibrated(vits[seed], 4, 0))
    size = 4 * COMMAND_WORDS
    commands = [compiled.commands[i : i + size] for i in range(0, len(compiled.commands), size)]
    answers = ask(taker, commands)
    assert all(taken for taken, _ in answers)
    ends = [end for _, end in answers]
    # what the last block of the image holds is the last thing that is read
    assert len(compiled.weights) - 64 < max(ends) <= len(compiled.weights)
    assert all(decode(command)["opcode"] in (1, 2) for command in commands)
