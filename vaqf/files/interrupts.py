"""Work that a signal must not cut in two: it waits until the work is done."""

import contextlib
import signal
import threading
from collections.abc import Iterator

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # ways to end a command: KeyboardInterrupt


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Signals that come while the block runs are raised when it has ended.

    Python handles signals in the main thread alone: in others nothing is to be done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {end: signal.signal(end, lambda number, _: came.append(number)) for end in ENDS}
    try:
        yield
    finally:
        for end, handler in before.items():
            signal.signal(end, signal.SIG_DFL if handler is None else handler)
        for number in came[:1]:
            signal.raise_signal(number)
