"""The verbs models and boards: what is known by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vaqf.hardware.board import Board
    from vaqf.model.vit import Vit


def models() -> list[Vit]:
    """Every model known by name."""
    from vaqf.model import zoo

    return [zoo.load(name) for name in zoo.names()]


def boards() -> list[Board]:
    """Every board known by name."""
    from vaqf.hardware import board

    return [board.load(name) for name in board.names()]
