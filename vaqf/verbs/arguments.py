"""What the arguments of a verb name: a model, a board, a design file, what training needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vaqf.errors import InputError

if TYPE_CHECKING:
    from vaqf.hardware.board import Board
    from vaqf.hardware.design import Design
    from vaqf.model.vit import Vit


DESIGN_BYTES = 65_536  # ours are under 1 kB


def load_model(name: str | None) -> Vit:
    """The model of --model; InputError with the list when there is none."""
    from vaqf.model import zoo

    if name is None:
        known = ", ".join(zoo.names())
        raise InputError(f"--model is missing; known are {known}, or a YAML file")
    return zoo.load(name)


def load_board(name: str | None) -> Board:
    """The board of --board; InputError with the list when there is none."""
    from vaqf.hardware import board

    if name is None:
        raise InputError(
            f"--board is missing; known are {', '.join(board.names())}, or a YAML file"
        )
    return board.load(name)


def load_design(path: Path | str | None) -> Design | None:
    """The design of --design, None without one; InputError for a file that is none."""
    from vaqf.files import smallfile
    from vaqf.hardware import design

    if path is None:
        return None
    what = "the design.json of a build"
    return design.from_json(smallfile.read_object(Path(path), DESIGN_BYTES, what))


def recipe_settings(settings: Mapping[str, str] | None, epochs: int | None) -> dict[str, str]:
    """Keys of the recipe that --set and --epochs replace; InputError if both say epochs."""
    words = dict(settings or {})
    if epochs is None:
        return words
    if "epochs" in words:
        raise InputError("--epochs and --set epochs=... say the same thing; give one of them")
    return {**words, "epochs": str(epochs)}


def training_data(data: str | None) -> str:
    """The --data of a training; InputError where it is missing."""
    if data is None:
        from vaqf.images.sets import SETS

        raise InputError(
            f"--data is missing; it takes {', '.join(SETS)}, or a folder of pictures or shards"
        )
    return data
