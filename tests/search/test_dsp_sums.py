"""How many sums begin on DSPs: the closed form beside all numbers, and what it gains."""

from dataclasses import replace

import pytest

from vaqf.hardware import board
from vaqf.model import zoo
from vaqf.resources import parts
from vaqf.resources.use import resources
from vaqf.search import dsp_sums, search
from vaqf.search.plan import plans
from vaqf.search.question import Question
from vaqf.search.space import Problem

ZCU102 = board.load("zcu102")


def problem(model: str, device: board.Board, engine: str = "table") -> Problem:
    budget = device.budget()
    return Problem(zoo.load(model), device, engine, device.clock(None), budget, (2, 1))


@pytest.mark.parametrize(
    ("name", "act_bits", "array", "rows"),
    [
        ("zcu102", 8, (10, 8, 384), 40),  # legal with some alone
        ("zcu102", 8, (4, 4, 384), 20),  # legal with any number
        ("zcu102", 4, (12, 8, 384), 64),
        ("zcu102", 8, (16, 16, 384), 8),  # never legal
        ("zcu102", 8, (4, 4, 384), 120),  # DSPs are the scarcest
        ("zc706", 6, (4, 8, 384), 20),
        ("kv260", 5, (1, 16, 384), 3),
    ],
)
def test_the_best_of_all_numbers(
    name: str, act_bits: int, array: tuple[int, int, int], rows: int
) -> None:
    device = board.load(name)
    asked = problem("deit_small", device)
    plan = plans(asked, act_bits, array)[0]
    design = plan.design(plan.outline.base, 2, rows)
    # sums that begin on DSPs may be no more than all; others grow with them, or do not change
    uses = [
        resources(replace(design, dsp_sums=n), device) for n in range(design.tokens * design.pe + 1)
    ]
    found = asked.smallest(parts.of(design))
    legal = [use for use in uses if use.fits(device.budget())]
    assert (found.share <= 1) == bool(legal)
    if legal:
        least = min(use.largest_share(device.available()) for use in legal)
        assert found.use.largest_share(device.available()) == pytest.approx(least, rel=1e-4)
    # none where none is needed
    needed = 0 if uses[0].fits(device.budget()) else found.dsp_sums
    assert asked.fit(parts.of(design)).dsp_sums == needed


def test_sums_go_to_dsps_where_nothing_else_fits() -> None:
    found = search.search(Question(zoo.load("deit_small"), ZCU102)).estimate
    assert 0 < found.design.dsp_sums <= found.design.tokens * found.design.pe
    assert found.use.fits(ZCU102.budget())
    without = resources(replace(found.design, dsp_sums=0), ZCU102)
    assert without.worst_share(ZCU102.budget())[1] == "lut"
    assert not without.fits(ZCU102.budget())


@pytest.mark.parametrize(
    ("model", "name", "gains"), [("deit_small", "zcu102", True), ("deit_tiny", "kv260", False)]
)
def test_no_precision_gets_slower(
    model: str, name: str, gains: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = Question(zoo.load(model), board.load(name))
    now = search.search(question).candidates
    monkeypatch.setattr(dsp_sums, "best", lambda *_: 0)
    before = search.search(question).candidates
    assert [c.act_bits for c in now] == [c.act_bits for c in before]
    for ours, theirs in zip(now, before, strict=True):
        assert (ours.legal, theirs.estimate.design.dsp_sums) == (theirs.legal, 0)
        assert ours.estimate.fps >= theirs.estimate.fps
    faster = [a.estimate.fps > b.estimate.fps for a, b in zip(now, before, strict=True)]
    assert any(faster) == gains  # of deit_tiny the memories fill a kv260


def test_the_adder_engine_has_none() -> None:
    asked = problem("deit_small", ZCU102, "adder")
    plan = plans(asked, 8, (16, 8, 384))[0]
    weighed = asked.fit(parts.of(plan.design(plan.outline.base, 2, 20)))
    assert (weighed.resource, weighed.dsp_sums) == ("lut", 0)
    assert weighed.share > 1
