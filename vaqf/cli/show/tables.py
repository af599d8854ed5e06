"""Plain tables and numbers on standard output, which all answers are shown with."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

PIPE_COLUMNS = 160  # a pipe has no width: no line is cut there
Json = Mapping[str, Any]


def console() -> Console:
    """Standard output: the terminal's width, or wide enough for every table in a pipe."""
    return Console(
        width=None if sys.stdout.isatty() else PIPE_COLUMNS,
        highlight=False,
        markup=False,
        emoji=False,
    )


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], header: bool = True
) -> Table:
    """A plain table; a column whose name starts with '>' is set to the right."""
    out = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
        show_header=header,
    )
    for name in columns:
        right = name.startswith(">")
        out.add_column(name.lstrip(">"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        out.add_row(*row)
    return out


def number(value: float | None, digits: int = 1) -> str:
    """Thousands separated; a dash for what is not known."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}f}"
