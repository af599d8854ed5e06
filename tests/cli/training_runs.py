"""vaqf train as tests of the command line run it, in the folder of the fixture `here`."""

from pathlib import Path

import pytest

from vaqf.cli import app

Capture = pytest.CaptureFixture[str]


QUICK = ["--epochs", "2", "--set", "batch=512"]


def train(*words: str, data: str = "digits") -> int:
    return app.main(["train", "-m", "small.yaml", "-d", data, *words])


def sentence(capsys: Capture) -> str:
    """The one line of an error."""
    answer, error = capsys.readouterr()
    assert answer == "" and error.startswith("error: ") and error.count("\n") == 1, error
    assert "Traceback" not in error and "vaqf itself failed" not in error
    return error.removeprefix("error: ").strip()


def made(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"small.yaml"}
