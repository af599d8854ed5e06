"""A user's small file: anything but a regular file of that size is one sentence, at once."""

import errno
import os
from pathlib import Path

import pytest

from vaqf.errors import InputError
from vaqf.files import regular, smallfile
from vaqf.hardware import board
from vaqf.model import zoo
from vaqf.network import networkfile
from vaqf.verbs import arguments


def test_a_file_is_read_whole_up_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert smallfile.read(tmp_path / "file", 5, "short") == b"12345"
    with pytest.raises(InputError, match=r"larger than 4 bytes; it must be short$"):
        smallfile.read(tmp_path / "file", 4, "short")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\xff", "1" * 5000])
def test_a_file_that_is_no_json(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=r"is no JSON; it must be ours$"):
        smallfile.read_object(tmp_path / "file", 2**17, "ours")


@pytest.mark.parametrize("text", ["[]", "1", "null", '"text"'])
def test_json_that_is_no_object(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(InputError, match=r"holds no JSON object; it must be ours$"):
        smallfile.read_object(tmp_path / "file", 2**17, "ours")


def test_a_check_reads_nothing(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(2**40)
    regular.check(tmp_path / "file", "any")
    with pytest.raises(InputError, match=r"larger than 1024 bytes; it must be small$"):
        regular.check(tmp_path / "file", "small", 1024)


def test_no_verb_waits_for_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    for read in (zoo.load, board.load):
        with pytest.raises(InputError, match="no regular file"):
            read(str(pipe))
    for load in (arguments.load_design, networkfile.read):
        with pytest.raises(InputError, match="no regular file"):
            load(pipe)


def test_devices_folders_and_absent_files_are_one_sentence(tmp_path: Path) -> None:
    for path, words in (
        (Path("/dev/zero"), "no regular file"),
        (tmp_path, "a folder"),
        (tmp_path / "absent", os.strerror(errno.ENOENT)),
        (Path("x" * 5000), os.strerror(errno.ENAMETOOLONG)),
        (Path("a\0b"), "cannot be read"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            smallfile.read(path, 10, "short")
        assert len(str(caught.value)) < 200 + len(str(tmp_path))
