"""What every verb does with the terminal: JSON on standard output, progress on standard error."""

import json
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from vaqf.reporting import Report, silent


def print_json(document: Any) -> None:
    """One JSON document on standard output; NaN and infinity are refused, as JSON has none."""
    print(json.dumps(document, indent=2, allow_nan=False))


def progress(quiet: bool) -> AbstractContextManager[Report]:
    """Progress on standard error while a verb works, where a person looks."""
    if quiet or not sys.stderr.isatty():
        return nullcontext(silent)
    from vaqf.cli.bars import bars

    return bars()
