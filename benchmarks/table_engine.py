"""LUT6 sites per binary MAC of the table engine as it is built, at 8, 6 and 4 activation bits.

python benchmarks/table_engine.py

Tables, generators, adders and operand registers of a 2 x 16 x 64 array through Yosys, with all sums
on adders and with all begun on DSPs; what adds up the passes stands beside it. Fails above
3.3 / 2.7 / 2.1 LUTs per MAC, with DSPs above 2.4 / 2.0 / 1.6.
"""

import sys

from unit_costs import sized

from vaqf.hardware.family import ULTRASCALE_PLUS
from vaqf.project import rtl
from vaqf.sim.synth import cache, synthesize

BARS = {False: {8: 3.3, 6: 2.7, 4: 2.1}, True: {8: 2.4, 6: 2.0, 4: 1.6}}  # on DSPs: by precision
SHAPE = {"tokens": 2, "pe": 16, "simd": 64, "norm_tokens": 1}
ENGINE = ("lookup", "operands", "subset_sums", "table_generator", "add_tree")


def main() -> None:
    """One line per precision, with sums on adders and on DSPs."""
    good = [
        measured(act_bits, on_dsps) <= bar
        for on_dsps, bars in BARS.items()
        for act_bits, bar in bars.items()
    ]
    sys.exit(0 if all(good) else 1)


def measured(act_bits: int, on_dsps: bool) -> float:
    """LUTs per MAC, printed with what they consist of."""
    lanes = SHAPE["tokens"] * SHAPE["pe"]
    design = sized("deit_tiny", act_bits=act_bits, dsp_sums=lanes * on_dsps, **SHAPE)
    sources = rtl.rtl_sources(design, "table engine", ULTRASCALE_PLUS)
    kept, macs = cache.folder(), design.macs_per_cycle
    lookup = synthesize.synthesize(sources, "lookup", ULTRASCALE_PLUS, kept)
    engine = synthesize.synthesize(sources, "binary_engine", ULTRASCALE_PLUS, kept)
    words = ", ".join(f"{module} {lookup.part(module).lut / macs:.2f}" for module in ENGINE)
    luts, sums = lookup.total.lut / macs, engine.part("binary_engine").lut / macs
    dsps = f"a DSP for {macs / lookup.total.dsp:g} MACs" if on_dsps else "no DSPs"
    print(
        f"A{act_bits}: {luts:.2f} LUT per MAC, bar {BARS[on_dsps][act_bits]} ({words}), {dsps};"
        f" paths of {lookup.timings[-1].worst_ns:.2f} ns; accumulators {sums:.2f}",
        flush=True,
    )
    return luts


if __name__ == "__main__":
    main()
