"""Progress of a verb, as its caller is told: what it is doing, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[str, int, int], None]
"""Progress: what is being done, how many are done, of how many."""


Log = Callable[[str], None]
"""A line that a long run leaves behind: what came of one of its epochs."""


def silent(what: str, done: int, of: int) -> None:
    """The default Report."""


def unlogged(line: str) -> None:
    """The default Log."""
