"""Bad input: each case ends in one sentence and the right exit code, and writes nothing."""

import contextlib
import errno
import io
import os
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from vaqf.cli import app
from vaqf.hardware import board
from vaqf.model import zoo

MODEL_KEYS = (
    "name", "image_size", "patch_size", "channels", "dim", "depth", "heads", "mlp_ratio",
    "classes", "distilled", "qkv_bias", "ln_eps", "mean", "std", "crop", "interpolation",
)  # fmt: skip
BOARD = {
    "name": "mine",
    "part": "xczu9eg-ffvb1156-2-e",
    "family": "zynquplus",
    "lut": 274080,
    "lutram": 144000,
    "ff": 548160,
    "dsp": 2520,
    "bram36": 912,
    "uram": 0,
    "dram_gbytes_per_s": 19.2,
    "max_clock_mhz": 300,
    "clock_mhz": 200,
    "source": {"lut": "DS891"},
}


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command line."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = app.main(words)
    return code, out.getvalue(), err.getvalue()


def refused(*words: str) -> str:
    """The sentence of a command that must end with exit code 2 and print nothing else."""
    code, out, err = run(*words)
    assert (code, out) == (2, ""), err
    assert err.startswith("error: ")
    assert err.rstrip("\n").isprintable()
    assert len(err) < 1000
    return err


def polite(*words: str) -> None:
    """Any command line at all: an answer, a refusal, or an infeasible target."""
    code, _, err = run(*words)
    assert code in {0, 2, 3}, err
    assert "Traceback" not in err
    assert err.count("\n") == (code != 0)


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    return tmp_path / "model.yaml"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dim: 63\nheads: 4", "dim"),
        ("dim: 1032\nheads: 4", "dim"),
        ("dim: -64", "dim"),
        ("dim: .nan", "dim"),
        ("dim: 64.5", "dim"),
        ("dim: true", "dim"),
        ("dim: '64'", "dim"),
        ("dim: 99999999999999999999999", "dim"),
        ("dimm: 64", "did you mean dim"),
        ("depth: 0", "depth"),
        ("depth: 100000000", "depth"),
        ("mlp_ratio: .inf", "mlp_ratio"),
        ("mlp_ratio: 0.001", "mlp_ratio"),
        ("image_size: 225", "image_size"),
        ("patch_size: 0", "patch_size"),
        ("classes: 0", "classes"),
        ("ln_eps: -1", "ln_eps"),
        ("std: [0, 0, 0]", "std"),
        ("mean: [1]", "mean"),
        ("name: 'a;rm -rf $HOME'", "name"),
        ("name: 'a\"; exec evil ['", "name"),
        ('name: "a\\nb"', "name"),
        ("interpolation: magic", "interpolation"),
        ("- 1\n- 2", "mapping"),
        ("just text", "mapping"),
        ("", "mapping"),
        ("dim: 64\ndim: 128", "dim"),
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]", ""),
        ("!!python/object/apply:os.system ['true']", ""),
        ("dim: [", "YAML"),
        ("{" * 5000, ""),
        ("dim: 64\n---\ndim: 32", ""),
    ],
)
def test_a_bad_model_file(model_file: Path, text: str, expected: str) -> None:
    model_file.write_text(text)
    assert expected in refused("estimate", "--model", str(model_file), "--board", "zcu102")


def test_a_model_file_that_is_not_text(model_file: Path) -> None:
    model_file.write_bytes(b"dim: 64\nname: \xff\xfe")
    assert "UTF-8" in refused("estimate", "--model", str(model_file), "--board", "zcu102")


def test_a_bomb_is_refused_by_its_size(model_file: Path) -> None:
    model_file.write_text("dim: 64\n" + "#" * 2_000_000)
    assert "larger" in refused("estimate", "--model", str(model_file), "--board", "zcu102")


@pytest.mark.parametrize("name", ["deit_basee", "", "/", ".", "no/such.yaml", "a\0b", "x" * 5000])
@pytest.mark.parametrize("flag", ["--model", "--board"])
def test_an_unknown_name(flag: str, name: str) -> None:
    given = {"--model": "deit_base", "--board": "zcu102", flag: name}
    refused("estimate", *[word for pair in given.items() for word in pair])


def test_the_nearest_name_is_offered() -> None:
    assert "deit_base" in refused("estimate", "--model", "deit_basee", "--board", "zcu102")
    assert "zcu102" in refused("estimate", "--model", "deit_base", "--board", "zcu103")


@pytest.mark.parametrize("key", sorted(BOARD))
def test_a_board_must_name_everything(tmp_path: Path, key: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in BOARD.items() if k != key}))
    assert key in refused("estimate", "--model", "deit_tiny", "--board", str(path))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lut", -1),
        ("lut", 0),
        ("lut", float("nan")),
        ("lut", 10**30),
        ("lut", True),
        ("dsp", 2.5),
        ("dram_gbytes_per_s", 0),
        ("dram_gbytes_per_s", float("inf")),
        ("clock_mhz", 0),
        ("clock_mhz", 301),
        ("max_clock_mhz", -5),
        ("part", "x; exec rm"),
        ("name", "$(reboot)"),
        ("family", "stratix"),
        ("usable", {"lut": 1.5}),
        ("usable", {"lutt": 0.5}),
        ("usable", [1]),
        ("source", "DS891"),
        ("colour", "red"),
    ],
)
def test_a_bad_board_file(tmp_path: Path, key: str, value: object) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**BOARD, key: value}))
    refused("estimate", "--model", "deit_tiny", "--board", str(path))


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--fps", "0"),
        ("--fps", "-30"),
        ("--fps", "nan"),
        ("--fps", "inf"),
        ("--fps", ""),
        ("--clock-mhz", "0"),
        ("--clock-mhz", "-1"),
        ("--clock-mhz", "nan"),
        ("--clock-mhz", "inf"),
        ("--clock-mhz", "5000"),
        ("--act-bits", "1"),
        ("--act-bits", "9"),
        ("--act-bits", "-8"),
        ("--act-bits", "9" * 5000),
        ("--lut-budget", "0"),
        ("--lut-budget", "-5"),
        ("--engine", "tabel"),
        ("--engine", ""),
    ],
)
def test_a_bad_flag(flag: str, value: str) -> None:
    refused("estimate", "--model", "deit_tiny", "--board", "zcu102", flag, value)


def test_a_frame_rate_out_of_reach_answers_with_the_best() -> None:
    code, out, err = run("estimate", "-m", "deit_tiny", "-b", "zcu102", "--fps", "1e9", "--json")
    assert code == 3
    assert '"feasible": false' in out
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_model_that_does_not_fit_on_chip() -> None:
    code, _, err = run("estimate", "--model", "vit_large_384", "--board", "pynq_z2")
    assert code == 3
    assert "bram36" in err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["evaluate"], "`vaqf evaluate -h` shows what is allowed"),
        (["evaluate", "no/such.safetensors"], os.strerror(errno.ENOENT)),
        (["evaluate", "/"], "/"),
        (["export", "no/such.pt"], "there is no such file; vaqf train writes it"),
        (["export", "/"], "/"),
        (["train", "--model", "deit_tiny"], "--data is missing"),
        (["train", "--model", "vit_digits", "--data", "cats"], "digits"),
        (["train", "--model", "vit_digits", "--data", "digits", "--epochs", "0"], "epochs"),
        (["train", "--model", "vit_digits", "--data", "digits", "--act-bits", "1"], "act_bits"),
        (["train", "--model", "vit_digits", "--data", "digits", "--seed", "-1"], "seed"),
        (["train", "--model", "vit_digits", "--data", "digits", "-o", "/"], "/"),
        (["train", "--model", "vit_digits", "--data", "digits", "-o", "/proc/x/y"], "/proc"),
    ],
)
def test_bad_words_for_networks(words: list[str], expected: str) -> None:
    assert re.search(expected, refused(*words))


def test_a_file_that_is_no_network(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    for content in (b"", b"junk" * 100, b"\xff" * 8, b"PK\x03\x04", b"\x80\x04."):
        path.write_bytes(content)
        refused("evaluate", str(path))
        refused("export", str(path), "-o", str(tmp_path / "out"))
        refused("export", str(path.rename(tmp_path / "w.pt")), "-o", str(tmp_path / "out"))
        assert [entry.name for entry in tmp_path.iterdir()] == ["w.pt"]


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.integers(1, 64),
    st.floats(),
    st.text(max_size=12),
)
values = st.one_of(scalars, st.lists(scalars, max_size=4), st.dictionaries(st.text(), scalars))
quick = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@quick
@given(st.dictionaries(st.one_of(st.sampled_from(MODEL_KEYS), st.text(max_size=8)), values))
@example({"dim": 2, "heads": 1, "depth": 1, "image_size": 2, "patch_size": 1})
def test_any_mapping_as_a_model(tmp_path: Path, content: dict[str, object]) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    polite("estimate", "--model", str(path), "--board", "zcu102", "--quiet")


@quick
@given(
    st.dictionaries(st.sampled_from(sorted(BOARD)), values, max_size=3),
    st.lists(st.sampled_from(sorted(BOARD)), max_size=1),
)
def test_any_change_of_a_board(
    tmp_path: Path, changes: dict[str, object], dropped: list[str]
) -> None:
    content = {k: v for k, v in {**BOARD, **changes}.items() if k not in dropped}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    polite("estimate", "--model", "vit_digits", "--board", str(path), "--quiet")


@quick
@given(st.binary(max_size=200))
def test_any_bytes_as_a_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.yaml"
    path.write_bytes(content)
    polite("estimate", "--model", str(path), "--board", "zcu102", "--quiet")


plausible = st.fixed_dictionaries(
    {
        "patch_size": st.integers(1, 9),
        "image_size": st.integers(1, 48),
        "dim": st.integers(1, 130),
        "heads": st.integers(1, 7),
        "depth": st.integers(1, 3),
        "classes": st.integers(1, 20),
        "mlp_ratio": st.sampled_from([0.5, 1, 1.5, 2, 4]),
        "distilled": st.booleans(),
    }
)


@quick
@given(plausible, st.sampled_from(board.names()), st.sampled_from(["table", "adder"]))
def test_any_small_model_on_any_board(
    tmp_path: Path, content: dict[str, object], name: str, engine: str
) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(yaml.safe_dump(content))
    polite("estimate", "-m", str(path), "-b", name, "--engine", engine, "--fps", "50", "-q")


words = st.one_of(
    st.sampled_from(["estimate", "models", "boards", "doctor", "--json", "--quiet", "--", "-"]),
    st.sampled_from(["--model", "--board", "--fps", "--act-bits", "--engine", "--clock-mhz"]),
    st.sampled_from([*zoo.names()[:2], *board.names()[:2], "max", "0", "-1", "1e9", "nan"]),
    st.text(max_size=8),
)


@quick
@given(st.lists(words, max_size=6))
def test_any_words(line: list[str]) -> None:
    polite(*line)


numbers = st.one_of(
    st.integers().map(str), st.floats().map(str), st.text(max_size=5), st.just("max")
)


@quick
@given(numbers, numbers, numbers, numbers)
def test_any_numbers(fps: str, act_bits: str, clock_mhz: str, lut_budget: str) -> None:
    polite(
        "estimate", "--model=vit_digits", "--board=pynq_z2", "--quiet", f"--fps={fps}",
        f"--act-bits={act_bits}", f"--clock-mhz={clock_mhz}", f"--lut-budget={lut_budget}",
    )  # fmt: skip
