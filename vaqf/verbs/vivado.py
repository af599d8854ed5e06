"""The verb synth with Vivado's reports: a routed project beside the estimate and Yosys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vaqf.hardware.fabric import Resources

if TYPE_CHECKING:
    from vaqf.hardware.board import Board
    from vaqf.project.read import Project
    from vaqf.sim.synth.answers import Answer
    from vaqf.sim.synth.vendor.routed import Routed


@dataclass(frozen=True)
class Implemented:
    """A routed project, its estimate, and what Yosys said of it when it was last asked."""

    model: str
    board: Board
    result: Routed
    estimate: Resources
    yosys: Answer | None
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Counts and slack of Vivado beside ours; null where Yosys was not asked."""
        run, has = self.result, self.board.available()
        slacks = run.slacks
        return {
            "model": self.model,
            "board": self.board.name,
            "tool": f"Vivado {run.record.version}",
            "family": self.board.generation.yosys,
            "part": run.record.part,
            "clock_ns": run.record.clock_ns,
            "timing": {
                "met": slacks.met,
                "longest_ns": round(run.longest_ns, 3),
                "setup": slacks.setup.to_json(),
                "hold": slacks.hold.to_json(),
                "pulse_width": slacks.pulse_width.to_json(),
                "yosys": None if self.yosys is None else dict(self.yosys.worst_ns),
                "paths": [path.to_json() for path in run.record.paths],
            },
            "resources": {
                name: {
                    "estimate": self.estimate[name],
                    "synthesized": None if self.yosys is None else self.yosys.total[name],
                    "routed": run.used[name],
                    "ratio": self.estimate[name] / run.used[name] if run.used[name] else None,
                    "available": has[name],
                }
                for name in self.board.resources
            },
            "notes": list(self.notes),
        }


def implemented(project: Project, board: Board) -> Implemented:
    """What Vivado's last run of a project's rtl/vivado.tcl left there; InputError without one."""
    from vaqf.project import read as projects
    from vaqf.project import render
    from vaqf.project.vivado import RUN, VIVADO_TCL
    from vaqf.resources import use as resources
    from vaqf.sim.synth import answers, cache
    from vaqf.sim.synth.vendor import routed

    expected = routed.Expected(
        top=render.TOP,
        part=project.part,
        clock_ns=render.clock_ns(projects.clock_mhz(project)),
        sources=projects.vivado_digest(project),
    )
    made = routed.read(project.folder / "rtl" / RUN, expected)
    sources = projects.rtl_sources(project, board.generation)
    answer = answers.read(cache.folder(), answers.key(sources, board.part))
    notes = [
        f"{name} is not as it was built" for name in projects.edited(project, [f"rtl/{VIVADO_TCL}"])
    ]
    if answer is None:
        notes.append("Yosys's numbers appear here after `vaqf synth` without --tool vivado")
    return Implemented(
        model=project.model,
        board=board,
        result=made,
        estimate=resources.resources(project.design, board),
        yosys=answer,
        notes=tuple(notes),
    )
