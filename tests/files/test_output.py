"""A result is there whole or not at all, and nothing that is not ours is replaced."""

import errno
import json
import os
from pathlib import Path

import pytest

from vaqf.errors import InputError
from vaqf.files import output


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def make_ours(path: Path) -> None:
    with output.new_folder(path) as folder:
        (folder / output.MANIFEST).write_text(json.dumps({"vaqf": "0"}))


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    with output.new_folder(tmp_path / "deep" / "out") as folder:
        (folder / "a").write_text("1")
        assert not (tmp_path / "deep" / "out").exists()
    assert names(tmp_path / "deep") == ["out"]
    assert (tmp_path / "deep" / "out" / "a").read_text() == "1"


@pytest.mark.parametrize("failure", [InputError("no"), KeyboardInterrupt(), ValueError("bug")])
def test_a_failure_leaves_nothing(tmp_path: Path, failure: BaseException) -> None:
    with pytest.raises(type(failure)), output.new_folder(tmp_path / "out") as folder:
        (folder / "half").write_text("x")
        raise failure
    assert names(tmp_path) == []


def test_a_failure_keeps_the_old_folder(tmp_path: Path) -> None:
    make_ours(tmp_path / "out")
    with pytest.raises(ValueError, match="bug"), output.new_folder(tmp_path / "out"):
        raise ValueError("bug")
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == [output.MANIFEST]


def test_ours_is_replaced_and_a_strangers_is_not(tmp_path: Path) -> None:
    make_ours(tmp_path / "out")
    with output.new_folder(tmp_path / "out") as folder:
        (folder / "new").write_text("")
    assert names(tmp_path / "out") == ["new"]
    with (
        pytest.raises(InputError, match="was not made by vaqf"),
        output.new_folder(tmp_path / "out"),
    ):
        pass
    with output.new_folder(tmp_path / "out", force=True) as folder:
        (folder / "newer").write_text("")
    assert names(tmp_path / "out") == ["newer"]


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", "\ud800", '{"vaqf"', "[" * 100_000])
def test_a_foreign_manifest_is_not_ours(tmp_path: Path, content: str) -> None:
    data = content.encode("utf-8", "surrogatepass")
    (tmp_path / output.MANIFEST).write_bytes(data)
    assert not output.is_ours(tmp_path)


@pytest.mark.parametrize("place", [".", "..", "/", "", "~"])
def test_never_the_current_root_or_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    path = Path(place).expanduser()
    with pytest.raises(InputError), output.new_folder(path, force=True):
        pass


def test_a_file_or_a_link_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link"):
        with (
            pytest.raises(InputError, match="is no folder"),
            output.new_folder(tmp_path / name, force=True),
        ):
            pass
    assert (tmp_path / "file").read_text() == "mine"


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with (
        pytest.raises(InputError, match=f"{os.strerror(errno.ENOSPC)}; free"),
        output.new_folder(tmp_path / "out"),
    ):
        raise full
    assert names(tmp_path) == []


def test_a_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputError, match="cannot write"),
        output.new_folder(tmp_path / "file" / "x"),
    ):
        pass


def test_a_file_is_written_whole_and_not_over_another(tmp_path: Path) -> None:
    with output.new_file(tmp_path / "w") as place:
        place.write_text("1")
    with pytest.raises(InputError, match="exists"), output.new_file(tmp_path / "w"):
        pass
    with (
        pytest.raises(ValueError, match="bug"),
        output.new_file(tmp_path / "w", force=True) as place,
    ):
        place.write_text("2")
        raise ValueError("bug")
    assert names(tmp_path) == ["w"]
    assert (tmp_path / "w").read_text() == "1"


def test_a_place_in_very_many_folders(tmp_path: Path) -> None:
    place = tmp_path / "/".join("n" * 1200)
    with output.new_folder(place) as partial:
        (partial / "file").touch()
    assert (place / "file").exists()
    for folder in (place, *place.parents):  # rmtree, too, is recursive
        if folder == tmp_path:
            break
        (folder / "file").unlink(missing_ok=True)
        folder.rmdir()
