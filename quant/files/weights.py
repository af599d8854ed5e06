"""Float weights from the files that other libraries write: safetensors, torch."""

from pathlib import Path

from quant import require
from vaqf.errors import InputError
from vaqf.model.vit import Vit
from vaqf.network.floatfile import read_safetensors
from vaqf.network.parameters import FloatArray, adopt

NUMPY_FILES = (".safetensors",)
TORCH_FILES = (".pth", ".pt", ".bin")


def load(path: Path, vit: Vit) -> dict[str, FloatArray]:
    """The float parameters of a checkpoint file, by timm's names, float32.

    `.safetensors` is read with numpy alone; `.pth`, `.pt` and `.bin` need torch (ToolMissing
    without) and are read without running any code in them. Raises InputError for a file that is
    damaged, of another kind, or does not fit the model.
    """
    suffix = path.suffix.lower()
    if suffix in NUMPY_FILES:
        return adopt(path, read_safetensors(path), vit)
    if suffix not in TORCH_FILES:
        allowed = ", ".join(NUMPY_FILES + TORCH_FILES)
        raise InputError(f"{path}: the name of a checkpoint ends in one of {allowed}")
    require()
    from quant.files import torchfile

    return adopt(path, torchfile.read_weights(path), vit)
