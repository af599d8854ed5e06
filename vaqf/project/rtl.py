"""The SystemVerilog of a project: generated package, library, file list."""

import shutil
from pathlib import Path

from vaqf.files.paths import RTL, RTL_ULX3S, rtl
from vaqf.hardware import registers
from vaqf.hardware.command import layout
from vaqf.hardware.config import design_id, rtl_sizes
from vaqf.hardware.design import Design
from vaqf.hardware.family import FAMILIES, Family
from vaqf.project.render import TOP, design_constants, design_title, render

PACKAGE = "vaqf_pkg.sv"  # the constants of one design
RTL_PACKAGES = ("latency", "sizes", "storage")  # in rtl/, before its modules
RTL_FILE_LIST = f"{TOP}.f"


def rtl_sources(design: Design, model: str, family: Family) -> list[tuple[str, str]]:
    """(name, text) of the package and the library in the order in which tools read them."""
    library = ((path.name, path.read_text(encoding="utf-8")) for path in rtl_library())
    return [(PACKAGE, rtl_package(design, model, family)), *library]


def rtl_library() -> list[Path]:
    """The SystemVerilog that no design changes, in the order in which tools read it."""
    packages = [rtl(name) for name in RTL_PACKAGES]
    others = set(RTL.rglob("*.sv")) - {*packages, *ulx3s_library()}
    return packages + sorted(others, key=lambda path: path.name)


def ulx3s_library() -> list[Path]:
    """What stands around the accelerator on a ULX3S, and in no project but there."""
    return sorted(RTL_ULX3S.glob("*.sv"))


def rtl_package(design: Design, model: str, family: Family) -> str:
    """The SystemVerilog package of one design, for devices of a family."""
    title = design_title(design, model)
    values = design_constants(design) | {"sizes": rtl_sizes(design), "layout": layout()}
    values |= {
        "design_id": design_id(design),
        "registers": registers.REGISTERS,
        "map_version": registers.MAP_VERSION,
        "register_fields": {
            one.name: registers.layout(one) for one in registers.REGISTERS if one.structured
        },
        "index_bits": _index_bits,
        "family": family,
        "families": FAMILIES,
    }
    return render("vaqf_pkg.sv.j2", title=title, **values)


def _index_bits(count: int) -> int:
    """As in rtl/packages/sizes.sv, which Yosys does not find from within another package."""
    return max((count - 1).bit_length(), 1)


def write_rtl(design: Design, model: str, family: Family, folder: Path) -> None:
    """The SystemVerilog of one design: generated constants, the library, and a file list.

    The list names one file a line, relative to `folder`, in the order in which tools read them.
    """
    (folder / PACKAGE).write_text(rtl_package(design, model, family), encoding="utf-8")
    sources = rtl_library()
    for source in sources:
        shutil.copy(source, folder)
    names = [PACKAGE, *(source.name for source in sources)]
    (folder / RTL_FILE_LIST).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
