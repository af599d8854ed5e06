"""A result is there whole or not at all, and nothing that is not ours is replaced."""

import errno
import hashlib
import itertools
import json
import os
from pathlib import Path

import pytest

from vaqf.errors import InputError
from vaqf.files import ours, output


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def write(folder: Path, files: dict[str, str]) -> None:
    """A complete folder of ours: the files, and the manifest that names them."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    (folder / ours.MANIFEST).write_text(json.dumps({"vaqf": "0", "sha256": hashes}))


def make_ours(path: Path, files: dict[str, str] | None = None, force: bool = False) -> None:
    with output.new_folder(path, force) as folder:
        write(folder, files or {})


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder but manifests: name and content."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ours.MANIFEST)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(files)}


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
    assert names(tmp_path / "out") == [ours.MANIFEST]


def test_ours_is_replaced_and_a_strangers_is_not(tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_ours(out, {"a": "1", "hls/b": "2"})
    make_ours(out, {"a": "3", "rtl/c": "4"})
    assert (tree(out), names(out)) == ({"a": "3", "rtl/c": "4"}, ["a", ours.MANIFEST, "rtl"])
    (out / ours.MANIFEST).unlink()
    for force in (False, True):
        with pytest.raises(InputError, match="was not made by vaqf, which never replaces it"):
            make_ours(out, {"a": "5"}, force)
    assert tree(out) == {"a": "3", "rtl/c": "4"}
    assert names(tmp_path) == ["out"]


def test_what_the_manifest_does_not_name_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_ours(out, {"a": "1", "hls/b": "2", "old/c": "3"})
    mine = {"notes.txt": "mine", "hls/mine.cpp": "mine", "deep/er/x": "mine"}
    for name, text in mine.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)
    (out / "empty").mkdir()
    (out / "link").symlink_to(tmp_path)
    assert ours.others(out) == sorted([*mine, "empty/", "link"])
    for force in (False, True):
        make_ours(out, {"a": "4", "rtl/d": "5"}, force)
        assert tree(out) == {"a": "4", "rtl/d": "5", **mine}
        assert ours.others(out) == sorted([*mine, "empty/", "link"])
        assert not (out / "old").exists()
    assert names(tmp_path) == ["out"]


def test_an_edited_file_is_replaced_with_force_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_ours(out, {"a": "1", "old": "2"})
    (out / "a").write_text("edited")
    (out / "old").write_text("edited, too")
    with pytest.raises(InputError, match=r"a was edited since it was built; .* --force$"):
        make_ours(out, {"a": "3"})
    assert tree(out) == {"a": "edited", "old": "edited, too"}
    make_ours(out, {"a": "3"}, force=True)
    assert tree(out) == {"a": "3", "old": "edited, too"}
    assert ours.others(out) == ["old"]


@pytest.mark.parametrize("kind", ["file", "folder", "link", "file for a folder", "link for one"])
@pytest.mark.parametrize("force", [False, True])
def test_a_strangers_file_in_the_way_is_never_replaced(
    tmp_path: Path, kind: str, force: bool
) -> None:
    out, place, far = tmp_path / "out", tmp_path / "out" / "hls" / "new", tmp_path / "far"
    make_ours(out, {"a": "1"})
    far.mkdir()
    (far / "new").write_text("mine")
    place.parent.mkdir() if "for" not in kind else None
    match kind:
        case "file":
            place.write_text("mine")
        case "folder":
            place.mkdir()
        case "link":
            place.symlink_to(far / "new")
        case "file for a folder":
            place.parent.write_text("mine")
        case _:
            place.parent.symlink_to(far)
    before = tree(tmp_path)
    with pytest.raises(InputError, match="was not written by vaqf and a new file goes there"):
        make_ours(out, {"a": "2", "hls/new": "3"}, force)
    assert tree(tmp_path) == before
    assert names(tmp_path) == ["far", "out"]


def test_what_is_already_as_it_will_be_is_not_in_the_way(tmp_path: Path) -> None:
    make_ours(tmp_path / "out", {"a": "1"})
    (tmp_path / "out" / "b").write_text("2")
    make_ours(tmp_path / "out", {"a": "1", "b": "2"})
    assert ours.others(tmp_path / "out") == []


def test_a_link_in_the_place_of_a_file_of_ours_is_not_followed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_ours(out, {"hls/a": "1"})
    (out / "hls").rename(tmp_path / "hls")
    (out / "hls").symlink_to(tmp_path / "hls")
    for force in (False, True):
        with pytest.raises(InputError, match="reached by a link"):
            make_ours(out, {"hls/a": "2"}, force)
    assert (tmp_path / "hls" / "a").read_text() == "1"


@pytest.mark.parametrize(
    "name", ["../victim", "/etc/victim", "a/../../victim", "./a", "a//b", "", ".", "a\0b", "a\n"]
)
def test_a_manifest_that_names_what_is_elsewhere_is_not_believed(tmp_path: Path, name: str) -> None:
    (tmp_path / "victim").write_text("mine")
    out = tmp_path / "out"
    make_ours(out, {"a": "1"})
    content = json.loads((out / ours.MANIFEST).read_text())
    content["sha256"][name] = hashlib.sha256(b"mine").hexdigest()
    (out / ours.MANIFEST).write_text(json.dumps(content))
    for force in (False, True):
        with pytest.raises(InputError, match="was not made by vaqf"):
            make_ours(out, {"a": "2"}, force)
    assert tree(tmp_path) == {"victim": "mine", "out/a": "1"}


def test_a_manifest_that_claims_a_users_file_does_not_get_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_ours(out, {"a": "1", "thesis.tex": "a page"})
    (out / "thesis.tex").write_text("years of work")
    make_ours(out, {"a": "2"}, force=True)
    assert tree(out) == {"a": "2", "thesis.tex": "years of work"}


@pytest.mark.parametrize("failure", [OSError(errno.EIO, "no"), KeyboardInterrupt()])
def test_an_exchange_that_is_interrupted_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    """Whichever of its renames fails, and whether it was done by then or not."""
    out = tmp_path / "out"
    make_ours(out, {"a": "1", "hls/b": "2", "old/c": "3"})
    (out / "notes").write_text("mine")
    manifest, before = (out / ours.MANIFEST).read_text(), tree(out)
    rename, moves = Path.rename, 0

    def failing(at: int, late: bool) -> None:
        count = 0

        def move(source: Path, target: Path) -> Path:
            nonlocal count
            count += 1
            if count == at and not late:
                raise failure
            found = rename(source, target)
            if count == at:
                raise failure
            return found

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", move)
            make_ours(out, {"a": "4", "hls/b": "5", "rtl/d": "6"})

    for at in itertools.count(1):
        for late in (False, True):
            try:
                failing(at, late)
            except (InputError, KeyboardInterrupt):
                assert tree(out) == before
                assert (out / ours.MANIFEST).read_text() == manifest
                assert names(tmp_path) == ["out"]
                moves = at
            else:
                assert tree(out) == {"a": "4", "hls/b": "5", "rtl/d": "6", "notes": "mine"}
                assert (moves, names(tmp_path)) == (10, ["out"])
                return


def test_a_build_goes_on_where_another_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    make_ours(out, {"a": "1", "old": "2"})
    (out / "notes").write_text("mine")
    rename, left = Path.rename, [5]

    class Killed(BaseException):
        pass

    def move(source: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            raise Killed  # the way back, too, is not gone
        return rename(source, target)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Path, "rename", move)
        make_ours(out, {"a": "3", "b": "4"})
    assert "schema" not in json.loads((out / ours.MANIFEST).read_text())
    make_ours(out, {"a": "3", "b": "4"}, force=True)
    assert tree(out) == {"a": "3", "b": "4", "notes": "mine"}


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", "null", "\ud800", '{"vaqf"', "[" * 100_000, '{"vaqf": 1}']
    + [f'{{"vaqf": 1, "sha256": {hashes}}}' for hashes in ("3", '["a"]', '{"a": 1}')],
)
def test_a_foreign_manifest_is_not_ours(tmp_path: Path, content: str) -> None:
    data = content.encode("utf-8", "surrogatepass")
    (tmp_path / ours.MANIFEST).write_bytes(data)
    assert ours.named(tmp_path) is None


def test_a_pipe_in_the_place_of_the_manifest_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ours.MANIFEST)
    assert ours.named(tmp_path) is None


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
    def known(path: Path) -> bool:
        return path.read_text().isdecimal()

    with output.new_file(tmp_path / "w") as place:
        place.write_text("1")
    with pytest.raises(InputError, match=r"exists; .*--force"):
        output.check_file(tmp_path / "w", False, known)
    with (
        pytest.raises(ValueError, match="bug"),
        output.new_file(tmp_path / "w", True, known) as place,
    ):
        place.write_text("2")
        raise ValueError("bug")
    assert names(tmp_path) == ["w"]
    assert (tmp_path / "w").read_text() == "1"
    with output.new_file(tmp_path / "w", True, known) as place:
        place.write_text("3")
    assert (tmp_path / "w").read_text() == "3"


@pytest.mark.parametrize("kind", ["text", "link", "dead link", "pipe", "device"])
def test_a_file_that_vaqf_did_not_write_is_never_replaced(tmp_path: Path, kind: str) -> None:
    place, other = tmp_path / "place", tmp_path / "other"
    other.write_text("mine")
    match kind:
        case "text":
            place.write_text("mine")
        case "link" | "dead link":
            place.symlink_to(other if kind == "link" else tmp_path / "absent")
        case "pipe":
            os.mkfifo(place)
        case _:
            place = Path("/dev/null")
    for force in (False, True):
        with (
            pytest.raises(InputError, match="was not written by vaqf"),
            output.new_file(place, force, lambda path: path.read_text() != "mine"),
        ):
            pass
    assert other.read_text() == "mine"
    assert os.path.lexists(place)


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
