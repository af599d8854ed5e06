"""What a search is asked: a model, a board, a frame rate, and what is pinned."""

from dataclasses import dataclass, replace

from vaqf.arithmetic import widths
from vaqf.errors import InputError
from vaqf.files.fields import check_choice, check_target, check_whole
from vaqf.hardware.board import Board
from vaqf.hardware.design import ENGINES, Design
from vaqf.hardware.fabric import Resources
from vaqf.model.vit import Vit

PAPER = "paper"  # a model of VAQF's accelerator: an estimate, no design
PAPER_BITS = (1, 16)  # its precisions
MAX_LUT_BUDGET = 10**8


@dataclass(frozen=True)
class Question:
    """Every field is checked at construction: InputError names what is wrong, or what two say."""

    model: Vit
    board: Board
    fps: float | None = None  # to reach; None: the most
    act_bits: int | None = None  # the only precision that may be chosen
    engine: str | None = None  # None: the design's, or table
    clock_mhz: float | None = None  # None: the board's, or what the design meets
    lut_budget: int | None = None  # at most so many, beside the board's usable share
    design: Design | None = None  # judged as it is, and nothing is searched

    def __post_init__(self) -> None:
        check_target(self.fps)
        self.board.clock(self.clock_mhz)
        if self.engine is not None:
            check_choice(self.engine, "engine", (*ENGINES, PAPER))
        if self.act_bits is not None and self.engine == PAPER:
            check_whole(self.act_bits, "act_bits of the paper's engine", *PAPER_BITS)
        elif self.act_bits is not None:
            check_whole(self.act_bits, "act_bits", widths.MIN_ACT_BITS, widths.MAX_ACT_BITS)
        if self.lut_budget is not None:
            check_whole(self.lut_budget, "lut_budget", 1, MAX_LUT_BUDGET)
        self._check_design()

    def _check_design(self) -> None:
        """What is asked for agrees with the design; None asks for nothing."""
        if self.design is None:
            return
        if self.engine == PAPER:
            raise InputError("--design cannot go with --engine paper; it is a model, not a design")
        for name in ("engine", "act_bits"):
            asked, has = getattr(self, name), getattr(self.design, name)
            if asked is not None and asked != has:
                raise InputError(f"{name} is {asked}, but the design has {has}; give one of them")

    @property
    def target(self) -> float | None:
        """Frames per second."""
        return check_target(self.fps)

    @property
    def clock(self) -> float | None:
        """In MHz; None: what each design meets."""
        return self.board.clock(self.clock_mhz)

    @property
    def budget(self) -> Resources:
        """What a design may use of each resource."""
        usable = self.board.budget()
        if self.lut_budget is not None:
            usable = replace(usable, lut=min(usable.lut, self.lut_budget))
        return usable
