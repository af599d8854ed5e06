"""Pictures as a person sees them, and as the checkpoint's own preprocessing resizes them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaqf.images import pictures
from vaqf.model import zoo
from vaqf.model.vit import Vit

TINY = Vit(name="tiny", image_size=32, patch_size=8, dim=24, heads=3, depth=1, classes=3)
HELD = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 6: "ROTATE_90", 8: "ROTATE_270"}


@pytest.mark.parametrize("orientation", HELD)
def test_a_photo_is_seen_as_a_viewer_shows_it(tmp_path: Path, orientation: int) -> None:
    rows = np.arange(32, dtype=np.uint8)[:, None, None] * 8
    picture = Image.fromarray(
        np.concatenate(
            [rows.repeat(32, 1), rows.repeat(32, 1) // 2, rows.repeat(32, 1).transpose(1, 0, 2)],
            axis=2,
        )
    )
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = picture.transpose(Image.Transpose[HELD[orientation]])
    stored.save(tmp_path / "phone.png", exif=exif)
    picture.save(tmp_path / "upright.png")
    assert np.array_equal(
        pictures.read(tmp_path / "phone.png", TINY), pictures.read(tmp_path / "upright.png", TINY)
    )


@pytest.mark.parametrize("background", [255, 0, 99])
def test_what_is_transparent_shows_the_background(tmp_path: Path, background: int) -> None:
    clear = np.full((32, 32, 4), 40, np.uint8)
    clear[..., 3] = 0
    clear[16:, :, 3] = 255
    Image.fromarray(clear).save(tmp_path / "clear.png")
    palette = Image.fromarray(np.zeros((32, 32), np.uint8)).convert("P")
    palette.save(tmp_path / "palette.png", transparency=0)
    network = replace(TINY, crop=1.0, interpolation="nearest", background=background)
    pixels = pictures.read(tmp_path / "clear.png", network)
    assert (np.unique(pixels[:16]).tolist(), np.unique(pixels[16:]).tolist()) == (
        [background],
        [40],
    )
    assert np.unique(pictures.read(tmp_path / "palette.png", network)).tolist() == [background]


@pytest.mark.parametrize("part", [slice(0, 427), slice(0, 640), slice(100, 301)])
@pytest.mark.parametrize("photo", [0, 1])
def test_photographs_are_squashed_as_transformers_does(
    tmp_path: Path, photo: int, part: slice
) -> None:
    """Its processors of google/vit-* and facebook/deit-*: resize to a square, then the middle."""
    bunch = pytest.importorskip("sklearn.datasets").load_sample_images()
    Image.fromarray(bunch.images[photo][:, part]).save(tmp_path / "photo.png")
    whole = Image.open(tmp_path / "photo.png")
    wanted = {
        "google/vit-base-patch16-224": whole.resize((224, 224), Image.Resampling.BILINEAR),
        "facebook/deit-base-distilled-patch16-224": whole.resize(
            (256, 256), Image.Resampling.BICUBIC
        ).crop((16, 16, 240, 240)),
    }
    for name, picture in wanted.items():
        assert np.array_equal(pictures.read(tmp_path / "photo.png", zoo.load(name)), picture)


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "webp", "tif", "bmp", "ppm"])
def test_half_a_picture_is_called_truncated(tmp_path: Path, suffix: str) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)
    path = tmp_path / f"half.{suffix}"
    Image.fromarray(levels).save(path)
    whole = path.read_bytes()
    for share in (2, 8):
        path.write_bytes(whole[: len(whole) // share])
        with pytest.raises(pictures.Unreadable, match="truncated or damaged"):
            pictures.decode(path, TINY)
