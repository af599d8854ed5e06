"""LUT6 sites per binary MAC of the table engine as it is built, at 8, 6 and 4 activation bits.

python benchmarks/table_engine.py

Tables, generators, adders and operand registers of a 2 x 16 x 64 array through Yosys; what adds up
the passes stands beside it. Fails above 3.3 / 2.7 / 2.1 LUTs per MAC.
"""

import sys

from unit_costs import sized

from vaqf.hardware.family import ULTRASCALE_PLUS
from vaqf.project import rtl
from vaqf.sim.synth import cache, synthesize

BARS = {8: 3.3, 6: 2.7, 4: 2.1}
SHAPE = {"tokens": 2, "pe": 16, "simd": 64, "norm_tokens": 1}
ENGINE = ("lookup", "operands", "subset_sums", "table_generator", "add_tree")


def main() -> None:
    """One line per precision."""
    good = True
    for act_bits, bar in BARS.items():
        design = sized("deit_tiny", act_bits=act_bits, **SHAPE)
        sources = rtl.rtl_sources(design, "table engine", ULTRASCALE_PLUS)
        kept, macs = cache.folder(), design.macs_per_cycle
        lookup = synthesize.synthesize(sources, "lookup", ULTRASCALE_PLUS, kept)
        engine = synthesize.synthesize(sources, "binary_engine", ULTRASCALE_PLUS, kept)
        each = {module: lookup.part(module).lut / macs for module in ENGINE}
        words = ", ".join(f"{module} {luts:.2f}" for module, luts in each.items())
        luts, sums = lookup.total.lut / macs, engine.part("binary_engine").lut / macs
        print(
            f"A{act_bits}: {luts:.2f} LUT per MAC, bar {bar} ({words}); paths of"
            f" {lookup.timings[-1].worst_ns:.2f} ns; accumulators {sums:.2f}",
            flush=True,
        )
        good = good and luts <= bar
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
