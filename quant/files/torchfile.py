"""torch files from outside, read without running what is in them."""

import argparse
import pickle
import re
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from vaqf.errors import InputError
from vaqf.files import regular
from vaqf.files.fields import shown

RECORDS = [argparse.Namespace]  # of settings, beside the weights of DeiT, MAE and timm
# where files keep a state dict beside other things: timm's, DeiT's, Lightning's, torch's tutorials;
# of averaged weights (EMA) and of others
EMA = ("state_dict_ema", "model_ema", "ema", "ema_state_dict", "model_ema_state_dict")
PLAIN = ("state_dict", "model", "model_state_dict", "module")
# keys of what may be averaged
_AVERAGES = re.compile(r"(?:^|[_.])(?:ema|swa)(?:$|[_.])|averag|shadow", re.IGNORECASE)
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
    _refuse_packed(path, file)
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


def _refuse_packed(path: Path, file: BinaryIO) -> None:
    """InputError for a zip file whose parts are compressed: torch writes none, and unpacked they
    may be as large as anything."""
    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as parts:
                packed = any(one.compress_type != zipfile.ZIP_STORED for one in parts.infolist())
            if packed:
                raise InputError(
                    f"{path}: its parts are compressed, which torch does not do; unpack it"
                )
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        pass  # torch says what is wrong
    finally:
        file.seek(0)


def read_arrays(path: Path, key: str | None = None) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """The tensors of a state dict by their names, and notes of which one was taken.

    It may be the file's content, or lie in it under one of EMA and PLAIN, or under `key`; where
    there are several, averaged weights come first, as timm has it. bfloat16, which numpy lacks,
    comes as float32. Raises InputError for anything but tensors.
    """
    content = read_tensors(path)
    _refuse_checkpoint(path, content)
    state, notes = _chosen(path, content, key)
    counters = [name for name, value in state.items() if _is_counter(value)]
    if counters:
        notes.append(f"{', '.join(map(shown, counters))}: left out, no weights")
    return {
        name: _array(path, name, tensor) for name, tensor in state.items() if name not in counters
    }, notes


def _chosen(path: Path, content: Any, key: str | None) -> tuple[dict[Any, Any], list[str]]:
    """The state dict of a file, and what a person should know of the choice."""
    held = _states(content)
    if key is not None:
        if key not in held:
            known = f"; it has {', '.join(map(shown, held))}" if held else ""
            raise InputError(f"{path}: --weights-key {shown(key)} names no weights in it{known}")
        return _inner(held[key]), []
    known = [name for name in EMA + PLAIN if name in held]
    if not known:
        if _is_state(content):
            return content, []
        if held:
            raise InputError(
                f"{path}: holds weights under {', '.join(map(shown, held))}; give the one to take"
                " as --weights-key"
            )
        raise InputError(f"{path}: holds no tensors by name; save the model's state dict")
    taken, *others = known
    notes = []
    if others or taken in EMA:
        averaged = " (averaged, as timm chooses)" if taken in EMA else ""
        rest = f"; --weights-key {others[0]} takes others" if others else ""
        notes.append(f"the weights are those under {taken}{averaged}{rest}")
    unknown = [
        name
        for name, value in content.items()
        if _AVERAGES.search(str(name)) and name not in known and isinstance(value, dict | list)
    ]
    if unknown and taken not in EMA:
        notes.append(
            f"{', '.join(map(shown, unknown))}: left out, though it may hold averaged weights; save"
            " their state dict alone to take them"
        )
    return _inner(held[taken]), notes


def _states(content: Any) -> dict[str, Any]:
    """What of a file may be a state dict, by its key."""
    if not isinstance(content, dict):
        return {}
    return {
        name: value
        for name, value in content.items()
        if isinstance(name, str) and isinstance(value, dict) and _is_state(_inner(value))
    }


def _inner(state: dict[Any, Any]) -> dict[Any, Any]:
    """A state dict that lies one deeper, as {"ema": {"module": tensors}}."""
    inside = [state[key] for key in PLAIN if isinstance(state.get(key), dict)]
    return inside[0] if inside and not _is_state(state) else state


def _is_counter(value: Any) -> bool:
    """A number beside the tensors: of epochs, of averaged models, a metric's count."""
    if isinstance(value, torch.Tensor):
        return value.ndim == 0 and not value.dtype.is_floating_point
    return isinstance(value, bool | int | float | str)


def _is_state(content: Any) -> bool:
    """Whether these are tensors by name, though one may be something else."""
    return isinstance(content, dict) and any(
        isinstance(value, torch.Tensor) for value in content.values()
    )


def check_no_checkpoint(path: Path) -> None:
    """InputError for a checkpoint of vaqf train, which is no float model."""
    _refuse_checkpoint(path, read_tensors(path))


def _refuse_checkpoint(path: Path, content: Any) -> None:
    if isinstance(content, dict) and "vaqf_checkpoint" in content:
        real = path.with_suffix(".float.safetensors")
        beside = f", and its float model is {real.name}" if real.exists() else ""
        raise InputError(
            f"{path}: a checkpoint of vaqf train; vaqf export makes the network of it for --weights"
            f"{beside}"
        )


def _array(path: Path, name: object, tensor: object) -> NDArray[Any]:
    if not isinstance(tensor, torch.Tensor):
        raise InputError(f"{path}: {shown(name)} is no tensor; save the model's state dict alone")
    dense = tensor.layout == torch.strided and not tensor.is_quantized and not tensor.is_meta
    # a tensor may say that it is larger than what the file holds, with strides of 0
    if not dense or tensor.nbytes > tensor.untyped_storage().nbytes():
        raise InputError(f"{path}: {shown(name)} is no dense tensor; save it as plain floats")
    if not tensor.dtype.is_floating_point:
        raise InputError(f"{path}: {shown(name)} holds {tensor.dtype}; float weights are needed")
    if tensor.dtype not in (torch.float16, torch.float32, torch.float64):
        tensor = tensor.float()
    return np.asarray(tensor.detach().numpy())
