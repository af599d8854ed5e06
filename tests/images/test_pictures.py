"""Pictures as a person sees them, and as the checkpoint's own preprocessing resizes them."""

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaqf.errors import InputError
from vaqf.images import data, pictures
from vaqf.model import zoo
from vaqf.model.vit import Vit

TINY = Vit(name="tiny", image_size=32, patch_size=8, dim=24, heads=3, depth=1, classes=3)
HELD = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 6: "ROTATE_90", 8: "ROTATE_270"}


def read(path: Path, vit: Vit) -> pictures.Pixels:
    """[size, size, channels]"""
    return data.one(path, vit).pixels[0]


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
    assert np.array_equal(read(tmp_path / "phone.png", TINY), read(tmp_path / "upright.png", TINY))


@pytest.mark.parametrize("background", [255, 0, 99])
def test_what_is_transparent_shows_the_background(tmp_path: Path, background: int) -> None:
    clear = np.full((32, 32, 4), 40, np.uint8)
    clear[..., 3] = 0
    clear[16:, :, 3] = 255
    Image.fromarray(clear).save(tmp_path / "clear.png")
    palette = Image.fromarray(np.zeros((32, 32), np.uint8)).convert("P")
    palette.save(tmp_path / "palette.png", transparency=0)
    network = replace(TINY, crop=1.0, interpolation="nearest", background=background)
    pixels = read(tmp_path / "clear.png", network)
    assert (np.unique(pixels[:16]).tolist(), np.unique(pixels[16:]).tolist()) == (
        [background],
        [40],
    )
    assert np.unique(read(tmp_path / "palette.png", network)).tolist() == [background]


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
        assert np.array_equal(read(tmp_path / "photo.png", zoo.load(name)), picture)


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


def png(path: Path, depth: int, colour: int, row: bytes, **chunks: bytes) -> Path:
    """A PNG of 8 equal rows, byte by byte, with other chunks before its pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        crc = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)

    parts = [chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, depth, colour, 0, 0, 0))]
    parts += [chunk(name.encode(), content) for name, content in chunks.items()]
    parts += [chunk(b"IDAT", zlib.compress((b"\0" + row) * 8)), chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


def halves(*halves: int, size: str = "B") -> bytes:
    """A row of four equal pixels and four others, each of so many numbers."""
    count = len(halves) // 2
    numbers = halves[:count] * 4 + halves[count:] * 4
    return struct.pack(f">{len(numbers)}{size}", *numbers)


GRAY, COLOUR, PALETTE = 0, 2, 3
TWO = bytes([10, 20, 30, 200, 100, 50])  # a palette
CLEAR = 7  # the background of these tests
HIGH = struct.Struct(">3H")
# of the left and the right half: bits, kind, row, chunks; RGB, gray (ITU-R 601: 299, 587, 114)
PNGS = {
    "1 bit": (1, GRAY, b"\x0f", {}, (0, 255)),
    "1 bit, white is clear": (1, GRAY, b"\x0f", {"tRNS": b"\0\1"}, (0, CLEAR)),
    "1 bit, black is clear": (1, GRAY, b"\x0f", {"tRNS": b"\0\0"}, (CLEAR, 255)),
    "2 bits, 2 is clear": (2, GRAY, b"\x55\xaa", {"tRNS": b"\0\2"}, (85, CLEAR)),
    "4 bits, 7 is clear": (4, GRAY, b"\x11\x11\x77\x77", {"tRNS": b"\0\7"}, (17, CLEAR)),
    "8 bits, 10 is clear": (8, GRAY, halves(10, 200), {"tRNS": b"\0\n"}, (CLEAR, 200)),
    "16 bits": (16, GRAY, halves(1000, 40000, size="H"), {}, (4, 156)),
    "16 bits, 1000 is clear": (
        16, GRAY, halves(1000, 40000, size="H"), {"tRNS": struct.pack(">H", 1000)}, (CLEAR, 156),
    ),
    "RGB, one is clear": (
        8, COLOUR, halves(*TWO), {"tRNS": HIGH.pack(10, 20, 30)}, (CLEAR, (200, 100, 50)),
    ),
    "RGB of 16 bits, one is clear": (
        16, COLOUR, halves(1000, 2000, 3000, 40000, 50000, 60000, size="H"),
        {"tRNS": HIGH.pack(1000, 2000, 3000)}, (CLEAR, (156, 195, 234)),
    ),
    "palette": (8, PALETTE, halves(0, 1), {"PLTE": TWO}, ((10, 20, 30), (200, 100, 50))),
    "palette, one is clear": (
        8, PALETTE, halves(0, 1), {"PLTE": TWO, "tRNS": b"\0"}, (CLEAR, (200, 100, 50)),
    ),
    "palette of 1 bit, one is clear": (
        1, PALETTE, b"\x0f", {"PLTE": TWO, "tRNS": b"\0"}, (CLEAR, (200, 100, 50)),
    ),
    "palette, one is half clear": (
        8, PALETTE, halves(0, 1), {"PLTE": TWO, "tRNS": b"\x80"}, ((9, 14, 19), (200, 100, 50)),
    ),
    "gray and alpha": (8, 4, halves(10, 0, 200, 255), {}, (CLEAR, 200)),
    "gray and alpha of 16 bits": (16, 4, halves(1, 0, 40000, 65535, size="H"), {}, (CLEAR, 156)),
    "RGBA": (8, 6, halves(1, 2, 3, 0, 200, 100, 50, 255), {}, (CLEAR, (200, 100, 50))),
}  # fmt: skip


def seen(path: Path, background: int = CLEAR) -> list[list[list[int]]]:
    """The left and the right half as a network of colours sees them, and as one of gray."""
    colour = replace(TINY, crop=1.0, interpolation="nearest", background=background)
    gray = replace(colour, channels=1, mean=(0.5,), std=(0.5,))
    found = []
    for network in (colour, gray):
        pixels = read(path, network)
        left, right = pixels[:, :16], pixels[:, 16:]
        assert (left == left[0, 0]).all() and (right == right[0, 0]).all()
        found.append([left[0, 0].tolist(), right[0, 0].tolist()])
    return found


def values(*halves: int | tuple[int, int, int]) -> list[list[list[int]]]:
    """What `seen` should give, from gray levels and colours."""
    colours = [(half,) * 3 if isinstance(half, int) else half for half in halves]
    grays = [(299 * red + 587 * green + 114 * blue + 500) // 1000 for red, green, blue in colours]
    return [[list(colour) for colour in colours], [[gray] for gray in grays]]


@pytest.mark.parametrize("kind", PNGS)
def test_a_png_of_any_kind(tmp_path: Path, kind: str) -> None:
    bits, colour, row, chunks, expected = PNGS[kind]
    assert seen(png(tmp_path / "a.png", bits, colour, row, **chunks)) == values(*expected)


def two(mode: str, left: object, right: object) -> Image.Image:
    picture = Image.new(mode, (32, 32), left)
    picture.paste(right, (16, 0, 32, 32))
    return picture


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_is_ink_on_white(tmp_path: Path, suffix: str) -> None:
    """(255 - C) * (255 - K) / 255; a JPEG of Adobe's holds the inks inverted."""
    path = tmp_path / f"a.{suffix}"
    two("CMYK", (0, 100, 200, 30), (255, 0, 0, 10)).save(path, quality=100)
    assert (b"Adobe" in path.read_bytes()) == (suffix == "jpg")
    assert seen(path) == values((225, 137, 49), (0, 245, 245))


def patched(path: Path, tag: int, value: int) -> Path:
    """A TIFF with another value of one short number."""
    content = bytearray(path.read_bytes())
    at = content.index(struct.pack("<HHI", tag, 3, 1)) + 8
    content[at : at + 2] = struct.pack("<H", value)
    path.write_bytes(content)
    return path


def test_a_tiff_of_any_kind(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    levels = np.repeat([1000, 40000], 16)[None].repeat(32, 0)
    Image.fromarray(levels.astype("<u2")).save(path)
    assert seen(path) == values(4, 156)
    assert seen(patched(path, pictures.PHOTOMETRIC, 0)) == values(251, 99)  # 0 is white
    Image.frombytes("I;16B", (32, 32), levels.astype(">u2").tobytes()).save(path)
    assert seen(path) == values(4, 156)
    two("1", 0, 1).save(path)
    assert seen(path) == values(0, 255)
    assert seen(patched(path, pictures.PHOTOMETRIC, 0)) == values(255, 0)
    two("LAB", (0, 128, 128), (255, 128, 128)).save(path)
    assert seen(path)[1] == [[0], [255]]
    two("LA", (10, 0), (200, 128)).save(path)
    assert seen(path, 255) == values(255, 227)
    two("RGBA", (1, 2, 3, 0), (200, 100, 50, 128)).save(path)
    assert seen(path, 255) == values(255, (227, 177, 152))


@pytest.mark.parametrize(
    ("mode", "right", "expected"),
    [("LA", (100, 128), 227), ("RGBA", (100, 50, 25, 128), (227, 177, 152))],
)
def test_a_tiff_whose_colours_are_multiplied_by_their_alpha(
    tmp_path: Path, mode: str, right: tuple[int, ...], expected: int | tuple[int, int, int]
) -> None:
    path = tmp_path / "a.tif"
    two(mode, (0,) * len(right), right).save(path)
    assert seen(patched(path, 338, 1), 255) == values(255, expected)  # ExtraSamples: associated


@pytest.mark.parametrize("most", [65535, 4095, 1000])
def test_a_pgm_of_16_bits_is_read_by_its_largest_value(tmp_path: Path, most: int) -> None:
    levels = np.repeat([most // 5, most], 4)[None].repeat(8, 0)
    path = tmp_path / "a.pgm"
    path.write_bytes(f"P5 8 8 {most}\n".encode() + levels.astype(">u2").tobytes())
    assert seen(path) == values(51, 255)
    path.write_text(f"P2 8 8 {most}\n" + " ".join(map(str, levels.flat)))
    assert seen(path) == values(51, 255)


def test_a_jpeg_under_its_other_suffixes(tmp_path: Path) -> None:
    for suffix in ("jpe", "JFIF"):
        Image.new("RGB", (32, 32), (7, 7, 7)).save(tmp_path / f"a.{suffix}", "JPEG")
    assert len(data.load(str(tmp_path), TINY).read()) == 2


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(InputError, match=r"a\.png: it is empty"):
        read(tmp_path / "a.png", TINY)
