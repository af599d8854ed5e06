"""python -m vaqf: the same as the command `vaqf`."""

import sys
from pathlib import Path

# `python -m` puts the current folder first, where a user's own file may bear the name of a library
# that we import; the folder that holds this package takes its place.
if not sys.flags.safe_path:
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from vaqf.cli.app import run

run()
