"""A model of VAQF's own accelerator (arXiv 2201.06618), to compare with; it cannot be built.

The encoder's binary matmuls run on add/subtract units in LUTs, at whatever rate a fixed LUT budget
buys at A bits. Attention, patch embedding and head run before or after them on the paper's 16-bit
DSP engine. Norms, softmax and GELU on the host and all DRAM transfers are taken as hidden.
The tile equations of the paper are not used: taken literally they miss its own table.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from vaqf.arithmetic import widths
from vaqf.errors import InputError
from vaqf.hardware.board import Board
from vaqf.hardware.design import Design
from vaqf.hardware.fabric import RESOURCES
from vaqf.model.layers import Op
from vaqf.model.vit import Vit
from vaqf.model.workload import workload
from vaqf.search.estimate import SCHEMA, LayerEstimate
from vaqf.search.question import PAPER, PAPER_BITS, Question

# LUT per MAC of `w ? a : -a` and `+`, what plain HLS writes: the upper ends of the ranges measured
# with Yosys 0.70 (K = 64). Between and beyond them a straight line.
NAIVE_LUT_PER_MAC = {4: 13.0, 6: 17.6, 8: 22.5}

# 10.0 FPS (published, W16A16) x 17.56 GMAC (DeiT-base) / 150 MHz on the ZCU102's 2,520 DSPs.
DSP_MACS_PER_CYCLE = 1171

# The one fitted constant: LUTs of the binary engine on the ZCU102, chosen so that DeiT-base at
# 8 bits and 150 MHz gets the published 24.8 FPS. The 6-bit result is then a prediction.
FITTED_LUT_BUDGET = 70_700
ZCU102_LUT, ZCU102_DSP = 274_080, 2520

PUBLISHED_CLOCK_MHZ = 150.0
PUBLISHED_FPS = {8: 24.8, 6: 31.6}  # DeiT-base, ZCU102, 150 MHz; W1A8 and W1A6

_ASSUMPTIONS = (
    "A model of VAQF's published accelerator (arXiv 2201.06618); it cannot be built here.",
    f"One fitted constant: {FITTED_LUT_BUDGET:,} LUTs of the ZCU102 for the binary engine, so that "
    "DeiT-base reaches the published 24.8 FPS at 8 bits and 150 MHz.",
    "LUT per MAC: naive add/subtract measured with Yosys at 4, 6 and 8 bits, a straight line "
    "between and beyond.",
    f"Attention, patch embedding and head run serially at {DSP_MACS_PER_CYCLE:,} MAC per cycle, "
    "the rate of the paper's 16-bit baseline (10.0 FPS).",
    "Host time (norms, softmax, GELU) and DRAM tile transfers are taken as hidden.",
    "On other boards LUT budget and DSP rate are scaled by the device's LUTs and DSPs.",
)


@dataclass(frozen=True)
class PaperEstimate:
    """One precision on the paper's engine."""

    vit: Vit
    board: Board
    clock_mhz: float
    act_bits: int
    lut_budget: int

    @property
    def binary_macs_per_cycle(self) -> float:
        """What the LUT budget buys at this precision."""
        return self.lut_budget / naive_lut_per_mac(self.act_bits)

    @property
    def dsp_macs_per_cycle(self) -> float:
        """The 16-bit engine, scaled with the device's DSPs."""
        return DSP_MACS_PER_CYCLE * self.board.dsp / ZCU102_DSP

    def layers(self) -> Iterator[LayerEstimate]:
        """One entry per workload layer; the host's are hidden."""
        for work in workload(self.vit):
            binary = work.layer.kind.op is Op.BINARY
            rate = self.binary_macs_per_cycle if binary else self.dsp_macs_per_cycle
            cycles = math.ceil(work.macs / rate)
            engine = ("binary engine" if binary else "dsp engine") if work.macs else "host"
            yield LayerEstimate(work.name, work.op, work.macs, cycles, cycles, engine, cycles)

    @property
    def cycles_per_frame(self) -> int:
        """Binary matmuls, then everything else: nothing overlaps."""
        return sum(layer.exposed_cycles for layer in self.layers())

    @property
    def fps(self) -> float:
        """Frames per second."""
        return self.clock_mhz * 1e6 / self.cycles_per_frame


@dataclass(frozen=True)
class PaperSearch:
    """The paper's question answered with the paper's engine: the same face as search.Search."""

    estimate: PaperEstimate
    feasible: bool
    target_fps: float | None
    candidates: tuple[PaperEstimate, ...]
    reason: str

    def to_json(self) -> dict[str, Any]:
        """The keys of `vaqf estimate --json`; null where the paper's engine is not modelled."""
        e, available = self.estimate, self.estimate.board.available()
        used = dict.fromkeys(RESOURCES) | {"lut": e.lut_budget}
        return {
            "schema": SCHEMA,
            "model": e.vit.name,
            "board": e.board.name,
            "engine": PAPER,
            "clock_mhz": e.clock_mhz,
            "met_clock_mhz": None,
            "longest_path": {"ns": None, "module": None},
            "act_bits": e.act_bits,
            "target_fps": self.target_fps,
            "feasible": self.feasible,
            "fps": e.fps,
            "cycles_per_frame": e.cycles_per_frame,
            "latency_ms": 1e3 / e.fps,
            "design": {
                **dict.fromkeys(field.name for field in fields(Design)),
                "engine": PAPER,
                "act_bits": e.act_bits,
                "frames_in_flight": 1,
                "binary_macs_per_cycle": round(e.binary_macs_per_cycle, 1),
                "dsp_macs_per_cycle": round(e.dsp_macs_per_cycle, 1),
            },
            "resources": {
                key: {"used": used[key], "available": available[key]} for key in e.board.resources
            },
            "ddr_gbytes_per_s": None,
            "weight_bits_per_cycle": None,
            "power_w": None,
            "layers": [vars(layer) for layer in e.layers()],
            "search": [
                {
                    "act_bits": c.act_bits,
                    "fps": c.fps,
                    "feasible": self.target_fps is None or c.fps >= self.target_fps,
                    "limited_by": "lut",
                }
                for c in self.candidates
            ],
            "assumptions": list(_ASSUMPTIONS),
        }


def naive_lut_per_mac(act_bits: int) -> float:
    """LUTs of one naive binary MAC, linear between and beyond the measured precisions."""
    low, high = (4, 6) if act_bits < 6 else (6, 8)
    slope = (NAIVE_LUT_PER_MAC[high] - NAIVE_LUT_PER_MAC[low]) / (high - low)
    return NAIVE_LUT_PER_MAC[low] + slope * (act_bits - low)


def search(question: Question) -> PaperSearch:
    """The highest precision of 1..16 that meets the target; without a target, act_bits (or 8).

    InputError for a board without DSPs; a target out of reach is an answer.
    """
    vit, board, act_bits = question.model, question.board, question.act_bits
    target_fps, clock = question.target, question.clock or PUBLISHED_CLOCK_MHZ
    if not board.dsp:
        raise InputError(f"board {board.name} has no DSP; the paper's engine needs some")
    luts = round(FITTED_LUT_BUDGET * board.lut / ZCU102_LUT)
    if question.lut_budget is not None:
        luts = min(luts, question.lut_budget)
    low, high = PAPER_BITS
    candidates = tuple(
        PaperEstimate(vit, board, clock, bits, luts) for bits in range(high, low - 1, -1)
    )
    if act_bits is None and target_fps is None:
        act_bits = widths.DEFAULT_ACT_BITS
    allowed = [c for c in candidates if act_bits is None or c.act_bits == act_bits]
    good = [c for c in allowed if target_fps is None or c.fps >= target_fps]
    if good:
        return PaperSearch(good[0], True, target_fps, candidates, "")
    best = max(allowed, key=lambda c: c.fps)
    reason = (
        f"the paper's engine cannot reach {target_fps:g} FPS with {vit.name} on {board.name} at "
        f"{clock:g} MHz; the best is {best.fps:.1f} FPS at w1a{best.act_bits}, limited by lut"
    )
    return PaperSearch(best, False, target_fps, candidates, reason)
