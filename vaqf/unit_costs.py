"""What one piece of the accelerator costs, as data: every number with where it comes from.

MEASURED: Yosys 0.70, `synth_xilinx -family xcup`, physical LUT6 sites, before placement.
ASSUMED: an allowance nobody has measured yet. The RTL replaces both by its own synthesis.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class UnitCost:
    """One unit's price and its provenance; BRAM is counted from width x depth instead."""

    lut: float
    ff: float
    dsp: int
    provenance: str


_YOSYS = "MEASURED with Yosys 0.70; flip-flops ASSUMED 1.2 per LUT"


def _measured(lut: float, dsp: int) -> UnitCost:
    return UnitCost(lut, 1.2 * lut, dsp, _YOSYS)


REQUANTIZE = _measured(57, 1)  # constant shift; to be measured again with the shift per command
RESIDUAL_ADD = _measured(25, 0)
NORM_LANE = _measured(141, 3)  # square, normalize, scale
SOFTMAX_LANE = _measured(138, 2)
RECIPROCAL = _measured(69, 0)  # and half a BRAM
RSQRT = UnitCost(138, 166, 2, "ASSUMED: two reciprocals' tables and one interpolation")
STATISTICS_LANE = UnitCost(25, 48, 1, "ASSUMED: x and x^2 summed while the residual is written")
DMA_PORT = UnitCost(1200, 1800, 0, "ASSUMED: one AXI4 read master of 128 bits")
CONTROL = UnitCost(5000, 6000, 0, "ASSUMED: command decoder, sequencers, AXI4-Lite")

# Table engine, LUT per binary MAC: 2.95 / 2.42 / 1.90 at A 8 / 6 / 4 (K = 192), MEASURED. Of it
# (A + 2) / 2 two-bit LUTRAM columns per table are memory: 8 LUTs for every 7 read ports (RAM32M16),
# on 7-series 4 for every 3 (RAM32M). The ternary adders take the rest, a straight line in A through
# the three measurements.
TABLE_ADDERS_LUT_PER_MAC = (0.567, 0.1193)  # constant, per activation bit
GENERATOR_LUT = (2.0, 2.0)  # constant, per activation bit: 18 / 14 / 10 at A 8 / 6 / 4, MEASURED

# Adder engine, a ^ ~w folded into the first adder: 10.6 / 8.6 / 6.6 at A 8 / 6 / 4, MEASURED.
ADDER_LUT_PER_MAC = (2.6, 1.0)

# Flip-flops of the reduction per MAC: a register after each adder level. ASSUMED from the widths:
# table (A + 2) / 4 behind the look-up and half as much again in the ternary levels.
TABLE_FF_PER_MAC_AND_BIT = 0.375  # times A + 2
ADDER_FF_PER_MAC_AND_BIT = 1.0  # times A + 2: binary tree, widths A + 1, A + 2, ...
WEIGHT_REGISTER_COPIES = 4  # each weight bit drives T * (A + 2) / 2 address pins

GELU_LUT = (17.3, 1.83)  # 21 at A 2 to 32 at A 8, MEASURED
ACCUMULATE_LUT_PER_BIT = 1.0  # one adder bit per partial-sum bit: one LUT and its carry

# DSP48 packing, MEASURED on DSP48E2: products per DSP and LUTs per DSP around them. A 7-8 splits
# every 8 accumulations with 48 LUT per 8 DSPs. A 2-4 ASSUMED to cost the same per product.
PRODUCTS_PER_DSP = {2: 4, 3: 4, 4: 4, 5: 2, 6: 2, 7: 2, 8: 2}
SPLIT_LUT_PER_DSP = {2: 12.0, 3: 12.0, 4: 12.0, 5: 0.0, 6: 0.0, 7: 6.0, 8: 6.0}
SERIES_7_SPLIT_FACTOR = 2.0  # ASSUMED: DSP48E1's 25-bit port holds 4 accumulations, not 8
SERIES_7_REQUANTIZE_DSP = 2  # 27 x 18 does not fit the 25 x 18 multiplier

# Power: P = static + clock * sum(count * energy per cycle). ASSUMED split, chosen so that
# Auto-ViT-Acc's published DeiT design (185k LUT, 1,552 DSP, 150 MHz; 9.6 W on a ZCU102) gets
# 9.5 W with 700 BRAM. A label, not a measurement: expect +-50 %.
STATIC_W = 3.0
LUT_PJ = 0.15  # with its flip-flops and wires
DSP_PJ = 5.0
BRAM36_PJ = 10.0
DRAM_PJ_PER_BIT = 20.0
