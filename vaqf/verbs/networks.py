"""Which integer network a build uses: a trained one, a float model's, or a random one."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaqf.files import regular, tensorfile
from vaqf.files.fields import check_whole
from vaqf.model.vit import Vit
from vaqf.network import calibrate, networkfile, parameters
from vaqf.network.structure import Network

WEIGHTS = "a network or a float model"
UNTRAINED = "binarized without training"


def trained(path: Path) -> Network | None:
    """The integer network in this file, or None if the file is a float model's."""
    regular.check(path, WEIGHTS)
    if networkfile.is_network(path):
        return networkfile.read(path)
    if path.suffix.lower() == ".safetensors":  # a damaged one is not asked for its --model
        with tensorfile.opened(path, WEIGHTS):
            pass
    return None


def check_no_checkpoint(path: Path) -> None:
    """InputError for a checkpoint of vaqf train, which knows its model but is no float model."""
    from vaqf.quant.files import floatmodel

    floatmodel.check_no_checkpoint(path)


def from_checkpoint(
    path: Path, vit: Vit, act_bits: int, images: NDArray[np.uint8], images_are: str
) -> Network:
    """A float model's file, binarized, its activations calibrated on images [B, S, S, C]."""
    from vaqf.quant.files import floatmodel

    origin = f"float checkpoint {path.name}, {UNTRAINED}, calibrated on {images_are}"
    return calibrate.calibrate(vit, act_bits, floatmodel.load(path, vit), images, origin[:500])


def from_seed(vit: Vit, act_bits: int, seed: int, images: NDArray[np.uint8]) -> Network:
    """Seeded random weights: for looking at hardware, not at accuracy."""
    check_whole(seed, "--seed", 0, parameters.MAX_SEED)
    params = parameters.random(vit, seed)
    return calibrate.calibrate(vit, act_bits, params, images, f"random weights, seed {seed}")
