"""yosys.py: where the wheel keeps what it compiled."""

from pathlib import Path

import pytest

from vaqf.sim.synth import yosys


def test_yosys_needs_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(yosys.KEPT, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert yosys.KEPT not in yosys._environment()
    monkeypatch.setenv("XDG_CACHE_HOME", "/sys/kernel/cache")  # where nothing can be written
    lent = yosys._environment()[yosys.KEPT]
    assert Path(lent).is_dir()
    assert yosys._environment()[yosys.KEPT] == lent  # compiled once for all runs of a process
    monkeypatch.setenv(yosys.KEPT, "/mine")
    assert yosys._environment()[yosys.KEPT] == "/mine"
