"""Animated files and pages: the first frame is taken, and who is told so."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from vaqf.images import data, frames
from vaqf.images.pictures import decode, is_first_frame
from vaqf.model.vit import Vit

TINY = Vit(name="tiny", image_size=8, patch_size=4, dim=24, heads=3, depth=1, classes=3, crop=1.0)
LEVELS = (40, 200, 90)  # of the frames


def flat(level: int) -> Image.Image:
    return Image.new("RGB", (8, 8), (level,) * 3)


def save(path: Path, count: int = 3, **settings: object) -> Path:
    first, *others = map(flat, LEVELS[:count])
    path.parent.mkdir(exist_ok=True)
    first.save(path, save_all=True, append_images=others, **settings)
    return path


def smaller_copy(path: Path) -> None:
    """A TIFF with a thumbnail of its picture, as cameras and editors write it."""
    thumbnail = flat(LEVELS[0]).resize((4, 4))
    thumbnail.encoderinfo = {"tiffinfo": {frames.NEW_SUBFILE_TYPE: frames.REDUCED}}
    flat(LEVELS[0]).save(path, save_all=True, append_images=[thumbnail])
    with Image.open(path) as written:
        assert isinstance(written, TiffImagePlugin.TiffImageFile)
        written.seek(1)
        assert (written.tag_v2[frames.NEW_SUBFILE_TYPE], written.size) == (1, (4, 4))


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tif"])
def test_the_first_of_several_frames_is_taken(tmp_path: Path, suffix: str) -> None:
    lossless = {"lossless": True} if suffix == "webp" else {}
    for count in (1, 3):
        whole = decode(save(tmp_path / f"{count}.{suffix}", count, **lossless), TINY)
        assert np.unique(np.asarray(whole)).tolist() == [LEVELS[0]]
        assert is_first_frame(whole) == (count > 1)


@pytest.mark.parametrize("suffix", ["gif", "tif", "png"])
def test_a_first_frame_before_a_broken_one_is_read(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"a.{suffix}")
    whole = path.read_bytes()
    for share in (0.6, 0.8, 0.95):
        path.write_bytes(whole[: int(share * len(whole))])
        assert np.unique(np.asarray(decode(path, TINY))).tolist() == [LEVELS[0]]


@pytest.mark.parametrize(
    "write",
    [
        lambda path: save(path, format="MPO"),  # views of one photo, in a file called .jpg
        lambda path: flat(LEVELS[0]).save(path, "JPEG"),
        lambda path: flat(LEVELS[0]).save(path, "BMP"),
        smaller_copy,
    ],
    ids=["mpo", "jpeg", "bmp", "tiff with a thumbnail"],
)
def test_one_picture_is_no_animation(tmp_path: Path, write: Callable[[Path], object]) -> None:
    path = tmp_path / ("a.tif" if write is smaller_copy else "a.jpg")
    write(path)
    assert not is_first_frame(decode(path, TINY))


def test_what_a_person_is_told() -> None:
    assert frames.note([]) == ()
    assert frames.note(["a.gif"]) == (
        "1 picture is animated or has pages; its first frame was taken: 'a.gif'",
    )
    assert frames.note([f"{n}.gif" for n in range(7)]) == (
        "7 pictures are animated or have pages; the first frame of each was taken: '0.gif',"
        " '1.gif', '2.gif', '3.gif', '4.gif' and 2 more",
    )


def test_images_name_their_animated_pictures_by_place(tmp_path: Path) -> None:
    for place in ("a/0.gif", "b/0.gif"):
        save(tmp_path / place)
    flat(9).save(tmp_path / "a" / "1.png")
    (tmp_path / "b" / "1.gif").write_bytes(b"GIF89a")
    (tmp_path / "c").mkdir()
    flat(9).save(tmp_path / "c" / "1.png")
    some = data.load(str(tmp_path), TINY)
    assert some.read().animated == ("a/0.gif", "b/0.gif")
    assert some.read().notes[-1] == (
        "2 pictures are animated or have pages; the first frame of each was taken: 'a/0.gif',"
        " 'b/0.gif'"
    )
    assert [batch.animated for batch in some.batches(2)] == [("a/0.gif",), ("b/0.gif",), ()]
    assert not any("animated" in note for note in data.one(tmp_path / "a/1.png", TINY).notes)
