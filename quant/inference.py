"""Networks in torch on numpy images, on a GPU where there is one: what `vaqf evaluate` may run."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaqf.errors import InputError
from vaqf.model.vit import Vit
from vaqf.network.structure import Network
from vaqf.quant.files import floatmodel
from vaqf.quant.model import integers, threads
from vaqf.quant.model.vit import FloatVit

Pixels = NDArray[np.uint8]


def device() -> torch.device:
    """The first GPU of this machine, or its CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def integer_logits(
    network: Network, pixels: Pixels, record: Callable[[str, Tensor], None]
) -> NDArray[np.int32]:
    """Logits [B, classes] of uint8 images [B, S, S, C], golden's; `record` as in integers.run."""
    with threads.fitting(network.vit):
        logits = integers.run(network, torch.from_numpy(pixels).to(device()), record)
    return logits.cpu().numpy().astype(np.int32)


def histogram(values: Tensor, low: int, levels: int) -> NDArray[np.int64]:
    """How often each of the integers low, low + 1, ... occurs, counted where the values are."""
    return torch.bincount((values - low).flatten(), minlength=levels).cpu().numpy()


def float_model(path: Path, vit: Vit) -> Callable[[Pixels], NDArray[np.float32]]:
    """The float model of a file: uint8 images [B, S, S, C] -> logits [B, classes].

    Raises InputError for a file without the arrays of this model, and for logits that are not
    finite.
    """
    model = FloatVit(vit)
    model.load_params(floatmodel.load(path, vit))
    model.eval().to(device())

    @torch.no_grad()
    def logits(pixels: Pixels) -> NDArray[np.float32]:
        with threads.fitting(vit):
            values = model(torch.from_numpy(pixels).to(device())).cpu().numpy()
        if not np.isfinite(values).all():
            raise InputError(f"{path}: its logits are not finite; check the scale of its weights")
        return values

    return logits
