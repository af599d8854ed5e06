"""Class folders: links that lead to other classes, and files that are no pictures by name."""

from pathlib import Path

import pytest

from vaqf.images.classfolders import ClassFolders, flat_notes


def tree(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def read(root: Path) -> tuple[list[str], list[str]]:
    """The pictures of all class folders, and the notes."""
    found = ClassFolders(root)
    names = [name for path in sorted(root.iterdir()) for name in found.pictures(path.name)]
    return names, found.notes


@pytest.mark.parametrize(
    "target", ["..", "../../set", "../red", "../red/deep", "../..", "../green/sub/../../red"]
)
def test_links_to_other_classes_are_not_followed(tmp_path: Path, target: str) -> None:
    root = tree(tmp_path / "set", "blue/0.png", "green/sub/1.png", "red/deep/2.png")
    (root / "blue/loop").symlink_to(target)
    assert read(root) == (
        ["blue/0.png", "green/sub/1.png", "red/deep/2.png"],
        [f"not followed, links in {root} to pictures of other classes: 'blue/loop'"],
    )


def test_links_within_a_class_and_to_other_places_are_followed(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", "blue/deep/0.png", "red/1.png")
    tree(tmp_path / "more", "2.png", "deep/3.png")
    (root / "blue/again").symlink_to(".")
    (root / "red/more").symlink_to(tmp_path / "more")
    names = ["blue/deep/0.png", "red/1.png", "red/more/2.png", "red/more/deep/3.png"]
    assert read(root) == (names, [])


def test_class_folders_that_are_links_are_classes_as_well(tmp_path: Path) -> None:
    tree(tmp_path, "store/a/0.png", "store/b/1.png", "set/red/2.png")
    for name in ("a", "b"):
        (tmp_path / "set" / name).symlink_to(f"../store/{name}")
    for name, target in (("a/up", ".."), ("a/b", "../b"), ("../set/red/all", "../../store")):
        (tmp_path / "store" / name).symlink_to(target)
    names, notes = read(tmp_path / "set")
    assert names == ["a/0.png", "b/1.png", "red/2.png"]
    assert [note.partition(": ")[2] for note in notes] == ["'a/b', 'a/up', 'red/all'"]


def test_files_with_other_suffixes_are_counted(tmp_path: Path) -> None:
    root = tree(tmp_path, "a/0.jpe", "a/1.JFIF", "a/x/2.heic", "b/3.HEIC", "b/4", "b/.DS_Store")
    assert read(root) == (
        ["a/0.jpe", "a/1.JFIF"],
        [
            f"left out of {root}, files by whose suffix they are no pictures: 2 with '.heic', 1"
            " without one"
        ],
    )
    tree(root, *(f"b/{n}.k{n}" for n in range(5)))
    assert read(root)[1][0].endswith("1 with '.k0', 1 with '.k1', 1 with '.k2' and 2 more kinds")


def test_files_of_a_folder_without_classes(tmp_path: Path) -> None:
    tree(tmp_path, "0.png", "1.avif", "sub/x.tga", "train-0.tar", ".hidden")
    assert flat_notes(tmp_path) == [
        f"left out of {tmp_path}, files by whose suffix they are no pictures: 1 with '.avif'"
    ]
