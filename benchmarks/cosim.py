"""Co-simulation of whole networks: seconds to build and run, cycles per second of the simulation.

Run: python benchmarks/cosim.py [NAME ...]. Seeded random weights; they do not change the time.
Every logit must equal golden, and with one image every layer too, or the run fails.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import vaqf


@dataclass(frozen=True)
class Case:
    """What is built and simulated, and how many seconds all of it may take on two cores."""

    model: str
    board: str
    fps: float | None
    data: str | None
    bar: float


CASES = {
    "small": Case("vit_digits", "pynq_z2", 100.0, "digits", 600.0),
    "digits": Case("vit_digits", "zcu102", None, "digits", 600.0),
    "deit_tiny": Case("deit_tiny", "zcu102", None, None, 900.0),
}


def measure(case: Case, folder: Path) -> bool:
    """Print one line of the table; whether the bar is met."""
    built = vaqf.build(model=case.model, board=case.board, fps=case.fps, data=case.data, out=folder)
    start = time.perf_counter()
    found = vaqf.cosim(folder, layers=case.data is None).result
    seconds = time.perf_counter() - start
    if found.mismatches or found.cycles is None:
        sys.exit(f"{case.model}: {found.findings[0]}")
    macs = built.search.estimate.design.macs_per_cycle
    print(
        f"{case.model:12}{case.board:10}{macs:8,}{found.frames:8}{found.compile_seconds:11.1f}"
        f"{found.run_seconds:8.1f}{case.bar:7.0f}{found.cycles.run:12,}"
        f"{found.cycles.run / found.run_seconds:12,.0f}"
    )
    return seconds <= case.bar


def main() -> None:
    """Print measured against bar, and fail if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *CASES], default=[])
    names = parser.parse_args().names or list(CASES)
    print(
        f"{'model':12}{'board':10}{'MAC/cyc':>8}{'images':>8}{'compile s':>11}{'run s':>8}"
        f"{'bar s':>7}{'cycles':>12}{'cycles/s':>12}"
    )
    met = []
    for name in names:
        with tempfile.TemporaryDirectory() as temporary:
            met.append(measure(CASES[name], Path(temporary) / name))
    if not all(met):
        sys.exit("a bar is missed")


if __name__ == "__main__":
    main()
