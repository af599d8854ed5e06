"""The C++ of a project: library, generated constants and top, test bench, Makefile."""

import shutil
from pathlib import Path

from vaqf.arithmetic.widths import ceil_div
from vaqf.files.paths import HLS_INCLUDE, HLS_PROJECT
from vaqf.hardware import layout
from vaqf.hardware.design import PORT_BITS, Design
from vaqf.program.compile import Program
from vaqf.project.render import design_constants, design_title, render


def write_kernel(design: Design, model: str, folder: Path, program: Program | None = None) -> None:
    """The C++ of one design: library, generated constants and top, test bench, Makefile.

    `program` only sizes the arrays of the vendor's co-simulation.
    """
    title = design_title(design, model)
    for source in sorted(HLS_INCLUDE.rglob("*")):  # copytree would hide a full disk's errno
        if source.is_file():
            place = folder / "include" / source.relative_to(HLS_INCLUDE)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)
    port_bytes = PORT_BITS // 8
    depths = {"commands": 1, "weights": 1, "images": 1, "results": 1}
    if program is not None:
        depths = {
            "commands": ceil_div(len(program.commands), port_bytes),
            "weights": ceil_div(len(program.weights), design.weight_read_bytes) + 2,
            "images": ceil_div(program.frame_bytes, port_bytes) + 2,
            "results": ceil_div(layout.STATUS_BYTES + program.result_bytes, port_bytes),
        }
    rendered = {
        "config.hpp": render("config.hpp.j2", title=title, **design_constants(design)),
        "vaqf_accelerator.hpp": render("vaqf_accelerator.hpp.j2", title=title),
        "vaqf_accelerator.cpp": render("vaqf_accelerator.cpp.j2", title=title, depths=depths),
        "Makefile": render("Makefile.j2", title=title),
    }
    for name, text in rendered.items():
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copy(HLS_PROJECT / "testbench.cpp", folder / "testbench.cpp")
