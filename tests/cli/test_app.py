"""The command line in process: what it prints, its exit codes, and no traceback for anyone."""

import json
import re
from pathlib import Path

import pytest
import typer.main

import vaqf
from vaqf import __version__
from vaqf.cli import app
from vaqf.errors import InputError
from vaqf.hardware import board
from vaqf.model import zoo
from vaqf.verbs import VERBS, lists

Captured = pytest.CaptureFixture[str]


def fails(capsys: Captured, *words: str) -> tuple[int, str]:
    """Exit code and the one line on standard error of a command that must fail."""
    code = app.main(words)
    out, err = capsys.readouterr()
    assert code != 0
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    return code, err.removeprefix("error: ").rstrip("\n")


def prints(capsys: Captured, *words: str) -> str:
    """Standard output of a command that must succeed without a word on standard error."""
    code = app.main(words)
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return out


def test_version(capsys: Captured) -> None:
    assert prints(capsys, "--version") == f"vaqf {__version__}\n"


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_help_names_every_verb(capsys: Captured, words: tuple[str, ...]) -> None:
    text = prints(capsys, *words)
    assert [verb for verb in VERBS if not re.search(rf"^\W*{verb}\s", text, re.M)] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_and_a_function(capsys: Captured, verb: str) -> None:
    assert f"vaqf {verb} " in prints(capsys, verb, "--help")
    assert callable(getattr(vaqf, verb))


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_with_a_letter_too_few_is_offered(capsys: Captured, verb: str) -> None:
    for at in range(len(verb)):
        typo = verb[:at] + verb[at + 1 :]
        if typo not in VERBS:
            code, sentence = fails(capsys, typo)
            assert (code, f"(did you mean {verb}?)" in sentence) == (2, True), typo


def test_the_functions_are_those_of_the_command_line() -> None:
    everything: dict[str, object] = {}
    exec("from vaqf import *", everything)  # as in a notebook
    functions = {name: value for name, value in everything.items() if callable(value)}
    assert set(functions) - {"__builtins__"} == set(VERBS)
    assert all(function is getattr(vaqf, name) for name, function in functions.items())
    assert set(VERBS) <= set(dir(vaqf))
    with pytest.raises(AttributeError, match="no attribute 'synt'"):
        _ = vaqf.synt


def test_models_lists_the_zoo_with_its_macs(capsys: Captured) -> None:
    rows = json.loads(prints(capsys, "models", "--json"))
    assert [row["name"] for row in rows] == zoo.names()
    macs = {row["name"]: round(row["macs"] / 1e6, 1) for row in rows}
    assert macs["deit_base"] == 17563.8
    assert "deit_base" in prints(capsys, "models")


def test_ultra_rams_that_are_not_used_have_a_row(capsys: Captured) -> None:
    text = prints(capsys, "estimate", "--model", "vit_digits", "--board", "zcu104")
    assert re.search(r"^uram +0 +96 +0\.0$", text, re.M)
    assert "- The 96 UltraRAMs of zcu104 are not used yet.\n" in text
    none = prints(capsys, "estimate", "--model", "vit_digits", "--board", "zcu102")
    assert not re.search("uram|UltraRAM", none)


def test_boards_lists_the_boards(capsys: Captured) -> None:
    rows = json.loads(prints(capsys, "boards", "--json"))
    assert [row["name"] for row in rows] == board.names()
    assert all(row["source"] for row in rows)
    assert "xczu9eg-ffvb1156-2-e" in prints(capsys, "boards")


def test_a_clock_that_is_not_met_is_said_first(capsys: Captured, tmp_path: Path) -> None:
    words = ("--model", "vit_digits", "--board", "zcu102", "--fps", "100")
    met = json.loads(prints(capsys, "estimate", *words, "--json"))
    assert met["clock_mhz"] == met["met_clock_mhz"]
    assert "warning" not in prints(capsys, "estimate", *words, "--clock-mhz", "150")
    above = json.loads(prints(capsys, "estimate", *words, "--clock-mhz", "700", "--json"))
    allowed, path = above["met_clock_mhz"], above["longest_path"]
    for verb, more in (("estimate", ("-q",)), ("build", ("-o", str(tmp_path / "fast")))):
        code = app.main((verb, *words, "--clock-mhz", "700", *more))
        first, second = capsys.readouterr().out.splitlines()[:2]
        assert code == 0 and second.startswith("vit_digits on zcu102")
        assert first == (
            f"warning: 700 MHz is above the {allowed:g} MHz that this design meets in the timing"
            f" model ({path['ns']:.2f} ns, in {path['module']})"
        )
    for bad in ("739", "0", "nan"):
        code, said = fails(capsys, "estimate", *words, "--clock-mhz", bad)
        assert code == 2 and "clock" in said


def test_doctor_says_what_is_missing(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    rows = {row["name"]: row for row in json.loads(prints(capsys, "doctor", "--json"))}
    assert rows["g++"]["version"] is None
    assert rows["g++"]["needed_for"] == "csim, cosim"
    assert "missing" in prints(capsys, "doctor")


def test_doctor_survives_a_tool_that_does_not_answer(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "g++").write_text("no program")
    (tmp_path / "g++").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    rows = {row["name"]: row for row in json.loads(prints(capsys, "doctor", "--json"))}
    assert rows["g++"]["version"] == "found, but does not answer"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["estimat"], "unknown verb 'estimat' (did you mean estimate?); known are "),
        (["a'b\"c"], "unknown verb "),
        (["estimate", "--fbs", "3"], "vaqf estimate has no option --fbs; did you mean --fps?"),
        (["--bad"], "vaqf has no option --bad; "),
        (["estimate", "--fps"], "--fps lacks its value; `vaqf estimate -h` shows what is allowed"),
        (["estimate", "--json=3"], "--json takes no value; `vaqf estimate -h` shows"),
        (["estimate", "--fps", "fast"], "--fps is 'fast'; it must be a number or max"),
        (["estimate", "--act-bits", "6.5"], "--act-bits is '6.5'; it must be a whole number"),
        (["estimate", "--clock-mhz", "fast"], "--clock-mhz is 'fast'; it must be a number"),
        (["estimate", "--board", "zcu102"], "--model is missing; known are deit_tiny, "),
        (["estimate", "--model", "deit_base"], "--board is missing; known are alveo_u250, "),
    ],
)
def test_a_wrong_command_line_is_one_sentence(
    capsys: Captured, words: list[str], expected: str
) -> None:
    code, sentence = fails(capsys, *words)
    assert code == 2
    assert sentence.startswith(expected)


@pytest.mark.parametrize("words", [["estimate", "extra"], ["csim"], ["predict", "folder"]])
def test_what_typer_refuses_says_where_to_look(capsys: Captured, words: list[str]) -> None:
    code, sentence = fails(capsys, *words)
    assert code == 2
    assert sentence.endswith(f"; `vaqf {words[0]} -h` shows what is allowed")


NUMBERS = ("N", "N|max", "A", "A,A,...", "MHZ", "SEED")  # how the help names what it takes


def numeric_options() -> list[tuple[str, str, int]]:
    """(verb, option, its arguments) of every option that takes a number, as the help says."""
    found = []
    for verb in VERBS:
        command = typer.main.get_command(app.app).get_command(None, verb)
        words = sum(parameter.param_type_name == "argument" for parameter in command.params)
        options = [p for p in command.params if p.param_type_name == "option"]
        found += [(verb, p.opts[0], words) for p in options if p.metavar in NUMBERS]
    return found


def test_there_are_numbers_to_check() -> None:
    flags = {flag for _, flag, _ in numeric_options()}
    assert {"--fps", "--act-bits", "--clock-mhz", "--lut-budget", "--images", "--seed"} <= flags
    assert {"--epochs", "--workers", "--stalls", "--top"} <= flags


@pytest.mark.parametrize(
    "text", ["\uff11\uff10", "1_000", " 8", "8\n", "\x1b8", "0x8", "\u0668", ""]
)
@pytest.mark.parametrize(("verb", "flag", "arguments"), numeric_options())
def test_every_number_is_written_in_plain_digits(
    capsys: Captured, verb: str, flag: str, arguments: int, text: str
) -> None:
    code, sentence = fails(capsys, verb, *["x"] * arguments, flag, text)
    assert (code, sentence.startswith(f"{flag} is ")) == (2, True), sentence


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["lr=1\nepochs: 3"], "it must be KEY=VALUE, on one line"),
        (["lr=1\x1b[2J"], "it must be KEY=VALUE, on one line"),
        (["lr=1", "lr=2"], "--set says 'lr' twice"),
        (["lr"], "it must be KEY=VALUE"),
        (["= 1"], "it must be KEY=VALUE"),
    ],
)
def test_settings_are_pairs(capsys: Captured, settings: list[str], said: str) -> None:
    words = [word for pair in settings for word in ("--set", pair)]
    code, sentence = fails(capsys, "train", *words)
    assert (code, said in sentence) == (2, True), sentence


def test_control_characters_of_a_name_do_not_reach_the_terminal(capsys: Captured) -> None:
    _, sentence = fails(capsys, "estimate", "--model", "a\n\x1b[2Jb\udcff", "--board", "zcu102")
    assert sentence.isprintable()


def test_a_bug_of_ours_is_one_sentence_and_a_trace_file(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken() -> None:
        raise KeyError("oops\nsecond line")

    monkeypatch.setattr(lists, "models", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, sentence = fails(capsys, "models")
    (trace,) = tmp_path.iterdir()
    assert code == 70
    assert str(trace) in sentence
    assert "KeyError" in sentence
    assert "in broken" in trace.read_text()
    assert "vaqf models" in trace.read_text()


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (KeyboardInterrupt(), 130),
        (InputError("no"), 2),
        (PermissionError(13, "Permission denied", "/x"), 2),
        (RecursionError(), 70),
    ],
)
def test_exit_codes(
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    raised: BaseException,
    code: int,
) -> None:
    def failing() -> None:
        raise raised

    monkeypatch.setattr(lists, "models", failing)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert fails(capsys, "models")[0] == code


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-b", "zcu102", "--fps", "1e5"), "(asked: 100,000; not met)"),
        (("-b", "kv260", "--fps", "1"), "(asked: 1; not met)"),
        (("-b", "kv260"), "(the nearest design; it does not fit)"),
    ],
)
def test_what_cannot_be_had_is_not_called_an_answer(
    capsys: Captured, words: tuple[str, ...], said: str
) -> None:
    assert app.main(["estimate", "-m", "deit_base", *words, "--quiet"]) == 3
    assert said in capsys.readouterr().out.splitlines()[0]
