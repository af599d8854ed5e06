"""Float weights out of torch files, as numpy arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from quant.files import checkpoint as saved
from vaqf.errors import InputError
from vaqf.files.fields import shown

WRAPPERS = ("model", "state_dict")  # DeiT's and Lightning's files keep more beside the weights


def read(path: Path) -> dict[str, NDArray[Any]]:
    """Every tensor of a state dict, plain or under `model` or `state_dict`, by its name there.

    bfloat16, which numpy lacks, comes as float32. Raises InputError for anything but tensors.
    """
    content = saved.read_tensors(path)
    if isinstance(content, dict) and "vaqf_checkpoint" in content:
        raise InputError(
            f"{path}: a checkpoint of vaqf train; vaqf export makes the network of it for --weights"
            f", and its float model is {path.stem}.float.safetensors"
        )
    for key in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not content:
        raise InputError(f"{path}: holds no tensors by name; save the model's state dict")
    return {name: _array(path, name, tensor) for name, tensor in content.items()}


def _array(path: Path, name: object, tensor: object) -> NDArray[Any]:
    if not isinstance(tensor, torch.Tensor):
        raise InputError(f"{path}: {shown(name)} is no tensor; save the model's state dict alone")
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        raise InputError(f"{path}: {shown(name)} is no dense tensor; save it as plain floats")
    if not tensor.dtype.is_floating_point:
        raise InputError(f"{path}: {shown(name)} holds {tensor.dtype}; float weights are needed")
    if tensor.dtype not in (torch.float16, torch.float32, torch.float64):
        tensor = tensor.float()
    return np.asarray(tensor.detach().numpy())
