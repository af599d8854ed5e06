"""A whole ULX3S: silent for every front end; slow: its answers by serial line are golden's."""

from pathlib import Path

import cosim_project
import numpy as np
import pytest
from readers import slang, verilated

from vaqf.project import read, ulx3s
from vaqf.sim.place import nextpnr, serial
from vaqf.sim.synth import yosys


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> ulx3s.Ulx3s:
    folder = cosim_project.build(tmp_path_factory.mktemp("home") / "small")
    return ulx3s.Ulx3s(read.load(folder))


def test_front_ends_have_no_complaint(board: ulx3s.Ulx3s, tmp_path: Path) -> None:
    ulx3s.write(board, tmp_path)
    files = [tmp_path / "rtl" / name for name, _ in ulx3s.sources(board)]
    assert slang(files, top=ulx3s.NAME) == ""
    assert slang(files, "-DSYNTHESIS", "--ignore-unknown-modules", top=ulx3s.NAME) == ""
    assert verilated(files, top=ulx3s.NAME) == ""
    for name, text in ulx3s.contents(board).items():
        (tmp_path / name).write_text(text)
    lines = ["read_verilog -lib +/lattice/cells_bb_ecp5.v"]
    lines += nextpnr.write_sources(ulx3s.sources(board), tmp_path)
    lines += [f"hierarchy -check -top {ulx3s.NAME}", "proc", "check -assert"]
    yosys.run("\n".join(lines), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("load", [False, True])
def test_the_board_answers_as_golden(board: ulx3s.Ulx3s, tmp_path: Path, load: bool) -> None:
    """Weights from the bitstream, and weights over the line."""
    wanted = board.project.reference.logits[:3]
    found = serial.simulate(board, tmp_path, len(wanted), load)
    assert np.array_equal(found.logits, wanted) and found.cycles > 0
