"""Tools run side by side, each a process: what ends the work early ends them, too."""

import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from vaqf.errors import ToolFailed

_HERE = threading.local()  # .children: those of the pool whose thread this is


class _Children:
    """The processes that the threads of one pool have begun."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._ended = False

    def add(self, process: subprocess.Popen[str]) -> None:
        """ToolFailed, and the process ends at once, where all have been ended."""
        with self._lock:
            self._running.add(process)
            ended = self._ended
        if ended:
            process.kill()
            raise ToolFailed("the work ended before the tool did")

    def remove(self, process: subprocess.Popen[str]) -> None:
        """It has ended by itself."""
        with self._lock:
            self._running.discard(process)

    def end(self) -> None:
        """End those that run, and each that still begins."""
        with self._lock:
            self._ended = True
            for process in self._running:
                process.kill()


@contextmanager
def pool(jobs: int) -> Iterator[ThreadPoolExecutor]:
    """Threads for tools that `run` starts. An error or a signal in the block ends them all: nobody
    waits for what nobody will read, and no tool outlives the command."""
    children = _Children()

    def joins() -> None:
        _HERE.children = children

    with ThreadPoolExecutor(max(1, jobs), initializer=joins) as threads:
        try:
            yield threads
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            children.end()
            raise


def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> tuple[int, list[str]]:
    """Exit code of a command in `folder`, and the lines that it said; its input is empty."""
    children: _Children = getattr(_HERE, "children", None) or _Children()
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment,
    ) as process:
        try:
            children.add(process)
            said, complained = process.communicate()
        except BaseException:
            process.kill()
            raise
        finally:
            children.remove(process)
    return process.returncode, (said + complained).splitlines()
