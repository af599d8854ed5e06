"""Unit costs times counts; memories from width x depth."""

from dataclasses import replace
from itertools import pairwise

import pytest

from vaqf import board, resources, vit
from vaqf.design import Design, capacity_for, streamed_ring_words
from vaqf.resources import array_use, bram18, lutram_luts, memories, worst_share

BASE, ZCU102 = vit.load("deit_base"), board.load("zcu102")


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
        (1, 16385, 2),
        (3072, 1536, 86 * 3),  # at 36 x 512; 171 x 2 at 18 x 1024, 342 at 9 x 2048
        (64, 4728, 20),
    ],
)
def test_block_rams_at_the_best_aspect(width: int, depth: int, blocks: int) -> None:
    assert bram18(width, depth) == blocks


def test_shallow_memories() -> None:
    assert lutram_luts(14, 32, series_7=False) == 8
    assert lutram_luts(14, 33, series_7=False) == 16
    assert lutram_luts(7, 64, series_7=True) == 12


@pytest.mark.parametrize(("act_bits", "per_mac"), [(8, 2.95), (6, 2.42), (4, 1.90)])
def test_table_engine_meets_the_measured_cost(act_bits: int, per_mac: float) -> None:
    lut, lutram, _ = array_use("table", act_bits, (4, 7, 192), 4, series_7=False)
    generators = 4 * 192 / (4 * 4) * (2 * act_bits + 2)
    assert (lut - generators) / (4 * 7 * 192) == pytest.approx(per_mac, rel=0.01)
    assert lutram < lut


@pytest.mark.parametrize(("act_bits", "per_mac"), [(8, 10.6), (6, 8.6), (4, 6.6)])
def test_adder_engine_meets_the_measured_cost(act_bits: int, per_mac: float) -> None:
    lut, lutram, _ = array_use("adder", act_bits, (4, 7, 192), 1, series_7=False)
    assert lut / (4 * 7 * 192) == pytest.approx(per_mac)
    assert lutram == 0


def test_deit_base_lands_where_the_first_count_did() -> None:
    """786 to 898 BRAM36 for two frames at 8 bits when counted bank by bank."""
    use = resources.resources(design(), ZCU102)
    assert 750 <= use["bram36"] <= 900
    assert worst_share(use, ZCU102.budget())[0] <= 1


def test_pinned_resources() -> None:
    assert resources.resources(design(), ZCU102) == {
        "lut": 118_107,
        "lutram": 40_816,
        "ff": 200_750,
        "dsp": 954,
        "bram36": 782.5,
    }


def test_memories_hold_every_bit_of_a_frame() -> None:
    d = design(frames=1)
    bits = {m.name: m.copies * m.width * m.depth for m in memories(d)}
    assert bits["residual"] >= 197 * 768 * 16
    assert bits["q_k_v"] >= 3 * 197 * 768 * 8
    assert bits["hidden"] >= 197 * 3072 * 8
    assert bits["weight_ring"] == d.ring_words * 3072
    two = {m.name: m.copies for m in memories(design(frames=2))}
    one = {m.name: m.copies for m in memories(d)}
    assert two["residual"] == 2 * one["residual"]
    assert two["hidden"] == one["hidden"]


@pytest.mark.parametrize("engine", ["table", "adder"])
def test_more_bits_never_use_less_logic_or_memory(engine: str) -> None:
    uses = [resources.resources(design(a, engine=engine), ZCU102) for a in range(2, 9)]
    for key in ("lut", "lutram", "ff", "bram36"):
        values = [use[key] for use in uses]
        # the attention engine's split adders come and go with the DSP packing
        slack = 0 if key in ("lutram", "bram36") else 6 * uses[0]["dsp"]
        assert all(b >= a - slack for a, b in pairwise(values)), key


def test_attention_packs_four_products_at_four_bits() -> None:
    assert resources.attention_dsps(design(8)) == 768
    assert resources.attention_dsps(design(4)) == 384


def test_series_7_pays_more() -> None:
    zc706 = board.load("zc706")
    ours, theirs = (resources.resources(design(), b) for b in (ZCU102, zc706))
    assert theirs["lut"] > ours["lut"]
    assert theirs["dsp"] > ours["dsp"]


def test_worst_share_names_the_resource() -> None:
    assert worst_share({"lut": 5, "dsp": 9}, {"lut": 10, "dsp": 10}) == (0.9, "dsp")
    assert worst_share({"lut": 5, "bram36": 1}, {"lut": 10, "bram36": 0}) == (
        float("inf"),
        "bram36",
    )


def test_a_wider_port_register_is_the_only_cost_of_a_port() -> None:
    one, four = (resources.resources(replace(design(), weight_ports=n), ZCU102) for n in (1, 4))
    assert four["lut"] - one["lut"] == 3 * 1200
    assert four["bram36"] - one["bram36"] == 3 * 2
