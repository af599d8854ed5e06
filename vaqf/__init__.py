"""vaqf: from a vision transformer and a frame rate to an FPGA accelerator.

Every verb of the command line is a function here: vaqf.estimate(...), vaqf.build(...), ...
"""

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """The verbs of vaqf.api, imported when first used: `import vaqf` stays cheap."""
    from vaqf import api

    if name in api.VERBS:
        return getattr(api, name)
    raise AttributeError(f"module 'vaqf' has no attribute {name!r}")
