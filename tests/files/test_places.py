"""places.py: where it belongs, or else in the user's own cache."""

import errno
import os
import pwd
from pathlib import Path

import pytest
from readonly import read_only

from vaqf.errors import InputError
from vaqf.files import places

NEVER = Path("/sys/kernel/vaqf")  # where not even root can make a folder


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a container runs with a user number that its system does not know."""

    def unknown(number: int) -> None:
        raise KeyError(number)

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)


@pytest.mark.parametrize("chosen", ["", "relative/cache"])
def test_the_cache_is_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", chosen)
    assert places.cache("x") == tmp_path / ".cache/vaqf/x"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "c"))
    assert places.cache("x") == tmp_path / "c/vaqf/x"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("homeless")
def test_without_a_home_there_is_no_cache(tmp_path: Path) -> None:
    assert (places.home(), places.cache("x")) == (None, None)
    with read_only(tmp_path), pytest.raises(InputError) as refused:
        places.writable(tmp_path / "build")
    assert str(refused.value) == (
        f"cannot write {tmp_path / 'build'}: {os.strerror(errno.EROFS)}; give XDG_CACHE_HOME a"
        " folder that can be written"
    )


def test_what_can_be_written_is_taken(tmp_path: Path) -> None:
    assert places.writable(tmp_path / "a/b") == tmp_path / "a/b"
    assert list((tmp_path / "a/b").iterdir()) == []


def test_what_cannot_has_a_stand_in_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = places.writable(NEVER)
    assert found.parent == tmp_path / "vaqf/projects"
    assert found == places.writable(NEVER) != places.writable(NEVER.with_name("other"))
    assert not NEVER.exists()


def test_neither_the_place_nor_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/sys/kernel/cache")
    with pytest.raises(InputError) as refused:
        places.writable(NEVER)
    reason = os.strerror(errno.EPERM)
    assert str(refused.value) == (
        f"cannot write {NEVER}: {reason}, nor /sys/kernel/cache/vaqf/projects: {reason}; give"
        " XDG_CACHE_HOME a folder that can be written"
    )


def test_a_file_in_the_way_is_no_reason_to_go_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("mine")
    with pytest.raises(FileExistsError):
        places.writable(tmp_path / "build")
