"""Progress bars on standard error while a verb works."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


@contextmanager
def bars() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error for each stage, gone at the end: (what, done, of how many)."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    stages: dict[str, TaskID] = {}

    def report(what: str, done: int, of: int) -> None:
        stage = what.split(",", maxsplit=1)[0]
        if stage not in stages:
            stages[stage] = bar.add_task(what, total=of)
        bar.update(stages[stage], description=what, completed=done)

    with bar:
        yield report
