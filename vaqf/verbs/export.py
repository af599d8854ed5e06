"""The verb export: checkpoint to integer network or QONNX."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vaqf.errors import InputError

if TYPE_CHECKING:
    from vaqf.network.structure import Network


def export(
    checkpoint: str | Path,
    out: str | Path | None = None,
    qonnx: bool = False,
    force: bool = False,
) -> tuple[Network, Path]:
    """Write the integer network of a checkpoint; `out` None puts it beside the checkpoint.

    `qonnx` writes the model as training computes it instead, as QONNX for FINN's tools.
    """
    from vaqf.files import output
    from vaqf.network import networkfile

    path = Path(checkpoint)
    if not path.exists():
        raise InputError(f"{path}: there is no such file; vaqf train writes it")
    if path.suffix == ".safetensors" or not path.is_file():
        raise InputError(f"{path} is no checkpoint of vaqf train, which writes a .pt file")
    suffix = ".qonnx.onnx" if qonnx else ".safetensors"
    place = path.with_suffix(suffix) if out is None else Path(out)
    if place.resolve() == path.resolve():
        raise InputError(f"{place} is the checkpoint itself; give the network another name with -o")
    from vaqf import quant

    quant.require()
    if qonnx:
        quant.require_qonnx()
    from vaqf.quant.files import checkpoint as saved

    model, origin = saved.read_model(path)
    made = model.network(origin)
    if qonnx:
        from vaqf.quant.files import qonnx as graphs

        with output.new_file(place, force, graphs.is_ours) as partial:
            graphs.write(model, partial)
    else:
        with output.new_file(place, force, networkfile.is_network) as partial:
            partial.write_bytes(networkfile.to_bytes(made))
    return made, place
