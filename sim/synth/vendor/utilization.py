"""report_utilization: what a routed design takes, by the names of the device's sites."""

from collections.abc import Iterator

from vaqf.files.fields import number, shown
from vaqf.hardware.fabric import Resources
from vaqf.sim.synth.vendor.report import Report

# the rows of a resource on UltraScale+ and series 7; what synthesis alone estimated has a star
_SITES = {
    "lut": ("CLB LUTs", "Slice LUTs"),
    "lutram": ("LUT as Memory",),
    "ff": ("CLB Registers", "Slice Registers"),
    "dsp": ("DSPs", "DSP Slices"),
    "bram36": ("Block RAM Tile",),
    "uram": ("URAM",),
}
_ROUTED = ("Routed", "Physopt postRoute")  # states of a design behind route_design
MOST = 10**8  # of anything, in any device


def parse(report: Report) -> Resources:
    """What the design takes; InputError for a report before routing or without these rows."""
    state = report.header.get("Design State")
    if state not in _ROUTED:
        raise report.wrong(f"is of a design that is {state or 'in no state'}, not routed")
    used: dict[str, str] = {}
    for site, cell in _sites(report):
        used.setdefault(site, cell)  # some rows come again, in a table of slices
    found = {}
    for resource, names in _SITES.items():
        sites = [name for name in names if name in used]
        if sites:
            found[resource] = _count(report, sites[0], used[sites[0]])
        elif resource != "uram":  # no row where the device has none
            raise report.wrong(f"has no row {' or '.join(names)}")
    return Resources(**found)


def _sites(report: Report) -> Iterator[tuple[str, str]]:
    """(site type, used) of every row of the tables by site type."""
    column = None
    for line in report.lines:
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if not line.startswith("|"):
            column = column if line.startswith("+") else None
        elif cells and cells[0] == "Site Type":
            column = cells.index("Used") if "Used" in cells else None
        elif column is not None and column < len(cells):
            yield cells[0], cells[column]


def _count(report: Report, site: str, cell: str) -> float:
    """Half a tile of block RAM is one RAMB18; all else is whole."""
    count = number(cell)
    if count is None or not 0 <= count <= MOST or not (2 * count).is_integer():
        raise report.wrong(f"has {shown(cell)} in the row {site}")
    return int(count) if count.is_integer() else count
