"""latency.py: its functions give what those of latency.sv give."""

import subprocess
from pathlib import Path

from vaqf.cycles import latency
from vaqf.files.paths import rtl
from vaqf.sim.cosim import verilator

# name, arguments in the package, the same in Python
CALLS = (
    *(("add_tree", (n,), (n,)) for n in (1, 2, 3, 4, 9, 10, 27, 28, 100)),
    *(("octave", (n,), (n,)) for n in (2, 9, 16, 17, 33, 62)),
    *(("normalizer", (n,), (n,)) for n in (40, 62)),
    *(("sums", (t, n), (bool(t), n)) for t in (0, 1) for n in (4, 32, 192, 768)),
    *(
        ("products", (n, a, most), (n, a, most))
        for a in range(2, 9)
        for n in (1, 8, 25, 64)
        for most in ((2 ** (a - 1) - 1) ** 2, (2 ** (a - 1) - 1) * (2 ** min(a, 7) - 1))
    ),
)


def test_functions(tmp_path: Path) -> None:
    lines = [f'$display("%0d", latency::{name}({", ".join(map(str, a))}));' for name, a, _ in CALLS]
    bench = tmp_path / "bench.sv"
    bench.write_text("module bench;\ninitial begin\n" + "\n".join(lines) + "\nend\nendmodule\n")
    command = ["verilator", "--binary", "--quiet", "-Mdir", str(tmp_path), str(rtl("latency"))]
    environment = verilator.environment()
    subprocess.run([*command, str(bench)], check=True, env=environment, capture_output=True)
    done = subprocess.run([tmp_path / "Vlatency"], check=True, capture_output=True, text=True)
    found = [int(line) for line in done.stdout.splitlines() if line.strip().isdigit()]
    assert found == [getattr(latency, name)(*a) for name, _, a in CALLS]


def test_constants() -> None:
    assert latency.cycles("DIAGONAL") == latency.cycles("MEMORY") + 2
    assert latency.cycles("RUN") == latency.cycles("RUN_ADDRESS") + latency.cycles("DIAGONAL")
