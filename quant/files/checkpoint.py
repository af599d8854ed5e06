"""The checkpoint of a run: one torch file of tensors and plain values.

Keys: `vaqf_checkpoint` (the schema), `vit` (the keys of a model file), `act_bits`, `style` (the
keys of BinaryStyle), `origin`, `model` (the state dict of QuantVit; None while the float model
trains), `result` (None until the run is done) and `run` (what a resumed run needs).
Read with weights_only, so a file cannot run code.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import nn

from vaqf.arithmetic import widths
from vaqf.errors import InputError
from vaqf.files import output
from vaqf.files.fields import check_keys, check_whole, shown
from vaqf.model import vit as vits
from vaqf.model.vit import Vit
from vaqf.network import parameters
from vaqf.network.structure import Network
from vaqf.quant.files.torchfile import read_tensors
from vaqf.quant.model.vit import BinaryStyle, QuantVit
from vaqf.quant.recipe.recipe import SCALES

SCHEMA = 4  # 2, 3: without some keys of a model that vit.LATER names
READ = (2, 3, SCHEMA)
FLOAT = torch.float32  # what training computes in, and a checkpoint holds
KEYS = ("vaqf_checkpoint", "vit", "act_bits", "style", "origin", "model", "result", "run")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a checkpoint file says; see the keys above."""

    vit: Vit
    act_bits: int
    style: BinaryStyle
    origin: str
    model: QuantVit | None
    result: Any
    run: Any  # checked by vaqf.quant.training.resume, which reads it


def check_place(path: Path) -> None:
    """InputError unless a checkpoint can be written at `path`; call it before the work starts."""
    with output.writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # a name of its own: another run may be writing its partial file
        tempfile.NamedTemporaryFile(prefix=_partial(path).name, dir=path.parent).close()


def _partial(path: Path) -> Path:
    """Where a checkpoint is written before it takes its place: always the same name, so that a
    killed run leaves at most one such file and the next save takes it over."""
    return path.with_name(f".{path.name}.partial")


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Replace the checkpoint at `path`, whole or not at all; InputError where the disk refuses."""
    partial = _partial(path)
    with output.writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                _save({"vaqf_checkpoint": SCHEMA, **content}, file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def _save(content: Mapping[str, Any], file: BinaryIO) -> None:
    """torch.save that passes on why a write failed, be it the disk or Ctrl-C."""
    try:
        torch.save(content, file)
    except RuntimeError as error:  # of torch's zip writer, which closes on the first failure
        cause = error.__context__
        if isinstance(cause, OSError | KeyboardInterrupt):
            raise cause from None
        raise


def is_checkpoint(path: Path) -> bool:
    """Whether a file is a checkpoint of vaqf train, of this schema or another."""
    try:
        content = read_tensors(path)
    except InputError:
        return False
    return isinstance(content, dict) and "vaqf_checkpoint" in content


def read(path: Path) -> Checkpoint:
    """A checkpoint; InputError says what is wrong with it."""
    content = read_tensors(path)
    if not isinstance(content, dict) or "vaqf_checkpoint" not in content:
        raise InputError(
            f"{path}: not a checkpoint of vaqf train; float weights go to vaqf build --weights"
        )
    if type(content["vaqf_checkpoint"]) is not int or content["vaqf_checkpoint"] not in READ:
        raise InputError(
            f"{path}: checkpoint schema {shown(content['vaqf_checkpoint'])}, this version reads"
            f" {SCHEMA}; train again"
        )
    where = f"{path}: the checkpoint"
    check_keys(content, KEYS, where)
    for key in KEYS:
        if key not in content:
            raise InputError(f"{where} lacks {key}; train again")
    act_bits = content["act_bits"]
    check_whole(act_bits, f"{path}: act_bits", widths.MIN_ACT_BITS, widths.MAX_ACT_BITS)
    if not isinstance(content["origin"], str):
        raise InputError(f"{path}: origin is no text; train again")
    vit, style = _vit(path, content["vit"]), _style(path, content["style"])
    state = content["model"]
    model = None if state is None else _model(path, vit, act_bits, style, state)
    return Checkpoint(
        vit, act_bits, style, content["origin"], model, content["result"], content["run"]
    )


def read_model(path: Path) -> tuple[QuantVit, str]:
    """The model of a checkpoint, in evaluation, and where it comes from."""
    saved = read(path)
    if saved.model is None:
        raise InputError(
            f"{path}: its run is still training the float model; go on with vaqf train --resume"
        )
    return saved.model.eval(), saved.origin


def export(path: Path) -> Network:
    """The integer network of a checkpoint of vaqf train, the one its evaluation ran.

    Raises InputError for a file that is damaged, of another kind, or holds more than tensors.
    """
    model, origin = read_model(path)
    return model.network(origin)


def _model(path: Path, vit: Vit, act_bits: int, style: BinaryStyle, state: Any) -> QuantVit:
    check_state(path, state, parameters.array_shapes(vit))  # before memory is taken for the model
    model = QuantVit(vit, act_bits, style)
    load_state(path, model, state)
    return model


def load_state(path: Path, model: nn.Module, state: Any) -> None:
    """Put a state dict from a file into a model of just those names and shapes."""
    own = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    check_state(path, state, own)
    for name in state:
        if name not in own:
            raise InputError(f"{path}: {shown(name)} does not belong to this model; train again")
    # in place, for load_state_dict makes Brevitas's quantizers anew: new parameters, no settings
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            tensor.copy_(state[name])


def _style(path: Path, described: Any) -> BinaryStyle:
    keys = {field.name for field in fields(BinaryStyle)}
    good = isinstance(described, dict) and set(described) == keys
    if not good or type(described["centred"]) is not bool or described["scale"] not in SCALES:
        raise InputError(f"{path}: its style entry is not that of binary weights; train again")
    return BinaryStyle(**described)


def _vit(path: Path, described: Any) -> Vit:
    try:
        return vits.from_record(described)
    except InputError as error:
        raise InputError(f"{path}: {error}; train again") from error


def check_state(path: Path, state: Any, wanted: Mapping[str, tuple[int, ...]]) -> None:
    """`state` is a state dict, and every wanted tensor there is dense float32, finite, in shape."""
    if not isinstance(state, dict):
        raise InputError(f"{path}: its model entry is no state dict; train again")
    for name, shape in wanted.items():
        if name not in state:
            raise InputError(f"{path}: {name} is missing; train again")
        tensor = state[name]
        if not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided:
            raise InputError(f"{path}: {name} is no dense tensor; train again")
        if tensor.shape != shape or tensor.dtype != FLOAT:
            raise InputError(
                f"{path}: {name} is {tensor.dtype} {list(tensor.shape)}, not {FLOAT}"
                f" {list(shape)}; train again"
            )
        if not torch.isfinite(tensor).all():
            raise InputError(f"{path}: {name} holds NaN or infinity; train again")
