"""Design + Board -> the clock that the design's longest path allows on the board's device."""

import math
from dataclasses import dataclass

from vaqf.clock import unit_paths
from vaqf.hardware import speed
from vaqf.hardware.board import Board
from vaqf.hardware.design import Design

UNCERTAINTY_NS = 0.1  # skew and jitter, which no path has


@dataclass(frozen=True)
class Met:
    """What the timing model says of a design: an estimate before placement."""

    mhz: float  # whole, rounded down; no more than the device's limit
    ns: float  # the longest path
    module: str  # where it ends, or enters the unit inside in which it ends


def met(design: Design, board: Board) -> Met:
    """Of a design on a board's device, nets as long as in a device in use."""
    ns, module = unit_paths.longest(design, speed.of(board.generation, board.part))
    return Met(_mhz(ns, board), ns, module)


def ceiling(board: Board) -> float:
    """MHz that no design meets more than, on a board's device."""
    return _mhz(unit_paths.shortest(speed.of(board.generation, board.part)), board)


def _mhz(ns: float, board: Board) -> float:
    return float(min(math.floor(1e3 / (ns + UNCERTAINTY_NS)), board.max_clock_mhz))
