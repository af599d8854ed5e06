"""knobs.py: what every step of a stage sets, as a pure function of the step."""

import itertools
from dataclasses import replace

import pytest

from vaqf.arithmetic import widths
from vaqf.quant.recipe import knobs, recipe
from vaqf.quant.recipe.recipe import Stage

MASK = Stage("m", weights="mask", ramp=0.5)
LAST = Stage("last", weights="sign", activations="quantized")


def test_the_learning_rate_rises_linearly_then_falls_as_half_a_cosine() -> None:
    rates = [knobs.learning_rate(2.0, 0.1, step, 100) for step in range(100)]
    assert rates[:10] == pytest.approx([0.2 * (step + 1) for step in range(10)])
    assert max(rates) == rates[9] == 2.0
    falling = rates[9:]
    assert all(a > b > 0 for a, b in itertools.pairwise(falling))
    assert rates[9 + 91 // 2] == pytest.approx(1.0, abs=0.02)  # half way down
    assert rates[-1] < 0.001
    # a cosine is flat at both ends, steepest in the middle
    drops = [a - b for a, b in itertools.pairwise(falling)]
    assert drops[0] < drops[45] > drops[-1]


@pytest.mark.parametrize(("warmup", "steps"), [(0.0, 50), (0.0, 1), (1.0, 7), (1.0, 1), (0.5, 2)])
def test_every_step_learns_at_the_edges_of_the_schedule(warmup: float, steps: int) -> None:
    rates = [knobs.learning_rate(1.0, warmup, step, steps) for step in range(steps)]
    assert all(0 < rate <= 1.0 for rate in rates)
    assert max(rates) == 1.0


def test_the_binary_share_is_a_linear_ramp_then_whole() -> None:
    shares = [knobs.binary_share(MASK, step, 100) for step in range(100)]
    assert shares[:50] == [step / 50 for step in range(50)]
    assert set(shares[50:]) == {1.0}
    assert {knobs.binary_share(LAST, step, 10) for step in range(10)} == {1.0}
    assert {knobs.binary_share(Stage("f"), step, 10) for step in range(10)} == {0.0}


@pytest.mark.parametrize("act_bits", range(2, 9))
@pytest.mark.parametrize("ramp", [0.3, 1.0])
def test_bits_fall_one_by_one_from_8_to_those_of_the_network(act_bits: int, ramp: float) -> None:
    stage = replace(LAST, bits_ramp=ramp)
    bits = [knobs.precision(stage, act_bits, step, 210) for step in range(210)]
    assert bits[0] == widths.MAX_ACT_BITS == 8 and bits[-1] == act_bits
    assert sorted(set(bits), reverse=True) == list(range(8, act_bits - 1, -1))
    assert bits == sorted(bits, reverse=True)
    assert bits.index(act_bits) <= ramp * 210
    falling = [bits.count(b) for b in range(8, act_bits, -1)]
    assert max(falling, default=0) - min(falling, default=0) <= 1  # as long at each


def test_without_a_ramp_the_bits_are_the_networks_at_once() -> None:
    assert {knobs.precision(LAST, 3, step, 9) for step in range(9)} == {3}
    assert knobs.precision(MASK, 3, 0, 9) is None  # real activations


@pytest.mark.parametrize("act_bits", [2, 8])
@pytest.mark.parametrize("steps", [1, 2, 3, 500])
@pytest.mark.parametrize("name", ["best", "one_shot", "vaqf_paper"])
def test_every_recipe_ends_binary_at_its_precision(name: str, steps: int, act_bits: int) -> None:
    found = recipe.load(name)
    last = knobs.knobs(found, found.stages[-1], act_bits, steps - 1, steps)
    if steps > 3:
        assert (last.binary, last.act_bits) == (1.0, act_bits)
    for stage in found.stages:
        order = range(steps)
        settings = [knobs.knobs(found, stage, act_bits, step, steps) for step in order]
        backwards = [knobs.knobs(found, stage, act_bits, step, steps) for step in order[::-1]]
        assert settings == backwards[::-1]  # nothing is carried from step to step
        for one in settings:
            assert 0.0 <= one.binary <= 1.0 and 0 < one.lr <= found.lr * stage.lr
            assert one.act_bits is None or act_bits <= one.act_bits <= 8
            assert (one.act_bits is None) == (stage.activations == "real")


def test_the_integer_part_is_the_last_one() -> None:
    found = recipe.load("best")
    stage = replace(LAST, integer_share=0.25)
    flags = [knobs.knobs(found, stage, 4, step, 8).integer for step in range(8)]
    assert flags == [False] * 6 + [True] * 2
    assert not knobs.knobs(found, LAST, 4, 7, 8).integer


def test_a_stage_scales_the_recipes_learning_rate() -> None:
    found = recipe.load("best")
    whole = knobs.knobs(found, LAST, 4, 30, 100)
    half = knobs.knobs(found, replace(LAST, lr=0.5), 4, 30, 100)
    assert half.lr == whole.lr / 2
