"""lock.py: one writer of a place, refused or waited for, whoever died before."""

import errno
import fcntl
import hashlib
import json
import os
import re
import threading
from pathlib import Path

import pytest

from vaqf.errors import InputError
from vaqf.files import lock, ours, output


def test_the_second_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    place = tmp_path / "c.pt"
    with lock.alone(place, "trains"):
        with pytest.raises(InputError) as refused, lock.alone(place, "trains"):
            pass
        with lock.alone(tmp_path / "d.pt", "trains"):
            pass
        (file,) = tmp_path.iterdir()
        assert set(json.loads(file.read_text())) == {"pid", "host", "since"}
    assert re.fullmatch(
        rf"process {os.getpid()} on '.+' \(since '\d{{4}}-.+'\) trains {place} already;"
        " wait for it, or give another name with -o",
        str(refused.value),
    )
    assert list(tmp_path.iterdir()) == []
    with lock.alone(place, "trains"):
        pass


def test_what_a_killed_process_left_stops_nobody(tmp_path: Path) -> None:
    place = tmp_path / "c.pt"
    lock._file(place).write_text('{"pid": 1, "host": "h", "since": "yesterday"}')
    with lock.alone(place, "trains"):
        assert json.loads(lock._file(place).read_text())["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"pid": "x"}', b"[" * 4096])
def test_a_file_that_says_nothing(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "c.pt"
    with lock.alone(place, "trains"):
        lock._file(place).write_bytes(content)
        with (
            pytest.raises(InputError, match=r"^another process trains"),
            lock.alone(place, "trains"),
        ):
            pass


def test_a_link_or_a_pipe_in_its_place_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    lock._file(tmp_path / "c.pt").symlink_to(tmp_path / "mine")
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)), lock.alone(tmp_path / "c.pt", ""):
        pass
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_file_system_without_locks_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(descriptor: int, kind: int) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(fcntl, "flock", none)
    with lock.alone(tmp_path / "c.pt", "trains"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_turns_are_taken_one_after_the_other(tmp_path: Path) -> None:
    """Many at once: who waited for a file that the one before took away takes a new one."""
    inside, most, done = 0, 0, 0

    def work() -> None:
        nonlocal inside, most, done
        for _ in range(50):
            with lock.turn(tmp_path / "p"):
                inside += 1
                most = max(most, inside)
                done += 1
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, done) == (1, 200)
    assert list(tmp_path.iterdir()) == []


def test_builds_into_one_folder_leave_one_of_them_whole(tmp_path: Path) -> None:
    """Some files have one name in all builds, others in one alone."""
    out, refused = tmp_path / "out", []

    def build(number: int) -> None:
        files = {name: str(number) for name in ("a", "b/c", f"only/{number}")}
        try:
            with output.new_folder(out) as folder:
                for name, text in files.items():
                    (folder / name).parent.mkdir(exist_ok=True)
                    (folder / name).write_text(text)
                hashes = {n: hashlib.sha256(text.encode()).hexdigest() for n, text in files.items()}
                manifest = {"vaqf": "0", "sha256": hashes}
                (folder / ours.MANIFEST).write_text(json.dumps(manifest))
        except InputError as error:
            refused.append(str(error))

    for _ in range(10):
        threads = [threading.Thread(target=build, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        last = (out / "a").read_text()
        assert [path.read_text() for path in (out / "b/c", out / "only" / last)] == [last, last]
        assert len(list((out / "only").iterdir())) == 1
        assert ours.others(out) == []
    assert refused == []
    assert list(tmp_path.iterdir()) == [out]
