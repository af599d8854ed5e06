"""What one of each quantity costs, as data: every number with where it comes from.

unit_costs.json is written by benchmarks/unit_costs.py from what Yosys makes of whole accelerators,
before placement; both families have the same LUTs. Power is ASSUMED: an allowance nobody has
measured yet.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from vaqf.hardware.fabric import Resources

FILE = Path(__file__).with_name("unit_costs.json")
WITHIN = 0.10  # of what Yosys counts for designs they were not fitted to; DSPs are exact
FITTED = ("lut", "lutram", "ff")  # LUTs that are no LUTRAM, LUTRAM, flip-flops


@lru_cache(maxsize=1)
def calibration() -> dict[str, Any]:
    """The whole file: `made` says when and by which tool, `costs` has module -> resource ->
    quantity -> what one of it takes."""
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


@lru_cache(maxsize=1)
def of_quantities() -> dict[str, Resources]:
    """Quantity -> what one of it takes in all modules together; LUTs with those that are LUTRAM."""
    total: dict[str, Resources] = {}
    for resources in calibration()["costs"].values():
        for resource, costs in resources.items():
            for quantity, cost in costs.items():
                one = (
                    Resources(cost, cost) if resource == "lutram" else Resources(**{resource: cost})
                )
                total[quantity] = total.get(quantity, Resources()) + one
    return total


# Power: P = static + clock * sum(count * energy per cycle). ASSUMED split, chosen so that
# Auto-ViT-Acc's published DeiT design (185k LUT, 1,552 DSP, 150 MHz; 9.6 W on a ZCU102) gets
# 9.5 W with 700 BRAM. A label, not a measurement: expect +-50 %.
STATIC_W = 3.0
LUT_PJ = 0.15  # with its flip-flops and wires
DSP_PJ = 5.0
BRAM36_PJ = 10.0
DRAM_PJ_PER_BIT = 20.0
