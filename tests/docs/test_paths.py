"""Pages, docstrings and comments name no file and no module that is gone."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from vaqf.verbs import VERBS

ROOT = Path(__file__).parents[2]
TOPS = ("vaqf", "quant", "sim", "hls_templates", "boards", "rtl", "tests", "benchmarks", "docs")
KINDS = {".py", ".sv", ".md", ".hpp", ".h", ".cpp", ".j2", ".json", ".yaml", ".toml"}
# a file with its folder, or the name of a source file alone
PATH = re.compile(
    rf"(?<![\w/.<\"-])(?:{'|'.join(TOPS)})/(?:[\w.-]+/)*[a-z0-9_]+\.(?:py|sv|hpp|cpp|md|json|j2)\b"
)
NAME = re.compile(r"(?<![\w/.{*-])[a-z]\w*\.(?:py|sv|hpp)\b")
MODULE = re.compile(r"(?<![\w/.-])(?:vaqf|quant|sim)(?:\.[a-z]\w*)+(?![\w(]*[@/])")
WRITTEN = {  # by vaqf build and place, and by the tutorial
    "host.py",
    "ulx3s_pkg.sv",
    "vaqf_pkg.sv",
    "config.hpp",
    "vaqf_accelerator.hpp",
    "float_model.py",
}


def sources() -> list[Path]:
    """Every text of ours that a person reads."""
    found = [path for top in TOPS for path in (ROOT / top).rglob("*") if path.suffix in KINDS]
    pages = [path for path in ROOT.glob("*.md") if path.name != "CHANGELOG.md"]
    emitted = ROOT / "tests/project/references"
    return sorted(path for path in [*pages, *found] if emitted not in path.parents)


@cache
def basenames() -> set[str]:
    return {path.name for path in sources()} | WRITTEN


def is_there(dotted: str) -> bool:
    """Whether a dotted name begins with a module of ours, or with a verb."""
    top, *rest = dotted.split(".")
    if top == "vaqf" and rest[0] in VERBS:
        return True
    place = ROOT / top
    for part in rest:
        if (place / part).is_dir():
            place = place / part
        elif (place / f"{part}.py").is_file():
            return True
        else:  # a name of the package itself
            names = re.findall(r"\w+", (ROOT / top / "__init__.py").read_text())
            return place != ROOT / top or part in names
    return True


def told(path: Path) -> str:
    """What a file says to people: of a test, which writes files of its own, its first words."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py" and path.relative_to(ROOT).parts[0] == "tests":
        return ast.get_docstring(ast.parse(text)) or ""
    return text


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_what_is_named_is_there(path: Path) -> None:
    text = told(path)
    gone = [name for name in PATH.findall(text) if not (ROOT / name).exists()]
    if path.suffix in (".py", ".sv", ".md"):
        gone += [name for name in NAME.findall(text) if name not in basenames()]
        gone += [name for name in MODULE.findall(text) if not is_there(name)]
    assert gone == []
