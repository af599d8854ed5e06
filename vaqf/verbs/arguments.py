"""What the arguments of a verb name: a model, a board, a design file, a package of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaqf.errors import InputError
from vaqf.files.fields import shown

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
    path = Path(path)
    text = smallfile.read(path, DESIGN_BYTES, "the design.json of a build")
    try:
        content = json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON; --design takes the design.json of a build") from error
    return design.from_json(content)


def _once(pairs: list[tuple[str, Any]], path: Path) -> dict[str, Any]:
    """JSON lets the last of two equal keys win silently; we do not."""
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            raise InputError(f"{path} has the key {shown(key)} twice")
        content[key] = value
    return content


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
        raise InputError(
            "--data is missing; it takes digits, shapes, or a folder of pictures or shards"
        )
    return data
