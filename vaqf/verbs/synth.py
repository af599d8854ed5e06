"""The verb synth: a project's RTL synthesized, beside the estimate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaqf.clock.met import UNCERTAINTY_NS
from vaqf.errors import InputError
from vaqf.files.fields import check_choice
from vaqf.hardware.fabric import Resources
from vaqf.reporting import Report, silent
from vaqf.verbs.arguments import load_board

if TYPE_CHECKING:
    from vaqf.clock.met import Met
    from vaqf.hardware.board import Board
    from vaqf.project.read import Project
    from vaqf.sim.synth.synthesize import Synthesis
    from vaqf.verbs.vivado import Implemented

TOOLS = ("yosys", "vivado")


@dataclass(frozen=True)
class Synthesized:
    """A synthesized project beside its estimate and what the board has."""

    model: str
    board: Board
    result: Synthesis
    estimate: Resources
    clock_mhz: float  # of the project
    met: Met  # the estimate of the longest path

    @property
    def clock_met(self) -> bool:
        """Whether the project's clock has time for the longest path, nets as in a device in use."""
        longest = max(timing.worst_ns for timing in self.result.timings)
        return longest + UNCERTAINTY_NS <= 1e3 / self.clock_mhz

    def to_json(self) -> dict[str, Any]:
        """Of every resource the estimate, what the tool found, their ratio, what the board has."""
        run, has = self.result, self.board.available()
        return {
            "model": self.model,
            "board": self.board.name,
            "tool": run.tool,
            "family": run.family.yosys,
            "clock_ns": 1e3 / self.clock_mhz,
            "uncertainty_ns": UNCERTAINTY_NS,
            "met": self.clock_met,
            "estimated_path": {"ns": round(self.met.ns, 3), "module": self.met.module},
            "part": self.board.part,
            "timing": {timing.scenario: timing.to_json() for timing in run.timings},
            "carry": run.total.carry,
            "resources": {
                name: {
                    "estimate": self.estimate[name],
                    "synthesized": run.total[name],
                    "ratio": self.estimate[name] / run.total[name] if run.total[name] else None,
                    "available": has[name],
                }
                for name in self.board.resources
            },
            "modules": [part.to_json() for part in run.parts],
        }


def synth(
    folder: str | Path,
    tool: str = "yosys",
    board: str | None = None,
    report: Report = silent,
) -> Synthesized | Implemented:
    """Synthesize a project's SystemVerilog and set what it takes beside the estimate.

    `tool` "yosys" runs Yosys: what is synthesized once is kept in the user's cache folder. "vivado"
    runs nothing; it reads what rtl/vivado.tcl left in the project. `board` None: the one that the
    project was built for.
    """
    from vaqf.clock import met
    from vaqf.project import read as projects
    from vaqf.project import render
    from vaqf.resources import use as resources

    check_choice(tool, "--tool", TOOLS)
    project = projects.load(Path(folder))
    device = _its_board(project) if board is None else load_board(board)
    if tool == "vivado":
        _check_part(project, device, "leave --board out, or build it again for that board")
        from vaqf.verbs import vivado

        return vivado.implemented(project, device)
    design, sources = project.design, projects.rtl_sources(project, device.generation)
    from vaqf.sim.synth import answers, cache
    from vaqf.sim.synth import synthesize as synthesis

    kept = cache.folder()
    made = synthesis.synthesize(
        sources,
        render.TOP,
        device.generation,
        kept,
        report,
        part=device.part,
    )
    answers.keep(kept, answers.key(sources, device.part), made)
    expected = resources.resources(design, device)
    return Synthesized(
        project.model,
        device,
        made,
        expected,
        projects.clock_mhz(project),
        met.met(design, device),
    )


def _its_board(project: Project) -> Board:
    """The board that a project was built for, where it is one of ours and still has its device."""
    from vaqf.hardware import board

    if project.board not in board.names():
        raise InputError(
            f"{project.folder} was built for the board {project.board}, which is none of vaqf's"
            f" own ({', '.join(board.names())}); give its file with --board"
        )
    device = load_board(project.board)
    _check_part(project, device, "give the file of its board with --board")
    return device


def _check_part(project: Project, device: Board, advice: str) -> None:
    """InputError for a board whose device is not the project's: another one has other delays."""
    if device.part.lower() != project.part.lower():
        raise InputError(
            f"{project.folder} was built for the part {project.part}, and the board"
            f" {device.name} has {device.part}; {advice}"
        )
