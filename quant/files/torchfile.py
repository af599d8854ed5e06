"""torch files from outside, read without running what is in them."""

import argparse
import pickle
import struct
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from vaqf.errors import InputError
from vaqf.files import regular
from vaqf.files.fields import shown

RECORDS = [argparse.Namespace]  # of settings, beside the weights of DeiT, MAE and timm
WRAPPERS = ("model", "state_dict")  # DeiT's and Lightning's files keep more beside the weights
# what torch.load is known to raise on files that are truncated, of another kind or made to harm
_BROKEN = (
    OSError,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ImportError,
    ArithmeticError,
    MemoryError,
    struct.error,
)


def read_tensors(path: Path) -> Any:
    """What a torch file holds: tensors and plain values; InputError for anything else."""
    with regular.reading(path, "a file that torch wrote") as file:
        return _loaded(path, file)


def _loaded(path: Path, file: BinaryIO) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about files that are refused anyway
            with torch.serialization.safe_globals(RECORDS):
                return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path}: refused: it is no torch file, or it holds Python objects that could run code;"
            " save the state dict alone (tensors by name)"
        ) from error
    except _BROKEN as error:
        raise InputError(
            f"{path}: damaged or no torch file; copy it again or save the state dict anew"
        ) from error


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Every tensor of a state dict, plain or under `model` or `state_dict`, by its name there.

    bfloat16, which numpy lacks, comes as float32. Raises InputError for anything but tensors.
    """
    content = read_tensors(path)
    _refuse_checkpoint(path, content)
    for key in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not content:
        raise InputError(f"{path}: holds no tensors by name; save the model's state dict")
    return {name: _array(path, name, tensor) for name, tensor in content.items()}


def check_no_checkpoint(path: Path) -> None:
    """InputError for a checkpoint of vaqf train, which is no float model."""
    _refuse_checkpoint(path, read_tensors(path))


def _refuse_checkpoint(path: Path, content: Any) -> None:
    if isinstance(content, dict) and "vaqf_checkpoint" in content:
        raise InputError(
            f"{path}: a checkpoint of vaqf train; vaqf export makes the network of it for --weights"
            f", and its float model is {path.stem}.float.safetensors"
        )


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
