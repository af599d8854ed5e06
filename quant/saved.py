"""The checkpoint of a trained model: one torch file of tensors and plain values.

Keys: `vaqf_checkpoint` (the schema), `vit` (the keys of a model file), `act_bits`, `origin`, and
`model` (the state dict of QuantVit). Read with weights_only, so a file cannot run code.
"""

import pickle
import struct
import warnings
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch

from quant.vit import QuantVit
from vaqf import arithmetic, checkpoint
from vaqf.errors import InputError
from vaqf.fields import check_keys, check_whole, shown
from vaqf.vit import Vit

SCHEMA = 1
KEYS = ("vaqf_checkpoint", "vit", "act_bits", "origin", "model")
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


def write(path: Path, model: QuantVit, origin: str) -> None:
    """The model's checkpoint, at a path that may be written (vaqf.output makes it atomic)."""
    content = {
        "vaqf_checkpoint": SCHEMA,
        "vit": asdict(model.vit),
        "act_bits": model.act_bits,
        "origin": origin,
        "model": dict(model.state_dict()),
    }
    torch.save(content, path)


def read_tensors(path: Path) -> Any:
    """What a torch file holds: tensors and plain values; InputError for anything else."""
    try:
        file = path.open("rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path}: cannot be read: {reason}") from error
    try:
        with file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about files that are refused anyway
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


def read(path: Path) -> tuple[QuantVit, str]:
    """The model of a checkpoint and where it comes from; InputError says what is wrong with it."""
    content = read_tensors(path)
    if not isinstance(content, dict) or "vaqf_checkpoint" not in content:
        raise InputError(
            f"{path}: not a checkpoint of vaqf train; float weights go to vaqf build --weights"
        )
    if content["vaqf_checkpoint"] != SCHEMA:
        raise InputError(
            f"{path}: checkpoint schema {content['vaqf_checkpoint']!r}, this version reads {SCHEMA}"
        )
    where = f"{path}: the checkpoint"
    check_keys(content, KEYS, where)
    for key in KEYS:
        if key not in content:
            raise InputError(f"{where} lacks {key}; train again")
    check_whole(
        content["act_bits"],
        f"{path}: act_bits",
        arithmetic.MIN_ACT_BITS,
        arithmetic.MAX_ACT_BITS,
    )
    if not isinstance(content["origin"], str):
        raise InputError(f"{path}: origin is no text; train again")
    vit, state = _vit(path, content["vit"]), content["model"]
    if not isinstance(state, dict):
        raise InputError(f"{path}: its model entry is no state dict; train again")
    _check_tensors(path, state, checkpoint.shapes(vit))  # before memory is taken for the model
    model = QuantVit(vit, content["act_bits"])
    own = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    _check_tensors(path, state, own)
    for name in state:
        if name not in own:
            raise InputError(f"{path}: {shown(name)} does not belong to this model; train again")
    model.load_state_dict(state)
    return model.eval(), content["origin"]


def _vit(path: Path, described: Any) -> Vit:
    keys = {field.name for field in fields(Vit)}
    if not isinstance(described, dict) or set(described) != keys:
        raise InputError(f"{path}: its vit entry does not have the keys of a model; train again")
    sequences = (list, tuple)
    return Vit(**{k: tuple(v) if isinstance(v, sequences) else v for k, v in described.items()})


def _check_tensors(
    path: Path, state: Mapping[str, Any], wanted: Mapping[str, tuple[int, ...]]
) -> None:
    """Every wanted tensor is there, dense float32 of its shape, and finite."""
    for name, shape in wanted.items():
        if name not in state:
            raise InputError(f"{path}: {name} is missing; train again")
        tensor = state[name]
        if not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided:
            raise InputError(f"{path}: {name} is no dense tensor; train again")
        if tensor.shape != shape or tensor.dtype != torch.float32:
            raise InputError(
                f"{path}: {name} is {tensor.dtype} {list(tensor.shape)}, not torch.float32"
                f" {list(shape)}; train again"
            )
        if not torch.isfinite(tensor).all():
            raise InputError(f"{path}: {name} holds NaN or infinity; train again")
