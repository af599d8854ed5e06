"""What a command line answers, in this process."""

from pathlib import Path

import pytest

from vaqf.cli import app

Captured = pytest.CaptureFixture[str]


def answer(capsys: Captured, *words: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    capsys.readouterr()
    code = app.main([str(word) for word in words])
    return code, *capsys.readouterr()


def sentence(capsys: Captured, code: int, *words: str | Path) -> str:
    """The one line on standard error of a command that must end with `code`."""
    got, _, err = answer(capsys, *words)
    assert got == code, err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err
