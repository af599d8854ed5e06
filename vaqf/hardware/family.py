"""Two generations of one architecture: how wide their primitives are, and what tools call them.

A third family places none, so that any tool can map a design to any device.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, eq=False)
class Family:
    """What differs between the generations; LUT6, flip-flops and block RAMs do not."""

    devices: tuple[str, ...]  # families of boards/*.yaml
    yosys: str  # synth_xilinx -family, and its name in rtl/
    dsp_bits: int  # the wider factor of a DSP's signed product; the other has DSP_NARROW_BITS
    carry_bits: int  # of one primitive of a carry chain
    # LUTs of the LUTRAM that has most read ports beside the one that is its write address. A port
    # reads two bits of 32 words, or one of 64
    lutram_luts: int
    lutram_ports: int
    lutram_cost: int  # how Yosys weighs it against a block of 128.5: `cost` in its files of RAMs


DSP_NARROW_BITS = 18
# DSP48E2, CARRY8, RAM32M16 and RAM64M8 (UG579, UG574)
ULTRASCALE_PLUS = Family(
    devices=("zynquplus", "artixuplus", "kintexuplus", "virtexuplus"),
    yosys="xcup",
    dsp_bits=27,
    carry_bits=8,
    lutram_luts=8,
    lutram_ports=7,
    lutram_cost=16,
)
# DSP48E1, CARRY4, RAM32M and RAM64M (UG479, UG474)
SERIES_7 = Family(
    devices=("zynq", "artix7", "kintex7", "virtex7"),
    yosys="xc7",
    dsp_bits=25,
    carry_bits=4,
    lutram_luts=4,
    lutram_ports=3,
    lutram_cost=8,
)
FAMILIES = (SERIES_7, ULTRASCALE_PLUS)  # of boards: those that an estimate counts
# What simulators see, left to the tool in synthesis too: for devices of other vendors (`vaqf
# place`). No board has it, since LUTs, DSPs and block RAMs are counted for AMD's alone. Widths
# decide how products are cut and chained, so it has those of one of the others
PORTABLE = replace(SERIES_7, devices=(), yosys="portable")
OF_DEVICE = {device: family for family in FAMILIES for device in family.devices}
