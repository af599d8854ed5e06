"""What `vaqf estimate` promises, and how long it takes cold.

python benchmarks/estimate.py
"""

import resource
import statistics
import subprocess
import sys
import time

from vaqf.hardware import board
from vaqf.model import zoo
from vaqf.search import search
from vaqf.search.question import Question

RUNS = 5
COLD = ("estimate", "--model", "deit_base", "--fps", "30", "--board", "zcu102", "--json")
BAR_FPS, BAR_SECONDS, BAR_MB = 190, 0.6, 150


def cold_seconds() -> list[float]:
    """Wall seconds of fresh processes, search included."""
    seconds = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-m", "vaqf", *COLD], check=True, capture_output=True)
        seconds.append(time.perf_counter() - begin)
    return seconds


def main() -> None:
    """Print the bars of the estimate and the fastest design of each DeiT on each board."""
    seconds = cold_seconds()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"cold estimate with search: median {statistics.median(seconds):.2f} s, "
        f"best {min(seconds):.2f} s of {RUNS} (bar {BAR_SECONDS} s); "
        f"peak {peak:.0f} MB (bar {BAR_MB} MB)"
    )
    base, zcu102 = zoo.load("deit_base"), board.load("zcu102")
    best = search.search(Question(base, zcu102, clock_mhz=150.0)).estimate
    print(f"deit_base, zcu102, 150 MHz, w1a8: {best.fps:.1f} FPS (bar {BAR_FPS})")
    print("\nfastest design at w1a8 and the board's default clock, estimated")
    print(f"{'':12}{'':>12}{'FPS':>9}{'T x P x K':>14}{'LUT':>11}{'DSP':>7}{'BRAM36':>8}")
    for model in ("deit_tiny", "deit_small", "deit_base"):
        for name in board.names():
            found = search.search(Question(zoo.load(model), board.load(name)))
            if not found.feasible:
                print(f"{model:12}{name:>12}  {found.reason}")
                continue
            e, d = found.estimate, found.estimate.design
            shape = f"{d.tokens}x{d.pe}x{d.simd}"
            print(
                f"{model:12}{name:>12}{e.fps:>9.1f}{shape:>14}{e.use['lut']:>11,.0f}"
                f"{e.use['dsp']:>7,.0f}{e.use['bram36']:>8,.1f}"
            )


if __name__ == "__main__":
    main()
