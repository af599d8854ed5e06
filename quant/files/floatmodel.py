"""Float models from the files that other libraries write: safetensors, torch, an index of them."""

import re
from collections.abc import Mapping
from pathlib import Path

from safetensors.numpy import save

from vaqf.errors import InputError
from vaqf.files import tensorfile
from vaqf.model.vit import Vit
from vaqf.network.adopt import FloatModel, adopt
from vaqf.network.floatfile import read_safetensors
from vaqf.network.parameters import FloatArray
from vaqf.quant import require
from vaqf.quant.files import shardindex

NUMPY_FILES = (".safetensors",)
MADE_BY = {"made_by": "vaqf train"}
TORCH_FILES = (".pth", ".pt", ".bin", ".ckpt", ".pth.tar")
INDEX = ".index.json"  # Hugging Face's, of one model in several files
_PART = re.compile(r"-\d{5}-of-(\d{5})\.")
_NO_KEY = "--weights-key is of torch files that hold several weights; leave it out"


def to_bytes(params: Mapping[str, FloatArray]) -> bytes:
    """A safetensors file of float parameters by timm's names, which says that vaqf made it."""
    return save(dict(params), metadata=MADE_BY)


def is_ours(path: Path) -> bool:
    """Whether `to_bytes` made a file."""
    try:
        with tensorfile.opened(path, "a float model") as file:
            return MADE_BY.items() <= (file.metadata() or {}).items()
    except InputError:
        return False


def _is_torch_file(path: Path) -> bool:
    return path.name.lower().endswith(TORCH_FILES)


def check_no_checkpoint(path: Path) -> None:
    """InputError for a checkpoint of vaqf train; ToolMissing without torch for a torch file."""
    if _is_torch_file(path):
        require()
        from vaqf.quant.files import torchfile

        torchfile.check_no_checkpoint(path)


def load(path: Path, vit: Vit, key: str | None = None) -> FloatModel:
    """A float model's file: its parameters by timm's names, float32, and notes.

    `.safetensors` is read with numpy alone; those of torch (TORCH_FILES) need torch (ToolMissing
    without) and are read without running any code in them; `.index.json` is Hugging Face's list
    of several such files. key: which weights of a torch file. Raises InputError for a file that is
    damaged, of another kind, or does not fit the model.
    """
    if path.is_dir():
        raise InputError(
            f"{path}: cannot be read: it is a folder; give a file of it, as"
            f" {path / 'model.safetensors'}"
        )
    part = _PART.search(path.name)
    if part is not None and int(part[1]) > 1:
        raise InputError(
            f"{path}: is one of {int(part[1])} files of a model; give their index, as"
            f" {path.with_name('model.safetensors' + INDEX)}"
        )
    if not path.name.lower().endswith(INDEX):
        arrays, notes = _arrays(path, key)
    elif key is None:
        arrays, notes = shardindex.read(path, lambda file: _arrays(file, None))
    else:
        raise InputError(_NO_KEY)
    model = adopt(path, arrays, vit, is_ours(path))
    return FloatModel(model.params, (*notes, *model.notes))


def _arrays(path: Path, key: str | None) -> tuple[dict[str, FloatArray], list[str]]:
    """The tensors of one file."""
    if path.name.lower().endswith(NUMPY_FILES):
        if key is not None:
            raise InputError(_NO_KEY)
        return read_safetensors(path), []
    if not _is_torch_file(path):
        allowed = ", ".join((*NUMPY_FILES, *TORCH_FILES, INDEX))
        raise InputError(f"{path}: the name of a float model's file ends in one of {allowed}")
    require()
    from vaqf.quant.files import torchfile

    return torchfile.read_arrays(path, key)
