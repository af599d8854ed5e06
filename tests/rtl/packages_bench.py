"""Functions of packages, evaluated in a simulator."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from hls_bench import design_for
from samples import ODD

from vaqf.files.paths import rtl
from vaqf.hardware.family import Family
from vaqf.project.rtl import rtl_package
from vaqf.sim.cosim import verilator


def evaluated(
    calls: Sequence[str],
    packages: Sequence[str],
    family: Family,
    folder: Path,
    sizes: Sequence[tuple[int, int]] = ((0, 0),),
) -> list[int]:
    """What expressions over packages of rtl/ are, for devices of a family.

    All of them for each of `sizes`, which they know as `width` and `depth`: a task, since the
    simulator's compiler would take every call with constants for code of its own.
    """
    shown = "\n".join(f'$display("%0d", {call});' for call in calls)
    lines = "\n".join(f"show({width}, {depth});" for width, depth in sizes)
    bench, package = folder / "bench.sv", folder / "vaqf_pkg.sv"
    task = "task automatic show(input int width, input int depth);\n// verilator no_inline_task"
    bench.write_text(
        f"module bench;\n{task}\n{shown}\nendtask\ninitial begin\n{lines}\nend\nendmodule\n"
    )
    package.write_text(rtl_package(design_for([ODD]), "packages", family))
    command = ["verilator", "--binary", "--quiet", "-Mdir", str(folder), "--top-module", "bench"]
    sources = map(str, (package, *map(rtl, packages), bench))
    environment = verilator.environment()
    subprocess.run([*command, *sources], check=True, env=environment, capture_output=True)
    done = subprocess.run([folder / "Vbench"], check=True, capture_output=True, text=True)
    return [int(line) for line in done.stdout.splitlines() if line.strip().isdigit()]
