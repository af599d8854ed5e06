"""The bench of the whole accelerator notices a wrong constant, weight or handshake.

One model is compiled, in which a port chooses what is wrong with it.
"""

import os
from dataclasses import replace
from pathlib import Path

import cocotb
import numpy as np
import pytest
from accelerator_bench import DESIGN, Host, Work, in_environment, of_environment, work
from hls_bench import design_for, pictures
from rtl_bench import libraries
from samples import RGB

from vaqf.errors import ToolFailed
from vaqf.files.paths import rtl
from vaqf.hardware.design import Design
from vaqf.hardware.family import ULTRASCALE_PLUS
from vaqf.program.compile import compile_network
from vaqf.project.rtl import RTL_PACKAGES, rtl_package
from vaqf.sim import golden
from vaqf.sim.cosim import launch

CHOICE = "VAQF_MUTANT"
LIMIT = 20_000  # cycles; a good run takes a tenth
PACKAGE = "package mutation;\n  int chosen;\nendpackage\n"
# module, what it says, what it says then if this mutation is chosen
MUTATIONS = {
    "constant": ("lookup", "7'b111_100_1", "7'b111_010_1"),  # a subset sum adds another operand
    "handshake": ("operands", "load_valid && load_ready", "load_ready"),
}
TOP = {
    "input  logic ap_clk,": "input int mutant,\n    input  logic ap_clk,",
    "endmodule": "  always_comb mutation::chosen = mutant;\nendmodule",
}


def small_design() -> Design:
    return design_for([RGB], tokens=2, norm_tokens=1, attention_rows=1, frames_in_flight=1)


def mutable(module: str, changes: dict[str, str], folder: Path) -> Path:
    """A copy of a module in which each text, there exactly once, is changed."""
    text = rtl(module).read_text()
    for old, new in changes.items():
        assert text.count(old) == 1, (module, old)
        text = text.replace(old, new)
    path = folder / f"{module}.sv"
    path.write_text(text)
    return path


def compile_mutable(folder: Path, runtime: Path) -> launch.Model:
    """The accelerator with all mutations inside, none chosen."""
    copies = [mutable("vaqf_accelerator", TOP, folder)]
    for number, (module, old, new) in enumerate(MUTATIONS.values(), 1):
        either = f"(mutation::chosen == {number} ? {new} : {old})"
        copies.append(mutable(module, {old: either}, folder))
    (folder / "mutation.sv").write_text(PACKAGE)
    (folder / "vaqf_pkg.sv").write_text(rtl_package(small_design(), "mutations", ULTRASCALE_PLUS))
    packages = [folder / "vaqf_pkg.sv", folder / "mutation.sv"]
    packages += [rtl(name) for name in RTL_PACKAGES]
    return launch.compile_model(
        "vaqf_accelerator",
        [*packages, *copies],
        folder / "model",
        arguments=[*libraries()],
        runtime=runtime,
    )


def flipped(plain: Work, design: Design) -> Work:
    """The same with one binary weight of the other sign, one that logits depend on."""
    network, images = plain.network, pictures(RGB, plain.frames, 3)
    block = network.blocks[0]
    for place in range(block.proj.weight.size):
        weight = block.proj.weight.copy()
        weight.flat[place] *= -1
        changed = replace(block, proj=replace(block.proj, weight=weight))
        other = replace(network, blocks=(changed, *network.blocks[1:]))
        logits = golden.run(other, images)
        if not np.array_equal(logits, plain.logits):
            program = compile_network(design, other)
            return replace(plain, network=other, program=program, logits=logits)
    raise AssertionError("no weight matters")


def test_mutations(tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DESIGN, in_environment(small_design()))
    model = compile_mutable(tmp_path, runtime)
    for number, name in enumerate(("none", *MUTATIONS)):
        monkeypatch.setenv(CHOICE, str(number))
        try:
            outcomes = launch.run_benches(model, Path(__file__), tmp_path / name)
        except ToolFailed:  # an assertion of the RTL ends the simulation
            outcomes = [launch.Outcome(name, "broke off")]
        assert bool([outcome for outcome in outcomes if outcome.failure]) == (number > 0), name


@cocotb.test()
async def logits_are_golden(dut: object) -> None:
    """Without a mutation; and with a wrong weight they are those of the wrong network."""
    design = of_environment()
    dut.mutant.value = int(os.environ[CHOICE])
    host = Host(dut)
    await host.power_up()
    plain = work(design, RGB, "calibrated", 1)
    await host.start(plain)
    await host.finish(LIMIT)
    await host.check(plain)

    wrong = flipped(plain, design)
    bits = np.unpackbits(
        np.frombuffer(plain.program.weights, np.uint8)
        ^ np.frombuffer(wrong.program.weights, np.uint8)
    )
    assert bits.sum() == 1
    await host.start(wrong)
    await host.finish(LIMIT)
    await host.check(wrong)
    with pytest.raises(AssertionError):
        await host.check(plain)
