"""The network file: round trip, and one sentence for every way in which it can be broken."""

import json
import os
import pickle
import struct
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from vaqf.errors import InputError
from vaqf.model.layers import Kind
from vaqf.model.vit import LATER, Vit
from vaqf.network import calibrate, networkfile, parameters
from vaqf.network.structure import Block

TINY = Vit(
    name="tiny", image_size=4, patch_size=2, channels=1, dim=6, depth=1, heads=2, classes=3,
    mlp_ratio=1.5, mean=(0.5,), std=(0.25,),
)  # fmt: skip


def make(vit, act_bits=5):
    shape = (1, vit.image_size, vit.image_size, vit.channels)
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    return calibrate.calibrate(vit, act_bits, parameters.random(vit, 0), image, "random, seed 0")


NET = make(TINY)
DATA = networkfile.to_bytes(NET)
(HEADER_BYTES,) = struct.unpack("<Q", DATA[:8])
HEADER = json.loads(json.loads(DATA[8 : 8 + HEADER_BYTES])["__metadata__"]["vaqf"])


def test_a_block_has_its_parts_in_the_order_of_computation():
    parts = [Kind.CONTEXT if f.name == "attention" else Kind(f.name) for f in fields(Block)]
    assert parts == [kind for kind in Kind if kind in parts]


def write(path, tensors=None, header=None, **metadata):
    """A file with our layout and a correct hash, whatever it holds."""
    tensors = load(DATA) if tensors is None else tensors
    header = dict(HEADER if header is None else header)
    if "sha256" in header:
        del header["sha256"]
        header["sha256"] = networkfile._digest(header, tensors)
    path.write_bytes(save(tensors, {"vaqf": json.dumps(header)} | metadata))
    return path


def refused(path, *words):
    """Reading fails with one line that names the file and says each of the words."""
    with pytest.raises(InputError) as caught:
        networkfile.read(path)
    text = str(caught.value)
    assert text.startswith(str(path)) and "\n" not in text and len(text) < 600
    for word in words:
        assert word in text, text
    return text


# -- round trip -------------------------------------------------------------------------------


@pytest.mark.parametrize("act_bits", range(2, 9))
@pytest.mark.parametrize(
    "vit",
    [
        TINY,
        replace(TINY, distilled=True, qkv_bias=False),
        replace(TINY, dim=17, heads=1, mlp_ratio=1.0, depth=3),
        replace(TINY, dim=8, heads=8, mlp_ratio=4, channels=3, mean=(0, 0, 1), std=(1, 2, 3)),
    ],
)
def test_round_trip_is_byte_identical(tmp_path, vit, act_bits):
    net = make(vit, act_bits)
    data = networkfile.to_bytes(net)
    path = tmp_path / "net.safetensors"
    path.write_bytes(data)
    back = networkfile.read(path)
    assert networkfile.to_bytes(back) == data == networkfile.to_bytes(net)
    assert back.vit == vit and back.act_bits == act_bits and back.origin == net.origin
    assert back.logit_scale == net.logit_scale
    assert networkfile.sha256(back) == networkfile.sha256(net)
    for name, value in networkfile.tensors(back).items():
        assert (value == networkfile.tensors(net)[name]).all(), name
    for mine, theirs in zip(net.blocks, back.blocks, strict=True):
        assert (mine.qkv.weight == theirs.qkv.weight).all()
        assert theirs.qkv.weight.dtype == np.int8
    assert networkfile.is_network(path)


def test_write_of_this_file_itself_is_accepted(tmp_path):
    """The helper makes legal files, so a refusal below is for what was broken."""
    path = write(tmp_path / "n.safetensors")
    assert networkfile.to_bytes(networkfile.read(path)) == DATA


def test_first_input_is_the_lowest_bit():
    weight = load(DATA)["blocks.0.attn.proj.weight"]
    assert weight.shape == (6, 1) and weight.dtype == np.uint8
    signs = NET.blocks[0].proj.weight
    assert [[(int(byte) >> k) & 1 for k in range(6)] for (byte,) in weight] == (
        (signs > 0).astype(int).tolist()
    )


@pytest.mark.parametrize(
    "change",
    [
        {"act_bits": 6},
        {"origin": "trained"},
        {"logit_scale": 1.0},
        {"vit": replace(TINY, heads=3)},
        {"vit": replace(TINY, ln_eps=1e-5)},
        {"position": NET.position + 1},
    ],
)
def test_hash_covers_everything(change):
    """The number of heads is in no tensor's shape; it changes what the network computes."""
    assert networkfile.sha256(replace(NET, **change)) != networkfile.sha256(NET)


# -- broken files -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 7, 8, 100, HEADER_BYTES, HEADER_BYTES + 8, len(DATA) - 1])
def test_truncated(tmp_path, size):
    path = tmp_path / "cut.safetensors"
    path.write_bytes(DATA[:size])
    refused(path, "not a safetensors file", "vaqf export")
    assert not networkfile.is_network(path)


def test_longer_than_it_says(tmp_path):
    path = tmp_path / "long.safetensors"
    path.write_bytes(DATA + b"\0")
    refused(path, "not a safetensors file")


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 100_000_001, len(DATA)])
def test_header_length_beyond_the_file(tmp_path, length):
    path = tmp_path / "huge.safetensors"
    path.write_bytes(struct.pack("<Q", length) + DATA[8:])
    refused(path, "not a safetensors file")


class Trap:
    def __reduce__(self):
        return (Path.touch, (Path("trapped"),))


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(Trap()),
        b"PK\x03\x04" + bytes(100),
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        b"name: vit\n" * 20,
    ],
)
def test_another_kind_of_file(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "renamed.safetensors"
    path.write_bytes(content)
    refused(path, "not a safetensors file")
    assert not (tmp_path / "trapped").exists()


def test_missing_file_and_folder(tmp_path):
    refused(tmp_path / "absent.safetensors", "cannot be read")
    refused(tmp_path, "cannot be read")
    assert not networkfile.is_network(tmp_path)
    assert not networkfile.is_network(tmp_path / "absent.safetensors")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads files without permission")
def test_no_permission(tmp_path):
    path = tmp_path / "n.safetensors"
    path.write_bytes(DATA)
    path.chmod(0)
    refused(path, "cannot be read", "ermission")


def test_float_checkpoint_is_no_network(tmp_path):
    path = tmp_path / "float.safetensors"
    path.write_bytes(save({"cls_token": np.zeros((1, 1, 6), np.float32)}))
    refused(path, "no entry 'vaqf'")
    assert not networkfile.is_network(path)


# -- header -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["", "{", "schema: 1", "[" * 100_000, '{"schema": 1' + "0" * 5000 + "}", "[1]", "null", "1"],
    ids=lambda text: text[:12],
)
def test_header_that_is_no_json_object(tmp_path, text):
    path = tmp_path / "n.safetensors"
    path.write_bytes(save(load(DATA), {"vaqf": text}))
    refused(path, "not a vaqf network file")


VIT = HEADER["vit"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": 4}, ("schema '4'", "reads 3")),
        ({"schema": None}, ("schema",)),
        ({"act_bits": 9}, ("act_bits is 9", "2 to 8")),
        ({"act_bits": 5.0}, ("act_bits",)),
        ({"act_bits": True}, ("act_bits",)),
        ({"act_bits": "5"}, ("act_bits",)),
        ({"origin": 3}, ("origin",)),
        ({"origin": "x" * 501}, ("origin", "500")),
        ({"logit_scale": float("nan")}, ("logit_scale",)),
        ({"logit_scale": float("inf")}, ("logit_scale",)),
        ({"logit_scale": 0.0}, ("logit_scale",)),
        ({"logit_scale": -1.0}, ("logit_scale",)),
        ({"logit_scale": "1.0"}, ("logit_scale",)),
        ({"logit_scale": 10**400}, ("logit_scale",)),
        ({"extra": 1}, ("keys",)),
        ({"vit": None}, ("vit",)),
        ({"vit": {}}, ("vit",)),
        ({"vit": VIT | {"more": 1}}, ("vit",)),
        ({"vit": VIT | {"name": 'x"; system("id"); //'}}, ("name",)),
        ({"vit": VIT | {"name": "a\nb"}}, ("name",)),
        ({"vit": VIT | {"name": "$[exec id]"}}, ("name",)),
        ({"vit": VIT | {"dim": "6"}}, ("dim",)),
        ({"vit": VIT | {"dim": 10**9}}, ("dim",)),
        ({"vit": VIT | {"dim": True}}, ("dim",)),
        ({"vit": VIT | {"heads": 0}}, ("heads",)),
        ({"vit": VIT | {"heads": 4}}, ("heads",)),
        ({"vit": VIT | {"depth": 10**6}}, ("depth",)),
        ({"vit": VIT | {"patch_size": 0}}, ("patch_size",)),
        ({"vit": VIT | {"mlp_ratio": float("nan")}}, ("mlp_ratio",)),
        ({"vit": VIT | {"mean": 0.5}}, ("mean",)),
        ({"vit": VIT | {"mean": ["0.5"]}}, ("mean",)),
        ({"vit": VIT | {"std": [0.0]}}, ("std",)),
        ({"vit": VIT | {"std": {"a": 1}}}, ("std",)),
        ({"vit": VIT | {"distilled": 1}}, ("distilled",)),
    ],
)
def test_bad_header_with_a_right_hash(tmp_path, change, words):
    refused(write(tmp_path / "n.safetensors", header=HEADER | change), *words)


@pytest.mark.parametrize("key", sorted(HEADER))
def test_header_without_a_key(tmp_path, key):
    header = {name: value for name, value in HEADER.items() if name != key}
    refused(write(tmp_path / "n.safetensors", header=header), "schema" if key == "schema" else key)


def test_wrong_hash(tmp_path):
    path = tmp_path / "n.safetensors"
    for wrong in ("0" * 64, None, 7, ""):
        text = json.dumps(HEADER | {"sha256": wrong})
        path.write_bytes(save(load(DATA), {"vaqf": text}))
        refused(path, "sha256")


def test_changed_heads_under_the_old_hash(tmp_path):
    text = json.dumps(HEADER | {"vit": asdict(replace(TINY, heads=3))})
    path = tmp_path / "n.safetensors"
    path.write_bytes(save(load(DATA), {"vaqf": text}))
    refused(path, "sha256")


# -- tensors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(load(DATA)))
def test_every_tensor_is_needed_and_has_one_type_and_shape(tmp_path, name):
    path, tensors = tmp_path / "n.safetensors", load(DATA)
    value = tensors.pop(name)
    refused(write(path, tensors), f"tensor {name} is missing")
    refused(write(path, tensors | {name: value.astype(np.float32)}), f"{name!r} is F32")
    refused(
        write(path, tensors | {name: value.astype(np.int8).view(np.bool_)}), f"{name!r} is BOOL"
    )
    other = np.int64 if value.dtype != np.int64 else np.int32
    refused(write(path, tensors | {name: value.astype(other)}), f"{name} is {np.dtype(other)}")
    refused(write(path, tensors | {name: value[None]}), f"{name} is {value.dtype} [1, ")
    refused(write(path, tensors | {name: value[:-1].copy()}), f"{name} is")


def test_extra_tensor(tmp_path):
    extra = {"blocks.1.norm1.eps": np.array([1])}
    refused(write(tmp_path / "n.safetensors", load(DATA) | extra), "unknown tensor 'blocks.1.norm1")
    refused(write(tmp_path / "n.safetensors", load(DATA) | {"zz\n": np.array([1])}), r"zz\n")
    refused(write(tmp_path / "n.safetensors", load(DATA) | {"z\n": np.array([0.5])}), r"z\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("embed.mult", 2**17),
        ("embed.mult", -(2**17) - 1),
        ("head.bias", 2**47),
        ("head.bias", -(2**47)),
        ("blocks.0.mlp.fc1.shift", 48),
        ("blocks.0.mlp.fc1.shift", -1),
        ("blocks.0.norm1.eps", 0),
        ("blocks.0.norm1.eps", 2**40 + 1),
        ("norm.eps", -1),
        ("blocks.0.attn.score_mult", 2**18),
        ("blocks.0.attn.score_mult", -1),
        ("blocks.0.attn.score_shift", 48),
        ("blocks.0.mlp.gelu", 32),
    ],
)
def test_value_out_of_range(tmp_path, name, value):
    tensors = load(DATA)
    tensors[name] = tensors[name].copy()
    tensors[name].flat[-1] = value
    refused(write(tmp_path / "n.safetensors", tensors), f"{name} has values outside")


@pytest.mark.parametrize("name", ["attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2"])
def test_bits_beyond_the_last_input(tmp_path, name):
    tensors, name = load(DATA), f"blocks.0.{name}.weight"
    weight = tensors[name].copy()
    weight[1, -1] |= 0x80  # k is 6 or 9: bit 7 of the last byte is no input
    refused(write(tmp_path / "n.safetensors", tensors | {name: weight}), name, "bits set beyond")


def with_descriptor(**change):
    """DATA with one tensor's entry in the safetensors header changed, data bytes as they are."""
    header = json.loads(DATA[8 : 8 + HEADER_BYTES])
    header["norm.eps"] |= change
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + DATA[8 + HEADER_BYTES :]


@pytest.mark.parametrize(
    "change",
    [
        {"dtype": "F64"},
        {"dtype": "U64"},
        {"dtype": "BF16", "shape": [4]},
        {"dtype": "F8_E4M3", "shape": [8]},
        {"dtype": "F8_E8M0", "shape": [8]},
        {"dtype": "C64"},
        {"dtype": "F4", "shape": [16]},
        {"dtype": "NONE"},
        {"shape": [2]},
        {"shape": [-1]},
        {"shape": [2**63, 2**63]},
        {"data_offsets": [0, 8]},
        {"data_offsets": [8, 0]},
    ],
    ids=str,
)
def test_descriptors_that_lie(tmp_path, change):
    path = tmp_path / "n.safetensors"
    path.write_bytes(with_descriptor(**change))
    refused(path)


# -- random damage ----------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_random_damage_is_refused_or_harmless(tmp_path_factory, data):
    """Any bytes changed, anywhere: InputError, or exactly the same network."""
    content = bytearray(DATA)
    header = st.integers(0, HEADER_BYTES + 7)
    place = st.one_of(header, st.integers(0, len(DATA) - 1))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(place)] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    path.write_bytes(bytes(content))
    try:
        back = networkfile.read(path)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert networkfile.to_bytes(back) == DATA
    networkfile.is_network(path)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_random_bytes_are_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "noise.safetensors"
    path.write_bytes(content)
    refused(path)


@pytest.mark.parametrize(("schema", "lacking"), [(1, LATER), (2, ("registers",))])
def test_files_of_older_schemas_are_read(schema, lacking, tmp_path):
    older = {key: value for key, value in VIT.items() if key not in lacking}
    path = write(tmp_path / "n.safetensors", header=HEADER | {"schema": schema, "vit": older})
    assert networkfile.to_bytes(networkfile.read(path)) == DATA
