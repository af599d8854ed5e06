"""Fixtures of every test that compiles the emitted C++."""

import importlib.util
from pathlib import Path

import pytest
from hls_bench import Bench


@pytest.fixture(scope="session")
def bench(tmp_path_factory, worker_id) -> Bench:
    root = tmp_path_factory.getbasetemp()
    shared = (root if worker_id == "master" else root.parent) / "kernels"
    shared.mkdir(exist_ok=True)
    return Bench(shared)


@pytest.fixture(scope="session")
def vendor_types() -> Path:
    """The folder with AMD's own ap_int.h and hls_stream.h, which the wheel hls4ml carries."""
    spec = importlib.util.find_spec("hls4ml")
    if spec is None or not spec.submodule_search_locations:
        pytest.fail("hls4ml is missing; `make test` installs it")
    return Path(spec.submodule_search_locations[0]) / "templates/vivado/ap_types"
