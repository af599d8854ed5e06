"""The paper's accelerator as modelled: its two published answers."""

from collections.abc import Iterator, Mapping

import pytest

from vaqf.errors import InputError
from vaqf.hardware import board
from vaqf.hardware.design import ENGINES
from vaqf.model import zoo
from vaqf.model.workload import workload
from vaqf.search import paper, search
from vaqf.search.estimate import SCHEMA
from vaqf.search.question import Question

BASE, ZCU102 = zoo.load("deit_base"), board.load("zcu102")


def test_the_published_answers() -> None:
    for target, bits in ((24, 8), (30, 6)):
        found = paper.search(Question(BASE, ZCU102, fps=target, clock_mhz=150))
        assert (found.feasible, found.estimate.act_bits) == (True, bits)


def test_the_fit_was_made_on_this_device() -> None:
    assert (ZCU102.lut, ZCU102.dsp) == (paper.ZCU102_LUT, paper.ZCU102_DSP)


def test_fps_within_five_percent_of_the_published() -> None:
    found = paper.search(Question(BASE, ZCU102, clock_mhz=150))
    fps = {c["act_bits"]: c["fps"] for c in found.to_json()["search"]}
    assert sorted(fps) == list(range(1, 17))
    for bits, published in paper.PUBLISHED_FPS.items():
        assert abs(fps[bits] / published - 1) <= 0.05
    assert [round(fps[bits], 1) for bits in (8, 7, 6)] == [24.9, 27.5, 30.8]


def test_more_bits_are_never_faster() -> None:
    fps = [c.fps for c in paper.search(Question(BASE, ZCU102)).candidates]
    assert fps == sorted(fps)


def test_json_adds_up() -> None:
    doc = paper.search(Question(BASE, ZCU102, fps=30, clock_mhz=150)).to_json()
    assert sum(layer["exposed_cycles"] for layer in doc["layers"]) == doc["cycles_per_frame"]
    assert sum(layer["macs"] for layer in doc["layers"]) == sum(w.macs for w in workload(BASE))
    assert doc["cycles_per_frame"] == round(150e6 / doc["fps"])
    assert doc["resources"]["lut"]["used"] == paper.FITTED_LUT_BUDGET


PAPERS_OWN = {".design.binary_macs_per_cycle", ".design.dsp_macs_per_cycle"}


def keys(document: object, where: str = "") -> Iterator[str]:
    """Every key of a JSON document with the keys above it; entries of a list are one."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield f"{where}.{key}"
            yield from keys(value, f"{where}.{key}")
    elif isinstance(document, list):
        for entry in document:
            yield from keys(entry, f"{where}[]")


@pytest.mark.parametrize("target", [None, 30, 1e9], ids=["fastest", "feasible", "out of reach"])
def test_every_engine_gives_the_keys_of_the_schema(target: float | None) -> None:
    tiny = zoo.load("vit_digits")
    documents = {
        engine: search.search(Question(tiny, ZCU102, fps=target, engine=engine)).to_json()
        for engine in ENGINES
    } | {"paper": paper.search(Question(tiny, ZCU102, fps=target)).to_json()}
    assert {doc["feasible"] for doc in documents.values()} == {target != 1e9}
    assert {doc["schema"] for doc in documents.values()} == {SCHEMA}
    table, adder, model = (set(keys(documents[engine])) for engine in ("table", "adder", "paper"))
    assert table == adder
    assert model - table == PAPERS_OWN
    assert {key for key in table - model if not key.startswith(".design.capacity.")} == set()
    assert documents["paper"]["design"]["capacity"] is None


def test_out_of_reach_and_bad_values() -> None:
    found = paper.search(Question(BASE, ZCU102, fps=1e9))
    assert not found.feasible
    assert found.estimate.act_bits == 1
    assert "limited by lut" in found.reason
    for bad in ({"act_bits": 17}, {"act_bits": 0}, {"clock_mhz": -1}, {"lut_budget": 0}):
        with pytest.raises(InputError):
            Question(BASE, ZCU102, engine="paper", **bad)  # type: ignore[arg-type]
