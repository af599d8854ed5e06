"""README.md and docs/tutorial.md: their files are valid, their estimates are what vaqf answers."""

import re
import runpy
import shlex
from pathlib import Path

import pytest

from vaqf.cli import app

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
TUTORIAL = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\(([^)#:]+)\)")


def transcripts() -> list[tuple[str, list[list[str]]]]:
    """(command, runs of lines between its `...`) of every `$ vaqf estimate` in both pages."""
    pages = (ROOT / "README.md").read_text(encoding="utf-8") + TUTORIAL
    found = []
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", pages, re.MULTILINE | re.DOTALL):
        if language:
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, answer = part.partition("\n")
            if command.startswith("vaqf estimate "):
                runs = re.split(r"^\.\.\.\n", answer, flags=re.MULTILINE)
                found.append((command, [run.splitlines() for run in runs if run]))
    return found


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tutorial's YAML files, in the current folder."""
    for name, text in re.findall(r"`(\w+\.yaml)`:\n\n```yaml\n(.*?)^```", TUTORIAL, re.M | re.S):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)


def test_there_is_something_to_check() -> None:
    assert len(transcripts()) == 4


@pytest.mark.parametrize("command, runs", transcripts())
@pytest.mark.usefixtures("files")
def test_estimates_are_what_vaqf_answers(
    command: str, runs: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    code = app.main(shlex.split(command)[1:])
    shown = capsys.readouterr()
    said = [line.rstrip() for line in (shown.out + shown.err).splitlines()]
    at = 0
    for run in runs:
        places = [i for i in range(at, len(said)) if said[i : i + len(run)] == run]
        assert places, f"not in the answer: {run}"
        at = places[0] + len(run)
    assert code == (3 if runs[-1][-1].startswith("error: ") else 0)


@pytest.mark.usefixtures("files")
def test_the_tutorials_float_model_trains(capsys: pytest.CaptureFixture[str]) -> None:
    """One epoch of its script; how well it learns is the reader's to see."""
    for package in ("torch", "brevitas", "sklearn"):
        pytest.importorskip(package)
    (script,) = re.findall(r"^```python\n(.*?)^```", TUTORIAL, re.M | re.S)
    assert script.count("range(10)") == 1
    Path("float_model.py").write_text(script.replace("range(10)", "range(1)"))
    runpy.run_path("float_model.py")
    assert Path("float.pth").exists()
    assert capsys.readouterr().out.endswith(" of 360 test images correct\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [t for t in targets if not (page.parent / t).exists()] == []
