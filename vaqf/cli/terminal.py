"""What every verb does with the terminal: JSON on standard output, progress on standard error."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vaqf.cli.failure import one_line
from vaqf.reporting import Log, Report, silent, unlogged


def print_json(document: Any) -> None:
    """One JSON document on standard output; NaN and infinity are refused, as JSON has none."""
    print(json.dumps(document, indent=2, allow_nan=False))


@contextmanager
def progress(quiet: bool) -> Iterator[Report]:
    """Where a person looks, a bar on standard error for each stage of a verb, gone at the end.

    Of a stage whose words change ("training, epoch 3 of 8"), those before the comma are its name.
    """
    if quiet or not sys.stderr.isatty():
        yield silent
        return
    from rich import progress as rich
    from rich.console import Console

    bar = rich.Progress(
        rich.SpinnerColumn(),
        rich.TextColumn("{task.description}", markup=False),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TimeElapsedColumn(),
        rich.TextColumn("left"),
        rich.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    stages: dict[str, rich.TaskID] = {}

    def report(what: str, done: int, of: int) -> None:
        stage = what.split(",", maxsplit=1)[0]
        if stage not in stages:
            stages[stage] = bar.add_task(what, total=of)
        bar.update(stages[stage], description=what, completed=done)

    with bar:
        yield report


def epochs(quiet: bool) -> Log:
    """Where no bar is drawn, as under nohup, a line on standard error for each epoch at once."""
    if quiet or sys.stderr.isatty():
        return unlogged
    return lambda line: print(one_line(line), file=sys.stderr, flush=True)
