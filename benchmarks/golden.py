"""Time and memory of golden: DeiT-base on one image, and a digits-sized network on 360 images.

Run: python benchmarks/golden.py. Weights and pixels are seeded random; they do not change the time.
Each measurement is a fresh process that reads the network file and runs it; best of three runs.
Linux only.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from vaqf.model import vit, zoo
from vaqf.network import calibrate, networkfile, parameters
from vaqf.sim import golden

CASES = (("deit_base", 1, 3.0, 3.0), ("vit_digits", 360, 5.0, 3.0))  # model, images, s, GB
RUNS = 3


def random_images(model: vit.Vit, count: int) -> np.ndarray:
    """uint8 noise [count, S, S, C]."""
    shape = (count, model.image_size, model.image_size, model.channels)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def write_network(name: str, act_bits: int, path: Path) -> None:
    """Seeded random weights, calibrated on one noise image."""
    model = zoo.load(name)
    params = parameters.random(model, 0)
    net = calibrate.calibrate(model, act_bits, params, random_images(model, 1), "random, seed 0")
    path.write_bytes(networkfile.to_bytes(net))


def measure(path: Path, count: int) -> None:
    """Print seconds to read, seconds of the best of RUNS runs, and the process's peak in GB."""
    start = time.perf_counter()
    net = networkfile.read(path)
    read_s = time.perf_counter() - start
    images = random_images(net.vit, count)
    run_s = []
    for _ in range(RUNS):
        start = time.perf_counter()
        golden.run(net, images)
        run_s.append(time.perf_counter() - start)
    # not ru_maxrss: a child inherits its parent's
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(read_s, min(run_s), int(status["VmHWM"].split()[0]) / 2**20)


def main() -> None:
    """Print measured against bar, and fail if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--act-bits", type=int, default=8)
    parser.add_argument("--measure", nargs=2, metavar=("FILE", "IMAGES"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(Path(arguments.measure[0]), int(arguments.measure[1]))
        return
    missed = False
    print(
        f"{'model':12}{'images':>8}{'read s':>9}{'run s':>9}{'bar s':>8}{'peak GB':>9}{'bar GB':>8}"
    )
    for name, count, bar_s, bar_gb in CASES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "net.safetensors"
            write_network(name, arguments.act_bits, path)
            command = [sys.executable, __file__, "--measure", str(path), str(count)]
            answer = subprocess.run(command, check=True, capture_output=True, text=True)
        read_s, run_s, peak = map(float, answer.stdout.split())
        missed |= run_s > bar_s or peak > bar_gb
        row = f"{name:12}{count:8}{read_s:9.2f}{run_s:9.2f}{bar_s:8.1f}{peak:9.2f}{bar_gb:8.1f}"
        print(row)
    if missed:
        sys.exit("a bar is missed")


if __name__ == "__main__":
    main()
