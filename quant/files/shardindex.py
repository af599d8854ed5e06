"""One float model in several files: Hugging Face's model.safetensors.index.json."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vaqf.errors import InputError
from vaqf.files import smallfile
from vaqf.files.fields import shown
from vaqf.network.parameters import FloatArray

Tensors = tuple[dict[str, FloatArray], list[str]]  # of a file by their names, and notes
MAX_BYTES = 2**24
WHAT = '{"weight_map": {tensor: file}}, as transformers writes it'


def read(path: Path, read_file: Callable[[Path], Tensors]) -> Tensors:
    """The tensors that an index names, each from its file beside it, and the notes of all files.

    Raises InputError for a file that is not beside the index, and for a tensor that is not in its
    file.
    """
    places = _places(path)
    files = {name: _beside(path, name) for name in dict.fromkeys(places.values())}
    found: dict[str, FloatArray] = {}
    notes: list[str] = []
    for name, file in files.items():
        tensors, said = read_file(file)
        notes += (f"{name}: {note}" for note in said)
        for tensor in (tensor for tensor, place in places.items() if place == name):
            if tensor not in tensors:
                raise InputError(
                    f"{path}: {shown(tensor)} is not in {name}; copy the model's files again"
                )
            found[tensor] = tensors[tensor]
    return found, notes


def _places(path: Path) -> dict[str, str]:
    """The name of its file for every tensor."""
    content: dict[str, Any] = smallfile.read_object(path, MAX_BYTES, WHAT)
    places = content.get("weight_map")
    if not isinstance(places, dict) or not places:
        raise InputError(f"{path}: has no weight_map; an index is {WHAT}")
    for tensor, name in places.items():
        if not isinstance(name, str):
            raise InputError(f"{path}: the file of {shown(tensor)} is {shown(name)}, no text")
    return places


def _beside(path: Path, name: str) -> Path:
    """A file of the index's own folder, with tensors in it; the index is not trusted."""
    if not name or Path(name).name != name or name.lower().endswith(".json"):
        raise InputError(
            f"{path}: names {shown(name)}; the files of an index lie beside it, under a plain name"
        )
    file = path.with_name(name)
    if not file.exists():
        raise InputError(f"{path}: {name} is not beside it; copy all files of the model")
    return file
