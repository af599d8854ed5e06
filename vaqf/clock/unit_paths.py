"""The longest path of every RTL module as data: a function of a design, fitted to timed designs.

unit_paths.json is written by benchmarks/unit_costs.py from the static timing of what Yosys makes of
whole accelerators (docs/timing.md), nets of a device in use, before placement. A path grows with
the levels of a tree and with the pins that a net drives, so with logarithms of what is there; none
falls when a design grows.
"""

import json
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

from vaqf.hardware.design import Design
from vaqf.hardware.speed import Speed

FILE = Path(__file__).with_name("unit_paths.json")
WITHIN = 0.08  # of the timing of designs they were not fitted to


@lru_cache(maxsize=1)
def calibration() -> dict[str, Any]:
    """The whole file: `made` says when and by which tool, `paths` has fabric -> module -> quantity
    -> ns of one of it."""
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


def quantities(design: Design) -> dict[str, float]:
    """What paths grow with: doublings of each, and 1 for what does not grow."""
    d = design
    return {
        "one": 1.0,
        "tokens": math.log2(d.tokens),
        "outputs": math.log2(d.pe),
        "inputs": math.log2(d.simd),
        "query_rows": math.log2(d.attention_rows),
        "head_lanes": math.log2(d.attention_lanes),
        "norm_tokens": math.log2(d.norm_tokens),
        "ports": math.log2(d.weight_ports),
        "ring_words": math.log2(d.ring_words),
    }


@lru_cache(maxsize=4096)
def longest(design: Design, speed: Speed) -> tuple[float, str]:
    """(ns, module) of a design's longest path on a device: it ends in that module, or enters a unit
    inside it to end there."""
    return _longest(quantities(design), speed)


def shortest(speed: Speed) -> float:
    """ns that no design's longest path is below."""
    return _longest({"one": 1.0}, speed)[0]


def _longest(amounts: dict[str, float], speed: Speed) -> tuple[float, str]:
    paths = calibration()["paths"][speed.fabric]
    return max(
        (speed.times * sum(ns * amounts.get(name, 0.0) for name, ns in costs.items()), module)
        for module, costs in paths.items()
    )
