"""The verb estimate: precision and design for a frame rate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vaqf.verbs.arguments import load_board, load_design, load_model

if TYPE_CHECKING:
    from vaqf.search.paper import PaperSearch
    from vaqf.search.search import Search


def estimate(
    model: str | None = None,
    board: str | None = None,
    fps: float | None = None,
    act_bits: int | None = None,
    engine: str | None = None,
    clock_mhz: float | None = None,
    lut_budget: int | None = None,
    design: str | Path | None = None,
) -> Search | PaperSearch:
    """Precision, design, FPS, resources and layers of a model on a board; writes nothing.

    `fps` None asks for the fastest legal design at the highest precision that fits (or at
    `act_bits`), `engine` None for the one of `design`, or table.
    InputError where `engine` or `act_bits` contradict `design`. A target that cannot be met is an
    answer, not an error: `.feasible` is False and `.estimate` is the best there is.
    """
    from vaqf.search import paper, search
    from vaqf.search.question import PAPER, Question

    question = Question(
        load_model(model),
        load_board(board),
        fps,
        act_bits,
        engine,
        clock_mhz,
        lut_budget,
        load_design(design),
    )
    return paper.search(question) if engine == PAPER else search.search(question)
