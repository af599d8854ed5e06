"""The verb estimate: precision and design for a frame rate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vaqf.errors import InputError
from vaqf.verbs.arguments import find_design, load_board, load_model

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

    `fps` None asks for the fastest legal design, `engine` None for the one of `design`, or table.
    InputError where `engine` or `act_bits` contradict `design`. A target that cannot be met is an
    answer, not an error: `.feasible` is False and `.estimate` is the best there is.
    """
    vit, device = load_model(model), load_board(board)
    if engine == "paper":
        from vaqf.search import paper

        if design is not None:
            raise InputError("--design cannot go with --engine paper; it is a model, not a design")
        return paper.search(
            vit,
            device,
            target_fps=fps,
            act_bits=act_bits,
            clock_mhz=clock_mhz,
            lut_budget=lut_budget,
        )
    from vaqf.files.fields import check_choice
    from vaqf.hardware.design import ENGINES

    if engine is not None:
        check_choice(engine, "engine", (*ENGINES, "paper"))
    return find_design(vit, device, fps, act_bits, engine, clock_mhz, lut_budget, design)
