"""The installed package: console script, python -m, a user's own sim and quant, pipes, wheel."""

import errno
import os
import signal
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from waiting import ended, wait_for

import vaqf
from vaqf.verbs import VERBS

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = Path(sys.executable).with_name("vaqf")
MODULE = (sys.executable, "-m", "vaqf")


def run(
    *words: str | Path, cwd: Path | None = None, stdout: int | None = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=cwd, check=False
    )


@pytest.mark.parametrize("command", [(str(SCRIPT),), MODULE], ids=["script", "python -m"])
def test_a_folder_with_files_of_any_name(tmp_path: Path, command: tuple[str, ...]) -> None:
    """A user's own sim, quant or numpy in the current folder is none of a command's business."""
    for name in ("sim", "quant"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('shadowed {name}')\n")
    for name in ("numpy", "rich", "yaml"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('shadowed {name}')\n")
    for words in (["--version"], ["models"], ["boards"]):
        answer = run(*command, *words, cwd=tmp_path)
        assert (answer.returncode, answer.stderr) == (0, "")


BEFORE = "import sim, quant\nimport vaqf\n{verb}\n"
AFTER = "import vaqf\n{verb}\nimport sim, quant\n"


@pytest.mark.parametrize("order", [BEFORE, AFTER], ids=["before", "after"])
def test_a_scripts_own_sim_and_quant_stay_its_own(tmp_path: Path, order: str) -> None:
    """Imported before or after ours: each has its own, lazy imports in other threads, too."""
    for name in ("sim", "quant"):
        (tmp_path / f"{name}.py").write_text(f"MINE = '{name}'\n")
    verb = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def built(n): return vaqf.build('vit_digits', 'zcu102', out=f'p{n}').folder\n"
        "with ThreadPoolExecutor() as pool: print(*pool.map(built, range(2)))\n"
        "from vaqf.quant.recipe import recipe\n"
        "print(recipe.load('best').name)"
    )
    mine = "print(sim.MINE, quant.MINE, vaqf.sim.golden.__name__, sim.__name__)"
    answer = run(sys.executable, "-c", order.format(verb=verb) + mine, cwd=tmp_path)
    assert answer.stderr == ""
    assert answer.stdout == "p0 p1\nbest\nsim quant vaqf.sim.golden sim\n"


def test_a_closed_pipe_is_quiet() -> None:
    line = f"'{SCRIPT}' models --json | head -1; echo ${{PIPESTATUS[0]}}"
    answer = run("bash", "-c", line)
    assert answer.stderr == ""
    assert answer.stdout.splitlines()[0] == "["


@pytest.mark.parametrize("words", ["models", "models --json", "models -h"])
def test_a_reader_that_has_gone(words: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    answer = run(SCRIPT, *words.split(), stdout=writing)
    os.close(writing)
    assert (answer.returncode, answer.stderr) == (141, "")


def test_a_full_disk_behind_standard_output() -> None:
    with Path("/dev/full").open("w") as full:
        answer = run(SCRIPT, "models", "--json", stdout=full.fileno())
    assert answer.returncode == 2
    assert answer.stderr == f"error: {os.strerror(errno.ENOSPC)}\n"


def test_closed_standard_streams_are_no_error() -> None:
    words = "estimate --model vit_digits --board zcu102"
    answer = run(
        "bash", "-c", f"'{SCRIPT}' {words} >&-; echo $?; '{SCRIPT}' {words} 2>&- >&-; echo $?"
    )
    assert (answer.stdout, answer.stderr) == ("0\n0\n", "")


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_training_leaves_whole_files(tmp_path: Path, kind: signal.Signals) -> None:
    words = [SCRIPT, "train", "--model", "vit_digits", "--data", "digits", "-o", tmp_path / "c.pt"]
    words += ["--epochs", "100000"]  # it cannot end before the signal comes
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        wait_for((tmp_path / "c.pt").exists, process)
        process.send_signal(kind)
        _, err = ended(process)
    assert process.returncode == 130
    said = "error: interrupted; nothing was left half-written; --resume goes on from there"
    assert err.splitlines()[-1] == said
    assert {file.name for file in tmp_path.iterdir()} <= {"c.pt", "c.csv"}


def test_the_shell_completes_verbs_and_models() -> None:
    line = {"COMP_WORDS": "vaqf estimate --model deit_b", "COMP_CWORD": "3"}
    shell = {**os.environ, "_VAQF_COMPLETE": "complete_bash", **line}
    answer = subprocess.run([SCRIPT], capture_output=True, text=True, env=shell, check=False)
    assert "deit_base" in answer.stdout.split()


ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("strict", [{}, {"PYTHONIOENCODING": "ascii:strict"}])
def test_names_that_the_locale_has_no_letters_for(tmp_path: Path, strict: dict[str, str]) -> None:
    """Bytes of a file's name come out as they went in; other letters are escaped."""
    place = tmp_path / "é"
    words = (*MODULE, "build", "-m", "vit_digits", "-b", "zcu102", "-o", str(place))
    env = {**os.environ, **ASCII, **strict}
    answer = subprocess.run(words, capture_output=True, env=env, check=False)
    assert (answer.returncode, answer.stderr) == (0, b"")
    assert os.fsencode(place) in answer.stdout
    code = (
        "from vaqf.cli.failure import prepare_process; prepare_process(); "
        "print('\\u65e5 \\xe9 \\udcc3\\udca9')"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, env=env, check=False)
    assert (answer.stdout, answer.stderr) == (b"\\u65e5 \\xe9 \xc3\xa9\n", b"")


def test_no_terminal_no_escape_codes() -> None:
    assert "\x1b" not in run(SCRIPT, "models").stdout


def test_extras_and_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(project["optional-dependencies"]) == {
        "quant",
        "qonnx",
        "sim",
        "rtl",
        "synth",
        "place",
        "dev",
    }
    assert project["scripts"] == {"vaqf": "vaqf.cli:run"}
    assert not [need for need in project["dependencies"] if "torch" in need]


def test_verbs_are_functions_of_the_package() -> None:
    assert [verb for verb in VERBS if not callable(getattr(vaqf, verb))] == []
    with pytest.raises(AttributeError, match="no attribute 'estimat'"):
        vaqf.__getattr__("estimat")


@pytest.mark.slow
def test_a_wheel_carries_boards_and_templates(tmp_path: Path) -> None:
    offline = ("--no-deps", "--no-build-isolation")
    answer = run(sys.executable, "-m", "pip", "wheel", *offline, "-q", "-w", tmp_path, ROOT)
    assert answer.returncode == 0, answer.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    boards = {f"vaqf/_data/boards/{path.name}" for path in (ROOT / "boards").glob("*.yaml")}
    assert boards <= names
    bench = {f"vaqf/{path.relative_to(ROOT)}" for path in (ROOT / "sim/cosim/bench").rglob("*.sv")}
    assert len(bench) > 5
    assert bench <= names
    assert {"vaqf/sim/golden.py", "vaqf/py.typed", "vaqf/quant/recipe/best.yaml"} <= names
    tops = {name.split("/")[0] for name in names}
    assert tops == {"vaqf", f"vaqf-{vaqf.__version__}.dist-info"}  # no name that a user may have
