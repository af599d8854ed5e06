"""Folders that several tests of the command line start from."""

import shutil
from pathlib import Path

import pytest
import yaml
from PIL import Image
from samples import DIGITS_MODEL

from vaqf.cli import app


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model file, a picture and a project that was compiled and simulated."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "small.yaml").write_text(
        yaml.safe_dump(DIGITS_MODEL | {"class_names": list("abcdefghij")})
    )
    Image.new("L", (20, 30), 99).save(folder / "picture.png")
    words = ["-m", str(folder / "small.yaml"), "-b", "zcu102", "--act-bits", "5", "--quiet"]
    digits = ["--data", "digits", "--images", "12"]
    assert app.main(["build", *words, *digits, "-o", str(folder / "project")]) == 0
    assert app.main(["csim", str(folder / "project")]) == 0
    return folder


@pytest.fixture
def project(home: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(home / "project", tmp_path / "project", symlinks=True))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Verbs run in a folder of their own, which holds small.yaml."""
    from small_runs import model_file  # needs torch

    monkeypatch.chdir(tmp_path)
    model_file(tmp_path)
    return tmp_path
