"""latency.py: its functions give what those of latency.sv give."""

import subprocess
from pathlib import Path

import pytest
from hls_bench import design_for
from samples import ODD

from vaqf.cycles import latency
from vaqf.files.paths import rtl
from vaqf.hardware.family import FAMILIES, Family
from vaqf.project.rtl import rtl_package
from vaqf.sim.cosim import verilator


def calls(family: Family) -> list[tuple[str, tuple[int, ...], tuple[object, ...]]]:
    """Name, arguments in the package, the same in Python."""
    return [
        *(("add_tree", (n,), (n,)) for n in (1, 2, 3, 4, 9, 10, 27, 28, 100)),
        *(("octave", (n,), (n,)) for n in (2, 9, 16, 17, 33, 62)),
        *(("normalizer", (n,), (n,)) for n in (40, 62)),
        *(("packed_tree", (n,), (n,)) for n in (1, 4, 5, 12, 13, 36, 37, 192)),
        *(
            ("sums", (t, n, lanes), (bool(t), n, lanes))
            for t, lanes in ((0, 0), (1, 0), (1, 3))
            for n in (4, 32, 192, 768)
        ),
        *(
            ("products", (n, a, most), (n, a, most, family))
            for a in range(2, 9)
            for n in (1, 8, 25, 64)
            for most in ((2 ** (a - 1) - 1) ** 2, (2 ** (a - 1) - 1) * (2 ** min(a, 7) - 1))
        ),
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_functions(tmp_path: Path, family: Family) -> None:
    shown = [f"latency::{name}({', '.join(map(str, a))})" for name, a, _ in calls(family)]
    lines = "\n".join(f'$display("%0d", {call});' for call in shown)
    bench, package = tmp_path / "bench.sv", tmp_path / "vaqf_pkg.sv"
    bench.write_text(f"module bench;\ninitial begin\n{lines}\nend\nendmodule\n")
    package.write_text(rtl_package(design_for([ODD]), "latencies", family))
    command = ["verilator", "--binary", "--quiet", "-Mdir", str(tmp_path), "--top-module", "bench"]
    sources = map(str, (package, rtl("latency"), bench))
    environment = verilator.environment()
    subprocess.run([*command, *sources], check=True, env=environment, capture_output=True)
    done = subprocess.run([tmp_path / "Vbench"], check=True, capture_output=True, text=True)
    found = [int(line) for line in done.stdout.splitlines() if line.strip().isdigit()]
    assert found == [getattr(latency, name)(*a) for name, _, a in calls(family)]


def test_constants() -> None:
    assert latency.cycles("DIAGONAL") == latency.cycles("MEMORY") + 2
    assert latency.cycles("RUN") == latency.cycles("RUN_ADDRESS") + latency.cycles("DIAGONAL")
