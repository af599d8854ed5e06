"""Checkpoint -> integer network."""

from pathlib import Path

from quant.files import checkpoint as saved
from vaqf.network.structure import Network


def export(checkpoint: Path) -> Network:
    """The integer network of a checkpoint of vaqf train, the one its evaluation ran.

    Raises InputError for a file that is damaged, of another kind, or holds more than tensors.
    """
    model, origin = saved.read_model(checkpoint)
    return model.network(origin)
