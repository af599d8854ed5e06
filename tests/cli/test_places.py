"""Projects where people put them: odd names, disks that are not to be written."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import cosim_project
import pytest
from answers import Captured, answer, sentence
from readonly import read_only

from vaqf.errors import ToolFailed
from vaqf.sim.cosim import launch, simulate
from vaqf.sim.cosim import run as rtl_run
from vaqf.sim.cosim.launch import Model

ODD = 'it\'s "my" $HOME #1 %s; é'


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cosim_project.build(tmp_path_factory.mktemp("home") / ODD)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/vaqf/projects"


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[list[Path]]:
    """The paths that the stand-in of a compiler saw: its folder, then the sources."""
    seen: list[list[Path]] = []

    def compile_model(top: str, sources: list[Path], folder: Path, *_: Any) -> Model:
        assert all(source.is_file() for source in sources)
        seen.append([folder, *sources])
        (folder).mkdir(exist_ok=True)
        (folder / top).write_text("a program")
        return Model(top, folder)

    def begun(model: Model, *_: Any) -> None:
        assert (model.folder / model.top).read_text() == "a program"
        raise ToolFailed(f"runs {model.folder}")

    monkeypatch.setattr(launch, "compile_model", compile_model)
    monkeypatch.setattr(simulate, "simulate", begun)
    return seen


def test_csim_of_a_folder_with_an_odd_name(built: Path, capsys: Captured) -> None:
    code, out, err = answer(capsys, "csim", built, "--images", "1")
    assert (code, err) == (0, "")
    assert "0 mismatches" in out
    assert (built / "hls/build/csim").is_file()


def test_csim_of_a_read_only_project_compiles_in_the_cache(
    built: Path, cache: Path, capsys: Captured
) -> None:
    shutil.rmtree(built / "hls/build", ignore_errors=True)
    with read_only(built):
        code, _, err = answer(capsys, "csim", built, "--images", "1")
        assert (code, err) == (0, "")
        (program,) = cache.glob("*/hls/build/csim")
        before = program.stat()
        assert answer(capsys, "csim", built, "--images", "1")[0] == 0
    assert program.stat().st_mtime_ns == before.st_mtime_ns  # make had nothing to do
    (config,) = cache.glob("*/hls/config.hpp")
    config.write_text("an older build's")
    with read_only(built):
        assert answer(capsys, "csim", built, "--images", "1")[0] == 0
    assert config.read_bytes() == (built / "hls/config.hpp").read_bytes()


def test_a_manifest_does_not_lead_out_of_the_cache(
    built: Path, cache: Path, tmp_path: Path, capsys: Captured
) -> None:
    project = Path(shutil.copytree(built, tmp_path / "p", ignore=shutil.ignore_patterns("build")))
    manifest = project / "manifest.json"
    (tmp_path / "p/x").write_text("x")
    manifest.write_text(manifest.read_text().replace('"sha256": {', '"sha256": {"hls/../x": "",'))
    with read_only(project):
        err = sentence(capsys, 2, "csim", project)
    assert "manifest.json names what no build writes; build the project again" in err
    assert list(cache.rglob("x")) == []


def test_without_a_cache_the_sentence_names_both(
    built: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/sys/kernel/cache")
    for verb in ("csim", "cosim"):
        with read_only(built):
            err = sentence(capsys, 2, verb, built)
        assert f"{os.strerror(errno.EROFS)}, nor /sys/kernel/cache/vaqf/projects" in err
        assert " -o" not in err


@pytest.mark.usefixtures("cache")
def test_verilator_sees_plain_paths_only(
    built: Path, compiled: list[list[Path]], capsys: Captured
) -> None:
    build = built / "rtl/build"
    err = sentence(capsys, 5, "cosim", built)
    assert f"runs {build}/rtl-" in err
    assert [path for path in compiled[0] if ODD in str(path)] == []
    assert len(compiled[0]) > 50
    assert [path.name for path in compiled[0] if path.name == "ring.sv"] == ["ring.sv"]
    assert not compiled[0][0].exists()  # nothing is left of the temporary folder
    sentence(capsys, 5, "cosim", built)
    assert len(compiled) == 1  # the model is kept
    shutil.rmtree(build)


def test_cosim_of_a_read_only_project_compiles_in_the_cache(
    built: Path, cache: Path, compiled: list[list[Path]], capsys: Captured
) -> None:
    with read_only(built):
        for _ in range(2):
            assert f"runs {cache}/" in sentence(capsys, 5, "cosim", built)
    assert len(compiled) == 1


def test_signals_of_a_read_only_project_go_to_the_cache(
    built: Path, cache: Path, compiled: list[list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from vaqf.project import read

    project, options = read.load(built), rtl_run.Options(trace=True)
    monkeypatch.setattr(simulate, "simulate", _writes_a_waveform)
    monkeypatch.setattr(rtl_run, "_logits", lambda asked, done: [])
    monkeypatch.setattr(rtl_run, "_cycles", lambda asked, done, place: None)
    with read_only(built):
        found = rtl_run.run(project, count=1, options=options).waveform
    assert found is not None
    assert (found.name, found.parents[1]) == ("cosim.vcd", cache)
    assert found.read_bytes().startswith(rtl_run.VCD_BEGIN)
    assert len(compiled) == 1


def _writes_a_waveform(model: Model, task: Any, *_: Any) -> None:
    task.waveform.write_bytes(rtl_run.VCD_BEGIN)


def test_a_model_that_another_process_made_stays(
    built: Path, compiled: list[list[Path]], capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two cosims of one project at once: the slower one leaves the faster one's model alone."""
    once = launch.compile_model

    def slow(top: str, sources: list[Path], folder: Path, *words: Any) -> Model:
        monkeypatch.setattr(launch, "compile_model", once)
        sentence(capsys, 5, "cosim", built)
        (model,) = (built / "rtl/build").glob("rtl-*/cosim_bench")
        made.append(model.stat().st_ino)
        return once(top, sources, folder, *words)

    made: list[int] = []
    monkeypatch.setattr(launch, "compile_model", slow)
    sentence(capsys, 5, "cosim", built)
    (model,) = (built / "rtl/build").glob("rtl-*/cosim_bench")
    assert (len(compiled), model.stat().st_ino) == (2, made[0])
    assert len(list((built / "rtl/build").iterdir())) == 1
    shutil.rmtree(built / "rtl/build")


def test_a_users_own_waveform_in_the_way(built: Path, capsys: Captured) -> None:
    (built / "cosim.vcd").write_text("mine")
    try:
        err = sentence(capsys, 2, "cosim", built, "--trace")
    finally:
        (built / "cosim.vcd").unlink()
    assert err.endswith("vaqf, which replaces its own files alone; move it\n")
