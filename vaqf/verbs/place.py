"""The verb place: a project's RTL placed and routed on an ECP5 by open tools."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vaqf
from vaqf.arithmetic.widths import ceil_div
from vaqf.errors import Infeasible, InputError, Mismatch
from vaqf.files import places, smallfile
from vaqf.files.fields import check_whole, folded, shown
from vaqf.files.output import check_file, check_folder, new_file, new_folder, writing
from vaqf.hardware.family import PORTABLE, ULTRASCALE_PLUS
from vaqf.reporting import Report, silent

if TYPE_CHECKING:
    from vaqf.project.read import Project
    from vaqf.project.ulx3s import Ulx3s
    from vaqf.sim.place.device import Device
    from vaqf.sim.place.placement import Placement
    from vaqf.sim.place.serial import Answer

RESULT = "place.json"  # in report/ of the project, or in the folder of the board
MAX_RESULT_BYTES = 2**20
MAX_SEED = 2**31 - 1
SIMULATED = 2  # images at most, before a board is placed


@dataclass(frozen=True)
class Placed:
    """A placed project, and where it was written: a file, or the folder of a board."""

    document: dict[str, Any]
    placement: Placement
    written: Path

    def to_json(self) -> dict[str, Any]:
        """What was placed, with the version that did it, as the written file has it."""
        return self.document


def place(
    folder: str | Path,
    board: str | None = None,
    clock_mhz: float | None = None,
    seed: int = 1,
    reference: bool = True,
    out: str | Path | None = None,
    force: bool = False,
    report: Report = silent,
) -> Placed:
    """Place and route a project's accelerator on an ECP5-85F, beside picorv32 in the same way.

    Ten minutes of CPU and more. `seed`: of the placer. The result is written to report/place.json
    in the project or, where that cannot be written, in the user's cache: `.written`.

    `board` "ulx3s": the whole board is simulated, placed and routed at `clock_mhz` (None: 50), and
    written with its bitstream to `out` (None: ulx3s in the project); one that was written there
    before is replaced, where files of it were edited with `force`, and a project never.
    Mismatch if the simulated board's logits are not golden's, Infeasible if it does not fit or the
    clock is not met.
    """
    from vaqf.project import read as projects

    check_whole(seed, "--seed", 0, MAX_SEED)
    _check_board(board, clock_mhz, out)
    project = projects.load(Path(folder))
    # the package is another one, for no family, and all else must be what a build writes
    projects.check_unchanged(project, projects.listed(project, "rtl"))
    from vaqf.sim.place import nextpnr
    from vaqf.sim.place.device import LFE5U_85F

    nextpnr.tools()
    if board is None:
        _check_size(project, LFE5U_85F)
        return _place_alone(project, seed, reference, report)
    from vaqf.project import ulx3s

    around = ulx3s.Ulx3s(project, ulx3s.CLOCK_MHZ if clock_mhz is None else clock_mhz)
    _check_size(project, LFE5U_85F, sum(memory.size for memory in around.memories))
    place = project.folder / ulx3s.NAME if out is None else Path(out)
    return _place_board(around, place, seed, reference, force, report)


def _place_alone(project: Project, seed: int, reference: bool, report: Report) -> Placed:
    """The accelerator, with registers at its ports."""
    from vaqf.project import read as projects
    from vaqf.project.report import json_text
    from vaqf.sim.place import placement

    sources = projects.rtl_sources(project, PORTABLE)
    wanted = project.folder / "report"
    with writing(wanted, named=False):
        written = places.writable(wanted) / RESULT
    check_file(written, True, _is_result, named=False)
    known = placement.known_core() if reference else None
    made = placement.place(placement.accelerator(sources), seed, known, report=report)
    document = _document(project, made)
    with new_file(written, True, _is_result, named=False) as partial:
        partial.write_text(json_text(document), encoding="utf-8")
    return Placed(document, made, written)


def _place_board(
    around: Ulx3s, place: Path, seed: int, reference: bool, force: bool, report: Report
) -> Placed:
    """A whole board: simulated, then placed, then written."""
    from vaqf.project import ulx3s
    from vaqf.sim.place import placement

    check_folder(place, force)
    if not ulx3s.may_be_replaced(place):
        raise InputError(
            f"{place} holds a project, which a board's files never replace; name another folder"
            " with -o"
        )
    answer = _simulated(around, report)
    known = placement.known_core() if reference else None
    made = placement.place(placement.board(around), seed, known, report=report)
    if made.design.clock_mhz < around.clock_mhz:
        raise Infeasible(
            f"{made.design.clock_mhz:.1f} MHz were routed and the board's clock is"
            f" {around.clock_mhz:g}; give a lower --clock-mhz, or another --seed"
        )
    told = {
        "name": ulx3s.NAME,
        "clock_mhz": around.clock_mhz,
        "simulated": len(answer.logits),
        "cycles": answer.cycles,
        "bitstream_bytes": len(made.bits),
    }
    document = _document(around.project, made) | {"board": told}
    with new_folder(place, force) as partial:
        ulx3s.write(around, partial)
        ulx3s.write_result(around, partial, made.bits, document)
    return Placed(document, made, place)


def _simulated(around: Ulx3s, report: Report) -> Answer:
    """The board's answers over its serial line; Mismatch if they are not golden's."""
    from vaqf.sim.place import serial

    wanted = around.project.reference.logits[:SIMULATED]
    report("simulating the board", 0, 1)
    with tempfile.TemporaryDirectory(prefix="vaqf-board-") as name:
        found = serial.simulate(around, Path(name), len(wanted))
    report("simulating the board", 1, 1)
    wrong = [frame for frame, row in enumerate(found.logits != wanted) if row.any()]
    if wrong:
        raise Mismatch(
            f"the simulated board does not compute what golden computes: image {wrong[0]} of"
            f" {len(wanted)} has other logits; nothing was placed. vaqf cosim looks for the layer"
        )
    return found


def _document(project: Project, made: Placement) -> dict[str, Any]:
    return {
        "vaqf": vaqf.__version__,
        "model": project.model,
    } | made.to_json()


def _check_board(board: str | None, clock_mhz: float | None, out: str | Path | None) -> None:
    """InputError for another board than the one, and for what only a board has without one."""
    if board is None and (clock_mhz is not None or out is not None):
        flag = "--clock-mhz" if clock_mhz is not None else "-o"
        raise InputError(f"{flag} is of a board; give --board ulx3s with it, or leave it out")
    if board is not None and (not isinstance(board, str) or folded(board) != "ulx3s"):
        raise InputError(
            f"--board is {shown(board)}; a bitstream is made for ulx3s alone. Without --board the"
            " accelerator is placed by itself"
        )


def _check_size(project: Project, device: Device, memory_bytes: int = 0) -> None:
    """Infeasible for a design that is larger than the device by its estimate alone, with so many
    bytes in memories around it: to learn it from Yosys takes an hour.

    A LUT of six inputs takes one of four or more, a block RAM of 36 Kbit two of 18.
    """
    from vaqf.resources import parts, use
    from vaqf.sim.place.device import BLOCK_BITS

    # primitives of another family, of which the portable twins take more
    needs = use.total(parts.of(project.design), ULTRASCALE_PLUS)
    around = ceil_div(8 * memory_bytes, BLOCK_BITS)
    memories = f", {around:,} of them for weights, commands, images and results" if around else ""
    for number, resource, what in (
        (round(needs.lut), "lut4", "LUTs of six inputs"),
        (round(2 * needs.bram36) + around, "bram18", f"block RAMs of 18 Kbit{memories}"),
    ):
        if number > device.available[resource]:
            raise Infeasible(
                f"by its estimate the design takes {number:,} {what}; the {device.name} has"
                f" {device.available[resource]:,} {resource}; build with a lower --fps or a smaller"
                " model"
            )


def _is_result(path: Path) -> bool:
    """Whether `vaqf place` wrote a file."""
    try:
        found = smallfile.read_object(path, MAX_RESULT_BYTES, "as vaqf place writes it")
    except InputError:
        return False
    return "vaqf" in found and "critical_path" in found
