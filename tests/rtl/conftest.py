"""Fixtures of the benches: compile a module once per test, run the benches of a file on it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hls_bench import design_for
from samples import ODD

from sim import cosim
from vaqf import emit
from vaqf.design import Design
from vaqf.paths import RTL

Simulate = Callable[..., None]


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the parts that all models share are kept."""
    return tmp_path_factory.mktemp("verilator")


@pytest.fixture
def simulate(tmp_path: Path, runtime: Path) -> Simulate:
    """simulate(bench file, module, parameters, *modules below it): all its benches pass."""

    def run(
        bench: str,
        top: str,
        parameters: Mapping[str, int],
        *below: str,
        design: Design | None = None,
    ) -> None:
        package = tmp_path / "vaqf_pkg.sv"
        package.write_text(emit.rtl_package(design or design_for([ODD]), "a bench"))
        sources = [package, *(RTL / f"{name}.sv" for name in ("latency", *below, top))]
        model = cosim.compile_model(top, sources, tmp_path / top, parameters, runtime=runtime)
        outcomes = cosim.run_benches(model, Path(bench), tmp_path / "run")
        assert not [outcome for outcome in outcomes if outcome.failure], outcomes

    return run
