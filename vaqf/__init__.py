"""vaqf: from a vision transformer and a frame rate to an FPGA accelerator.

Every verb of the command line is a function here: vaqf.estimate(...), vaqf.doctor(), ...
"""

import importlib
from typing import Any

__version__ = "0.1.0"
VERBS = (
    "models",
    "boards",
    "doctor",
    "estimate",
    "build",
    "train",
    "sweep",
    "export",
    "evaluate",
    "csim",
    "cosim",
    "predict",
)


def __getattr__(name: str) -> Any:
    """A verb, from vaqf.api, which is imported when it is first used."""
    if name in VERBS:
        return getattr(importlib.import_module("vaqf.verbs.lists"), name)
    raise AttributeError(f"module 'vaqf' has no attribute {name!r}")
