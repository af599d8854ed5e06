"""The search: answers, legality, and odd models on every board."""

import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaqf.cycles import bounds, command_cycles, timeline
from vaqf.errors import InputError
from vaqf.hardware import board
from vaqf.hardware.design import PORT_BITS, Design
from vaqf.hardware.matmuls import check_fits
from vaqf.model import zoo
from vaqf.model.vit import MAX_DEPTH, Vit
from vaqf.resources import parts
from vaqf.search import search
from vaqf.search.plan import plans
from vaqf.search.question import Question
from vaqf.search.search import Search
from vaqf.search.space import Problem, arrays

BASE, ZCU102 = zoo.load("deit_base"), board.load("zcu102")
BOARDS = [board.load(name) for name in board.names()]


def check_legal(found: Search, lut_budget: int | None = None) -> None:
    """What every feasible answer promises."""
    e, d = found.estimate, found.estimate.design
    budget = e.board.budget()
    if lut_budget is not None:
        budget = replace(budget, lut=min(budget.lut, lut_budget))
    assert e.use.fits(budget)
    check_fits(d, e.vit)
    assert d.ring_word_bits % (PORT_BITS * d.weight_ports) == 0
    rate = timeline.stream_rate(e.board, d.weight_ports, e.clock_mhz)
    by_kind = command_cycles.commands(e.vit, d)
    assert bounds.stream_bits(e.vit, d, by_kind) / rate <= e.cycles_per_frame
    if found.target_fps is not None:
        assert e.fps >= found.target_fps
    assert sum(layer.exposed_cycles for layer in e.layers) == e.cycles_per_frame


class Counted:
    """Counts the calls of Python functions while it is entered."""

    calls = 0

    def __enter__(self) -> "Counted":
        sys.setprofile(self._see)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _see(self, frame: object, event: str, argument: object) -> None:
        self.calls += event == "call"


def test_the_bar_deit_base_at_150_mhz() -> None:
    found = search.search(Question(BASE, ZCU102, clock_mhz=150.0))
    check_legal(found)
    assert found.estimate.act_bits == 8
    assert found.estimate.fps >= 190
    assert found.estimate.to_json()["assumptions"]


def test_pinned_answers() -> None:
    """A change of these numbers is a change of the model: look at it, then pin the new ones."""
    found = search.search(Question(BASE, ZCU102, clock_mhz=150.0))
    assert [(c.act_bits, round(c.estimate.fps, 1)) for c in found.candidates] == PINNED_FPS
    d = found.estimate.design
    assert (d.tokens, d.pe, d.simd, d.dsp_sums) == (4, 16, 768, 29)
    assert (d.frames_in_flight, d.resident) == (2, False)


PINNED_FPS = [
    (8, 333.5),
    (7, 362.3),
    (6, 362.3),
    (5, 404.1),
    (4, 404.1),
    (3, 426.9),
    (2, 429.9),
]  # fmt: skip


def test_a_target_takes_the_highest_precision_and_then_the_smallest_design() -> None:
    fast = search.search(Question(BASE, ZCU102))
    found = search.search(Question(BASE, ZCU102, fps=30))
    check_legal(found)
    assert found.estimate.act_bits == 8
    assert found.estimate.size < fast.estimate.size
    assert [c.estimate.fps for c in found.candidates] == [c.estimate.fps for c in fast.candidates]
    top = max(c.estimate.fps for c in fast.candidates)
    bits = next(c.act_bits for c in fast.candidates if c.estimate.fps == top)
    only = search.search(Question(BASE, ZCU102, fps=top * 0.999))
    assert (only.feasible, only.estimate.act_bits) == (True, bits)
    assert [c.feasible for c in only.candidates].count(True) >= 1


def test_out_of_reach_carries_the_best_and_the_reason() -> None:
    found = search.search(Question(BASE, ZCU102, fps=1e9))
    assert not found.feasible
    assert found.estimate.fps == max(c.estimate.fps for c in found.candidates)
    assert "cannot reach 1e+09 FPS" in found.reason
    assert not any(c["feasible"] for c in found.to_json()["search"])
    assert found.to_json()["feasible"] is False


def test_too_large_names_the_missing_bytes() -> None:
    found = search.search(Question(BASE, board.load("ultra96v2"), fps=30))
    assert not found.feasible
    assert "bram36" in found.reason
    assert "bytes too many" in found.reason
    assert all(c["fps"] is None for c in found.to_json()["search"])
    tiny = search.search(Question(zoo.load("deit_tiny"), board.load("pynq_z2"), act_bits=8))
    assert "w1a4 is the highest precision that fits" in tiny.reason


@pytest.mark.parametrize("name", ["pynq_z2", "kv260", "zcu102"])
def test_without_a_target_the_highest_precision_that_fits(name: str) -> None:
    found = search.search(Question(zoo.load("deit_tiny"), board.load(name)))
    assert found.feasible
    legal = {c.act_bits: c.estimate.fps for c in found.candidates if c.legal}
    assert found.estimate.act_bits == max(legal) == (8 if name == "zcu102" else 4)
    assert found.estimate.fps == legal[max(legal)]


def test_pins() -> None:
    found = search.search(Question(BASE, ZCU102, fps=30, act_bits=5))
    assert found.estimate.act_bits == 5
    assert len(found.candidates) == 7
    found = search.search(Question(BASE, ZCU102, lut_budget=60_000))
    check_legal(found, 60_000)
    found = search.search(Question(BASE, ZCU102), frames_in_flight=1)
    assert found.estimate.design.frames_in_flight == 1
    found = search.search(Question(zoo.load("deit_tiny"), ZCU102, engine="adder"))
    check_legal(found)
    assert (found.estimate.design.engine, found.estimate.design.share) == ("adder", 1)


def test_tables_beat_adders_by_about_their_cost() -> None:
    ours, adders = (
        search.search(Question(BASE, ZCU102, engine=e)).estimate.fps for e in ("table", "adder")
    )
    # less than the ratio of their LUTs per MAC: everything around the engines costs the same
    assert 1.5 < ours / adders < 3


def test_a_given_design_is_judged_not_searched() -> None:
    first = search.search(Question(BASE, ZCU102, fps=30))
    again = search.search(Question(BASE, ZCU102, fps=30, design=first.estimate.design))
    assert again.estimate == first.estimate
    assert again.feasible
    assert [c.act_bits for c in again.candidates] == [8]
    small = board.load("ultra96v2")
    refused = search.search(Question(BASE, small, fps=30, design=first.estimate.design))
    assert not refused.feasible
    with pytest.raises(InputError, match="act_bits is 5, but the design has 8"):
        search.search(Question(BASE, ZCU102, fps=30, act_bits=5, design=first.estimate.design))
    with pytest.raises(InputError, match="engine is adder, but the design has table"):
        search.search(Question(BASE, ZCU102, fps=30, engine="adder", design=first.estimate.design))
    with pytest.raises(InputError, match="needs at least"):
        search.search(Question(zoo.load("vit_large"), ZCU102, fps=30, design=first.estimate.design))


@pytest.mark.parametrize(
    "bad",
    [
        {"fps": 0},
        {"fps": -1},
        {"fps": float("nan")},
        {"fps": float("inf")},
        {"fps": True},
        {"clock_mhz": 0},
        {"clock_mhz": -5.0},
        {"clock_mhz": 5000.0},
        {"clock_mhz": float("nan")},
        {"act_bits": 1},
        {"act_bits": 9},
        {"act_bits": True},
        {"engine": "tables"},
        {"lut_budget": 0},
        {"lut_budget": -1},
    ],
)
def test_nonsense_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(InputError, match=f"^{next(iter(bad))} "):
        Question(BASE, ZCU102, **{"fps": 30, **bad})  # type: ignore[arg-type]


def test_what_the_search_does_not_answer() -> None:
    with pytest.raises(InputError, match=r"frames_in_flight is 3; it must be a whole number"):
        search.search(Question(BASE, ZCU102), frames_in_flight=3)
    with pytest.raises(InputError, match=r"engine is 'paper' .*; it must be one of table, adder"):
        search.search(Question(BASE, ZCU102, engine="paper"))


@pytest.mark.parametrize("device", BOARDS, ids=lambda b: b.name)
def test_digits_fit_every_board(device: board.Board) -> None:
    for engine in ("table", "adder"):
        found = search.search(Question(zoo.load("vit_digits"), device, fps=100, engine=engine))
        assert found.feasible, found.reason
        check_legal(found)


@pytest.mark.parametrize(
    "model",
    [
        Vit(name="sixty", image_size=20, patch_size=5, dim=60, heads=5, depth=1, classes=3),
        Vit(name="odd", image_size=9, patch_size=3, dim=69, heads=3, depth=2, classes=1),
        Vit(name="one", image_size=4, patch_size=4, dim=1, heads=1, depth=1, mlp_ratio=1.0),
        Vit(name="seven", image_size=8, patch_size=2, dim=49, heads=7, depth=3, mlp_ratio=3.0),
        Vit(name="two", image_size=8, patch_size=4, dim=8, heads=2, distilled=True, classes=2),
    ],
    ids=lambda m: m.name,
)
@pytest.mark.parametrize("name", ["pynq_z2", "zcu102"])
def test_odd_models_find_legal_designs(model: Vit, name: str) -> None:
    for engine in ("table", "adder"):
        found = search.search(Question(model, board.load(name), engine=engine))
        assert found.feasible, found.reason
        check_legal(found)


@st.composite
def odd_models(draw: st.DrawFn) -> Vit:
    """Small models of any shape."""
    heads = draw(st.integers(1, 7))
    dim = heads * draw(st.integers(1, 24))
    patch = draw(st.integers(1, 5))
    return Vit(
        name="odd",
        image_size=patch * draw(st.integers(1, 6)),
        patch_size=patch,
        dim=dim,
        heads=heads,
        depth=draw(st.integers(1, 14)),
        mlp_ratio=float(draw(st.integers(1, 5))),
        classes=draw(st.integers(1, 40)),
        distilled=draw(st.booleans()),
    )


@settings(max_examples=25)
@given(
    model=odd_models(), device=st.sampled_from(BOARDS), engine=st.sampled_from(["table", "adder"])
)
def test_any_small_model_gets_a_legal_design_that_meets_half_its_best(
    model: Vit, device: board.Board, engine: str
) -> None:
    best = search.search(Question(model, device, engine=engine))
    assert best.feasible, best.reason
    check_legal(best)
    half = search.search(Question(model, device, fps=best.estimate.fps / 2, engine=engine))
    check_legal(half)
    assert half.estimate.act_bits == 8
    assert half.estimate.size <= best.estimate.size


@settings(max_examples=20)
@given(
    model=odd_models(),
    device=st.sampled_from(BOARDS),
    act_bits=st.integers(2, 8),
    engine=st.sampled_from(["table", "adder"]),
)
def test_the_bounds_of_the_search_are_lower_bounds(
    model: Vit, device: board.Board, act_bits: int, engine: str
) -> None:
    """Branch and bound is exact only if no bound exceeds what it bounds."""
    problem = Problem(model, device, engine, device.clock(None), device.budget(), (2, 1))
    found = arrays(problem, act_bits)
    for bound, array in found[:: max(1, len(found) // 12)]:
        for plan in plans(problem, act_bits, array):
            for frames in (1, 2):
                closed = plan.interval(frames, model.tokens)
                assert bound <= closed
                for storage in plan.storages:
                    design = plan.design(storage, frames, model.tokens)
                    assert closed <= problem.interval(design)
                    narrowest = plan.narrowest(storage, frames, model.tokens)
                    assert narrowest == parts.of(replace(design, weight_ports=1))


@pytest.mark.parametrize("target", [1e-300, 5e-324, 1e300])
def test_extreme_targets_are_answered(target: float) -> None:
    found = search.search(Question(zoo.load("vit_digits"), ZCU102, fps=target))
    assert found.feasible == (target < 1)


def test_fps_falls_with_the_lut_budget() -> None:
    fps = [
        search.search(Question(BASE, ZCU102, lut_budget=b)).estimate.fps
        for b in (200_000, 120_000, 60_000)
    ]
    assert fps == sorted(fps, reverse=True)


def test_the_search_is_deterministic() -> None:
    def designs() -> list[Design]:
        return [
            c.estimate.design
            for c in search.search(Question(zoo.load("deit_tiny"), ZCU102)).candidates
        ]

    assert designs() == designs()


def test_absurdly_deep_models_do_not_hang() -> None:
    """Calls are counted, which no processor changes; a search that follows the depth has more."""
    calls = []
    for depth in (12, MAX_DEPTH):
        model = Vit(name="deep", dim=256, heads=4, depth=depth)
        with Counted() as counted:
            assert search.search(Question(model, ZCU102, fps=10)).estimate.vit == model
        calls.append(counted.calls)
    assert 0 < calls[1] < 2 * calls[0]


@pytest.mark.parametrize(
    ("model", "name", "act_bits"),
    [("deit_tiny", "pynq_z2", 4), ("deit_tiny", "ultra96v2", 8), ("vit_digits", "pynq_z2", 8)],
)
def test_no_other_number_of_query_rows_is_faster(model: str, name: str, act_bits: int) -> None:
    # on a small device attention with all the DSPs it might use takes too many LUTs: fewer rows
    # must then be looked at, on every array
    network, device = zoo.load(model), board.load(name)
    found = search.search(Question(network, device, act_bits=act_bits)).estimate
    problem = Problem(network, device, "table", device.clock(None), device.budget(), (2, 1))
    for _, array in arrays(problem, act_bits)[::7]:
        for plan in plans(problem, act_bits, array):
            for rows in range(1, 40, 3):
                other = replace(plan.smallest_design(), attention_rows=rows, frames_in_flight=1)
                if problem.weigh(other).share <= 1:
                    assert problem.interval(other) >= found.cycles_per_frame
