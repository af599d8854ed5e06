"""What Python says of the primitives is what rtl/ places."""

import re

import pytest

from vaqf.files.paths import rtl
from vaqf.hardware.family import OF_DEVICE, SERIES_7, ULTRASCALE_PLUS, Family


def defined(module: str, family: Family, name: str) -> int:
    """A number that a module has behind the macro of one family: up to the next of any."""
    text = rtl(module).read_text(encoding="utf-8")
    parts = re.findall(rf"`(?:ifdef|elsif) {family.macro}\n((?: .*\n)*)", text)
    (found,) = re.findall(rf"\b{name}(?: =)? (\d+)", "".join(parts))
    return int(found)


@pytest.mark.parametrize("family", [SERIES_7, ULTRASCALE_PLUS])
def test_primitives_are_those_of_the_rtl(family: Family) -> None:
    assert defined("dsp48", family, "PORT") == family.dsp_bits
    assert defined("lutram", family, "VAQF_LUTRAM_CELL") == family.lutram_ports


def test_the_narrow_port_is_told_apart() -> None:
    assert defined("latency", SERIES_7, "DSP_BITS") == SERIES_7.dsp_bits
    portable = rtl("latency").read_text(encoding="utf-8").partition("`else\n")[2]
    assert f"DSP_BITS = {ULTRASCALE_PLUS.dsp_bits};" in portable.partition("`endif")[0]


def test_a_device_is_of_one_family() -> None:
    assert len(OF_DEVICE) == len(SERIES_7.devices) + len(ULTRASCALE_PLUS.devices)
