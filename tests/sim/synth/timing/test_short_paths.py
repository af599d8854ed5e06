"""The RTL's own paths: units of a small design, and one that lost a pipeline register."""

from pathlib import Path

import pytest
from hls_bench import design_for
from samples import ODD

from vaqf.clock.met import UNCERTAINTY_NS
from vaqf.hardware import board
from vaqf.hardware.family import ULTRASCALE_PLUS
from vaqf.project import rtl
from vaqf.sim.synth import synthesize

BAR_NS = 1e3 / 300 - UNCERTAINTY_NS  # of 300 MHz on a zcu102, nets as in a device in use


def longest_ns(unit: str, sources: list[tuple[str, str]], folder: Path) -> float:
    part = board.load("zcu102").part
    made = synthesize.synthesize(sources, unit, ULTRASCALE_PLUS, folder, part=part)
    return made.timings[-1].worst_ns


def sources() -> list[tuple[str, str]]:
    return rtl.rtl_sources(design_for([ODD]), "short paths", ULTRASCALE_PLUS)


@pytest.mark.parametrize("unit", ["exponent", "layer_norm", "sequencer"])
def test_units_meet_300_mhz(unit: str, tmp_path: Path) -> None:
    assert longest_ns(unit, sources(), tmp_path) <= BAR_NS


def test_a_register_less_is_seen(tmp_path: Path) -> None:
    """The one behind the table of powers of two."""
    register = "    full     <= rom[step[FRACTION_BITS-1:0]];\n"
    wire = "  assign full = rom[step[FRACTION_BITS-1:0]];\n"
    texts = dict(sources())
    text = texts["exponent.sv"]
    assert text.count(register) == 1 and text.count("  always_ff") == 1
    without = text.replace(register, "").replace("  always_ff", wire + "  always_ff")
    mutated = [*(texts | {"exponent.sv": without}).items()]
    assert longest_ns("exponent", mutated, tmp_path) > BAR_NS
