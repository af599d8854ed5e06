"""Which files of an archive are one sample: nothing merged, dropped or without end."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest
from tars import archive, picture

from vaqf.images import archives

Told = list[tuple[str, dict[str, bytes], list[str]]]


def told(path: Path, read: tuple[str, ...] = ("png", "jpg", "cls", "json")) -> Told:
    """Key, files and flaws of the samples of a sound archive."""
    problems: dict[str, str] = {}
    found = [(s.key, s.files, s.flaws) for s in archives.samples([path], problems, read)]
    assert problems == {}
    return found


def test_a_sample_is_the_files_of_one_name(tmp_path: Path) -> None:
    files = {"a.b/1.PNG": b"1", "a.b/1.txt": b"2", "a.b/1.cls": b"3", "1.cls": b"5"}
    files |= {"a.b/.png": b"6", ".cls": b"7", "a.b/1.webp": b"8", "._1.png": b"9", "b/1.png": b"0"}
    archive(tmp_path / "x.tar", files)
    archive(tmp_path / "y.tar", {"a.b/1.png": b"9"})
    found = archives.samples([tmp_path / "x.tar", tmp_path / "y.tar"], {}, read=("png", "cls"))
    assert [(s.name, s.files) for s in found] == [
        ("x.tar/a.b/1", {"png": b"1", "cls": b"3", "webp": b""}),
        ("x.tar/1", {"cls": b"5"}),
        ("x.tar/b/1", {"png": b"0"}),
        ("y.tar/a.b/1", {"png": b"9"}),
    ]


def test_dots_in_keys_are_read_where_picture_and_label_pair_up(tmp_path: Path) -> None:
    files = {}
    for number in range(40):
        files |= {f"a.{number}.png": b"p%d" % number, f"a.{number}.cls": b"%d" % number}
    assert told(archive(tmp_path / "x.tar", files)) == [
        (f"a.{n}", {"png": b"p%d" % n, "cls": b"%d" % n}, []) for n in range(40)
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_further_files_of_a_sample_are_never_its_picture(tmp_path: Path, order: int) -> None:
    files = {"1.cls": b"0", "1.jpg": b"p", "1.seg.json": b'{"id": 3}', "1.seg.png": b"s"}
    files |= {f"2.view{n:02}.png": b"v" for n in range(5)} | {"2.cls": b"1", "2.jpg": b"q"}
    mixed = dict(list(files.items())[::order])
    found = {key: (content, flaws) for key, content, flaws in told(archive(tmp_path / "x", mixed))}
    assert found == {
        "1": ({"cls": b"0", "jpg": b"p"}, []),
        "2": ({"cls": b"1", "jpg": b"q"}, []),
    }


def test_a_dotted_sample_beside_a_plain_one_is_unclear(tmp_path: Path) -> None:
    """WebDataset takes the second for parts of the first; their label says that they are not."""
    files = {"a.png": b"0", "a.cls": b"0", "a.7.png": b"7", "a.7.json": b'{"label": 1}'}
    part = f"by its name it is a part of 'a'; {archives.UNDOTTED}"
    for order in (1, -1):
        path = archive(tmp_path / "x.tar", dict(list(files.items())[::order]))
        assert sorted((key, flaws) for key, _, flaws in told(path)) == [("a", []), ("a.7", [part])]
    del files["a.png"]
    found = told(archive(tmp_path / "x.tar", files))
    assert [(key, flaws) for key, _, flaws in found] == [("a", []), ("a.7", [])]


def test_equal_names_in_two_folders_are_two_samples_in_any_order(tmp_path: Path) -> None:
    files = {"a/0.png": b"a", "b/0.png": b"b", "b/0.cls": b"1", "a/0.cls": b"0"}
    assert told(archive(tmp_path / "x.tar", files)) == [
        ("a/0", {"png": b"a", "cls": b"0"}, []),
        ("b/0", {"png": b"b", "cls": b"1"}, []),
    ]


def test_an_archive_that_is_not_sorted_says_so(tmp_path: Path) -> None:
    files = {f"{n}.png": b"p" for n in range(40)} | {f"{n}.cls": b"0" for n in range(40)}
    found = told(archive(tmp_path / "x.tar", files))
    assert len(found) == 80
    assert [flaws for _, _, flaws in found] == [[]] * 40 + [[archives.APART]] * 40
    assert "tar --sort=name" in archives.APART


def test_flaws_of_samples(tmp_path: Path) -> None:
    files = {"a.png": b"1", "a.PNG": b"2", "a.cls": b"0", "b.png": b"", "b.cls": b"1" * 1025}
    path = archive(tmp_path / "x.tar", files)
    with tarfile.open(path, "a") as tar:
        link = tarfile.TarInfo("c.png")
        link.type, link.linkname = tarfile.SYMTYPE, "a.png"
        tar.addfile(link)
    assert [(key, flaws) for key, _, flaws in told(path)] == [
        ("a", ["it has two files png"]),
        ("b", ["its cls is larger than 1024 bytes"]),
        ("c", ["its png is no regular file"]),
    ]


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.TGZ"])
def test_gzip_is_read_whatever_the_name_says(tmp_path: Path, name: str) -> None:
    files = {"0.png": picture(3), "0.cls": b"1", "0.txt": b"x" * 20_000, "1.cls": b"2"}
    assert told(archive(tmp_path / name, files, "w:gz")) == told(archive(tmp_path / "y", files))


@pytest.mark.parametrize("spoil", [lambda d: d[:-9], lambda d: d[:60] + b"\xff" * 9 + d[69:]])
def test_gzip_that_is_damaged(tmp_path: Path, spoil: object) -> None:
    path = archive(tmp_path / "x.tar", {f"{n}.png": picture(n) for n in range(9)}, "w:gz")
    data = gzip.decompress(path.read_bytes())
    path.write_bytes(spoil(gzip.compress(data[:-9000])))
    problems: dict[str, str] = {}
    assert len(list(archives.samples([path], problems))) <= 9
    assert "damaged" in problems["x.tar"]


@pytest.mark.parametrize(
    ("begins", "kind"),
    [(b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ\0", "xz"), (b"BZh9", "bzip2"), (b"PK\3\4", "zip")],
)
def test_other_compressions_are_named(tmp_path: Path, begins: bytes, kind: str) -> None:
    (tmp_path / "x.tar").write_bytes(begins + b"\0" * 600)
    problems: dict[str, str] = {}
    assert list(archives.samples([tmp_path / "x.tar"], problems)) == []
    assert problems == {
        "x.tar": f"the archive is compressed with {kind}; plain tar and gzip are read, so unpack it"
        " first"
    }


def headers(*members: tuple[str, bytes, int]) -> bytes:
    """Headers of name, type and size, without what they announce."""
    made = []
    for name, kind, size in members:
        member = tarfile.TarInfo(name)
        member.type, member.size = kind, size
        made.append(member.tobuf(tarfile.GNU_FORMAT))
    return b"".join(made)


@pytest.mark.parametrize(
    ("kind", "said"), [(tarfile.XHDTYPE, "a header is larger"), (tarfile.REGTYPE, "it inflates to")]
)
def test_what_inflates_without_end_is_not_read(tmp_path: Path, kind: bytes, said: str) -> None:
    """A header of 128 MiB would be held in memory; a file of them would take its time."""
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=1) as packed:
        packed.write(headers(("bomb.bin", kind, 2**27)))
        for _ in range(128):
            packed.write(b"\0" * 2**20)
    (tmp_path / "x.tar").write_bytes(stream.getvalue())
    problems: dict[str, str] = {}
    assert list(archives.samples([tmp_path / "x.tar"], problems)) == []
    assert said in problems["x.tar"]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_an_archive_behind_an_archive_is_not_read(tmp_path: Path, mode: str) -> None:
    first = archive(tmp_path / "x.tar", {"a.png": b"1"}, mode)
    second = archive(tmp_path / "y.tar", {"b.png": b"2"}, mode)
    first.write_bytes(first.read_bytes() + second.read_bytes())
    problems: dict[str, str] = {}
    assert [sample.key for sample in archives.samples([first], problems)] == ["a"]
    (reason,) = problems.values()
    assert reason.startswith(f"{tarfile.RECORDSIZE} bytes after the end of the archive are not")


def test_a_plain_archive_inflates_to_nothing(tmp_path: Path) -> None:
    """A header may give a file 2 ** 80 bytes."""
    (tmp_path / "x.tar").write_bytes(headers(("a.png", tarfile.REGTYPE, 2**80)) + b"\0" * 1024)
    problems: dict[str, str] = {}
    (sample,) = archives.samples([tmp_path / "x.tar"], problems)
    assert sample.flaws == ["its png is larger than 67108864 bytes"]
    assert problems["x.tar"].endswith(": a header gives a file a size that no file has")


def test_two_splits_may_have_shards_of_one_name(tmp_path: Path) -> None:
    paths = [archive(tmp_path / split / "0.tar", {"a.png": b""}) for split in ("train", "val")]
    found = [sample.name for sample in archives.samples(paths, {})]
    assert found == ["train/0.tar/a", "val/0.tar/a"]
