"""What takes a project's SystemVerilog through Vivado, and what its run leaves in rtl/vivado/."""

from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

from vaqf.hardware.design import Design
from vaqf.project.render import TOP, clock_ns, design_title, render
from vaqf.project.rtl import RTL_FILE_LIST

CONSTRAINTS, VIVADO_TCL = f"{TOP}.xdc", "vivado.tcl"
RUN = "vivado"  # the folder beside the Tcl, for all that a run writes
RECORD, UTILIZATION, TIMING = "routed.tsv", "utilization.rpt", "timing_summary.rpt"
SCHEMA = 1  # of the record
PATHS = 10  # the worst, in the record
# of one of them, by Vivado's names, in the order of the record's columns
PATH_PROPERTIES = (
    "SLACK",
    "DATAPATH_DELAY",
    "DATAPATH_LOGIC_DELAY",
    "LOGIC_LEVELS",
    "STARTPOINT_PIN",
    "ENDPOINT_PIN",
)


def write_vivado(design: Design, model: str, part: str, clock_mhz: float, folder: Path) -> None:
    """Tcl and constraints for Vivado, beside the SystemVerilog that they read."""
    values = {
        "title": design_title(design, model),
        "part": part,
        "clock_ns": clock_ns(clock_mhz),
        "top": TOP,
        "files": RTL_FILE_LIST,
        "constraints": CONSTRAINTS,
        "record": RECORD,
        "utilization": UTILIZATION,
        "timing": TIMING,
        "schema": SCHEMA,
        "paths": PATHS,
        "path_properties": PATH_PROPERTIES,
    }
    for name in (VIVADO_TCL, CONSTRAINTS):
        (folder / name).write_text(render(f"{name}.j2", **values), encoding="utf-8")


def digest(contents: Iterable[bytes]) -> str:
    """Of files one behind the other, as the record has it: CRC-32 in hexadecimal digits."""
    crc = 0
    for content in contents:
        crc = crc32(content, crc)
    return f"{crc:08x}"
