"""Ranges against a count by hand, and planted bad scales that must be seen."""

from dataclasses import replace

import numpy as np
import pytest
from samples import noise

from vaqf.arithmetic import widths
from vaqf.model.vit import Vit
from vaqf.network import calibrate, parameters
from vaqf.network.structure import Block, Network, Requant
from vaqf.sim import golden, ranges

VIT = Vit(
    name="tiny",
    image_size=8,
    patch_size=4,
    channels=1,
    dim=24,
    depth=2,
    heads=3,
    classes=5,
    mean=(0.5,),
    std=(0.25,),
)
IMAGES = noise(VIT, 40)


def network(act_bits: int) -> Network:
    """Seeded random weights whose scales fit the images."""
    return calibrate.calibrate(VIT, act_bits, parameters.random(VIT, 1), IMAGES, "random")


def watched(net: Network) -> dict[str, ranges.Range]:
    """The range of every quantizer, by name."""
    tally = ranges.Tally(net)
    logits = golden.run(net, IMAGES, record=tally.record)
    return {one.grid.name: one for one in tally.ranges(logits)}


def findings(net: Network) -> dict[str, tuple[str, ...]]:
    """What looks wrong, by quantizer."""
    return {name: one.findings for name, one in watched(net).items() if one.findings}


@pytest.mark.parametrize("act_bits", [2, 5, 8])
def test_a_range_is_what_a_count_by_hand_finds(act_bits: int) -> None:
    net = network(act_bits)
    seen: dict[str, list[int]] = {}

    def collect(name: str, values: np.ndarray) -> None:
        seen.setdefault(name, []).extend(values.reshape(-1, values.shape[-1]).tolist())

    golden.run(net, IMAGES, record=collect)
    for i in range(VIT.depth):
        rows = np.array(seen.pop(f"blocks.{i}.attn.qkv"))
        for part, columns in zip("qkv", np.split(rows, 3, axis=1), strict=True):
            seen[f"blocks.{i}.attn.{part}"] = columns.tolist()
    found = watched(net)
    assert set(found) == set(seen)
    for name, one in found.items():
        values = [value for row in seen[name] for value in row]
        assert one.values == len(values)
        assert one.at_low == values.count(one.grid.low)
        assert one.at_high == values.count(one.grid.high)
        assert one.beside_low == values.count(one.grid.low + 1)
        assert one.beside_high == values.count(one.grid.high - 1)
        assert (one.least, one.most) == (min(values), max(values))
        assert one.used == len(set(values))


def test_every_quantizer_of_every_block_is_there_in_order() -> None:
    names = [grid.name for grid in ranges.grids(network(8))]
    inner = [
        *("norm1", "attn.q", "attn.k", "attn.v", "attn.softmax", "attn.context", "attn.proj"),
        *("norm2", "mlp.index", "mlp.fc1", "mlp.fc2"),
    ]
    blocks = [f"blocks.{i}.{name}" for i in range(VIT.depth) for name in inner]
    assert names == ["embed", *blocks, "norm", "head"]


def test_the_layers_that_the_hardware_shows_stay_as_they_were() -> None:
    inside = [name for name in golden.layers(network(8), IMAGES[0]) if name.endswith(golden.INSIDE)]
    assert inside == []


def test_batches_add_up() -> None:
    net = network(6)
    tally = ranges.Tally(net)
    parts = [golden.run(net, part, record=tally.record) for part in (IMAGES[:7], IMAGES[7:])]
    assert tally.ranges(np.concatenate(parts)) == tuple(watched(net).values())


def test_no_image_gives_no_range() -> None:
    assert ranges.Tally(network(8)).ranges(np.zeros((0, 5), np.int32)) == ()


def test_torch_counts_the_same() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("brevitas")
    from vaqf.quant import inference

    net = network(4)
    tally = ranges.Tally(net, inference.histogram)
    logits = inference.integer_logits(net, IMAGES, tally.record)
    assert np.array_equal(logits, golden.run(net, IMAGES))
    assert tally.ranges(logits) == tuple(watched(net).values())


@pytest.mark.parametrize("act_bits", range(2, 9))
def test_scales_that_fit_raise_no_finding(act_bits: int) -> None:
    assert findings(network(act_bits)) == {}


def times(requant: Requant, factor: int, part: slice = slice(None)) -> Requant:
    """A requantization with some channels scaled, as if their step were so many times smaller."""
    mult, bias = requant.mult.astype(np.int64), requant.bias.copy()
    mult[part] *= factor
    bias[part] *= factor
    return replace(requant, mult=mult, bias=bias)


def finer(requant: Requant) -> Requant:
    """A step eight times larger: the values come out an eighth; the multiplier stays exact."""
    half = 1 << (requant.shift - 1)
    return replace(requant, bias=requant.bias - half + (half << 3), shift=requant.shift + 3)


def in_block(net: Network, **changes: object) -> Network:
    """The network with another second block."""
    return replace(net, blocks=(net.blocks[0], replace(net.blocks[1], **changes)))


D = VIT.dim
PLANTS = {
    "norm1": lambda b: {"norm1": replace(b.norm1, requant=times(b.norm1.requant, 8))},
    "attn.q": lambda b: {"qkv": replace(b.qkv, requant=times(b.qkv.requant, 8, slice(D)))},
    "attn.k": lambda b: {"qkv": replace(b.qkv, requant=times(b.qkv.requant, 8, slice(D, 2 * D)))},
    "attn.v": lambda b: {
        "qkv": replace(b.qkv, requant=times(b.qkv.requant, 8, slice(2 * D, None)))
    },
    "attn.context": lambda b: {
        "attention": replace(b.attention, context=times(b.attention.context, 8))
    },
    "norm2": lambda b: {"norm2": replace(b.norm2, requant=times(b.norm2.requant, 8))},
    "mlp.fc1": lambda b: {"fc1": replace(b.fc1, requant=times(b.fc1.requant, 8))},
    "attn.proj": lambda b: {"proj": replace(b.proj, requant=times(b.proj.requant, 64))},
    "mlp.fc2": lambda b: {"fc2": replace(b.fc2, requant=times(b.fc2.requant, 64))},
}


@pytest.mark.parametrize("act_bits", [2, 4, 8])
@pytest.mark.parametrize("name", PLANTS)
def test_a_step_that_is_much_too_small_is_seen(name: str, act_bits: int) -> None:
    net = network(act_bits)
    bad = in_block(net, **PLANTS[name](net.blocks[1]))
    found = findings(bad)
    assert {"low", "high"} & set(found[f"blocks.1.{name}"])
    before = [other for other in found if other.startswith(("embed", "blocks.0."))]
    assert before == []  # the place is named: nothing in front of it


@pytest.mark.parametrize("part", ["q", "k", "v"])
def test_a_step_that_is_much_too_large_is_seen(part: str) -> None:
    net = network(8)
    columns = slice("qkv".index(part) * D, ("qkv".index(part) + 1) * D)
    block: Block = net.blocks[1]
    whole, wide = block.qkv.requant, finer(block.qkv.requant)
    mult, bias = whole.mult.astype(np.int64) << 3, whole.bias << 3  # the others as they were
    mult[columns], bias[columns] = wide.mult[columns], wide.bias[columns]
    assert np.abs(mult).max() < 2**40
    bad = in_block(net, qkv=replace(block.qkv, requant=Requant(mult, bias, wide.shift)))
    assert findings(bad)[f"blocks.1.attn.{part}"] == ("narrow",)


def test_attention_that_is_uniform_is_seen() -> None:
    net = network(8)
    flat = in_block(net, attention=replace(net.blocks[1].attention, score_mult=0))
    assert findings(flat)["blocks.1.attn.softmax"] == ("narrow",)


GRID = ranges.Grid("x", "test", 0, 15)


def of(counts: dict[int, int], grid: ranges.Grid = GRID) -> ranges.Range:
    """A range of values and how often each occurs."""
    values = np.array(sorted(counts))
    return ranges._range(grid, values, np.array([counts[value] for value in sorted(counts)]))


EVEN = dict.fromkeys(range(16), 100)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (EVEN, ()),
        (EVEN | {15: 181}, ()),  # 81 more than its neighbour, of 1681: 4.8 %
        (EVEN | {15: 190}, ("high",)),  # 90 of 1690: 5.3 %
        (EVEN | {0: 190}, ("low",)),
        (dict.fromkeys(range(4, 8), 100), ()),  # a quarter of the grid
        (dict.fromkeys(range(4, 7), 100), ("narrow",)),
        ({5: 1000, 6: 1000, 0: 1, 15: 1}, ("narrow",)),  # rare values do not make it wide
        ({15: 7}, ("high", "narrow")),
    ],
)
def test_the_limits_of_a_finding(counts: dict[int, int], expected: tuple[str, ...]) -> None:
    assert of(counts).findings == expected


def test_an_end_that_may_be_crowded_is_not_reported_nor_cut_off() -> None:
    free = replace(GRID, free_low=True, free_high=True)
    assert of(EVEN | {0: 900, 15: 900}, free).findings == ()
    assert of({0: 10_000, 15: 1}, free).findings == ()  # one-hot attention: the top is rare
    assert of({0: 10_000, 15: 1}).findings == ("low", "narrow")


def test_two_bits_may_hold_a_third_at_an_end() -> None:
    ternary = ranges.Grid("q", "q", -1, 1)
    assert of({-1: 33, 0: 34, 1: 33}, ternary).findings == ()
    assert of({-1: 45, 0: 10, 1: 45}, ternary).findings == ("low", "high")
    assert of({0: 1000, 1: 1}, ternary).findings == ("narrow",)


def test_wide_grids_need_few_steps_but_all_their_headroom() -> None:
    stream = ranges.Grid("embed", "residual stream", -(2**15), 2**15 - 1)
    assert of({0: 10, 255: 10}, stream).findings == ()
    assert of({0: 10, 254: 10}, stream).findings == ("narrow",)
    assert of({0: 1000, 2**14: 1000, 2**15 - 2: 9, 2**15 - 1: 1}, stream).findings == ("high",)


def test_the_index_is_free_where_gelu_has_become_constant() -> None:
    net = network(8)
    gelu = net.blocks[0].gelu.copy()
    gelu[0], gelu[255] = gelu[128], widths.unsigned_limit(8)
    flat = replace(net, blocks=(replace(net.blocks[0], gelu=gelu), net.blocks[1]))
    grid = {g.name: g for g in ranges.grids(flat)}["blocks.0.mlp.index"]
    assert (grid.free_low, grid.free_high) == (True, True)
    gelu[0], gelu[255] = gelu[128] - 1, 254
    grid = {g.name: g for g in ranges.grids(flat)}["blocks.0.mlp.index"]
    assert (grid.free_low, grid.free_high) == (False, False)


def test_json_holds_shares() -> None:
    document = of(EVEN | {15: 500}).to_json()
    assert document["at_high"] == 500 / 2000
    assert document["clamped_high"] == 400 / 2000
    assert document["clamped_low"] == 0.0
    assert (document["min"], document["max"], document["span"]) == (0, 15, 1.0)
    assert document["levels_used"] == 1.0
    assert document["findings"] == ["high"]
