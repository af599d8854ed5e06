"""Commands, weight image and memory layouts, read back by independent code."""

import struct
import zlib
from dataclasses import fields, replace

import numpy as np
import pytest
from hls_bench import calibrated, design_for, pictures, random_vit, small_vit
from hypothesis import given, settings
from hypothesis import strategies as st

from vaqf.cycles import bounds, command_cycles
from vaqf.errors import InputError
from vaqf.hardware import layout
from vaqf.hardware.command import (
    COMMAND_WORDS,
    FIELDS,
    Dest,
    Opcode,
    Source,
    decode,
    encode,
)
from vaqf.hardware.config import constants
from vaqf.hardware.order import command_list
from vaqf.model.layers import BINARY, FIXED, Kind
from vaqf.program import packing
from vaqf.program.compile import compile_network
from vaqf.project.blob import Blob, blob

DESIGNS = {
    "table": {"pe": 4, "simd": 32},
    "odd": {"pe": 3, "simd": 384, "tokens": 3, "attention_lanes": 3, "norm_tokens": 1},
    "resident": {"pe": 1, "simd": 128, "frames_in_flight": 1, "resident": True, "act_bits": 3},
    "ports": {"engine": "adder", "pe": 8, "simd": 64, "weight_ports": 4, "act_bits": 5},
}


def decoded(compiled):
    size = 4 * COMMAND_WORDS
    return [decode(compiled.commands[i : i + size]) for i in range(0, len(compiled.commands), size)]


def case(name, seed=0, **changes):
    vit = small_vit(**{"dim": 21, "heads": 3, "distilled": True, **changes})
    design = design_for([vit], **DESIGNS[name])
    network = calibrated(vit, design.act_bits, seed)
    return design, network, compile_network(design, network)


# -- commands ---------------------------------------------------------------------------------


def limits(field):
    low = -(2 ** (field.bits - 1)) if field.signed else 0
    return low, low + 2**field.bits - 1


def test_no_two_fields_share_a_bit():
    taken = set()
    for field in FIELDS:
        bits = {(field.word, field.low + i) for i in range(field.bits)}
        assert not bits & taken
        assert field.bits >= 1 and field.low + field.bits <= 32 and field.word < COMMAND_WORDS
        taken |= bits
    assert len({field.name for field in FIELDS}) == len(FIELDS)


@given(st.fixed_dictionaries({f.name: st.integers(*limits(f)) for f in FIELDS}))
def test_commands_round_trip(values):
    data = encode(values)
    assert len(data) == 4 * COMMAND_WORDS
    assert decode(data) == values


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_value_too_large_for_its_field_is_refused(field):
    low, high = limits(field)
    for value in (low - 1, high + 1):
        with pytest.raises(InputError, match=f"{field.name} = {value}"):
            encode({field.name: value})
    assert decode(encode({field.name: low}))[field.name] == low


def test_each_field_lies_where_the_table_says():
    for field in FIELDS:
        words = struct.unpack(f"<{COMMAND_WORDS}I", encode({field.name: limits(field)[1]}))
        expected = [0] * COMMAND_WORDS
        expected[field.word] = limits(field)[1] << field.low
        assert list(words) == expected


# -- weight image -----------------------------------------------------------------------------


def weight_bit(data, design, shape, plane, n, k):
    """Bit of input k of output n: ring words by plane from the highest, K slice, output word."""
    planes, outputs, inputs = shape
    slices = -(-inputs // design.simd)
    slice_number, lane = divmod(k, design.simd)
    at = (planes - 1 - plane) * slices + slice_number
    word = at * (outputs // design.pe) + n // design.pe
    bit = word * design.pe * design.simd + (n % design.pe) * design.simd + lane
    return data[bit // 8] >> (bit % 8) & 1


@given(st.data())
@settings(max_examples=30)
def test_packed_weights_are_read_back_bit_by_bit(data):
    design = design_for([small_vit()], **DESIGNS[data.draw(st.sampled_from(sorted(DESIGNS)))])
    planes = data.draw(st.sampled_from([1, 8]))
    n = design.pe * data.draw(st.integers(1, 4))
    k = data.draw(st.integers(1, 2 * design.simd + 5))
    bits = np.random.default_rng(k).integers(0, 2, (planes, n, k), dtype=np.uint8)
    packed = packing.pack_weights(bits, design)
    slices = -(-k // design.simd)
    assert len(packed) == slices * planes * n * design.simd // 8
    places = np.random.default_rng(n).integers(0, bits.size, 50)
    for plane, out, lane in np.stack(np.unravel_index(places, bits.shape), axis=-1):
        expected = bits[plane, out, lane]
        assert weight_bit(packed, design, bits.shape, plane, out, lane) == expected
    assert int(np.unpackbits(np.frombuffer(packed, np.uint8)).sum()) == int(bits.sum())


def linears(network):
    """Every weight matrix by golden's name."""
    yield "embed", network.embed
    for i, block in enumerate(network.blocks):
        yield f"blocks.{i}.attn.qkv", block.qkv
        yield f"blocks.{i}.attn.proj", block.proj
        yield f"blocks.{i}.mlp.fc1", block.fc1
        yield f"blocks.{i}.mlp.fc2", block.fc2
    yield "head", network.head


def padded(index, group, size):
    """Position in memory of a channel whose groups are padded."""
    return index // group * size + index % group


@pytest.mark.parametrize("name", DESIGNS)
def test_the_image_holds_every_weight_and_record(name):
    design, network, compiled = case(name)
    vit, commands = network.vit, decoded(compiled)
    head, head_size = vit.head_dim, design.padded_head(vit.head_dim)
    unit = design.simd if vit.head_tokens > 1 else design.pe  # joined tokens start new slices
    dim = -(-vit.dim // unit) * unit
    traced = {entry.layer: entry.command for entry in compiled.traced}
    rng = np.random.default_rng(0)
    for layer, linear in linears(network):
        command = commands[traced[layer]]
        planes, outputs = command["planes"], command["n_words"] * design.pe
        at = command["weight_offset"] * layout.ALIGN
        size = command["weight_words"] * design.pe * design.simd // 8
        data = compiled.weights[at : at + size]
        shape = (planes, outputs, command["k_words"] * design.pe)
        assert command["shift"] == linear.requant.shift
        for n, k in rng.integers(0, linear.weight.shape, (40, 2)):
            row = padded(n, head, head_size) if layer.endswith("qkv") else n
            column = k
            if layer.endswith("proj"):
                column = padded(k, head, head_size)
            elif layer == "head":
                column = padded(k, vit.dim, dim)
            value = int(linear.weight[n, k])
            wanted = value & 255 if planes == 8 else int(value > 0)
            bits = [weight_bit(data, design, shape, i, row, column) for i in range(planes)]
            assert sum(bit << i for i, bit in enumerate(bits)) == wanted
            record = command["requant_offset"] * layout.ALIGN + 16 * row
            mult, zero, bias = struct.unpack_from("<iiq", compiled.weights, record)
            assert (mult, zero, bias) == (linear.requant.mult[n], 0, linear.requant.bias[n])
        ones = int(np.unpackbits(np.frombuffer(data, np.uint8)).sum())
        values = linear.weight.view(np.uint8) if planes == 8 else (linear.weight > 0)
        assert ones == int(np.unpackbits(values.astype(np.uint8)).sum())  # the padding is 0


@pytest.mark.parametrize("name", DESIGNS)
def test_a_frame_reads_all_that_the_image_holds(name, monkeypatch):
    held, add = [], packing.WeightImage.add
    monkeypatch.setattr(
        packing.WeightImage, "add", lambda image, data: held.append(len(data)) or add(image, data)
    )
    design, network, _ = case(name)
    by_kind = command_cycles.commands(network.vit, design)
    weights = sum(
        by_kind[kind].weight_words * design.ring_word_bits * count
        for kinds, count in ((BINARY, network.vit.depth), (FIXED, 1))
        for kind in kinds
    )
    kept = weights if design.resident else 0  # read once, before the first frame
    assert bounds.stream_bits(network.vit, design, by_kind) == 8 * sum(held) - kept


@pytest.mark.parametrize("name", DESIGNS)
def test_position_constants_are_read_back(name):
    design, network, compiled = case(name)
    embed = decoded(compiled)[{e.layer: e.command for e in compiled.traced}["embed"]]
    tile = design.constant_tile_bytes
    words = embed["n_words"]
    for (token, channel), value in np.ndenumerate(network.position):
        number = token // design.tokens * words + channel // design.pe
        place = token % design.tokens * design.pe + channel % design.pe
        at = embed["constant_offset"] * layout.ALIGN + number * tile + 2 * place
        assert struct.unpack_from("<h", compiled.weights, at) == (value,)


def test_blocks_do_not_overlap_and_weights_are_stable():
    design, network, compiled = case("table")
    commands = [c for c in decoded(compiled) if c["opcode"] == Opcode.MATMUL]
    ranges = {
        (c["weight_offset"], c["weight_words"] * design.pe * design.simd // 8) for c in commands
    }
    end = 0
    for offset, size in sorted(ranges):
        assert offset * layout.ALIGN >= end
        end = offset * layout.ALIGN + size
    assert end <= len(compiled.weights) and len(compiled.weights) % layout.ALIGN == 0
    assert len(ranges) == len(list(linears(network)))  # two frames share one copy
    assert compile_network(design, network) == compiled


def test_resident_weights_lie_side_by_side_in_the_ring():
    design, _, compiled = case("resident")
    place = 0
    for command in decoded(compiled):
        if command["opcode"] == Opcode.MATMUL:
            assert command["ring_offset"] == place
            place += command["weight_words"]
    assert place == design.ring_words


# -- images, logits, files --------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{}, {"channels": 3, "patch_size": 3, "image_size": 9}])
def test_images_are_patch_rows(changes):
    vit = small_vit(**changes)
    network = calibrated(vit, 8, 0)
    images = pictures(vit, 3, 0)
    packed = packing.pack_images(network, images)
    size, row = packing.frame_bytes(network), layout.patch_row_bytes(vit.patch_inputs)
    assert len(packed) == 3 * size and size % layout.ALIGN == 0 and row % 16 == 0
    grid, p = vit.image_size // vit.patch_size, vit.patch_size
    seen = np.zeros(len(packed), bool)
    for (b, y, x, c), value in np.ndenumerate(images):
        patch = y // p * grid + x // p
        at = b * size + patch * row + (c * p + y % p) * p + x % p
        assert packed[at] == value
        seen[at] = True
    assert not np.frombuffer(packed, np.uint8)[~seen].any()


def test_logits_are_unpacked():
    network = calibrated(small_vit(classes=17), 8, 0)
    rows = np.arange(3 * 32, dtype="<i4").reshape(3, 32) - 40
    assert np.array_equal(packing.unpack_logits(network, rows.tobytes()), rows[:, :17])


@given(st.binary(max_size=200), st.sampled_from(Blob), st.integers(0, 2**32 - 1))
def test_a_file_carries_its_size_and_crc(payload, kind, count):
    content = blob(kind, payload, count, 7)
    assert content[:4] == b"VAQF" and content[64:] == payload
    crc = zlib.crc32(payload)
    assert struct.unpack("<IIIQQ", content[4:32]) == (kind, count, crc, len(payload), 7)
    assert content[32:64] == bytes(32)


# -- order: tests/hardware/test_order.py ------------------------------------------------------

RUN_BY = {
    Kind.EMBED: (Opcode.MATMUL, Source.PIXELS, Dest.RESIDUAL),
    Kind.QKV: (Opcode.MATMUL, Source.NORM, Dest.QKV),
    Kind.CONTEXT: (Opcode.ATTENTION, 0, 0),
    Kind.PROJ: (Opcode.MATMUL, Source.CONTEXT, Dest.RESIDUAL),
    Kind.FC1: (Opcode.MATMUL, Source.NORM, Dest.HIDDEN),
    Kind.FC2: (Opcode.MATMUL, Source.HIDDEN, Dest.RESIDUAL),
    Kind.HEAD: (Opcode.MATMUL, Source.NORM_PREFIX, Dest.LOGITS),
}


@pytest.mark.parametrize("frames_in_flight", [1, 2])
@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_a_program_is_the_command_list(depth, frames_in_flight):
    vit = small_vit(depth=depth)
    design = design_for([vit], frames_in_flight=frames_in_flight)
    commands = decoded(compile_network(design, calibrated(vit, 8, 0)))
    entries = command_list(depth, frames_in_flight)
    first = {}  # of every layer
    for command, entry, following in zip(
        commands, entries, [*entries[1:], entries[0]], strict=True
    ):
        run_by = tuple(command[key] for key in ("opcode", "source", "dest"))
        assert run_by == RUN_BY[entry.kind]
        assert command["frame_offset"] == entry.frame
        assert command["step_end"] == following.new_step
        # the same work for every frame, from the same addresses
        same = {**command, "frame_offset": 0, "step_end": 0}
        assert first.setdefault((entry.kind, entry.block), same) == same
    weights = [c["weight_offset"] for c in first.values() if c["opcode"] == Opcode.MATMUL]
    assert len(set(weights)) == len(weights) == 4 * depth + 2


def test_a_network_that_does_not_fit_is_refused():
    vit = small_vit()
    design = design_for([vit])
    with pytest.raises(InputError, match="5-bit activations, the design 8"):
        compile_network(design, calibrated(vit, 5, 0))
    for field in fields(design.capacity):
        small = replace(design.capacity, **{field.name: getattr(design.capacity, field.name) - 1})
        with pytest.raises(InputError, match=f"capacity.{field.name}"):
            compile_network(replace(design, capacity=small), calibrated(vit, 8, 0))
    with pytest.raises(InputError, match="ring_words"):
        smaller = replace(design, ring_words=design.ring_words - 1)
        compile_network(smaller, calibrated(vit, 8, 0))


def test_every_layer_of_golden_is_traced_once():
    _, network, compiled = case("table")
    names = [entry.layer for entry in compiled.traced]
    layers = ("attn.qkv", "attn.context", "attn.proj", "mlp.fc1", "mlp.fc2")
    blocks = [
        f"blocks.{i}.{name}"
        for i in range(network.vit.depth)
        for name in ("norm1", *layers[:3], "norm2", *layers[3:])
    ]
    assert sorted(names) == sorted(["embed", *blocks, "norm", "head"])
    assert all(decoded(compiled)[e.command]["frame_offset"] % 2 == 0 for e in compiled.traced)


# -- constants --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_widths_hold_the_extremes_of_every_network(seed):
    vit = random_vit(seed)
    act_bits = 2 + seed % 7
    design = design_for([vit], act_bits=act_bits, engine="adder", norm_tokens=1)
    value = constants(design)
    a_max, q_max = 2**act_bits - 1, 2 ** (act_bits - 1) - 1
    e_max = 2 ** value["exp_bits"] - 1
    signed = {
        "acc_bits": max(
            max(vit.dim, vit.hidden) * a_max,
            vit.patch_inputs * 255 * 128,
            vit.head_tokens * vit.dim * a_max * 128,
        ),
        "row_sum_bits": vit.dim * 2**15,
        "score_bits": vit.head_dim * q_max**2,
        "context_bits": vit.tokens * e_max * q_max,
    }
    for name, magnitude in signed.items():
        assert -(2 ** (value[name] - 1)) <= -magnitude and magnitude < 2 ** (value[name] - 1)
    unsigned = {
        "row_square_bits": vit.dim * 2**30,
        "variance_bits": vit.dim * vit.dim * 2**30 + 2**40,
        "exp_sum_bits": vit.tokens * e_max,
        "score_bits": 2 * vit.head_dim * q_max**2,  # the distance to the row's maximum
    }
    for name, largest in unsigned.items():
        assert largest < 2 ** value[name]
    assert value["max_tokens"] % design.tokens == 0 and value["max_tokens"] >= vit.tokens
    assert value["banks"] >= max(design.tokens, value["head_words"])
    assert value["constant_tile_words"] * design.weight_ports * 8 >= design.tokens * design.pe
    assert all(type(number) is int and number >= 0 for number in value.values())
