"""report_timing_summary: slack of setup, hold and pulse width over the whole design."""

import re
from dataclasses import asdict, dataclass
from typing import Any

from vaqf.files.fields import number, whole
from vaqf.sim.synth.vendor.report import Report

# (worst, total, failing, endpoints) in the heading of the table, by kind
_COLUMNS = {
    kind: (
        f"{worst}(ns)",
        f"{total}(ns)",
        f"{total} Failing Endpoints",
        f"{total} Total Endpoints",
    )
    for kind, worst, total in (
        ("setup", "WNS", "TNS"),
        ("hold", "WHS", "THS"),
        ("pulse_width", "WPWS", "TPWS"),
    )
}
MOST = 1e9  # ns


@dataclass(frozen=True)
class Slack:
    """Of one kind of check, in ns; negative where it fails."""

    worst_ns: float
    total_ns: float  # of the failing endpoints
    failing: int  # endpoints
    endpoints: int

    @property
    def met(self) -> bool:
        """Whether every endpoint has time."""
        return self.worst_ns >= 0 and not self.failing

    def to_json(self) -> dict[str, Any]:
        """One entry of timing."""
        return asdict(self)


@dataclass(frozen=True)
class Slacks:
    """Of a whole design."""

    setup: Slack
    hold: Slack
    pulse_width: Slack

    @property
    def met(self) -> bool:
        """Whether the clock is met."""
        return self.setup.met and self.hold.met and self.pulse_width.met


def parse(report: Report) -> Slacks:
    """The table "Design Timing Summary"; InputError without it, or where nothing was timed."""
    first = f"{_COLUMNS['setup'][0]} "  # tables by clock begin with the clock
    at = next((at for at, line in enumerate(report.lines) if line.lstrip().startswith(first)), None)
    if at is None:
        raise report.wrong("has no table Design Timing Summary")
    titles = re.split(r"\s{2,}", report.lines[at].strip())
    # below the titles a row of dashes
    values = report.lines[at + 2].split() if at + 2 < len(report.lines) else []
    if len(values) != len(titles):
        raise report.wrong("ends within the table Design Timing Summary")
    row = dict(zip(titles, values, strict=True))
    return Slacks(**{kind: _slack(report, row, kind) for kind in _COLUMNS})


def _slack(report: Report, row: dict[str, str], kind: str) -> Slack:
    worst, total, failing, endpoints = (row.get(name, "") for name in _COLUMNS[kind])
    ns = [value for value in map(number, (worst, total)) if value is not None and abs(value) < MOST]
    counts = [
        value for value in map(whole, (failing, endpoints)) if value is not None and value >= 0
    ]
    if len(ns) < 2 or len(counts) < 2:  # NA where there is nothing to check
        raise report.wrong(f"has no slack of {kind.replace('_', ' ')}: no clock reached a register")
    return Slack(ns[0], ns[1], counts[0], counts[1])
