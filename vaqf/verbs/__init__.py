"""The verbs: one function each, with the name and the defaults of the command line.

Each raises the typed exceptions of vaqf.errors. Modules that need numpy, torch or a file on disk
are imported inside the function that needs them.
"""

from typing import NamedTuple


class Verb(NamedTuple):
    """Where a verb is: the module of its function in vaqf.verbs, of its command in vaqf.cli."""

    function: str
    command: str
    resumable: bool = False  # whether --resume goes on where it was interrupted


VERBS = {  # in the order of the command line
    "models": Verb("lists", "lists"),
    "boards": Verb("lists", "lists"),
    "doctor": Verb("doctor", "lists"),
    "estimate": Verb("estimate", "designs"),
    "build": Verb("build", "designs"),
    "train": Verb("train", "training", resumable=True),
    "sweep": Verb("sweep", "training", resumable=True),
    "export": Verb("export", "training"),
    "evaluate": Verb("evaluate", "training"),
    "csim": Verb("csim", "proofs"),
    "cosim": Verb("cosim", "proofs"),
    "synth": Verb("synth", "proofs"),
    "place": Verb("place", "proofs"),
    "predict": Verb("predict", "proofs"),
}
