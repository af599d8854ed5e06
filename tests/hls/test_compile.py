"""The emitted C++ compiles without a warning, as C++11 and newer, simulated and as synthesized."""

import subprocess

import pytest
from hls_bench import design_for, small_vit

from vaqf.files.paths import HLS_TEMPLATES
from vaqf.hardware.config import constants
from vaqf.project import hls

DESIGNS = {
    "table": {"act_bits": 8, "share": 1, "weight_ports": 1},
    "adder": {"act_bits": 2, "engine": "adder", "frames_in_flight": 1, "resident": True},
}
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-Wno-unused-label"]


def compile_only(folder, sources, *flags):
    includes = ["-I.", "-Iinclude", "-isystem", "include/native"]
    command = ["g++", "-fsyntax-only", *WARNINGS, *includes, *flags, *sources]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[:3000]


@pytest.mark.parametrize("name", DESIGNS)
def test_no_warnings(tmp_path, name):
    design = design_for([small_vit()], **DESIGNS[name])
    hls.write_kernel(design, "test", tmp_path / "hls")
    both = ["vaqf_accelerator.cpp", "testbench.cpp"]
    for standard in ("c++11", "c++17"):
        compile_only(tmp_path / "hls", both, f"-std={standard}")
    # without the simulation's eyes
    compile_only(tmp_path / "hls", ["vaqf_accelerator.cpp"], "-std=c++14", "-D__SYNTHESIS__")


@pytest.mark.parametrize("path", sorted(HLS_TEMPLATES.glob("include/vaqf/*.hpp")), ids=str)
def test_every_header_stands_alone(bench, tmp_path, path):
    design = design_for([small_vit()], engine="adder" if path.stem == "masked_sum" else "table")
    hls.write_kernel(design, "test", tmp_path / "hls")
    (tmp_path / "hls/alone.cpp").write_text(f'#include "vaqf/{path.name}"\n')
    compile_only(tmp_path / "hls", ["alone.cpp"], "-std=c++11")


def test_config_states_every_constant(tmp_path):
    design = design_for([small_vit()])
    hls.write_kernel(design, "test", tmp_path / "hls")
    config = (tmp_path / "hls/config.hpp").read_text()
    for name, value in constants(design).items():
        camel = "k" + "".join(part.capitalize() for part in name.split("_"))
        assert config.count(f"constexpr int {camel} = {value};\n") == 1
