"""latency.py: its functions give what those of latency.sv give."""

from pathlib import Path

import pytest
from packages_bench import evaluated

from vaqf.cycles import latency
from vaqf.hardware.family import FAMILIES, Family


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
    found = evaluated(shown, ["latency"], family, tmp_path)
    assert found == [getattr(latency, name)(*a) for name, _, a in calls(family)]


def test_constants() -> None:
    assert latency.cycles("DIAGONAL") == latency.cycles("MEMORY") + 2
    assert latency.cycles("RUN") == latency.cycles("RUN_ADDRESS") + latency.cycles("DIAGONAL")
