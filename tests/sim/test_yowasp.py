"""yowasp.py: where a wheel keeps what it compiled."""

from pathlib import Path

import pytest

from vaqf.sim import yowasp


def test_a_wheel_needs_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(yowasp.KEPT, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert yowasp.KEPT not in yowasp.environment()
    monkeypatch.setenv("XDG_CACHE_HOME", "/sys/kernel/cache")  # where nothing can be written
    lent = yowasp.environment()[yowasp.KEPT]
    assert Path(lent).is_dir()
    assert yowasp.environment()[yowasp.KEPT] == lent  # compiled once for all runs of a process
    monkeypatch.setenv(yowasp.KEPT, "/mine")
    assert yowasp.environment()[yowasp.KEPT] == "/mine"
