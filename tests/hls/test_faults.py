"""The check can fail: one wrong bit in a file, a command or the C++ is refused or found."""

import struct
from dataclasses import replace

import numpy as np
import pytest
from hls_bench import (
    FAST_COMPILE,
    FILES,
    SANITIZED,
    calibrated,
    design_for,
    extreme,
    pictures,
    small_vit,
    write_data,
)

from vaqf.hardware import command, layout
from vaqf.program.compile import compile_network
from vaqf.project.blob import BLOB_HEADER
from vaqf.sim import golden

HEADER_BYTES = BLOB_HEADER.size
COMMAND_BYTES = 4 * command.COMMAND_WORDS
VIT = small_vit(dim=36, heads=3, depth=2)
DESIGN = design_for([VIT], act_bits=7, pe=1, simd=128, share=2, attention_lanes=4)


@pytest.fixture(scope="module")
def kernel(bench):
    return bench.kernel(DESIGN)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    network = calibrated(VIT, DESIGN.act_bits, 0)
    folder = tmp_path_factory.mktemp("faults") / "data"
    return write_data(folder, DESIGN, network, pictures(VIT, 2, 0))


def flip(path, bit):
    """Flip one bit of a file, counted from its start."""
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << (bit % 8)
    path.write_bytes(content)


# -- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_any_flipped_bit_is_refused(kernel, data, tmp_path, name):
    damaged = data.copy(tmp_path / "damaged")
    path, rng = damaged.path(name), np.random.default_rng(FILES.index(name))
    payload = path.stat().st_size - HEADER_BYTES
    header = 8 * np.arange(HEADER_BYTES) + rng.integers(0, 8, HEADER_BYTES)
    body = 8 * HEADER_BYTES + rng.choice(8 * payload, 40, replace=False)
    for bit in [*header, *body]:
        flip(path, int(bit))
        run = kernel.run(damaged)
        assert (run.code, run.out) == (2, ""), f"bit {bit} of {name}: {run}"
        assert run.err.startswith(f"error: {path}: ") and run.err.count("\n") == 1
        flip(path, int(bit))
    kernel.check(damaged)


@pytest.mark.parametrize("name", FILES)
def test_truncated_or_longer_file_is_refused(kernel, data, tmp_path, name):
    damaged = data.copy(tmp_path / "damaged")
    content = damaged.path(name).read_bytes()
    for cut in (b"", content[:30], content[:HEADER_BYTES], content[:-1], content + b"\0"):
        damaged.path(name).write_bytes(cut)
        assert kernel.run(damaged, "--no-crc").code == 2
    damaged.path(name).unlink()
    assert kernel.run(damaged).err == f"error: {damaged.path(name)}: cannot be opened\n"


# -- weights and commands ---------------------------------------------------------------------


def with_linear(network, name, change):
    """The network with one linear layer changed: 'embed', 'head' or 'blocks.0.attn.qkv'."""
    if name in ("embed", "head"):
        return replace(network, **{name: change(getattr(network, name))})
    _, number, _, kind = name.split(".")
    blocks = list(network.blocks)
    index = int(number)
    blocks[index] = replace(blocks[index], **{kind: change(getattr(blocks[index], kind))})
    return replace(network, blocks=tuple(blocks))


def first_difference(good, bad):
    """(layer, token, channel, golden value, changed value) where two runs of golden part."""
    for name, values in good.items():
        if not np.array_equal(values, bad[name]):
            row = np.argwhere((values != bad[name]).reshape(-1, values.shape[-1]))[0]
            at = tuple(row) if values.ndim > 1 else (row[1],)
            return name, int(row[0]), int(row[1]), int(values[at]), int(bad[name][at])
    return None


def check_found(kernel, data, changed, damaged):
    """csim names the very first value that differs, as golden of the changed network predicts."""
    expected = first_difference(data.layers, golden.layers(changed, data.images[0]))
    assert expected is not None
    run = kernel.run(damaged)
    assert run.code == 2 and "its CRC does not match" in run.err
    run = kernel.run(damaged, "--no-crc")
    name, token, channel, good, bad = expected
    where = f"frame 0, class {channel}" if name == "head" else f"token {token}, channel {channel}"
    wanted = f"mismatch: layer {name}, {where}: hardware {bad}, golden {good}"
    line = next(line for line in run.out.splitlines() if line.startswith("mismatch"))
    assert (run.code, line.split(" (")[0]) == (1, wanted)


def splice(path, new_payload):
    """Put another payload behind a file's old header; its CRC is then wrong."""
    content = path.read_bytes()
    assert len(content) == HEADER_BYTES + len(new_payload)
    path.write_bytes(content[:HEADER_BYTES] + new_payload)


LAYERS = ["embed", "blocks.0.attn.qkv", "blocks.1.attn.proj", "blocks.0.mlp.fc1"]
LAYERS += ["blocks.1.mlp.fc2", "head"]


@pytest.mark.parametrize("layer", LAYERS)
def test_flipped_weight_is_found_in_its_layer(kernel, data, tmp_path, layer):
    def flipped(linear):
        weight = linear.weight.copy()
        n, k = 3, 2
        weight[n, k] = weight[n, k] ^ 64 if layer in ("embed", "head") else -weight[n, k]
        return replace(linear, weight=weight)

    changed = with_linear(data.network, layer, flipped)
    weights = compile_network(DESIGN, changed).weights
    bits = np.unpackbits(np.frombuffer(data.program.weights, np.uint8)) != np.unpackbits(
        np.frombuffer(weights, np.uint8)
    )
    assert bits.sum() == 1
    damaged = data.copy(tmp_path / "damaged")
    splice(damaged.path("weights"), weights)
    check_found(kernel, data, changed, damaged)


@pytest.mark.parametrize("layer", LAYERS)
def test_changed_shift_is_found_in_its_layer(kernel, data, tmp_path, layer):
    def shifted(linear):
        requant = replace(linear.requant, shift=linear.requant.shift - 1)
        return replace(linear, requant=requant)

    changed = with_linear(data.network, layer, shifted)
    commands = compile_network(DESIGN, changed).commands
    assert commands != data.program.commands
    damaged = data.copy(tmp_path / "damaged")
    splice(damaged.path("commands"), commands)
    check_found(kernel, data, changed, damaged)


def test_changed_layer_norm_and_attention_are_found(kernel, data, tmp_path):
    block = data.network.blocks[1]
    norm = replace(block.norm2, eps=block.norm2.eps + 2**36)
    attention = replace(block.attention, score_mult=block.attention.score_mult // 2)
    gelu = block.gelu.copy()
    gelu[128:160] ^= 1
    for number, part in enumerate(
        ({"norm2": norm}, {"attention": attention}, {"gelu": gelu}), start=1
    ):
        blocks = (data.network.blocks[0], replace(block, **part))
        changed = replace(data.network, blocks=blocks)
        compiled = compile_network(DESIGN, changed)
        damaged = data.copy(tmp_path / str(number))
        splice(damaged.path("commands"), compiled.commands)
        splice(damaged.path("weights"), compiled.weights)
        if compiled.commands == data.program.commands:
            (damaged.path("commands")).write_bytes(data.path("commands").read_bytes())
        check_found(kernel, data, changed, damaged)


# -- the C++ ----------------------------------------------------------------------------------

CONSTANTS = {
    "exp2 entry": ("kExp2[256] = {\n    65536,", "kExp2[256] = {\n    49152,", "attn.context"),
    "point of the layer norm": ("kNormFractionBits = 14;", "kNormFractionBits = 13;", "norm1"),
    "activation limit": ("kActMax = 127;", "kActMax = 126;", "norm1"),
    "q limit": ("kSignedMax = 63;", "kSignedMax = 62;", "attn.qkv"),
}


@pytest.mark.parametrize("name", CONSTANTS)
def test_changed_constant_is_found(bench, data, name):
    old, new, layer = CONSTANTS[name]
    run = bench.kernel(DESIGN, replaced={"config.hpp": (old, new)}).run(data)
    assert (run.code, run.first_layer) == (1, f"blocks.0.{layer}")


# one mistake a reviewer might miss, per place
MUTANTS = {
    "requantize floor": ("requantize.hpp", "sum >> shift", "(sum + 1) >> shift"),
    "requantize high": ("requantize.hpp", "shifted > high", "shifted >= high + 1 && shifted > 99"),
    "residual saturation": (
        "requantize.hpp",
        "if (sum > kResidualMax)",
        "if (sum > 2 * kResidualMax)",
    ),
    "interpolate": ("octave.hpp", "drop >> kNormOffsetBits", "drop >> (kNormOffsetBits + 1)"),
    "rsqrt parity": ("octave.hpp", "if (exponent[0])", "if (exponent[1])"),
    "scale": (
        "octave.hpp",
        "kNormValueBits - kNormFractionBits",
        "1 + kNormValueBits - kNormFractionBits",
    ),
    "variance": ("layer_norm.hpp", "variance + eps", "variance"),
    "centre": ("layer_norm.hpp", "dim * x - row.sum", "dim * x - row.sum + 1000"),
    "exponent half": ("softmax.hpp", "half << (drop - 1)", "half << (drop - 2)"),
    "exponent range": ("softmax.hpp", "whole <= kExpBits", "whole < kExpBits"),
    "maximum": ("attention.hpp", "key == 0 || s.row[r] > top.row[r]", "key == 0"),
    "last queries": ("attention.hpp", "wanted < int(tokens) ? wanted", "wanted < 4 ? wanted"),
    "context sum": ("attention.hpp", "total.row[r] = before + e.row[r]", "total.row[r] = e.row[r]"),
    "bank": ("banks.hpp", "tile.row[t] = data[(token + t + w)", "tile.row[t] = data[(token + t)"),
    "plane sign": ("engine.hpp", "plane == kFixedWeightBits - 1 ?", "plane == kFixedWeightBits ?"),
    "digit": ("engine.hpp", "pass.digit * kActBits", "pass.digit"),
    "sum of inputs": ("engine.hpp", "2 * s - total[t]", "2 * s"),
    "gray code": ("lookup.hpp", "entry_of(count);", "count;"),
    "shared turn": (
        "lookup.hpp",
        "total[r * kShare + turn] = sum[r]",
        "total[r * kShare] = sum[r]",
    ),
    "gelu index": (
        "results.hpp",
        "int(value) + kGeluEntries / 2",
        "int(value) + kGeluEntries / 2 - 1",
    ),
    "row sums": ("results.hpp", "word_squares += x * x", "word_squares += x"),
    "v": ("results.hpp", "if (place.part == 2) write_tile(v", "if (place.part == 1) write_tile(v"),
    "logits": (
        "results.hpp",
        "i * kPerWord + j < int(count)",
        "i * kPerWord + j + 1 < int(count)",
    ),
    "pixels of prefix": ("pixels.hpp", "if (used && first + p", "if (first + p"),
    "slot": (
        "accelerator.hpp",
        "kFramesInFlight - 1 - frame % kFramesInFlight",
        "frame % kFramesInFlight",
    ),
    "ring release": ("sequence.hpp", "ring.held -= c.weight_words;", ""),
    "fill order": ("sequence.hpp", "ring.done += take;", "ring.done += take + (take > 1);"),
    "iterations": ("sequence.hpp", "(frames + 1) / 2 + 1", "frames / 2 + 1"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_found(bench, tmp_path, name):
    """Some network, calibrated or extreme, tells every mutant from the real library."""
    file, old, new = MUTANTS[name]
    changes = {f"include/vaqf/{file}": (old, new)}
    kernel = bench.kernel(DESIGN, FAST_COMPILE + " -w", replaced=changes)
    codes = []
    for make in (calibrated, extreme):
        network = make(VIT, DESIGN.act_bits, 0)
        data = write_data(tmp_path / make.__name__, DESIGN, network, pictures(VIT, 3, 0))
        codes.append(kernel.run(data).code)
    assert any(codes)


# -- bad commands -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sanitized(bench):
    return bench.kernel(DESIGN, SANITIZED)


def survives(kernel, damaged):
    """The run ends on its own, in words; the sanitizers say nothing."""
    run = kernel.run(damaged, "--no-crc")
    words = run.err == "" or (run.err.startswith("error: ") and run.err.count("\n") == 1)
    assert run.code in (0, 1, 2) and words, run
    return run


def with_field(commands, index, field, value):
    """A command list with one field of one command overwritten, whatever its value."""
    at = index * COMMAND_BYTES + 4 * field.word
    (word,) = struct.unpack_from("<I", commands, at)
    mask = (2**field.bits - 1) << field.low
    out = bytearray(commands)
    struct.pack_into("<I", out, at, word & ~mask | (value << field.low & mask))
    return bytes(out)


def bad_values(field, value, rng):
    """Zero, neighbours, extremes and one random value of a field."""
    top = 2**field.bits - 1
    values = {0, 1, value + 1, value - 1, top, top // 2, 2 * value, int(rng.integers(0, top + 1))}
    return sorted(values - {value})


def fuzz_cases(commands):
    rng = np.random.default_rng(0)
    for index in range(len(commands) // COMMAND_BYTES):
        values = command.decode(commands[index * COMMAND_BYTES :][:COMMAND_BYTES])
        for field in command.FIELDS:
            for value in bad_values(field, values[field.name] % 2**field.bits, rng):
                yield index, field, value


def fuzz(kernel, data, tmp_path, cases):
    damaged = data.copy(tmp_path / "damaged")
    refused = 0
    for index, field, value in cases:
        splice(damaged.path("commands"), with_field(data.program.commands, index, field, value))
        run = survives(kernel, damaged)
        stopped = f"error: the kernel stopped with status 1 at command {index}\n"
        refused += run.out == stopped or "beyond" in run.err
    return refused


def test_bad_fields_never_crash(sanitized, data, tmp_path):
    cases = list(fuzz_cases(data.program.commands))
    some = np.random.default_rng(1).choice(len(cases), 150, replace=False)
    assert fuzz(sanitized, data, tmp_path, [cases[i] for i in some]) > 60


@pytest.mark.slow
def test_every_bad_field_never_crashes(sanitized, data, tmp_path):
    cases = list(fuzz_cases(data.program.commands))
    assert fuzz(sanitized, data, tmp_path, cases) > len(cases) // 3


def test_random_commands_never_crash(sanitized, data, tmp_path):
    damaged = data.copy(tmp_path / "damaged")
    rng = np.random.default_rng(2)
    for _ in range(20):
        commands = bytearray(data.program.commands)
        for bit in rng.integers(0, 8 * len(commands), rng.integers(1, 30)):
            commands[bit // 8] ^= 1 << (bit % 8)
        splice(damaged.path("commands"), bytes(commands))
        survives(sanitized, damaged)


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_never_crash(sanitized, data, tmp_path, name):
    damaged = data.copy(tmp_path / "damaged")
    path, rng = damaged.path(name), np.random.default_rng(3)
    good = path.read_bytes()
    header = HEADER_BYTES * (1 if name != "layers" else 3)
    for _ in range(15):
        for low, high, most in ((0, header, 3), (HEADER_BYTES, len(good), 50)):
            content = np.frombuffer(good, np.uint8).copy()
            places = rng.integers(low, high, rng.integers(1, most))
            content[places] = rng.choice([0, 1, 127, 128, 255], len(places))
            path.write_bytes(content.tobytes())
            survives(sanitized, damaged)


REFUSED = {
    "qkv": {"opcode": 0, "source": 7, "dest": 9, "tokens": 0, "k_words": 0, "n_words": 0}
    | {"planes": 2, "digits": 2, "shift": 48, "weight_words": 2**32 - 1, "norm_shift": 63, "dim": 0}
    | {"frame_offset": 7},
    "context": {"tokens": 65535, "heads": 0, "head_words": 3, "n_words": 1, "shift": 48},
    "embed": {"pixel_bytes": 8, "prefix_tokens": 15, "dest": 0, "digits": 1, "outputs": 65535},
    "head": {"tokens": 2, "prefix_tokens": 2, "dest": 1, "source": 2},
}


@pytest.mark.parametrize("kind", REFUSED)
def test_kernel_answers_a_bad_command_with_status_1(sanitized, data, tmp_path, kind):
    traced = next(entry for entry in data.program.traced if entry.layer.endswith(kind))
    fields = {field.name: field for field in command.FIELDS}
    damaged = data.copy(tmp_path / "damaged")
    for name, value in REFUSED[kind].items():
        commands = with_field(data.program.commands, traced.command, fields[name], value)
        splice(damaged.path("commands"), commands)
        run = survives(sanitized, damaged)
        stopped = f"error: the kernel stopped with status 1 at command {traced.command}\n"
        assert (run.code, run.out) == (1, stopped), name


@pytest.mark.parametrize("name", ["weight_offset", "norm_offset", "requant_offset", "gelu_offset"])
def test_test_bench_refuses_to_read_beyond_the_image(sanitized, data, tmp_path, name):
    traced = next(entry for entry in data.program.traced if entry.layer.endswith("fc1"))
    field = next(field for field in command.FIELDS if field.name == name)
    damaged = data.copy(tmp_path / "damaged")
    units = len(data.program.weights) // layout.ALIGN
    for value in (units, 2**32 - 1, 2**31):
        commands = with_field(data.program.commands, traced.command, field, value)
        splice(damaged.path("commands"), commands)
        run = sanitized.run(damaged, "--no-crc")
        wanted = f"error: {damaged.path('commands')}: reads beyond the weight image\n"
        assert (run.code, run.err) == (2, wanted)
