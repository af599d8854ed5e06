"""What is said of a synthesized project's clock, from a small document."""

import pytest

from vaqf.cli.show import synthesis

PATH = {
    "ns": 2.98,
    "levels": 5,
    "instances": 1,
    "places": [
        {"name": "state[2]", "file": "run.sv", "line": 67},
        {"name": "timed_out", "file": "run.sv", "line": 49},
    ],
}
DOCUMENT = {
    "model": "small",
    "board": "zcu102",
    "tool": "Yosys 0.1",
    "clock_ns": 3.1,
    "uncertainty_ns": 0.1,
    "met": True,
    "estimated_path": {"ns": 3.0, "module": "run"},
    "timing": {
        "optimistic": {"worst_ns": 2.01, "paths": []},
        "realistic": {"worst_ns": 2.98, "paths": [PATH]},
    },
    "resources": {"lut": {"estimate": 90, "synthesized": 100, "ratio": 0.9, "available": 1000}},
    "modules": [],
}


def shown(capsys: pytest.CaptureFixture[str], **changes: object) -> list[str]:
    synthesis.synthesis({**DOCUMENT, **changes}, quiet=False)
    return capsys.readouterr().out.splitlines()


def test_a_clock_that_is_met_is_said_beside_its_paths(capsys: pytest.CaptureFixture[str]) -> None:
    out = " ".join(" ".join(shown(capsys)).split())
    assert "before placement: paths of 2.01 ns (nets at best) to 2.98 ns" in out
    assert "(estimated: 3.00), clock 3.10 ns, 0.1 of them for skew and jitter" in out
    assert "NOT met" not in out
    assert "run.sv:67" in out and "run.sv:49" in out


def test_a_clock_that_is_not_met_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    out = " ".join(" ".join(shown(capsys, met=False)).split())
    assert "NOT met with nets as in a device in use" in out
