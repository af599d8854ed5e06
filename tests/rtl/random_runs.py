"""Random networks on one compiled design: each built as a project, then co-simulated."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hls_bench import calibrated, extreme, pictures
from random_designs import DESIGNS, fitted

import vaqf
from vaqf.model.vit import Vit
from vaqf.network import networkfile
from vaqf.project import read
from vaqf.project.read import Project
from vaqf.sim.cosim import run
from vaqf.sim.cosim.run import Cosim

SEVERAL = (*DESIGNS, "table 4", "table 3")  # few enough to be compiled
PER_FRAME, PER_COMMAND = 0.02, 0.05  # how far the estimate may be off
COUNTS = 0.01  # of a frame: shorter commands are not judged alone
FRAMES = 9  # odd: one runs alone; the last of them read no weights ahead, so they are few


def projects(folder: Path, name: str, networks: int) -> Iterator[tuple[Vit, Project]]:
    """The networks of a design of random_designs.py; only the first is compiled."""
    design, vits = fitted(name, networks)
    (folder / "design.json").write_text(json.dumps(design.to_json()))
    built: Path | None = None
    for number, vit in enumerate(vits):
        place = folder / str(number)
        make = extreme if number % 2 else calibrated
        same_name = replace(vit, name="random")  # the package's title has it
        (folder / "w.safetensors").write_bytes(
            networkfile.to_bytes(make(same_name, design.act_bits, number))
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
        yield same_name, read.load(place)


def steady(made: Project, vit: Vit, seed: int) -> Cosim:
    """On memories as the estimate has them: the cycles can be compared."""
    return run.run(made, pictures(vit, FRAMES, seed))


def paused(made: Project, vit: Vit, seed: int) -> Cosim:
    """On memories with random pauses, one frame to four."""
    images = pictures(vit, 1 + seed % 4, seed)
    return run.run(made, images, options=run.Options(stalls=seed))
