"""Progress of a verb, as its caller is told."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[str, int, int], None]
"""Progress: what is being done, how many are done, of how many."""


def silent(what: str, done: int, of: int) -> None:
    """The default Report."""
