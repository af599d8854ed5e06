"""Which integer network a build uses: a trained one, a float model's, or a random one."""

from pathlib import Path

from vaqf.errors import InputError
from vaqf.files import regular, tensorfile
from vaqf.files.fields import check_whole, shown
from vaqf.images import data as pictures
from vaqf.model import hubconfig, preprocessor
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


def as_described(path: Path | None, vit: Vit) -> tuple[Vit, tuple[str, ...]]:
    """The model as the files beside a float checkpoint describe it, and notes of what they change.

    Not beside a float model of our own, which was trained with the model's own preprocessing.
    """
    from vaqf.quant.files import floatmodel

    if path is None or (path.is_file() and floatmodel.is_ours(path)):
        return vit, ()
    described, notes = hubconfig.beside(path, vit)
    described, more = preprocessor.beside(path, described)
    return described, (*notes, *more)


def from_float(
    path: Path, key: str | None, vit: Vit, act_bits: int, data: str | None
) -> tuple[Network, tuple[str, ...]]:
    """A float model's file, binarized, its activations calibrated on the images of `data`, and
    what a person should know of its weights. `key`: which of them in a torch file of several."""
    from vaqf.quant.files import floatmodel

    model = floatmodel.load(path, vit, key)
    images = pictures.calibration(data, vit).read()
    origin = f"float checkpoint {path.name}, {UNTRAINED}, calibrated on {images.origin}"
    network = calibrate.calibrate(vit, act_bits, model.params, images.pixels, origin[:500])
    return network, model.notes


def check_key(key: str | None, is_float: bool) -> None:
    """InputError for --weights-key without the float model that it is of."""
    if key is not None and not is_float:
        raise InputError(
            f"--weights-key {shown(key)} chooses among the weights of a torch file; give such a"
            " float model, or leave it out"
        )


def from_seed(vit: Vit, act_bits: int, seed: int) -> Network:
    """Seeded random weights: for looking at hardware, not at accuracy."""
    check_whole(seed, "--seed", 0, parameters.MAX_SEED)
    images, params = pictures.calibration(None, vit).read(), parameters.random(vit, seed)
    origin = f"random weights, seed {seed}"
    return calibrate.calibrate(vit, act_bits, params, images.pixels, origin)
