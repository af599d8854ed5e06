"""Tools that wheels of PyPI bring as WebAssembly (YoWASP), run in a folder that they alone see."""

import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from vaqf.errors import ToolMissing
from vaqf.files import places
from vaqf.sim import processes

KEPT = "YOWASP_CACHE_DIR"  # where a wheel keeps what it compiled


def version(package: str, missing: str) -> str:
    """Of an installed wheel, by its module's name; ToolMissing says `missing` without it."""
    try:
        if importlib.util.find_spec(package) is not None:
            return importlib.metadata.version(package.replace("_", "-"))
    except importlib.metadata.PackageNotFoundError:
        pass  # what pip left behind, or a folder of that name
    raise ToolMissing(missing)


@cache
def _borrowed() -> TemporaryDirectory[str]:
    """A folder that is there as long as this process."""
    return TemporaryDirectory(prefix="vaqf-yosys-")


def environment() -> dict[str, str]:
    """The wheels keep machine code in the user's cache; where there is none, we lend one."""
    kept = places.cache("yosys")
    own = {} if kept is not None and places.is_writable(kept) else {KEPT: _borrowed().name}
    return own | os.environ


def run(
    package: str, function: str, arguments: Sequence[str], folder: Path
) -> tuple[int, list[str]]:
    """Exit code of a wheel's tool in `folder`, and the lines that it said."""
    call = f"import sys, {package}; sys.exit({package}.{function}(sys.argv[1:]))"
    command = [sys.executable, "-P", "-c", call, *arguments]
    return processes.run(command, folder, environment())


def complaint(said: Sequence[str]) -> str:
    """The first error among the lines that a tool said before it failed, or the last line."""
    errors = [line.strip() for line in said if "ERROR" in line]
    last = next((line.strip() for line in reversed(said) if line.strip()), "it says nothing")
    return errors[0] if errors else last
