"""Fixtures of the benches: compile a module once per test, run the benches of a file on it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hls_bench import design_for
from rtl_bench import cell_model, dsp, libraries
from samples import ODD

from vaqf.files.paths import rtl
from vaqf.hardware.design import Design
from vaqf.hardware.family import FAMILIES, SERIES_7, ULTRASCALE_PLUS, Family
from vaqf.project.rtl import RTL_PACKAGES, rtl_package
from vaqf.sim.cosim import launch

Simulate = Callable[..., None]
PRIMITIVES = {
    ULTRASCALE_PLUS: ("RAM32M16", "LUT6_2", "CARRY8"),
    SERIES_7: ("RAM32M", "LUT6_2", "CARRY4"),
}
BY_NAME = {family.yosys: family for family in FAMILIES}


def primitives(family: Family, folder: Path) -> Path:
    """Simulation models of the primitives, as Yosys brings them."""
    parts = ["// verilator lint_off DECLFILENAME", *map(cell_model, PRIMITIVES[family])]
    parts.append(dsp(family.yosys))
    path = folder / "primitives.v"
    path.write_text("\n\n".join(parts) + "\n")
    return path


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the parts that all models share are kept."""
    return tmp_path_factory.mktemp("verilator")


@pytest.fixture
def simulate(tmp_path: Path, runtime: Path) -> Simulate:
    """simulate(bench file, module, parameters): all benches of the file pass on the module."""

    def run(
        bench: str,
        top: str,
        parameters: Mapping[str, int],
        design: Design | None = None,
        family: str = "portable",
    ) -> None:
        placed = BY_NAME.get(family)
        package = tmp_path / "vaqf_pkg.sv"
        used = design or design_for([ODD])
        package.write_text(rtl_package(used, "a bench", placed or ULTRASCALE_PLUS))
        sources = [package, *(rtl(name) for name in (*RTL_PACKAGES, top))]
        arguments = libraries()
        if placed:
            arguments.append("-DSYNTHESIS")
            sources.insert(0, primitives(placed, tmp_path))
        model = launch.compile_model(
            top,
            sources,
            tmp_path / top,
            parameters,
            arguments,
            runtime=runtime,
            strict=not placed,  # Yosys's models of primitives are not ours to judge
        )
        outcomes = launch.run_benches(model, Path(bench), tmp_path / "run")
        assert not [outcome for outcome in outcomes if outcome.failure], outcomes

    return run
