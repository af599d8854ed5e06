"""interrupts.py: a signal waits for the end of a block, and no file is left half-written."""

import shutil
import signal
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vaqf.files import output
from vaqf.files.interrupts import ENDS, held_back


def test_a_signal_waits_for_the_end() -> None:
    handlers = [signal.getsignal(end) for end in ENDS]
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():
        signal.raise_signal(signal.SIGINT)
        done.append("all of it")
    assert done
    assert [signal.getsignal(end) for end in ENDS] == handlers


def test_what_is_ignored_stays_ignored() -> None:
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with held_back():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_are_let_be() -> None:
    done = []

    def work() -> None:
        with held_back():
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [1]


def interrupting(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same, and a Ctrl-C as it returns."""

    def wrapped(*args: Any, **options: Any) -> Any:
        found = call(*args, **options)
        signal.raise_signal(signal.SIGINT)
        return found

    return wrapped


@pytest.mark.parametrize("new", [output.new_file, output.new_folder])
@pytest.mark.parametrize(("module", "name"), [(tempfile, "mkdtemp"), (shutil, "rmtree")])
def test_an_interrupt_at_either_end_leaves_nothing_half_written(
    new: Callable[[Path], Any],
    module: Any,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, name, interrupting(getattr(module, name)))
    with pytest.raises(KeyboardInterrupt), new(tmp_path / "out") as partial:
        (partial if new is output.new_file else partial / "file").write_text("whole")
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == (["out"] if name == "rmtree" else [])
