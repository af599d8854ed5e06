"""Waiting for another process: for an event, however long it takes, and never for a time.

The guard ends a test that hangs. It is no measure of speed: what it waits for takes seconds.
"""

import subprocess
import time
from collections.abc import Callable

GUARD_SECONDS = 1800


def wait_for(found: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Until something is there that a process which still runs makes."""
    end = time.monotonic() + GUARD_SECONDS
    while not found():
        if process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
            continue
        _end(process)
        raise AssertionError(f"it never came; the process said {process.communicate()}")


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a process printed on both streams, when it has ended by itself."""
    try:
        return process.communicate(timeout=GUARD_SECONDS)
    except subprocess.TimeoutExpired:
        _end(process)
        raise AssertionError(f"it never ended, and said {process.communicate()}") from None


def _end(process: subprocess.Popen[str]) -> None:
    """The processes that it started too, if it passes the signal on as torchrun does."""
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
