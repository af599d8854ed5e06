"""A run of Vivado over a project: its record and its reports, checked to be of one design."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from vaqf.errors import InputError
from vaqf.hardware.fabric import Resources
from vaqf.project.vivado import RECORD, TIMING, UTILIZATION, VIVADO_TCL, digest
from vaqf.sim.synth.vendor import record, report, timing, utilization
from vaqf.sim.synth.vendor.record import Record
from vaqf.sim.synth.vendor.report import Report
from vaqf.sim.synth.vendor.timing import Slacks


@dataclass(frozen=True)
class Expected:
    """Whose run it must be."""

    top: str
    part: str
    clock_ns: str  # as the constraints have it
    sources: str  # the digest of what Vivado reads


@dataclass(frozen=True)
class Routed:
    """What a routed design takes and how fast it is, by Vivado."""

    record: Record
    used: Resources
    slacks: Slacks

    @property
    def longest_ns(self) -> float:
        """The shortest period that the worst path allows, skew and uncertainty in it."""
        return self.record.clock_ns - self.slacks.setup.worst_ns


def read(run: Path, expected: Expected) -> Routed:
    """What the last whole run left in the folder `run`.

    InputError says what is missing, cut short, of another design, older than the project, or not
    routed, and what to run.
    """
    again = f"run vivado -mode batch -source {shlex.quote(str(run.parent / VIVADO_TCL))}"
    if not os.path.lexists(run):
        raise InputError(f"{run} is not there: Vivado has not run on this project; {again}")
    if not os.path.lexists(run / RECORD):
        raise InputError(
            f"{run} has no {RECORD}, which a run leaves at its end: it has not ended, or failed; "
            f"see vivado.log where it was started, or {again}"
        )
    made = record.read(run / RECORD)
    _check(made, run / RECORD, expected, again)
    texts = {}
    for name, kept in ((UTILIZATION, made.utilization), (TIMING, made.timing)):
        texts[name] = _report(run / name, kept, expected, again)
    return Routed(made, utilization.parse(texts[UTILIZATION]), timing.parse(texts[TIMING]))


def _check(made: Record, path: Path, expected: Expected, again: str) -> None:
    """InputError unless the record is of this design, for this device and clock, and routed."""
    for what, has, wanted in (
        ("top module", made.top, expected.top),
        ("part", made.part.lower(), expected.part.lower()),
        ("clock in ns", f"{made.clock_ns:.3f}", expected.clock_ns),
    ):
        if has != wanted:
            raise InputError(
                f"{path} is of another design: its {what} is {has}, the project's {wanted}; {again}"
            )
    if made.sources != expected.sources:
        raise InputError(
            f"{path} is of other SystemVerilog or constraints than lie beside it now: the project "
            f"was built again, or they were not as built when Vivado read them; {again}"
        )
    if not made.routed:
        raise InputError(
            f"{path}: Vivado could not route every net, so that its slack says nothing; build a "
            "smaller design (a lower --fps, or --lut-budget)"
        )


def _report(path: Path, kept: str, expected: Expected, again: str) -> Report:
    """A report of the run of the record, whose digest of it is `kept`."""
    if not os.path.lexists(path):
        raise InputError(f"{path} is missing, though {RECORD} is there; {again}")
    content, found = report.read(path)
    if digest([content]) != kept:
        raise InputError(
            f"{path} is not the report of the run that {RECORD} is of: cut short, changed, or of "
            f"another run; {again}"
        )
    found.check(expected.top, expected.part)
    return found
