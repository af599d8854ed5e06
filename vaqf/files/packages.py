"""Our own packages sim and quant, where a user's folder may have the same name."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from vaqf.errors import InputError

HOME = Path(__file__).resolve().parents[2]


def use(package: str) -> Any:
    """Import our own `sim` or `quant`, even where a user's folder has the same name."""
    sys.path.insert(0, str(HOME))
    try:
        module = importlib.import_module(package)
    finally:
        sys.path.remove(str(HOME))
    found = Path(str(module.__file__)).resolve().parent
    if found != HOME / package:
        raise InputError(f"{found} hides vaqf's own package {package}; run elsewhere or rename it")
    return module
