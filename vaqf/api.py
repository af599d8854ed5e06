"""The verbs: one function each, with the name and the defaults of the command line.

Each raises the typed exceptions of vaqf.errors. Modules that need numpy, torch or a file on disk
are imported inside the function that needs them.
"""

from collections.abc import Mapping
from typing import Any

from vaqf.board import Board
from vaqf.environment import Tool
from vaqf.errors import InputError
from vaqf.search import Search
from vaqf.vit import Vit

VERBS = ("models", "boards", "doctor", "estimate")


def models() -> list[Vit]:
    """Every model known by name."""
    from vaqf import vit

    return [vit.load(name) for name in vit.names()]


def boards() -> list[Board]:
    """Every board known by name."""
    from vaqf import board

    return [board.load(name) for name in board.names()]


def doctor() -> list[Tool]:
    """The outside tools that verbs use, present or not."""
    from vaqf import environment

    return environment.tools()


def estimate(
    model: str | None = None,
    board: str | None = None,
    fps: float | None = None,
    act_bits: int | None = None,
    engine: str = "table",
    clock_mhz: float | None = None,
    lut_budget: int | None = None,
) -> Search:
    """Precision, design, FPS, resources and layers of a model on a board; writes nothing.

    `fps` None asks for the fastest legal design. A target that cannot be met is an answer, not an
    error: `.feasible` is False and `.estimate` is the best there is.
    """
    from vaqf import search

    return search.search(
        load_model(model),
        load_board(board),
        target_fps=fps,
        act_bits=act_bits,
        engine=engine,
        clock_mhz=clock_mhz,
        lut_budget=lut_budget,
    )


def load_model(name: str | None) -> Vit:
    """The model of --model; InputError with the list when there is none."""
    from vaqf import vit

    if name is None:
        raise InputError(f"--model is missing; known: {', '.join(vit.names())}; or a YAML file")
    return vit.load(name)


def load_board(name: str | None) -> Board:
    """The board of --board; InputError with the list when there is none."""
    from vaqf import board

    if name is None:
        raise InputError(f"--board is missing; known: {', '.join(board.names())}; or a YAML file")
    return board.load(name)
