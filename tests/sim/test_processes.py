"""processes.py: tools side by side, and what becomes of them when the work ends early."""

import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from vaqf.errors import ToolFailed
from vaqf.sim import processes

SLOW = """
import pathlib, time
pathlib.Path("began").touch()
time.sleep(60)
pathlib.Path("ended").touch()
"""


def tool(code: str, folder: Path) -> tuple[int, list[str]]:
    return processes.run([sys.executable, "-c", code], folder, {})


def test_a_tool_answers(tmp_path: Path) -> None:
    code = "import sys; print('said'); print('told', file=sys.stderr); sys.exit(3)"
    assert tool(code, tmp_path) == (3, ["said", "told"])
    with processes.pool(2) as pool:
        runs = [pool.submit(tool, f"print({n})", tmp_path) for n in range(3)]
    assert [run.result() for run in runs] == [(0, [str(n)]) for n in range(3)]


@pytest.mark.parametrize("end", [ValueError, KeyboardInterrupt])
def test_an_early_end_ends_the_tools(tmp_path: Path, end: type[BaseException]) -> None:
    """That which runs, that which would follow it, and that which waits for a thread."""

    def two() -> None:
        code, _ = tool(SLOW, tmp_path)
        codes.append(code)
        tool(SLOW, tmp_path)

    codes: list[int] = []
    runs: list[Future[None]] = []
    with pytest.raises(end), processes.pool(1) as pool:
        runs += [pool.submit(two), pool.submit(two)]
        while not (tmp_path / "began").exists():
            time.sleep(0.01)
        raise end
    assert codes == [-signal.SIGKILL]
    assert isinstance(runs[0].exception(), ToolFailed)
    assert runs[1].cancelled()


def test_a_command_that_is_ended_leaves_no_tool(tmp_path: Path) -> None:
    """A scheduler tells the command alone, and not its children."""
    code = f"""
import sys
from pathlib import Path
from vaqf.cli.failure import prepare_process
from vaqf.sim import processes
prepare_process()
with processes.pool(1) as pool:
    pool.submit(processes.run, [sys.executable, "-c", {SLOW!r}], Path(), {{}}).result()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as command:
        while not (tmp_path / "began").exists():
            assert command.poll() is None, command.communicate()[1]
            time.sleep(0.01)
        command.terminate()
        said = command.communicate()[1]
    assert "KeyboardInterrupt" in said and command.returncode != 0
    assert not (tmp_path / "ended").exists()
