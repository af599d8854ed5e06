"""Float tensors out of a safetensors file."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaqf.errors import InputError
from vaqf.files import tensorfile
from vaqf.network.parameters import FloatArray

WHAT = "float weights by name, as timm and transformers save them"


def read_safetensors(path: Path) -> dict[str, FloatArray]:
    """Every tensor of a safetensors file; bfloat16, which numpy lacks, comes as float32."""
    with tensorfile.opened(path, WHAT) as file:
        if "vaqf" in (file.metadata() or {}):
            raise InputError(f"{path}: holds an integer network already, no float weights")
        data = np.fromfile(path, np.uint8)
    start = 8 + int.from_bytes(data[:8].tobytes(), "little")
    header = json.loads(data[8:start].tobytes())
    found = {}
    for name, entry in header.items():
        if name != "__metadata__":
            low, high = entry["data_offsets"]
            raw = data[start + low : start + high]
            found[name] = _array(path, name, entry["dtype"], raw).reshape(entry["shape"])
    return found


def _array(path: Path, name: str, dtype: str, raw: NDArray[np.uint8]) -> FloatArray:
    plain = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}
    if dtype in plain:
        return raw.view(plain[dtype])
    if dtype == "BF16":  # the upper half of a float32
        return (raw.view("<u2").astype(np.uint32) << 16).view(np.float32)
    raise InputError(
        f"{path}: {name} holds {dtype}; float weights are needed (F64, F32, F16 or BF16)"
    )
