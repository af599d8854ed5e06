"""The file of an integer network: one safetensors file.

Its single metadata entry `vaqf` is a JSON object with `schema`, `vit` (the keys of a model file),
`act_bits`, `origin` (where the weights come from), `logit_scale` and `sha256` (of all the rest).
docs/network.md lists the tensors.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from vaqf.arithmetic import widths
from vaqf.errors import InputError
from vaqf.files import tensorfile
from vaqf.model import vit as vits
from vaqf.model.layers import Kind
from vaqf.model.vit import Vit
from vaqf.network.structure import (
    MAX_EPS,
    Attention,
    Block,
    IntArray,
    Linear,
    Network,
    Norm,
    Requant,
)

SCHEMA = 3  # 1, 2: without some keys of a model that vit.LATER names
READ = (1, 2, SCHEMA)
MAX_ORIGIN = 500  # characters
_DTYPES = ("I8", "U8", "I16", "I32", "I64")  # as safetensors names them
_SCORE = "blocks.{}.attn.score"  # _mult and _shift


def _requant_tensors(prefix: str, requant: Requant) -> Iterator[tuple[str, IntArray]]:
    yield f"{prefix}.mult", requant.mult.astype(np.int32)
    yield f"{prefix}.bias", requant.bias.astype(np.int64)
    yield f"{prefix}.shift", np.array([requant.shift], np.int64)


def _norm_tensors(prefix: str, norm: Norm) -> Iterator[tuple[str, IntArray]]:
    yield f"{prefix}.eps", np.array([norm.eps], np.int64)
    yield from _requant_tensors(prefix, norm.requant)


def _linear_tensors(prefix: str, linear: Linear, binary: bool) -> Iterator[tuple[str, IntArray]]:
    weight = linear.weight
    if binary:  # bit 1 is +1; the first input is the lowest bit
        weight = np.packbits(weight > 0, axis=1, bitorder="little")
    yield f"{prefix}.weight", weight
    yield from _requant_tensors(prefix, linear.requant)


def tensors(network: Network) -> dict[str, IntArray]:
    """Every tensor of the file by name."""
    out = dict(_linear_tensors("embed", network.embed, binary=False))
    out["position"] = network.position.astype(np.int16)
    for i, block in enumerate(network.blocks):
        out.update(_norm_tensors(Kind.NORM1.of(i), block.norm1))
        out.update(_linear_tensors(Kind.QKV.of(i), block.qkv, binary=True))
        attention, score = block.attention, _SCORE.format(i)
        out[f"{score}_mult"] = np.array([attention.score_mult], np.int64)
        out[f"{score}_shift"] = np.array([attention.score_shift], np.int64)
        out.update(_requant_tensors(Kind.CONTEXT.of(i), attention.context))
        out.update(_linear_tensors(Kind.PROJ.of(i), block.proj, binary=True))
        out.update(_norm_tensors(Kind.NORM2.of(i), block.norm2))
        out.update(_linear_tensors(Kind.FC1.of(i), block.fc1, binary=True))
        out[Kind.GELU.of(i)] = block.gelu.astype(np.uint8)
        out.update(_linear_tensors(Kind.FC2.of(i), block.fc2, binary=True))
    out.update(_norm_tensors("norm", network.norm))
    out.update(_linear_tensors("head", network.head, binary=False))
    return {name: np.ascontiguousarray(value) for name, value in out.items()}


def _header(network: Network) -> dict[str, Any]:
    """The JSON header without its hash."""
    return {
        "schema": SCHEMA,
        "vit": asdict(network.vit),
        "act_bits": network.act_bits,
        "origin": network.origin,
        "logit_scale": network.logit_scale,
    }


def _digest(header: dict[str, Any], named: dict[str, IntArray]) -> str:
    """Hash of header and tensors: the number of heads, for one, is in no tensor's shape."""
    digest = hashlib.sha256()
    digest.update(json.dumps(header, sort_keys=True).encode() + b"\n")
    for name in sorted(named):
        value = named[name]
        digest.update(f"{name} {value.dtype.str} {value.shape}\n".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()


def sha256(network: Network) -> str:
    """Hash of the whole network, as its file carries it."""
    return _digest(_header(network), tensors(network))


def to_bytes(network: Network) -> bytes:
    """The file's content; equal networks give equal bytes."""
    from safetensors.numpy import save

    named, header = tensors(network), _header(network)
    header["sha256"] = _digest(header, named)
    return save(named, metadata={"vaqf": json.dumps(header, sort_keys=True)})


class _Reader:
    """Takes tensors out of a file by name, checking type, shape and range of each."""

    def __init__(self, path: Path, named: dict[str, IntArray]) -> None:
        self.path = path
        self.named = dict(named)

    def fail(self, text: str) -> InputError:
        return InputError(f"{self.path}: not a valid network file: {text}; export it again")

    def take(self, name: str, dtype: type, shape: tuple[int, ...], low: int, high: int) -> IntArray:
        value = self.named.pop(name, None)
        if value is None:
            raise self.fail(f"tensor {name} is missing")
        if value.dtype != np.dtype(dtype) or value.shape != shape:
            wanted = f"{np.dtype(dtype).name} {list(shape)}"
            raise self.fail(f"{name} is {value.dtype.name} {list(value.shape)}, not {wanted}")
        if value.size and (int(value.min()) < low or int(value.max()) > high):
            raise self.fail(f"{name} has values outside {low}..{high}")
        return value

    def number(self, name: str, low: int, high: int) -> int:
        return int(self.take(name, np.int64, (1,), low, high)[0])

    def requant(self, prefix: str, n: int) -> Requant:
        mult, bias = 2 ** (widths.MULT_BITS - 1), widths.BIAS_LIMIT
        return Requant(
            mult=self.take(f"{prefix}.mult", np.int32, (n,), -mult, mult - 1),
            bias=self.take(f"{prefix}.bias", np.int64, (n,), -bias, bias),
            shift=self.number(f"{prefix}.shift", 0, widths.MAX_SHIFT),
        )

    def norm(self, prefix: str, n: int) -> Norm:
        return Norm(self.number(f"{prefix}.eps", 1, MAX_EPS), self.requant(prefix, n))

    def binary(self, prefix: str, n: int, k: int) -> Linear:
        packed = self.take(f"{prefix}.weight", np.uint8, (n, -(-k // 8)), 0, 255)
        bits = np.unpackbits(packed, axis=1, bitorder="little")
        if bits[:, k:].any():
            raise self.fail(f"{prefix}.weight has bits set beyond its {k} inputs")
        weight = (bits[:, :k].view(np.int8) * 2 - 1).astype(np.int8)
        return Linear(weight, self.requant(prefix, n))

    def fixed(self, prefix: str, n: int, k: int) -> Linear:
        weight = self.take(f"{prefix}.weight", np.int8, (n, k), -128, 127)
        return Linear(weight, self.requant(prefix, n))

    def block(self, index: int, vit: Vit, act_bits: int) -> Block:
        d, score = vit.dim, _SCORE.format(index)
        return Block(
            norm1=self.norm(Kind.NORM1.of(index), d),
            qkv=self.binary(Kind.QKV.of(index), 3 * d, d),
            attention=Attention(
                score_mult=self.number(f"{score}_mult", 0, 2**widths.SCORE_MULT_BITS - 1),
                score_shift=self.number(f"{score}_shift", 0, widths.MAX_SHIFT),
                context=self.requant(Kind.CONTEXT.of(index), d),
            ),
            proj=self.binary(Kind.PROJ.of(index), d, d),
            norm2=self.norm(Kind.NORM2.of(index), d),
            fc1=self.binary(Kind.FC1.of(index), vit.hidden, d),
            gelu=self.take(
                Kind.GELU.of(index),
                np.uint8,
                (2**widths.GELU_INDEX_BITS,),
                0,
                widths.unsigned_limit(act_bits),
            ),
            fc2=self.binary(Kind.FC2.of(index), d, vit.hidden),
        )

    def network(self, header: dict[str, Any], vit: Vit) -> Network:
        act_bits, d = int(header["act_bits"]), vit.dim
        limit = 2 ** (widths.RESIDUAL_BITS - 1)
        network = Network(
            vit=vit,
            act_bits=act_bits,
            origin=str(header["origin"]),
            logit_scale=float(header["logit_scale"]),
            embed=self.fixed("embed", d, vit.patch_inputs),
            position=self.take("position", np.int16, (vit.tokens, d), -limit, limit - 1),
            blocks=tuple(self.block(i, vit, act_bits) for i in range(vit.depth)),
            norm=self.norm("norm", d),
            head=self.fixed("head", vit.classes, vit.head_tokens * d),
        )
        if self.named:
            raise self.fail(f"unknown tensor {min(self.named)[:60]!r}")
        return network


def _check_header(path: Path, metadata: dict[str, str] | None) -> tuple[dict[str, Any], Vit]:
    """The checked JSON header and the model it describes."""

    def fail(text: str) -> InputError:
        return InputError(f"{path}: not a vaqf network file: {text}; make one with vaqf export")

    if metadata is None or "vaqf" not in metadata:
        raise fail("its metadata has no entry 'vaqf'")
    try:
        header = json.loads(metadata["vaqf"])
    except (ValueError, RecursionError) as error:
        raise fail("its header is not valid JSON") from error
    if not isinstance(header, dict):
        raise fail("its header is no object")
    if type(header.get("schema")) is not int or header["schema"] not in READ:
        raise fail(f"schema {str(header.get('schema'))[:20]!r}, this version reads {SCHEMA}")
    keys = {"schema", "vit", "act_bits", "origin", "logit_scale", "sha256"}
    if set(header) != keys:
        raise fail(f"its header does not have the keys {', '.join(sorted(keys))}")
    if type(header["act_bits"]) is not int:
        raise fail("act_bits is no whole number")
    if not isinstance(header["origin"], str) or len(header["origin"]) > MAX_ORIGIN:
        raise fail(f"origin is no text of at most {MAX_ORIGIN} characters")
    scale = header["logit_scale"]
    if not isinstance(scale, float) or not 0.0 < scale < math.inf:  # NaN is in no range
        raise fail("logit_scale is no positive number")
    try:
        widths.check_act_bits(header["act_bits"])
        return header, vits.from_record(header["vit"])
    except (InputError, ValueError) as error:
        raise fail(str(error)) from error


def is_network(path: Path) -> bool:
    """Whether a safetensors file carries our header (a float model's does not)."""
    try:
        with tensorfile.opened(path, "a network file") as file:
            return "vaqf" in (file.metadata() or {})
    except InputError:
        return False


def _load(path: Path, file: Any) -> dict[str, IntArray]:
    """The tensors of an open safetensors file; numpy lacks some of its types, so look first."""
    names = file.keys()
    for name in names:
        dtype = file.get_slice(name).get_dtype()
        if dtype not in _DTYPES:
            raise InputError(
                f"{path}: not a valid network file: {name[:60]!r} is {dtype}, not one of"
                f" {', '.join(_DTYPES)}; export it again"
            )
    return {name: file.get_tensor(name) for name in names}


def read(path: Path) -> Network:
    """Read and check a network file; InputError says what is wrong with it."""
    with tensorfile.opened(path, "a network file, which vaqf export makes") as file:
        header, vit = _check_header(path, file.metadata())
        reader = _Reader(path, _load(path, file))
    digest = _digest({key: header[key] for key in header if key != "sha256"}, reader.named)
    network = reader.network(header, vit)
    if header["sha256"] != digest:
        raise InputError(f"{path}: its sha256 does not match its content; export it again")
    return network
