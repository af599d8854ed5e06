"""Float models from the files that other libraries write: safetensors, torch."""

from collections.abc import Mapping
from pathlib import Path

from safetensors.numpy import save

from vaqf.errors import InputError
from vaqf.files import tensorfile
from vaqf.model.vit import Vit
from vaqf.network.floatfile import read_safetensors
from vaqf.network.parameters import FloatArray, adopt
from vaqf.quant import require

NUMPY_FILES = (".safetensors",)
MADE_BY = {"made_by": "vaqf train"}
TORCH_FILES = (".pth", ".pt", ".bin", ".ckpt", ".pth.tar")


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


def load(path: Path, vit: Vit) -> dict[str, FloatArray]:
    """The parameters of a float model's file, by timm's names, float32.

    `.safetensors` is read with numpy alone; those of torch (TORCH_FILES) need torch (ToolMissing
    without) and are read without running any code in them. Raises InputError for a file that is
    damaged, of another kind, or does not fit the model.
    """
    if path.name.lower().endswith(NUMPY_FILES):
        return adopt(path, read_safetensors(path), vit)
    if not _is_torch_file(path):
        allowed = ", ".join(NUMPY_FILES + TORCH_FILES)
        raise InputError(f"{path}: the name of a float model's file ends in one of {allowed}")
    require()
    from vaqf.quant.files import torchfile

    return adopt(path, torchfile.read_arrays(path), vit)
