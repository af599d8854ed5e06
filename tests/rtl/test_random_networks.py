"""Random networks on a few compiled designs: every logit, and the cycles that were promised."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hls_bench import calibrated, extreme, pictures
from random_designs import DESIGNS, fitted

import vaqf
from sim import rtl_run
from vaqf import network as network_file
from vaqf import project
from vaqf.vit import Vit

FEW = ("table shared", "adder")
SEVERAL = (*DESIGNS, "table 4", "table 3")
FRAMES = 7  # odd: the last one runs alone where two are in flight
PER_FRAME, PER_LAYER = 0.02, 0.05  # how far the estimate may be off: what it is meant to keep
# what all networks keep so far: tiny ones that wait for the weight port are the worst
ALL_PER_FRAME, ALL_PER_LAYER = 0.08, 0.15
COUNTS = 0.01  # of a frame: shorter commands are not judged alone


def check(folder: Path, name: str, networks: int, bars: tuple[float, float]) -> None:
    """Networks of all ranges on memories without and with pauses, all on one compiled model."""
    design, vits = fitted(name, networks)
    (folder / "design.json").write_text(json.dumps(design.to_json()))
    built: Path | None = None
    for number, vit in enumerate(vits):
        place = folder / str(number)
        make = extreme if number % 2 else calibrated
        same_name = replace(vit, name="random")  # the package's title has it
        (folder / "w.safetensors").write_bytes(
            network_file.to_bytes(make(same_name, design.act_bits, number))
        )
        vaqf.build(
            board="zcu102",
            weights=folder / "w.safetensors",
            design=folder / "design.json",
            out=place,
        )
        if built is not None:
            shutil.copytree(built / "rtl/build", place / "rtl/build")
        built = place
        run_both(project.load(place), same_name, number, bars)


def run_both(made: project.Project, vit: Vit, seed: int, bars: tuple[float, float]) -> None:
    """As the estimate has its memories, cycles compared; and with random pauses."""
    images = pictures(vit, FRAMES, seed)
    free = rtl_run.run(made, images)
    assert free.mismatches == 0, (vit, free.findings)
    paused = rtl_run.run(made, images[: 1 + seed % 4], options=rtl_run.Options(stalls=seed))
    assert paused.mismatches == 0, (vit, paused.findings)
    cycles = free.cycles
    assert cycles is not None
    assert cycles.frame == pytest.approx(cycles.estimated, rel=bars[0]), vit
    for command in cycles.commands:
        if command.measured > COUNTS * cycles.frame:
            assert command.measured == pytest.approx(command.estimated, rel=bars[1]), (
                vit,
                command,
            )


@pytest.mark.parametrize("name", FEW)
def test_random_networks(tmp_path: Path, name: str) -> None:
    check(tmp_path, name, 5, (PER_FRAME, PER_LAYER))


@pytest.mark.slow
@pytest.mark.parametrize("name", SEVERAL)
def test_more_random_networks(tmp_path: Path, name: str) -> None:
    check(tmp_path, name, 7, (ALL_PER_FRAME, ALL_PER_LAYER))
