"""vaqf: from a vision transformer and a frame rate to an FPGA accelerator.

Every verb of the command line is a function here: vaqf.estimate(...), vaqf.doctor(), ...
"""

import importlib
from typing import Any

from vaqf.verbs import VERBS

__version__ = "0.1.0"
__all__ = ("__version__", *VERBS)  # noqa: PLE0604  the names are told once


def __getattr__(name: str) -> Any:
    """A verb, from its module, which is imported when it is first used."""
    if name in VERBS:
        return getattr(importlib.import_module(f"vaqf.verbs.{VERBS[name].function}"), name)
    raise AttributeError(f"module 'vaqf' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The module's own names, and the verbs that were not asked for yet."""
    return sorted({*globals(), *VERBS})
