"""The boards we know and boards from YAML."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from vaqf.errors import InputError
from vaqf.files import paths
from vaqf.files.fields import AUTO
from vaqf.hardware import board
from vaqf.hardware.fabric import Resources
from vaqf.hardware.family import SERIES_7, ULTRASCALE_PLUS

NAMES = [
    "alveo_u250",
    "alveo_u280",
    "kv260",
    "pynq_z2",
    "ultra96v2",
    "zc706",
    "zcu102",
    "zcu104",
]


def test_names_and_any_spelling() -> None:
    assert board.names() == NAMES
    for name in NAMES:
        assert board.load(name).name == name
    assert board.load("ZCU102") == board.load("zcu102")
    assert board.load("alveo-u250") == board.load("alveo_u250")


def test_zcu102_is_the_device_of_the_papers() -> None:
    b = board.load("zcu102")
    assert b.part == "xczu9eg-ffvb1156-2-e"
    assert b.available() == Resources(274_080, 144_000, 548_160, 2520, 912)
    assert b.budget() == Resources(205_560, 115_200, 411_120, 2142, 820)
    assert b.generation is ULTRASCALE_PLUS
    assert board.load("pynq_z2").generation is SERIES_7


def test_ultra_rams_are_told_of_boards_that_have_some() -> None:
    every = ("lut", "lutram", "ff", "dsp", "bram36", "uram")
    assert board.load("zcu104").resources == every
    assert board.load("zcu102").resources == every[:-1]
    assert board.load("zcu104").available().uram == 96
    assert board.load("zcu104").budget().uram == 86


def test_every_number_has_a_source_and_devices_are_consistent() -> None:
    for name in NAMES:
        b = board.load(name)
        assert b.ff == 2 * b.lut  # two flip-flops per LUT in both generations
        assert len(set(b.source)) == 11 + (b.dies > 1)
        assert b.lutram < b.lut
        assert b.clock_mhz == AUTO
        assert b.available().lut == b.lut // b.dies


def test_clock() -> None:
    b = board.load("zcu102")
    assert b.clock(None) is None  # what a design meets
    assert replace(b, clock_mhz=125).clock(None) == 125.0
    assert b.clock(150) == 150.0
    for bad in (0, -1, 739, float("nan"), float("inf"), True):
        with pytest.raises(InputError, match="clock_mhz"):
            b.clock(bad)


def _zcu102() -> dict[str, object]:
    text = (paths.BOARDS / "zcu102.yaml").read_text()
    content = yaml.safe_load(text)
    assert isinstance(content, dict)
    return content


def test_a_user_s_file_with_its_own_shares(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**_zcu102(), "name": "mine", "usable": {"lut": 0.5}}))
    loaded = board.load(str(path))
    assert loaded.budget().lut == 137_040
    assert loaded.budget().bram36 == 820


@pytest.mark.parametrize("key", sorted(_zcu102()))
def test_nothing_may_be_missing(tmp_path: Path, key: str) -> None:
    content = _zcu102()
    del content[key]
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=f"lacks {key}"):
        board.load(str(path))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "a b"),
        ("name", "$(reboot)"),
        ("part", "xczu9eg; exec rm"),
        ("part", 5),
        ("part", "-foo"),
        ("part", "xc7z020clg400-1"),  # of another generation than the family
        ("part", "xcvc1902-vsva2197-2MP-e-S"),  # Versal
        ("part", "xcku040-ffva1156-2-e"),  # UltraScale without a plus
        ("family", "stratix"),
        ("lut", 0),
        ("lut", -5),
        ("lut", 1.5),
        ("lut", True),
        ("lut", 10**12),
        ("lutram", 274_081),
        ("dsp", float("nan")),
        ("bram36", "912"),
        ("dram_gbytes_per_s", 0),
        ("dram_gbytes_per_s", float("inf")),
        ("max_clock_mhz", -1),
        ("clock_mhz", 10_000),
        ("clock_mhz", 0),
        ("clock_mhz", float("nan")),
        ("clock_mhz", "met"),
        ("dies", 0),
        ("dies", 1.5),
        ("source", "a data sheet"),
        ("source", {"lut": "x"}),
        ("usable", {"lut": 1.5}),
        ("usable", {"luts": 0.5}),
        ("usable", 0.5),
        ("extra", 1),
    ],
)
def test_bad_values_are_named(tmp_path: Path, key: str, value: object) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**_zcu102(), key: value}))
    with pytest.raises(InputError, match=key):
        board.load(str(path))


def test_unknown_board_offers_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean zcu102"):
        board.load("zcu012")
