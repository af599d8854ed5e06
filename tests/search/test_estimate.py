"""Cycles of one design: pinned numbers, sums, and what may never get faster."""

import math
from dataclasses import replace

import pytest

from vaqf.arithmetic.widths import ceil_div, pixel_digits
from vaqf.cycles import bounds, command_cycles, latency, schedule, timeline
from vaqf.hardware import board
from vaqf.hardware.design import Design
from vaqf.hardware.family import ULTRASCALE_PLUS
from vaqf.hardware.matmuls import MatMulShape, capacity_for, streamed_ring_words
from vaqf.model import zoo
from vaqf.model.layers import BINARY
from vaqf.model.vit import Vit
from vaqf.model.workload import workload
from vaqf.search import search
from vaqf.search.estimate import Estimate, estimate
from vaqf.search.question import Question

BASE, ZCU102 = zoo.load("deit_base"), board.load("zcu102")


def design(model: Vit = BASE, act_bits: int = 8, **changes: object) -> Design:
    """8 x 4 x 768, two frames in flight, unless changed."""
    given = {"engine": "table", "tokens": 8, "pe": 4, "simd": 768, "attention_lanes": 64, **changes}
    shape = (model, act_bits, given["pe"], given["simd"], given["attention_lanes"])
    rest = {
        "act_bits": act_bits,
        "attention_rows": 12,
        "norm_tokens": 4,
        "frames_in_flight": 2,
        "share": 1,
        "weight_ports": 4,
        "ring_words": streamed_ring_words(*shape),  # type: ignore[arg-type]
        "resident": False,
        "capacity": capacity_for(*shape),  # type: ignore[arg-type]
    }
    return Design(**{**rest, **given})  # type: ignore[arg-type]


def run(d: Design, model: Vit = BASE, clock: float = 150.0) -> Estimate:
    """On the ZCU102."""
    return estimate(model, ZCU102, d, clock)


def test_matmul_cycles_are_the_formula() -> None:
    d = design(share=8)
    fc1 = command_cycles.command("fc1", MatMulShape(197, 768, 3072, 1, 1), d)
    assert (fc1.groups, fc1.compute_cycles, fc1.group_cycles) == (25, 768, 768)
    assert fc1.read_cycles == 192 * 2  # 8 rows, 4 at a time
    assert fc1.used == 24 * 768 + 767
    fc2 = command_cycles.command("fc2", MatMulShape(197, 3072, 768, 1, 1), d)
    assert (fc2.compute_cycles, fc2.group_cycles) == (4 * 192, 4 * 192)
    # 12 to the first load, 24 loads of a token, 8 * 16 entries, one read of which overlaps
    assert fc2.first == 12 + 24 + 7 * 24 + 16 + command_cycles.HEADSTART
    embed = command_cycles.command("embed", MatMulShape(197, 768, 768, 8, 2), d)
    assert embed.compute_cycles == 2 * 8 * 192
    adder = command_cycles.command("fc1", MatMulShape(197, 768, 3072, 1, 1), design(engine="adder"))
    assert adder.compute_cycles == 768


def test_a_partial_sum_is_written_before_it_is_read_again() -> None:
    few = MatMulShape(17, 1536, 8, 1, 1)
    assert command_cycles.command("fc2", few, design(engine="adder")).compute_cycles == 2 * 4


def test_a_slow_fetch_or_fill_binds() -> None:
    slow = command_cycles.command("qkv", MatMulShape(197, 768, 2304, 1, 1), design(norm_tokens=1))
    assert (slow.group_cycles, slow.binds) == (192 * 8, "fetch")
    d = design(simd=64, share=8, weight_ports=2)
    narrow = command_cycles.command("proj", MatMulShape(17, 64, 32, 1, 1), d)
    assert (narrow.group_cycles, narrow.binds) == (16 * 8, "table fill")


def test_filling_and_reading_half_of_the_tables_take_two_passes() -> None:
    d = design(simd=64, share=1, weight_ports=2)
    as_long = command_cycles.command("proj", MatMulShape(17, 64, 64, 1, 1), d)
    longer = command_cycles.command("proj", MatMulShape(17, 64, 96, 1, 1), d)
    assert (as_long.group_cycles, longer.group_cycles) == ((16 + 7 + 16) / 2, 24)


@pytest.mark.parametrize(("act_bits", "encoder_patch_head"), [(8, 731_600), (6, 770_000)])
def test_never_idle_cycles_are_those_of_the_first_study(
    act_bits: int, encoder_patch_head: int
) -> None:
    d = design(act_bits=act_bits, engine="adder")
    by_kind = command_cycles.commands(BASE, d)
    block = sum(by_kind[k].groups * by_kind[k].compute_cycles for k in BINARY)
    ends = sum(by_kind[k].groups * by_kind[k].compute_cycles for k in ("embed", "head"))
    assert 12 * block + ends == pytest.approx(encoder_patch_head, rel=0.001)


def test_pinned_estimates() -> None:
    pinned = {
        (8, 2): (765_141, 196.04),
        (6, 2): (802_005, 187.03),
        (8, 1): (1_267_977, 118.3),
    }
    found = {}
    for act_bits, frames in pinned:
        e = run(design(act_bits=act_bits, frames_in_flight=frames, share=8))
        found[act_bits, frames] = (e.cycles_per_frame, round(e.fps, 2))
    assert found == pinned


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("name", ["deit_base", "deit_tiny_distilled", "vit_digits"])
def test_layers_add_up(name: str, frames: int) -> None:
    model = zoo.load(name)
    lanes = model.head_dim
    e = run(design(model, simd=64, attention_lanes=lanes, frames_in_flight=frames,
                   weight_ports=2, attention_rows=1), model)  # fmt: skip
    layers = workload(model)
    assert [layer.name for layer in e.layers] == [layer.name for layer in layers]
    assert [layer.macs for layer in e.layers] == [layer.macs for layer in layers]
    assert sum(layer.exposed_cycles for layer in e.layers) == e.cycles_per_frame
    assert all(layer.exposed_cycles >= 0 and layer.cycles >= 0 for layer in e.layers)
    assert e.fps == 150e6 / e.cycles_per_frame


def test_two_frames_hide_attention_and_cost_latency() -> None:
    one, two = (run(design(frames_in_flight=n, share=8)) for n in (1, 2))
    scores = [layer.exposed_cycles for layer in two.layers if layer.name.endswith("scores")]
    assert sum(scores) == 0
    assert two.cycles_per_frame < one.cycles_per_frame
    assert 0 <= 2 * two.cycles_per_frame - two.latency_cycles <= timeline.ENGINE_TURN + 1
    assert two.latency_cycles > one.latency_cycles


def test_attention_binds_when_it_is_slow() -> None:
    d = design(attention_rows=1, share=8)
    e = run(d)
    assert e.cycles_per_frame >= 12 * command_cycles.attention_cycles(BASE, d, ULTRASCALE_PLUS, 1)
    assert {x.bound_by for x in e.layers if x.name.endswith("scores")} == {"attention"}


def test_weights_bind_on_one_port() -> None:
    four, one = run(design(share=8)), run(design(share=8, weight_ports=1))
    assert one.cycles_per_frame > 1.2 * four.cycles_per_frame
    assert one.cycles_per_frame >= four.dram_bits_per_frame / (0.7 * 128) * 0.98
    assert "weights" in {layer.bound_by for layer in one.layers}


def test_a_wait_for_pixels_is_no_wait_for_weights() -> None:
    whole = replace(board.load("alveo_u250"), dies=1)
    found = search.search(Question(zoo.load("deit_tiny"), whole, clock_mhz=200.0)).estimate
    assert found.design.resident
    assert found.layers[0].bound_by == "pixels"
    assert "weights" not in {layer.bound_by for layer in found.layers}


def test_weights_that_bind_are_read_without_a_pause() -> None:
    """One frame more is read ahead for than is followed: its parameters take the port's time."""
    whole = replace(board.load("alveo_u250"), dies=1)
    question = Question(BASE, whole, engine="adder", clock_mhz=200.0)
    found = search.search(question).estimate
    d = found.design
    rate = timeline.stream_rate(found.board, d.weight_ports, found.clock_mhz)
    bits = bounds.stream_bits(BASE, d, command_cycles.commands(BASE, d))
    assert found.cycles_per_frame == math.ceil(bits / rate)


def test_a_ring_of_several_frames_is_filled_with_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A design for larger networks; its RTL takes 4,514 cycles from one frame of this one to the
    next, for as long as frames follow whose weights are read (`vaqf cosim` with 40 images)."""
    pixel = Vit("pixel", image_size=1, patch_size=1, channels=1, dim=6, depth=1, heads=6,
                mlp_ratio=3.0, classes=8, mean=(0.5,), std=(0.25,))  # fmt: skip
    capacity = capacity_for(pixel, 5, 3, 384, 3)
    d = Design(engine="table", act_bits=5, tokens=3, pe=3, simd=384, attention_rows=2,
               attention_lanes=3, norm_tokens=3, frames_in_flight=1, share=1, weight_ports=1,
               ring_words=152, resident=False, capacity=capacity)  # fmt: skip
    device = board.load("zcu102")
    one = schedule.interval(pixel, device, d, 200.0).cycles
    assert one == pytest.approx(4514, rel=0.01)
    monkeypatch.setattr(schedule, "AHEAD", 6)
    assert schedule.interval(pixel, device, d, 200.0).cycles == one


def test_resident_weights_are_not_streamed() -> None:
    from vaqf.hardware.matmuls import total_weight_words

    words = total_weight_words(BASE, 8, 4, 768, 64)
    streamed, resident = run(design()), run(design(resident=True, ring_words=words))
    assert resident.dram_bits_per_frame == streamed.dram_bits_per_frame - words * 3072
    assert resident.cycles_per_frame < streamed.cycles_per_frame


def test_more_bits_never_take_fewer_cycles_of_compute() -> None:
    """Pixels of fewer bits need more digits, so only precisions with as many digits compare."""
    for low, high in ((2, 3), (4, 5), (5, 6), (6, 7)):
        a, b = (run(design(act_bits=x)) for x in (low, high))
        assert pixel_digits(low) >= pixel_digits(high)
        assert a.cycles_per_frame >= b.cycles_per_frame
    assert run(design(act_bits=4)).cycles_per_frame == run(design(act_bits=7)).cycles_per_frame


@pytest.mark.parametrize("field", ["tokens", "attention_rows", "weight_ports", "norm_tokens"])
def test_more_of_anything_is_never_slower(field: str) -> None:
    values = {"tokens": (4, 8, 16), "attention_rows": (2, 6, 12, 25), "weight_ports": (1, 2, 4),
              "norm_tokens": (1, 2, 4, 8)}[field]  # fmt: skip
    cycles = [
        run(design(**{"norm_tokens": 4, "frames_in_flight": 1, field: v})).cycles_per_frame
        for v in values
    ]
    assert cycles == sorted(cycles, reverse=True)


def test_folding_by_two_doubles_the_compute() -> None:
    shape = MatMulShape(196, 768, 3072, 1, 1)
    whole = command_cycles.command("fc1", shape, design(engine="adder", tokens=4))
    few_rows = design(engine="adder", tokens=2, norm_tokens=2)
    assert command_cycles.command("fc1", shape, few_rows).groups == 2 * whole.groups
    half = command_cycles.command("fc1", shape, design(engine="adder", tokens=4, simd=384))
    assert half.compute_cycles == 2 * whole.compute_cycles
    half = command_cycles.command("fc1", shape, design(engine="adder", tokens=4, pe=2))
    assert half.compute_cycles == 2 * whole.compute_cycles


def test_a_matmul_never_beats_its_macs() -> None:
    d = design(share=8)
    for layer in run(d).layers:
        if layer.macs and "scores" not in layer.name and "context" not in layer.name:
            assert layer.cycles * d.macs_per_cycle >= layer.macs


def test_json_has_the_keys_others_build_on() -> None:
    doc = run(design()).to_json()
    assert list(doc) == [
        "schema", "model", "board", "engine", "clock_mhz", "met_clock_mhz",
        "longest_path", "act_bits", "target_fps", "feasible", "fps", "cycles_per_frame",
        "latency_ms", "design", "resources", "ddr_gbytes_per_s", "weight_bits_per_cycle",
        "power_w", "layers", "search", "assumptions",
    ]  # fmt: skip
    assert set(doc["layers"][0]) == {
        "name", "op", "macs", "cycles", "exposed_cycles", "bound_by", "elapsed_cycles",
    }  # fmt: skip
    assert doc["assumptions"]
    assert set(doc["resources"]) == {"lut", "lutram", "ff", "dsp", "bram36"}


def test_ultra_rams_of_a_board_are_told_though_none_is_used() -> None:
    doc = estimate(BASE, board.load("zcu104"), design(), 200.0).to_json()
    assert doc["resources"]["uram"] == {"used": 0, "available": 96}
    said = "The 96 UltraRAMs of zcu104 are not used yet."
    assert said in doc["assumptions"]
    assert "UltraRAM" not in " ".join(run(design()).to_json()["assumptions"])


def test_bandwidth_counts_weights_parameters_and_pixels() -> None:
    e = run(design())
    words = sum(
        w for w in (192 * 8, 12 * 12 * 192, 250 * 8)
    ) * 3072  # fmt: skip
    assert e.dram_bits_per_frame > words + 8 * 3 * 224**2
    assert e.ddr_gbytes_per_s == pytest.approx(e.dram_bits_per_frame / 8e9 * e.fps)
    assert 4 < e.power_w < 20


def test_clock_scales_fps_but_not_dram() -> None:
    slow, fast = (run(replace(design(), weight_ports=1), clock=c) for c in (100.0, 200.0))
    assert fast.fps == pytest.approx(2 * slow.fps)
    dry = board.load("pynq_z2")
    slow, fast = (estimate(BASE, dry, design(), c) for c in (100.0, 300.0))
    assert fast.fps < 2 * slow.fps


def test_attention_formula() -> None:
    d = design(attention_rows=10, attention_lanes=32)
    group = 200 * 2  # keys in chunks of 10, a head in two parts
    taken = command_cycles.attention_cycles(BASE, d, ULTRASCALE_PLUS, 10)
    fill = taken - (12 * ceil_div(197, 10) + 1) * group
    # scores and values are added up in DSPs, one behind the other; each waits for R queries or keys
    scores, values = (latency.products(n, 8, 127**2, ULTRASCALE_PLUS) for n in (32, 10))
    assert scores + values < fill < 120


@pytest.mark.parametrize("rows", [3, 12, 40])
def test_attention_that_delays_nothing_changes_no_interval(rows: int) -> None:
    """What the search relies on when it follows one design for several attention engines."""
    d = replace(design(share=8), attention_rows=rows)
    found = schedule.interval(BASE, ZCU102, d, 150.0)
    held = []
    for other in range(1, 198):
        attention = command_cycles.attention_cycles(BASE, d, ULTRASCALE_PLUS, other)
        if found.holds(attention):
            same = schedule.interval(BASE, ZCU102, replace(d, attention_rows=other), 150.0)
            assert same.cycles == found.cycles
            held.append(other)
    assert rows in held
    assert (len(held) > 20) == (found.spare >= 0)


def test_blocks_in_the_middle_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deep model is not followed block by block, but its cycles are those of all blocks."""
    five, six, twelve = (replace(BASE, depth=n) for n in (5, 6, 12))
    d = design(share=8)
    cycles = [schedule.interval(m, ZCU102, d, 150.0).cycles for m in (five, six, twelve)]
    assert cycles[2] - cycles[1] == pytest.approx(6 * (cycles[1] - cycles[0]), abs=6)
    monkeypatch.setattr(schedule, "SHALLOW", 12)
    followed = schedule.interval(twelve, ZCU102, d, 150.0).cycles
    assert cycles[2] == pytest.approx(followed, rel=0.002)


@pytest.mark.parametrize(
    ("model", "name", "act_bits"),
    [
        ("deit_base_distilled", "zcu102", 2),  # the ring runs empty from block to block
        ("vit_small_patch32", "zc706", 8),  # blocks wait for weights in turns
        ("deit_base", "alveo_u250", 6),
        ("deit_small_distilled", "zc706", 8),  # the last block differs
        ("deit_base", "zcu102", 8),  # all alike
    ],
)
def test_what_the_search_finds_takes_the_cycles_of_all_blocks(
    model: str, name: str, act_bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, device = zoo.load(model), board.load(name)
    found = search.search(Question(network, device, act_bits=act_bits)).estimate
    by_kind = command_cycles.commands(network, found.design)
    rate = timeline.stream_rate(device, found.design.weight_ports, found.clock_mhz)
    assert found.cycles_per_frame >= bounds.stream_bits(network, found.design, by_kind) / rate
    monkeypatch.setattr(schedule, "SHALLOW", network.depth)
    followed = schedule.interval(network, device, found.design, found.clock_mhz).cycles
    assert found.cycles_per_frame == pytest.approx(followed, rel=0.005)
