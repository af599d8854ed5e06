"""The verb place: a project's RTL placed and routed on an ECP5 by open tools."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vaqf
from vaqf.errors import Infeasible, InputError
from vaqf.files import places, smallfile
from vaqf.files.fields import check_whole
from vaqf.files.output import check_file, new_file, writing
from vaqf.hardware.family import PORTABLE
from vaqf.reporting import Report, silent
from vaqf.verbs.arguments import load_board

if TYPE_CHECKING:
    from vaqf.project.read import Project
    from vaqf.sim.place.device import Device
    from vaqf.sim.place.placement import Placement

RESULT = "place.json"  # in report/ of the project
MAX_RESULT_BYTES = 2**20
MAX_SEED = 2**31 - 1


@dataclass(frozen=True)
class Placed:
    """A placed project, and the file that says the same."""

    model: str
    placement: Placement
    written: Path

    def to_json(self) -> dict[str, Any]:
        """What was placed, with the version that did it."""
        return {"vaqf": vaqf.__version__, "model": self.model} | self.placement.to_json()


def place(
    folder: str | Path,
    seed: int = 1,
    reference: bool = True,
    report: Report = silent,
) -> Placed:
    """Place and route a project's accelerator on an ECP5-85F, beside picorv32 in the same way.

    Minutes of CPU. `seed`: of the placer. The result is written to report/place.json in the project
    or, where that cannot be written, in the user's cache: `.written`.
    """
    from vaqf.project import read as projects
    from vaqf.project.report import json_text

    check_whole(seed, "--seed", 0, MAX_SEED)
    project = projects.load(Path(folder))
    sources = projects.rtl_sources(project, PORTABLE)
    from vaqf.sim.place import nextpnr, placement
    from vaqf.sim.place.device import LFE5U_85F

    nextpnr.tools()
    _check_size(project, LFE5U_85F)
    wanted = project.folder / "report"
    with writing(wanted, named=False):
        written = places.writable(wanted) / RESULT
    check_file(written, True, _is_result, named=False)
    made = placement.place(
        placement.accelerator(sources),
        seed,
        placement.known_core() if reference else None,
        report=report,
    )
    result = Placed(str(project.manifest.get("model")), made, written)
    with new_file(written, True, _is_result, named=False) as partial:
        partial.write_text(json_text(result.to_json()), encoding="utf-8")
    return result


def _check_size(project: Project, device: Device) -> None:
    """Infeasible for a design that is larger than the device by its estimate alone.

    A LUT of six inputs takes one of four, or several; to learn that from Yosys takes an hour.
    """
    from vaqf.resources import use as resources

    name = project.manifest.get("board")
    if not isinstance(name, str):
        return
    try:
        board = load_board(name)
    except InputError:  # one of the user's own, by a path that is no more
        return
    lut, most = resources.resources(project.design, board).lut, device.available["lut4"]
    if lut > most:
        raise Infeasible(
            f"the design takes {lut:,} LUTs of six inputs by its estimate, the {device.name} has"
            f" {most:,} of four; build with a lower --fps or a smaller model"
        )


def _is_result(path: Path) -> bool:
    """Whether `vaqf place` wrote a file."""
    try:
        found = smallfile.read_object(path, MAX_RESULT_BYTES, "as vaqf place writes it")
    except InputError:
        return False
    return "vaqf" in found and "critical_path" in found
