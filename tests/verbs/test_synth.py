"""vaqf synth: what is said of the project's clock."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from vaqf.clock.met import UNCERTAINTY_NS, Met
from vaqf.hardware.board import load
from vaqf.hardware.fabric import Resources
from vaqf.verbs.synth import Synthesized

LONGEST_NS = 3.2
TIMINGS = [SimpleNamespace(worst_ns=2.1), SimpleNamespace(worst_ns=LONGEST_NS)]


@pytest.mark.parametrize(("spare_ns", "met"), [(-0.01, False), (0.01, True)])
def test_a_clock_is_met_with_its_skew_and_jitter(spare_ns: float, met: bool) -> None:
    made = Synthesized(
        "small", load("zcu102"), SimpleNamespace(timings=TIMINGS), Resources(), 200, Met(0, 0, "")
    )
    assert made.clock_met
    period = LONGEST_NS + UNCERTAINTY_NS + spare_ns
    assert replace(made, clock_mhz=1e3 / period).clock_met is met
