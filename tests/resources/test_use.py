"""Fitted costs times quantities, DSPs counted, memories from width x depth; all against Yosys."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from vaqf.hardware import board
from vaqf.hardware.design import Design, from_json
from vaqf.hardware.fabric import RESOURCES, Resources
from vaqf.hardware.family import SERIES_7, ULTRASCALE_PLUS
from vaqf.hardware.matmuls import capacity_for, streamed_ring_words
from vaqf.model import zoo
from vaqf.resources import storage, unit_costs
from vaqf.resources import use as resources
from vaqf.resources.memories import bram18, memories, memory_use
from vaqf.resources.quantities import (
    MODULES,
    add_tree,
    dsp_sum_quantities,
    engine_quantities,
    late_sum_ffs,
    packed_tree,
    quantities,
    table_luts,
)

BASE, ZCU102 = zoo.load("deit_base"), board.load("zcu102")


def design(act_bits: int = 8, frames: int = 2, engine: str = "table") -> Design:
    """8 x 4 x 768 for deit_base."""
    shape = (BASE, act_bits, 4, 768, 64)
    return Design(
        engine=engine,
        act_bits=act_bits,
        tokens=8,
        pe=4,
        simd=768,
        attention_rows=12,
        attention_lanes=64,
        norm_tokens=4,
        frames_in_flight=frames,
        share=8 if engine == "table" else 1,
        weight_ports=4,
        ring_words=streamed_ring_words(*shape),
        resident=False,
        capacity=capacity_for(*shape),
    )


@pytest.mark.parametrize(
    ("width", "depth", "blocks"),
    [
        (36, 512, 1),
        (37, 512, 2),
        (72, 512, 2),
        (18, 1024, 1),
        (9, 2048, 1),
        (1, 16384, 1),
        (1, 16385, 1),  # one word on LUTRAM
        (3072, 1536, 171 + 86),  # 1,024 words at 18 x 1024, 512 at 36 x 512
        (3072, 1500, 171 + 86),  # the same, rounded up
        (64, 4096, 15),  # seven columns of nine bits in whole blocks, one of a bit in half a block
        (64, 4728, 15 + 4),  # 4,096 and 1,024 words
        (36, 8192, 2 * 8),  # two of 4,096, whose blocks have parity, not nine columns of four bits
        (36, 40960, 72 + 8 + 8),  # three rows; 80 would be ten
    ],
)
def test_block_rams_at_the_best_aspect(width: int, depth: int, blocks: int) -> None:
    assert bram18(width, depth, ULTRASCALE_PLUS) == blocks


def test_shallow_memories() -> None:
    assert storage.lutrams(14, 32, ULTRASCALE_PLUS) == 8
    assert storage.lutrams(14, 33, ULTRASCALE_PLUS) == 16
    assert storage.lutrams(7, 64, SERIES_7) == 12


COUNTED = json.loads(Path(__file__).with_name("yosys_counts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("counted", COUNTED["designs"], ids=lambda c: f"{c['board']}-{c['lut']}")
def test_the_estimate_is_what_yosys_counts(counted) -> None:
    """The designs of benchmarks/unit_costs.py, none of which its costs were fitted to."""
    use = resources.resources(from_json(counted["design"]), board.load(counted["board"]))
    for key in ("lut", "lutram", "ff"):
        assert use[key] == pytest.approx(counted[key], rel=unit_costs.WITHIN), key
    assert use["bram36"] == counted["bram36"]
    assert use["dsp"] == counted["dsp"]


def test_enough_designs_were_counted() -> None:
    assert len(COUNTED["designs"]) >= 12
    assert len({counted["board"] for counted in COUNTED["designs"]}) >= 3
    assert {counted["design"]["engine"] for counted in COUNTED["designs"]} == {"table", "adder"}


def test_every_cost_belongs_to_a_quantity() -> None:
    made, costs = unit_costs.calibration()["made"], unit_costs.calibration()["costs"]
    assert {"by", "date", "tool", "designs"} <= made.keys()
    for module, of_module in costs.items():
        assert of_module.keys() <= set(unit_costs.FITTED)
        known = {"one", "table", "adder", *MODULES.get(module, ())}
        for of_quantity in of_module.values():
            assert of_quantity.keys() <= known, module
            assert min(of_quantity.values()) > 0, module
    d = design()
    amounts = quantities(d, ULTRASCALE_PLUS)
    adder = engine_quantities("adder", 8, (8, 4, 768), 1)
    assert {name for names in MODULES.values() for name in names} <= amounts.keys() | adder.keys()


@pytest.mark.parametrize(
    ("act_bits", "dsp_sums", "most"),
    [(8, 0, 3.3), (6, 0, 2.7), (4, 0, 2.1), (8, 32, 2.4), (6, 32, 2.0), (4, 32, 1.5)],
)
def test_table_engine_per_mac(act_bits: int, dsp_sums: int, most: float) -> None:
    """LUTs of a 2 x 16 x 64 array with its generators, as benchmarks/table_engine.py has them."""
    array = (2, 16, 64)
    amounts = engine_quantities("table", act_bits, array, 1)
    amounts["tree_luts"] += dsp_sum_quantities(act_bits, array, dsp_sums)["tree_luts"]
    luts = table_luts(act_bits, array, 1, ULTRASCALE_PLUS) + amounts["tree_luts"]
    costs = unit_costs.calibration()["costs"]
    for module in ("lookup", "operands", "subset_sums", "table_generator"):
        for resource in ("lut", "lutram"):
            of_module = costs.get(module, {}).get(resource, {})
            luts += sum(cost * amounts.get(name, 0.0) for name, cost in of_module.items())
    assert 0.8 * most < luts / (2 * 16 * 64) <= most


def test_adder_trees_by_hand() -> None:
    assert add_tree(1, 8) == (0, 0)
    # a ternary adder has a LUT for each bit of its inputs and one more; 3 * 3 takes 4 bits
    assert add_tree(3, 2) == (3, 4)
    # three of those, and one of their 4 bits; 9 * 3 takes 5
    assert add_tree(9, 2) == (3 * 3 + 5, 3 * 4 + 5)


def test_packed_trees_by_hand() -> None:
    # four numbers of ten bits are a field of twelve: a pair of DSPs, and no adder
    assert packed_tree(4, 10) == (0, 0, 2)
    # 48 bits hold four such fields, whose sums of 12 bits a tree adds up
    assert packed_tree(16, 10) == (*add_tree(4, 12), 2)
    assert packed_tree(17, 10) == (*add_tree(5, 12), 4)
    # six fields of eight bits
    assert packed_tree(24, 6) == (*add_tree(6, 8), 2)


def test_sums_of_adders_wait_for_those_on_dsps() -> None:
    # 192 numbers take five levels, or two cycles and the four levels of 48; their sum has 18 bits
    assert late_sum_ffs(8, (2, 4, 768), 0) == 0
    assert late_sum_ffs(8, (2, 4, 768), 5) == 3 * 18
    # 96 as many as two cycles and three levels of 24
    assert late_sum_ffs(8, (2, 4, 384), 5) == 0


def test_sums_on_dsps_take_dsps_and_no_more_of_anything_else() -> None:
    uses = [resources.resources(replace(design(), dsp_sums=n), ZCU102) for n in (0, 1, 9, 32)]
    assert [use["dsp"] - uses[0]["dsp"] for use in uses] == [0, 24, 9 * 24, 32 * 24]
    for less, more in pairwise(reversed(uses)):
        assert less["lut"] < more["lut"] and less["lutram"] == more["lutram"]
        assert less["bram36"] == more["bram36"]
    assert uses[-1]["ff"] < uses[0]["ff"]


def test_shallow_memories_are_lutram_and_deep_ones_blocks() -> None:
    assert memory_use(14, 32, 1, ULTRASCALE_PLUS).lutram == 8
    assert memory_use(14, 32, 1, ULTRASCALE_PLUS).blocks == 0
    deep = memory_use(36, 512, 1, ULTRASCALE_PLUS)
    assert (deep.lutram, deep.blocks) == (0, 1)


def test_deit_base_lands_where_the_first_count_did() -> None:
    """786 to 898 BRAM36 for two frames at 8 bits when counted bank by bank."""
    use = resources.resources(design(), ZCU102)
    assert 750 <= use["bram36"] <= 900
    assert use.fits(ZCU102.budget())


def test_memories_hold_every_bit_of_a_frame() -> None:
    d = design(frames=1)
    bits = bits_of(d)
    assert bits["residual"] >= 197 * 768 * 16
    assert bits["q"] >= 197 * 768 * 8
    assert bits["k_v"] >= 2 * 197 * 768 * 8
    assert bits["hidden"] >= 197 * 3072 * 8
    assert bits["weight_ring"] == d.ring_words * 3072
    two = bits_of(design(frames=2))
    assert two["residual"] == 2 * bits["residual"]
    assert two["hidden"] == bits["hidden"]


def bits_of(d: Design) -> dict[str, int]:
    return {m.name: m.copies * m.width * m.depth for m in memories(d)}


@pytest.mark.parametrize("engine", ["table", "adder"])
def test_more_bits_never_use_less_logic_or_memory(engine: str) -> None:
    uses = [resources.resources(design(a, engine=engine), ZCU102) for a in range(2, 9)]
    for key in ("lut", "lutram", "ff", "bram36"):
        values = [use[key] for use in uses]
        assert all(b >= a for a, b in pairwise(values)), key


@pytest.mark.parametrize("engine", ["table", "adder"])
def test_a_larger_design_never_uses_less(engine: str) -> None:
    """What the bounds of the search stand on."""
    small = design(engine=engine)
    for changes in (
        {"tokens": 16},
        {"attention_rows": 13},
        {"weight_ports": 4},
    ):
        large = replace(replace(small, weight_ports=1), **changes)
        uses = [resources.resources(d, ZCU102) for d in (replace(small, weight_ports=1), large)]
        assert all(uses[1][key] >= uses[0][key] for key in RESOURCES), changes


def test_series_7_pays_more() -> None:
    zc706 = board.load("zc706")
    ours, theirs = (resources.resources(design(), b) for b in (ZCU102, zc706))
    assert theirs["lut"] > ours["lut"]
    assert theirs["dsp"] > ours["dsp"]


def test_worst_share_names_the_resource() -> None:
    budget = Resources(lut=10, lutram=10, ff=10, dsp=10)
    assert Resources(lut=5, dsp=9).worst_share(budget) == (0.9, "dsp")
    assert Resources(lut=5, bram36=1).worst_share(budget) == (float("inf"), "bram36")
    assert Resources(lut=5, bram36=1).largest_share(budget) == 0.5
    assert Resources(lut=10).fits(budget)
    assert not Resources(lut=11).fits(budget)
    assert Resources(uram=1).worst_share(budget) == (float("inf"), "uram")
    more = Resources(lut=1, bram36=0.5, uram=2)
    assert Resources(1, 2, 3, 4, 5, 6) + more == Resources(2, 2, 3, 4, 5.5, 8)
