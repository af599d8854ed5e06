"""Designs in the corners and from the search, as slang, Verilator and Yosys take them: silently."""

from pathlib import Path

import pytest
from corners import COUNT, corner
from readers import heard, slang
from searched import COUNT as SEARCHED
from searched import SOON, answer

from vaqf.files.paths import rtl as source
from vaqf.project import rtl

# on either engine, either family: P = 1 and 3, 12 and 16, T = 1 and a prime
FEW = (0, 6, 21, 32, 36)
# module, what it says, what it said once: legal for Verilator, Yosys and Vivado's synthesis
ILLEGAL = {
    "a port of another type": (
        "write_context",
        "logic signed [A:0] result;",
        "logic [A:0] result;",
    ),
    "a name before its declaration": (
        "attention_walk",
        "queries_end, unused_behind;\n",
        "queries_end, unused_behind, early;\n  assign early = late;\n  logic late;\n",
    ),
    "a delay of no cycles": ("delay", "if (CYCLES == 0)", "if (CYCLES < 0)"),
}


@pytest.mark.parametrize("number", FEW)
def test_few_corners(tmp_path: Path, number: int) -> None:
    design, family = corner(number)
    assert heard(design, family, tmp_path) == "", design


@pytest.mark.parametrize("number", SOON[:2])
def test_few_designs_of_the_search(tmp_path: Path, number: int) -> None:
    found = answer(number)
    assert heard(found.design, found.board.generation, tmp_path) == "", found


@pytest.mark.slow
@pytest.mark.parametrize("number", sorted(set(range(COUNT)) - set(FEW)))
def test_every_corner(tmp_path: Path, number: int) -> None:
    design, family = corner(number)
    assert heard(design, family, tmp_path) == "", design


@pytest.mark.slow
@pytest.mark.parametrize("number", sorted(set(range(SEARCHED)) - set(SOON[:2])))
def test_every_design_of_the_search(tmp_path: Path, number: int) -> None:
    found = answer(number)
    assert heard(found.design, found.board.generation, tmp_path) == "", found


@pytest.mark.parametrize("name", ILLEGAL)
def test_what_is_illegal_is_heard(tmp_path: Path, name: str) -> None:
    """A corner with P = 1, where nothing was heard of it before."""
    module, good, bad = ILLEGAL[name]
    design, family = corner(0)
    rtl.write_rtl(design, "a mutant", family, tmp_path)
    files = [tmp_path / name for name in (tmp_path / rtl.RTL_FILE_LIST).read_text().split()]
    assert slang(files) == ""
    text = source(module).read_text()
    assert text.count(good) == 1
    (tmp_path / f"{module}.sv").write_text(text.replace(good, bad))
    assert f"{module}.sv" in slang(files)
