"""The timing model beside a core whose Vivado clock is published: picorv32.

Quoted from picorv32's README: its core behind AXI with TWO_CYCLE_ALU is closed by Vivado at 1.5 ns
on xcvu3p-2 and at 2.4 ns on a Kintex-7 at -2. The ratio says how far the model's paths are from
routed ones, for logic that Vivado restructures and in a device that is nearly empty.

    pip install pythondata-cpu-picorv32
    python benchmarks/timing_calibration.py
"""

import argparse
import tempfile
from pathlib import Path

from vaqf.hardware.family import SERIES_7, ULTRASCALE_PLUS
from vaqf.sim.place import reference
from vaqf.sim.synth import synthesize

PUBLISHED = (
    (ULTRASCALE_PLUS, "xcvu3p-ffvc1517-2-e", 1.5),
    (SERIES_7, "xc7k70tfbg676-2", 2.4),
)  # ns


def main() -> None:
    """A line per family."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--verilog", type=Path, help="picorv32.v, where the package is not installed"
    )
    path = parser.parse_args().verilog or reference.verilog()
    if path is None:
        raise SystemExit("pip install pythondata-cpu-picorv32, or name picorv32.v with --verilog")
    for family, part, published in PUBLISHED:
        with tempfile.TemporaryDirectory() as folder:
            made = synthesize.synthesize(
                reference.sources(path), reference.TOP, family, Path(folder), whole=True, part=part
            )
        least, most = (timing.worst_ns for timing in made.timings)
        print(
            f"{part}: {least:.2f} ns optimistic, {most:.2f} ns realistic; Vivado closes"
            f" {published} ns: {least / published:.2f} and {most / published:.2f} times as long",
            flush=True,
        )
        for place in made.timings[1].paths[0].places:
            print(f"  {place.name} {place.file}:{place.line}")


if __name__ == "__main__":
    main()
