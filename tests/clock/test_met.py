"""The clock that a design meets: what it grows with, and how the search weighs it."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from vaqf.clock import met, unit_paths
from vaqf.hardware import board, speed
from vaqf.hardware.design import Design, from_json
from vaqf.hardware.family import FAMILIES, SERIES_7, ULTRASCALE_PLUS
from vaqf.hardware.speed import FABRICS, Speed
from vaqf.model import zoo
from vaqf.resources.quantities import MODULES
from vaqf.search import search
from vaqf.search.question import Question

ZCU102 = board.load("zcu102")
RECORD = Path(__file__).parents[1] / "resources/yosys_counts.json"
TIMED = json.loads(RECORD.read_text(encoding="utf-8"))["designs"]


@pytest.mark.parametrize("timed", TIMED, ids=lambda one: f"{one['board']}-{one['lut']}")
def test_the_estimate_is_what_the_timing_says(timed: dict[str, object]) -> None:
    """Of designs that it was not fitted to (benchmarks/unit_costs.py)."""
    device = board.load(str(timed["board"]))
    found = met.met(from_json(timed["design"]), device)
    assert found.ns == pytest.approx(timed["longest_ns"], rel=unit_paths.WITHIN)


def test_every_fabric_has_every_module() -> None:
    """Of both engines: those of MODULES, and those whose counts do not grow."""
    for fabric in FABRICS:
        paths = unit_paths.calibration()["paths"][fabric]
        assert set(MODULES) <= {*paths, *WITHOUT_PATHS}
        assert all(ns > 0 for costs in paths.values() for ns in costs.values())


WITHOUT_PATHS = ("masked_column",)  # no path of them ends inside


def any_design() -> Design:
    """What the search finds for a small model."""
    found = search.search(Question(zoo.load("vit_digits"), ZCU102, fps=100, clock_mhz=100.0))
    return found.estimate.design


def test_no_clock_rises_when_a_design_grows() -> None:
    rng, base = random.Random(1), any_design()
    for _ in range(50):
        small = {
            "tokens": rng.randrange(1, 9),
            "pe": rng.choice((1, 2, 4)),
            "simd": 128,
            "attention_rows": rng.randrange(1, 9),
            "attention_lanes": 8,
            "ring_words": 512,
            "norm_tokens": 1,
        }
        grown = rng.choice(("tokens", "pe", "simd", "attention_rows", "ring_words"))
        one = replace(base, **small)
        two = replace(base, **{**small, grown: 2 * small[grown]})
        for fabric in FABRICS:
            small_ns, grown_ns = (unit_paths.longest(d, Speed(fabric))[0] for d in (one, two))
            assert unit_paths.shortest(Speed(fabric)) <= small_ns <= grown_ns
        assert met.met(two, ZCU102).mhz <= met.met(one, ZCU102).mhz <= met.ceiling(ZCU102)


def test_a_slower_device_has_a_slower_clock() -> None:
    design = any_design()
    fast, low, slow = (met.met(design, board.load(n)) for n in ("zcu102", "kv260", "ultra96v2"))
    assert slow.ns == pytest.approx(speed.GRADE * fast.ns)
    assert low.ns == pytest.approx(speed.LOW_VOLTAGE * fast.ns)
    assert fast.module == slow.module == low.module
    assert met.met(design, board.load("pynq_z2")).mhz < slow.mhz
    limited = replace(ZCU102, max_clock_mhz=90.0)
    assert met.met(design, limited).mhz == met.ceiling(limited) == 90.0


LOW = ("2LV-e", "1LV-i", "2L-e", "1L-i")  # L alone: as fast at 0.85 V


def test_a_part_tells_how_fast_it_is() -> None:
    assert speed.of(ULTRASCALE_PLUS, "xczu9eg-ffvb1156-2-e").times == 1.0
    assert speed.of(ULTRASCALE_PLUS, "xczu9eg").times == speed.GRADE  # nothing said: the slowest
    low = [speed.of(ULTRASCALE_PLUS, f"xczu9eg-ffvb1156-{grade}").times for grade in LOW]
    assert low == [speed.LOW_VOLTAGE, speed.GRADE * speed.LOW_VOLTAGE, 1.0, speed.GRADE]
    assert speed.of(SERIES_7, "xc7k325tffg900-2L") == speed.of(SERIES_7, "xc7k325tffg900-1")
    assert speed.of(SERIES_7, "xc7z045ffg900-2").fabric != speed.of(SERIES_7, "xc7z045").fabric
    for family in FAMILIES:
        assert FABRICS[speed.of(family, "").fabric] is family


def test_a_board_s_clock_is_that_of_the_design() -> None:
    question = Question(zoo.load("vit_digits"), ZCU102)
    found = search.search(question).estimate
    assert found.clock_mhz == found.met.mhz == met.met(found.design, ZCU102).mhz
    pinned = search.search(replace(question, board=replace(ZCU102, clock_mhz=100))).estimate
    assert pinned.clock_mhz == 100 < pinned.met.mhz


def test_the_search_weighs_cycles_and_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every doubling of a dimension costs the clock much, a smaller design is faster."""
    question = Question(zoo.load("deit_tiny"), ZCU102, act_bits=8)
    plain = search.search(question).estimate
    dear = {"made": {}, "paths": {f: {"rows": {"one": 3.0, "tokens": 3.0}} for f in FABRICS}}
    monkeypatch.setattr(unit_paths, "calibration", lambda: dear)
    unit_paths.longest.cache_clear()
    try:
        found = search.search(question).estimate
        assert found.design.tokens < plain.design.tokens
        again = search.search(replace(question, clock_mhz=found.clock_mhz)).estimate
        assert again.cycles_per_frame <= found.cycles_per_frame  # with all at that clock
    finally:
        unit_paths.longest.cache_clear()


def test_a_target_is_met_at_the_design_s_own_clock() -> None:
    for fps in (100.0, 1000.0, 3000.0):
        found = search.search(Question(zoo.load("vit_digits"), ZCU102, fps=fps))
        assert found.feasible and found.estimate.fps >= fps
        assert found.estimate.clock_mhz == found.estimate.met.mhz
