"""How long primitives and nets take, in nanoseconds: published numbers, each with its source.

Logic is as fast as the vendor says. Nets are not known before placement: two scenarios stand for
them, `OPTIMISTIC` for a nearly empty device, `REALISTIC` for one in use, each by the number of pins
that a net drives. docs/timing.md has where every number comes from and what no number here tells.
"""

from dataclasses import dataclass, fields, replace

from vaqf.hardware import speed
from vaqf.hardware.speed import Speed

OPTIMISTIC, REALISTIC = "optimistic", "realistic"
SCENARIOS = (OPTIMISTIC, REALISTIC)
OUTSIDE = 0.3  # at the ports of the whole: a register slice behind each


@dataclass(frozen=True)
class Dsp:
    """A DSP48, ns. Pins end at the first register inside, or pass to the output."""

    setup: float  # of a pin whose register is the next
    to_product: float  # operand -> register of the product
    to_sum: float  # operand -> register of the sum, without one of the product
    through: float  # operand -> output without any register
    side_to_sum: float  # A and B side by side, without the multiplier -> register of the sum
    addend_to_sum: float
    addend_through: float
    cascade_to_sum: float
    cascade_through: float
    before: float  # what the adder in front of the multiplier adds
    sum_out: float  # clock -> output: register of the sum
    product_out: float  # of the product alone
    operand_out: float  # of the operands alone
    product_to_sum: float  # from register to register inside
    operand_to_product: float
    operand_to_sum: float
    added_to_sum: float  # the same of operands that are added alone

    def without_multiplier(self) -> "Dsp":
        """The same DSP, A and B side by side an operand of the sum."""
        return replace(self, to_sum=self.side_to_sum, operand_to_sum=self.added_to_sum)


@dataclass(frozen=True)
class Delays:
    """One family at one speed grade, ns."""

    lut: tuple[float, ...]  # by pin, the fastest first: the last signal gets that one
    lut_lower: float  # more for the second output
    register_out: float
    register_data: float  # setup, from the pin of the site
    register_enable: float
    register_reset: float
    carry_through: float  # carry in -> carry out of the whole primitive
    carry_part: float  # carry in -> carry out of a bit inside
    carry_sum: float  # carry in -> sum
    carry_select_out: float  # S -> carry out
    carry_select_sum: float  # S -> its own sum
    carry_select_above: float  # S -> a sum above it
    carry_data_out: float  # DI -> carry out
    carry_data_above: float  # DI -> a sum above it
    mux_data: float  # F7, F8, F9
    mux_select: float
    lutram_out: float  # clock -> output
    lutram_data: float  # setup; addresses of a write, too
    lutram_write: float
    shift_out: float
    shift_data: float
    ram_out: float  # clock -> output of a block RAM through its register
    ram_out_direct: float  # without
    ram_address: float
    ram_enable: float
    ram_write: float
    ram_data: float
    dsp: Dsp
    nets: tuple[tuple[tuple[int, float], ...], ...]  # by scenario: (pins at most, ns)
    carry_net: float = 0.015  # from carry to carry
    select_net: float = 0.015  # from the LUT of the same bit
    site_net: float = 0.03  # from a LUT to the flip-flop behind it

    def net(self, scenario: str, pins: int) -> float:
        """Of a net that drives so many pins."""
        steps = self.nets[SCENARIOS.index(scenario)]
        return next((ns for most, ns in steps if pins <= most), steps[-1][1])

    def times(self, logic: float, blocks: float, nets: float) -> "Delays":
        """Slower by factors: LUTs, carries and registers; memories and DSPs; nets."""
        of_field = {
            one.name: getattr(self, one.name)
            * (nets if one.name.endswith("_net") else blocks if _is_block(one.name) else logic)
            for one in fields(self)
            if isinstance(getattr(self, one.name), float)
        }
        return replace(
            self,
            lut=tuple(ns * logic for ns in self.lut),
            dsp=Dsp(*(getattr(self.dsp, one.name) * blocks for one in fields(Dsp))),
            nets=tuple(tuple((pins, ns * nets) for pins, ns in steps) for steps in self.nets),
            **of_field,
        )


def _is_block(name: str) -> bool:
    return name.startswith(("ram_", "lutram_", "shift_"))


# Speed grade -2. Logic: RapidWright's timing/ultrascaleplus (within 2 % of Vivado on 240 designs:
# Maidee et al., FPT 2019); DSP: 70 reports of routed designs (Vivado 2021.2, xczu3eg -1) in
# gussmith23/lakeroad-evaluation, divided by GRADE. Nets: medians of those reports, divided
# likewise; the realistic ones are about twice as long
_ULTRASCALE_PLUS = Delays(
    lut=(0.035, 0.050, 0.090, 0.100, 0.125, 0.150),
    lut_lower=0.015,
    register_out=0.077,
    register_data=0.075,
    register_enable=0.060,
    register_reset=0.070,
    carry_through=0.023,
    carry_part=0.090,
    carry_sum=0.116,
    carry_select_out=0.200,
    carry_select_sum=0.119,
    carry_select_above=0.240,
    carry_data_out=0.150,
    carry_data_above=0.180,
    mux_data=0.095,
    mux_select=0.100,
    lutram_out=0.312,
    lutram_data=0.110,
    lutram_write=0.180,
    shift_out=0.312,
    shift_data=0.110,
    ram_out=0.220,
    ram_out_direct=1.000,
    ram_address=0.360,
    ram_enable=0.340,
    ram_write=0.390,
    ram_data=0.300,
    dsp=Dsp(
        setup=0.160,
        to_product=0.885,
        to_sum=1.500,
        through=1.565,
        side_to_sum=0.755,
        addend_to_sum=0.650,
        addend_through=0.730,
        cascade_to_sum=0.618,
        cascade_through=0.700,
        before=0.350,
        sum_out=0.250,
        product_out=0.880,
        operand_out=1.620,
        product_to_sum=0.816,
        operand_to_product=0.940,
        operand_to_sum=1.555,
        added_to_sum=0.840,
    ),
    nets=(
        (
            (1, 0.13), (2, 0.17), (5, 0.22), (10, 0.23), (30, 0.25), (100, 0.35), (300, 0.5),
            (1000, 0.7), (10_000, 1.0),
        ),
        (
            (1, 0.22), (2, 0.28), (5, 0.33), (10, 0.40), (30, 0.50), (100, 0.65), (300, 0.85),
            (1000, 1.1), (10_000, 1.5),
        ),
    ),
)  # fmt: skip
# Speed grade -1. Logic and DSP: project X-Ray's timings of Artix-7, as Yosys's models of the cells
# quote them (share/xilinx/cells_sim.v); the clock-to-output and the LUT (0.456 and 0.124) as Vivado
# prints them at -1, from memory and not from a report at hand: a LUT's pins are alike there, their
# differences lie in the nets. Nets: those
# of UltraScale+ times 2.4, judged and not measured: 0.31 to 0.53 ns to one pin, where Vivado
# assumes 0.8 before placement
_SERIES_7 = Delays(
    lut=(0.124,) * 6,
    lut_lower=0.026,
    register_out=0.456,
    register_data=0.080,
    register_enable=0.109,
    register_reset=0.404,
    carry_through=0.114,
    carry_part=0.271,
    carry_sum=0.334,
    carry_select_out=0.528,
    carry_select_sum=0.227,
    carry_select_above=0.618,
    carry_data_out=0.526,
    carry_data_above=0.615,
    mux_data=0.223,
    mux_select=0.296,
    lutram_out=1.188,
    lutram_data=0.461,
    lutram_write=0.654,
    shift_out=1.472,
    shift_data=0.173,
    ram_out=0.882,
    ram_out_direct=2.454,
    ram_address=0.566,
    ram_enable=0.443,
    ram_write=0.532,
    ram_data=0.737,
    dsp=Dsp(
        setup=0.400,
        to_product=1.416,
        to_sum=2.739,
        through=2.823,
        side_to_sum=1.441,
        addend_to_sum=1.244,
        addend_through=1.325,
        cascade_to_sum=1.025,
        cascade_through=1.107,
        before=0.984,
        sum_out=0.434,
        product_out=1.671,
        operand_out=2.952,
        product_to_sum=1.590,
        operand_to_product=1.545,
        operand_to_sum=2.868,
        added_to_sum=1.606,
    ),
    nets=tuple(
        tuple((pins, round(2.4 * ns, 3)) for pins, ns in steps) for steps in _ULTRASCALE_PLUS.nets
    ),
    carry_net=0.01,
    select_net=0.01,
    site_net=0.05,
)
# Kintex-7's fabric at -2 against Artix-7's at -1, by a register (0.204 ns), a LUT (0.043) and nets
# of 33 to 72 pins (0.53 to 0.63) in a Vivado report of a routed design; blocks are judged
KINTEX_LOGIC, KINTEX_BLOCKS, KINTEX_NETS = 0.45, 0.75, 0.70
_OF_FABRIC = {
    speed.ULTRASCALE_PLUS_2: _ULTRASCALE_PLUS,
    speed.SERIES_7_1: _SERIES_7,
    speed.KINTEX_7_2: _SERIES_7.times(KINTEX_LOGIC, KINTEX_BLOCKS, KINTEX_NETS),
}


def of(device: Speed) -> Delays:
    """Of a device's fabric and grade."""
    return _OF_FABRIC[device.fabric].times(device.times, device.times, device.times)
