"""What `vaqf estimate` promises, and how long it takes cold.

python benchmarks/estimate.py
"""

import resource
import statistics
import subprocess
import sys
from itertools import pairwise

from vaqf.hardware import board
from vaqf.model import zoo
from vaqf.search import search
from vaqf.search.question import Question

RUNS = 5
BOARD = "zcu102"
BAR_FPS, BAR_SECONDS, BAR_MAX_SECONDS, BAR_MB = 190, 0.6, 1.0, 150


def cold_seconds(model: str, fps: str, runs: int) -> list[float]:
    """CPU seconds of fresh processes, search included; wall seconds on a core that is idle."""
    question = ("estimate", "--model", model, "--fps", fps, "--board", BOARD, "--json")
    seconds = [spent()]
    for _ in range(runs):
        # a target out of reach is an answer, with an exit code of its own
        subprocess.run([sys.executable, "-m", "vaqf", *question], check=False, capture_output=True)
        seconds.append(spent())
    return [after - before for before, after in pairwise(seconds)]


def spent() -> float:
    """CPU seconds of all processes that ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print the bars of the estimate and the fastest design of each DeiT on each board."""
    seconds = cold_seconds("deit_base", "30", RUNS)
    slowest, model = max((min(cold_seconds(name, "max", 2)), name) for name in zoo.names())
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"cold estimate with search: median {statistics.median(seconds):.2f} s, "
        f"best {min(seconds):.2f} s of {RUNS} (bar {BAR_SECONDS} s); "
        f"the fastest design of each model: at most {slowest:.2f} s, {model} "
        f"(bar {BAR_MAX_SECONDS} s); peak {peak:.0f} MB (bar {BAR_MB} MB)"
    )
    base, zcu102 = zoo.load("deit_base"), board.load(BOARD)
    best = search.search(Question(base, zcu102, clock_mhz=150.0)).estimate
    print(f"deit_base, zcu102, 150 MHz, w1a8: {best.fps:.1f} FPS (bar {BAR_FPS})")
    print("\nfastest design at w1a8 and the board's default clock, estimated")
    print(f"{'':12}{'':>12}{'FPS':>9}{'T x P x K':>14}{'LUT':>11}{'DSP':>7}{'BRAM36':>8}")
    for model in ("deit_tiny", "deit_small", "deit_base"):
        for name in board.names():
            found = search.search(Question(zoo.load(model), board.load(name), act_bits=8))
            if not found.feasible:
                print(f"{model:12}{name:>12}  {found.reason}")
                continue
            e, d = found.estimate, found.estimate.design
            shape = f"{d.tokens}x{d.pe}x{d.simd}"
            print(
                f"{model:12}{name:>12}{e.fps:>9.1f}{shape:>14}{e.use.lut:>11,.0f}"
                f"{e.use.dsp:>7,.0f}{e.use.bram36:>8,.1f}"
            )


if __name__ == "__main__":
    main()
