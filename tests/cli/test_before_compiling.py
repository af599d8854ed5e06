"""What is wrong with a question is said before anything is compiled, synthesized or computed."""

import errno
import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cosim_project
import pytest

from vaqf.cli import app
from vaqf.errors import ToolFailed

MANY = str(cosim_project.IMAGES + 1)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cosim_project.build(tmp_path_factory.mktemp("home") / "small")


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def begun(*_: object, **__: object) -> None:
        raise ToolFailed("work has begun")

    for work in (
        "vaqf.sim.csim.compile_kernel",
        "vaqf.sim.cosim.launch.compile_model",
        "vaqf.sim.golden.run",
        "vaqf.sim.synth.units.cut",
        "vaqf.sim.yowasp.run",
    ):
        monkeypatch.setattr(work, begun)


IMAGES = [
    (["--images", MANY], f"--images is {MANY}; the project holds {cosim_project.IMAGES} images"),
    (["--images", "0"], "--images is 0; it must be at least 1"),
    (["--data", "digits", "--images", "9999"], "--images is 9999; digits has 360"),
    (["--data", "/no/such"], os.strerror(errno.ENOENT)),
]
RTL = [
    (["--stalls", "-1"], "--stalls is -1"),
    (["--stalls", str(2**31)], f"--stalls is {2**31}"),
    (["--layers", "--rtl", "."], "leave out --layers or --rtl"),
    (["--rtl", "no/such"], "is no folder"),
    (["--rtl", str(Path(__file__).parent)], "no .v file there has the module vaqf_accelerator"),
]
CASES = [
    *(("csim", words, expected) for words, expected in IMAGES),
    *(("cosim", words, expected) for words, expected in [*IMAGES, *RTL]),
    *(("cosim", ["--data", "digits", *words], expected) for words, expected in RTL),
    ("synth", ["--tool", "vivdo"], "--tool is 'vivdo' (did you mean vivado?)"),
    ("synth", ["--tool", "vivado"], "Vivado has not run on this project"),
    ("synth", ["--board", "zcu103"], "zcu102"),
    ("place", ["--board", "zcu102"], "a bitstream is made for ulx3s alone"),
    ("place", ["--clock-mhz", "50"], "give --board ulx3s with it"),
    ("place", ["-o", "there"], "-o is of a board"),
    ("place", ["--seed", "-1"], "--seed is -1"),
    ("place", ["--board", "ulx3s", "--clock-mhz", "51.234567"], "such as 50, 62.5 or 75"),
    ("place", ["--board", "ulx3s", "--clock-mhz", "12.5"], "within 2 %"),
    ("place", ["--board", "ulx3s", "--clock-mhz", "fast"], "must be a number"),
    ("place", ["--board", "ulx3s", "-o", str(Path(__file__).parent)], "not made by vaqf"),
    ("predict", ["no.png", "--top", "0"], "--top is 0"),
    ("predict", ["no.png"], "no.png"),
]


@pytest.mark.parametrize(("verb", "words", "expected"), CASES)
def test_a_bad_word_is_one_sentence_at_once(
    built: Path,
    capsys: pytest.CaptureFixture[str],
    verb: str,
    words: Sequence[str],
    expected: str,
) -> None:
    before = sorted(built.rglob("*"))
    code = app.main([verb, str(built), *words])
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert expected in err
    assert sorted(built.rglob("*")) == before


def test_each_file_is_parsed_once(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    for name in ("vaqf.hardware.design.from_json", "vaqf.network.networkfile.read"):
        module, _, function = name.rpartition(".")
        own = getattr(importlib.import_module(module), function)

        def counted(*words: Any, own: Any = own, name: str = name) -> Any:
            read.append(name)
            return own(*words)

        monkeypatch.setattr(name, counted)
    for verb in ("csim", "cosim"):
        read.clear()
        app.main([verb, str(built)])
        assert len(read) == len(set(read)) > 0


@pytest.mark.parametrize("verb", ["csim", "cosim", "synth", "place"])
def test_a_good_question_begins(built: Path, verb: str) -> None:
    assert app.main([verb, str(built)]) == ToolFailed.exit_code


@pytest.mark.parametrize("name", ["weights/weights", "weights/commands", "golden/images"])
@pytest.mark.parametrize("verb", ["csim", "cosim"])
def test_a_flipped_bit_is_noticed_at_once(
    built: Path, capsys: pytest.CaptureFixture[str], verb: str, name: str
) -> None:
    path = built / f"{name}.bin"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert app.main([verb, str(built)]) == 2
    finally:
        path.write_bytes(whole)
    assert "CRC" in capsys.readouterr().err


def test_a_file_list_that_names_nothing(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = built / "rtl/vaqf_accelerator.f"
    whole = path.read_bytes()
    try:
        path.write_bytes(b"")
        assert app.main(["cosim", str(built)]) == 2
    finally:
        path.write_bytes(whole)
    assert "names no file" in capsys.readouterr().err


def test_a_users_own_waveform_stays(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = built / "cosim.vcd"
    path.write_text("mine")
    try:
        assert app.main(["cosim", str(built), "--trace"]) == 2
        assert path.read_text() == "mine"
    finally:
        path.unlink()
    assert "was not written by vaqf" in capsys.readouterr().err
