"""What Python, and with it vaqf_pkg, says of the primitives is what they have in Yosys's models."""

import re

import pytest
from rtl_bench import cell_model

from vaqf.hardware.family import FAMILIES, OF_DEVICE, SERIES_7, ULTRASCALE_PLUS, Family

DSP = {ULTRASCALE_PLUS: "DSP48E2", SERIES_7: "DSP48E1"}
CARRY = {ULTRASCALE_PLUS: "CARRY8", SERIES_7: "CARRY4"}
LUTRAM = {ULTRASCALE_PLUS: "RAM32M16", SERIES_7: "RAM32M"}


def width(primitive: str, port: str) -> int:
    """Bits of a port."""
    (most,) = re.findall(rf"\[(\d+):0\] (?:\w+, )*{port}\b", cell_model(primitive))
    return int(most) + 1


@pytest.mark.parametrize("family", FAMILIES)
def test_primitives_are_as_wide(family: Family) -> None:
    assert width(DSP[family], "D") == family.dsp_bits
    assert width(CARRY[family], "CO") == family.carry_bits
    ports = set(re.findall(r"\bDO[A-H]\b", cell_model(LUTRAM[family])))
    assert len(ports) - 1 == family.lutram_ports  # the last one's address writes


def test_a_device_is_of_one_family() -> None:
    assert len(OF_DEVICE) == len(SERIES_7.devices) + len(ULTRASCALE_PLUS.devices)
