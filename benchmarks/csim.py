"""C-sim of whole networks on one core: seconds to build, compile and run, and MMAC/s.

Run: python benchmarks/csim.py. Seeded random weights and pixels; they do not change the time.
Every logit and every layer of the image must equal golden, or the run fails.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import vaqf
from vaqf.model import zoo
from vaqf.model.workload import workload

BARS = {"deit_tiny": 15.0, "deit_base": 120.0}  # seconds of one image
BUILD_BAR, COMPILE_BAR = 20.0, 60.0  # seconds
RATE_BAR = 300.0  # MMAC/s
FPS = 30.0


def measure(model: str, engine: str, folder: Path) -> tuple[float, float, float, int]:
    """Seconds to build, to compile and to simulate one image, and what differs."""
    start = time.perf_counter()
    vaqf.build(model=model, board="zcu102", fps=FPS, engine=engine, out=folder)
    built = time.perf_counter() - start
    result = vaqf.csim(folder).result
    return built, result.compile_seconds, result.run_seconds, result.mismatches


def main() -> None:
    """Print measured against bar, and fail if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=("table", "adder"), default="table")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core, for make and g++ too
    missed = False
    print(f"{'model':12}{'build s':>9}{'compile s':>11}{'image s':>9}{'bar s':>7}{'MMAC/s':>9}")
    for model, bar in BARS.items():
        macs = sum(layer.macs for layer in workload(zoo.load(model)))
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / model
            built, compiled, ran, wrong = measure(model, arguments.engine, folder)
        rate = macs / ran / 1e6
        missed |= built > BUILD_BAR or compiled > COMPILE_BAR or ran > bar or rate < RATE_BAR
        print(f"{model:12}{built:9.1f}{compiled:11.1f}{ran:9.2f}{bar:7.0f}{rate:9.0f}")
        if wrong:
            sys.exit(f"{model}: {wrong} values differ from golden")
    if missed:
        sys.exit("a bar is missed")


if __name__ == "__main__":
    main()
