"""Random networks on a few compiled designs: every logit, and the cycles that were promised."""

from pathlib import Path

import pytest
from random_runs import COUNTS, PER_COMMAND, PER_FRAME, SEVERAL, paused, projects, steady

FEW = ("table shared", "adder")


def check(folder: Path, name: str, networks: int) -> None:
    """Networks of all ranges on memories without and with pauses, all on one compiled model."""
    for seed, (vit, made) in enumerate(projects(folder, name, networks)):
        free = steady(made, vit, seed)
        assert free.mismatches == 0, (vit, free.findings)
        slow = paused(made, vit, seed)
        assert slow.mismatches == 0, (vit, slow.findings)
        cycles = free.cycles
        assert cycles is not None
        assert cycles.frame == pytest.approx(cycles.estimated, rel=PER_FRAME), vit
        for command in cycles.commands:
            if command.measured > COUNTS * cycles.frame:
                assert command.measured == pytest.approx(command.estimated, rel=PER_COMMAND), (
                    vit,
                    command,
                )


@pytest.mark.parametrize("name", FEW)
def test_random_networks(tmp_path: Path, name: str) -> None:
    check(tmp_path, name, 5)


@pytest.mark.slow
@pytest.mark.parametrize("name", SEVERAL)
def test_more_random_networks(tmp_path: Path, name: str) -> None:
    check(tmp_path, name, 7)
