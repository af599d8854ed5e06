"""The verbs: one function each, with the name and the defaults of the command line.

Each raises the typed exceptions of vaqf.errors. Modules that need numpy, torch or a file on disk
are imported inside the function that needs them.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaqf.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from quant.train import Trained
    from vaqf.board import Board
    from vaqf.design import Design
    from vaqf.environment import Tool
    from vaqf.images import Data
    from vaqf.network import Network
    from vaqf.search import Search
    from vaqf.vit import Vit

Report = Callable[[str, int, int], None]
"""Progress: what is being done, how many are done, of how many."""

EVALUATE_IMAGES = 64  # read and run at a time: 10 MB of pixels at 224 x 224
DESIGN_BYTES = 65_536  # ours are under 1 kB
HOME = Path(__file__).resolve().parents[1]


def silent(what: str, done: int, of: int) -> None:
    """The default Report."""


def models() -> list[Vit]:
    """Every model known by name."""
    from vaqf import vit

    return [vit.load(name) for name in vit.names()]


def boards() -> list[Board]:
    """Every board known by name."""
    from vaqf import board

    return [board.load(name) for name in board.names()]


def doctor() -> list[Tool]:
    """The outside tools that verbs use, present or not."""
    from vaqf import environment

    return environment.tools()


def estimate(
    model: str | None = None,
    board: str | None = None,
    fps: float | None = None,
    act_bits: int | None = None,
    engine: str = "table",
    clock_mhz: float | None = None,
    lut_budget: int | None = None,
    design: str | Path | None = None,
) -> Search:
    """Precision, design, FPS, resources and layers of a model on a board; writes nothing.

    `fps` None asks for the fastest legal design. A target that cannot be met is an answer, not an
    error: `.feasible` is False and `.estimate` is the best there is.
    """
    vit, device = load_model(model), load_board(board)
    pinned = None if design is None else load_design(Path(design))
    from vaqf import search

    return search.search(
        vit,
        device,
        target_fps=fps,
        act_bits=act_bits,
        engine=engine,
        clock_mhz=clock_mhz,
        lut_budget=lut_budget,
        design=pinned,
    )


def train(
    model: str | None = None,
    data: str | None = None,
    out: str | Path | None = None,
    act_bits: int = 8,
    epochs: int = 80,
    seed: int = 0,
    force: bool = False,
    report: Report = silent,
) -> tuple[Trained, Path]:
    """Train a model with binary weights and `act_bits` activations; writes a checkpoint.

    `out` None names it after model and precision in the current folder.
    """
    vit = load_model(model)
    if data is None:
        raise InputError("--data is missing; this version trains on digits")
    use("quant").require()
    from quant import train as training

    def each_epoch(progress: training.Progress) -> None:
        report(
            f"{progress.stage} epochs, loss {progress.loss:.3f}", progress.epoch, progress.epochs
        )

    place = Path(f"{vit.name}_w1a{act_bits}.pt" if out is None else out)
    trained = training.train(
        vit,
        data,
        place,
        act_bits=act_bits,
        epochs=epochs,
        seed=seed,
        force=force,
        progress=each_epoch,
    )
    return trained, place


def export(
    checkpoint: str | Path, out: str | Path | None = None, force: bool = False
) -> tuple[Network, Path]:
    """Write the integer network of a checkpoint; `out` None puts it beside the checkpoint."""
    from vaqf import network, output

    path = Path(checkpoint)
    if path.suffix == ".safetensors" or not path.is_file():
        raise InputError(f"{path} is no checkpoint of vaqf train, which writes a .pt file")
    place = path.with_suffix(".safetensors") if out is None else Path(out)
    use("quant").require()
    from quant import export as exporting

    made = exporting.export(path)
    with output.new_file(place, force) as partial:
        partial.write_bytes(network.to_bytes(made))
    return made, place


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What an integer network says of images."""

    network: Network
    data: Data
    logits: NDArray[np.int32]  # [images, classes]
    classes: NDArray[np.int64]  # [images]

    @property
    def correct(self) -> int | None:
        """Images of the right class; None when the images have no labels."""
        labels = self.data.labels
        return None if labels is None else int((self.classes == labels).sum())


def evaluate(
    weights: str | Path,
    data: str | None = None,
    images: int | None = None,
    report: Report = silent,
) -> Evaluation:
    """Run an integer network on images: the very numbers the hardware gives."""
    import numpy as np

    from vaqf import images as pictures
    from vaqf import network as networks

    network = networks.read(Path(weights))
    chosen = pictures.load(data, network.vit, images)
    use("sim")
    from sim import golden

    parts = []
    for start in range(0, len(chosen), EVALUATE_IMAGES):
        report("images", start, len(chosen))
        parts.append(golden.run(network, chosen.pixels(start, start + EVALUATE_IMAGES)))
    report("images", len(chosen), len(chosen))
    logits = np.concatenate(parts)
    return Evaluation(network, chosen, logits, golden.labels(logits))


def load_model(name: str | None) -> Vit:
    """The model of --model; InputError with the list when there is none."""
    from vaqf import vit

    if name is None:
        known = ", ".join(vit.names())
        raise InputError(f"--model is missing; known are {known}, or a YAML file")
    return vit.load(name)


def load_board(name: str | None) -> Board:
    """The board of --board; InputError with the list when there is none."""
    from vaqf import board

    if name is None:
        raise InputError(
            f"--board is missing; known are {', '.join(board.names())}, or a YAML file"
        )
    return board.load(name)


def load_design(path: Path) -> Design:
    """The design of --design; InputError for a file that is none."""
    from vaqf import design

    try:
        with path.open("rb") as file:
            text = file.read(DESIGN_BYTES + 1)
        if len(text) > DESIGN_BYTES:
            raise InputError(f"{path} has more than {DESIGN_BYTES} bytes; it is no design.json")
        content = json.loads(text)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON; --design takes the design.json of a build") from error
    return design.from_json(content)


def use(package: str) -> Any:
    """Import our own `sim` or `quant`, even where a user's folder has the same name."""
    sys.path.insert(0, str(HOME))
    try:
        module = importlib.import_module(package)
    finally:
        sys.path.remove(str(HOME))
    found = Path(str(module.__file__)).resolve().parent
    if found != HOME / package:
        raise InputError(f"{found} hides vaqf's own package {package}; run elsewhere or rename it")
    return module
