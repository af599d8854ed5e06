"""Digits, 5-fold cross-validation over all 1,797 images: float, and w1a8, w1a6, w1a4 by `best`.

python benchmarks/cross_validation.py [--seeds 0 1 2] [--epochs 80] [--jobs 2] [--remember FILE]

Each seed makes its own folds and its own networks; nothing is chosen by looking at a fold. An
interrupted script goes on where it was (--remember). Fails when a bar is missed.
"""

import sys
from pathlib import Path

import numpy as np
import trials
from sklearn.model_selection import StratifiedKFold
from trials import Trial

from vaqf.images import made
from vaqf.model import zoo
from vaqf.quant.data import sources
from vaqf.quant.data.sources import Data

FOLDS = 5
BARS = {8: 0.7, 6: 1.0, 4: 1.5}  # points below float
FLOAT_BAR = 97.5


def fold_data(trial: Trial) -> Data:
    """Fold `what` of the folds of the trial's seed."""
    vit = zoo.load("vit_digits")
    parts = [made.digits(vit, split) for split in ("train", "test")]
    pixels, labels = (np.concatenate(both) for both in zip(*parts, strict=True))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=trial.seed).split(pixels, labels)
    learn, judge = list(folds)[int(trial.what)]
    return sources.arrays("digits", (pixels[learn], labels[learn]), (pixels[judge], labels[judge]))


def main() -> None:
    """One line per run, then the table of means over seeds beside the bars."""
    chosen = trials.arguments(__doc__, 80, "cross_validation.csv")
    if chosen.worker:
        trials.worker(chosen.worker, zoo.load("vit_digits"), fold_data)
        return
    groups = [
        [trials.trial(str(fold), "best", act_bits, seed, chosen.epochs) for act_bits in BARS]
        for seed in chosen.seeds
        for fold in range(FOLDS)
    ]
    trials.in_processes(Path(__file__), groups, chosen.remember, chosen.jobs)
    sys.exit(0 if report(trials.found(groups, chosen.remember), chosen.seeds) else 1)


def report(found: list[trials.Outcome], seeds: list[int]) -> bool:
    """Print means over seeds; whether every bar is met."""

    def mean(seed: int, act_bits: int, real: bool) -> float:
        values = [
            o.float_accuracy if real else o.accuracy
            for o in found
            if o.seed == seed and o.act_bits == act_bits
        ]
        return float(np.mean(values))

    floats = [mean(seed, 8, real=True) for seed in seeds]
    good = float(np.mean(floats)) >= FLOAT_BAR and all(o.export_equal for o in found)
    print(f"float  {np.mean(floats):6.2f} %   bar {FLOAT_BAR} %   seeds: {np.round(floats, 2)}")
    for act_bits, bar in BARS.items():
        below, spread = trials.spread(
            mean(seed, 8, real=True) - mean(seed, act_bits, real=False) for seed in seeds
        )
        accuracy = np.mean([mean(seed, act_bits, real=False) for seed in seeds])
        print(
            f"w1a{act_bits}   {accuracy:6.2f} %   below float {below:5.2f} +- {spread:.2f},"
            f" bar {bar}"
        )
        good = good and below <= bar
    print(f"export == eval on every test image: {all(o.export_equal for o in found)}")
    return good


if __name__ == "__main__":
    main()
