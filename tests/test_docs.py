"""README.md and docs/tutorial.md: their files are valid, their estimates are what vaqf answers."""

import re
import shlex
from pathlib import Path

import pytest

from vaqf import cli

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
TUTORIAL = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\(([^)#:]+)\)")


def transcripts() -> list[tuple[str, list[str]]]:
    """(command, lines of its answer) of every `$ vaqf estimate` in README and tutorial."""
    pages = (ROOT / "README.md").read_text(encoding="utf-8") + TUTORIAL
    found = []
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", pages, re.MULTILINE | re.DOTALL):
        if language:
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, answer = part.partition("\n")
            if command.startswith("vaqf estimate "):
                found.append((command, answer.split("...\n")[0].splitlines()))
    return found


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tutorial's YAML files, in the current folder."""
    for name, text in re.findall(r"`(\w+\.yaml)`:\n\n```yaml\n(.*?)^```", TUTORIAL, re.M | re.S):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)


def test_there_is_something_to_check() -> None:
    assert len(transcripts()) == 4


@pytest.mark.parametrize("command, answer", transcripts())
@pytest.mark.usefixtures("files")
def test_estimates_are_what_vaqf_answers(
    command: str, answer: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(shlex.split(command)[1:])
    shown = capsys.readouterr()
    said = [line.rstrip() for line in (shown.out + shown.err).splitlines()]
    assert said[: len(answer)] == answer
    assert code == (3 if answer[-1].startswith("error: ") else 0)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [t for t in targets if not (page.parent / t).exists()] == []
