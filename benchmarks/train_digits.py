"""Train vit_digits at one or more precisions; print time and the integer network's accuracy.

python benchmarks/train_digits.py [--act-bits 8 4 2] [--seeds 0 1 2] [--epochs 40]
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from quant.export import export
from quant.train import train
from sim import golden
from vaqf import images
from vaqf import vit as zoo
from vaqf.api import EPOCHS


def main() -> None:
    """One line per run: precision, seed, float and integer accuracy on 360 images, seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--act-bits", type=int, nargs="+", default=[8])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    chosen = parser.parse_args()
    vit = zoo.load("vit_digits")
    pixels, labels = images.digits(vit, "test")
    print("w1aA  seed  float %  integer %  golden equal  seconds")
    with tempfile.TemporaryDirectory() as folder:
        for act_bits in chosen.act_bits:
            for seed in chosen.seeds:
                out = Path(folder) / f"a{act_bits}_{seed}.pt"
                start = time.perf_counter()
                trained = train(
                    vit, "digits", out, act_bits=act_bits, epochs=chosen.epochs, seed=seed
                )
                seconds = time.perf_counter() - start
                logits = golden.run(export(out), pixels)
                same = int((golden.labels(logits) == labels).sum()) == trained.correct
                print(
                    f"w1a{act_bits}  {seed:4}  {trained.float_correct / trained.images:7.1%}"
                    f"  {np.mean(golden.labels(logits) == labels):9.1%}"
                    f"  {'yes' if same else 'NO':>12}  {seconds:7.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
