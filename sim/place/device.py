"""The ECP5 that designs are placed on: what it has, and how nextpnr is told which one it is."""

from collections.abc import Mapping
from dataclasses import dataclass

BLOCK_BITS = 18 * 1024  # of a block RAM, `bram18`


@dataclass(frozen=True)
class Device:
    """One part, package and speed grade."""

    name: str
    options: tuple[str, ...]  # of nextpnr-ecp5
    available: Mapping[str, int]  # by our names of resources
    # the cells of Yosys that take a resource, and how many of it each
    cells: Mapping[str, Mapping[str, int]]


# Numbers are nextpnr 0.11's for the part, which calls them TRELLIS_COMB, TRELLIS_FF, DP16KD and
# MULT18X18D. A carry cell is two LUTs, a LUTRAM of 16 x 4 bits four
LFE5U_85F = Device(
    name="LFE5U-85F-6BG381",
    options=("--85k", "--package", "CABGA381", "--speed", "6"),
    available={"lut4": 83_640, "ff": 83_640, "bram18": 208, "mult18": 156},
    cells={
        "lut4": {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 4},
        "ff": {"TRELLIS_FF": 1},
        "bram18": {"DP16KD": 1, "PDPW16KD": 1},
        "mult18": {"MULT18X18D": 1},
    },
)
NEXTPNR_NAMES = {
    "lut4": "TRELLIS_COMB",
    "ff": "TRELLIS_FF",
    "bram18": "DP16KD",
    "mult18": "MULT18X18D",
}
