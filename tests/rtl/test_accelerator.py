"""vaqf_accelerator.sv: whole networks through the AXI ports, logits as golden has them."""

from collections.abc import Callable
from typing import Any

import cocotb
import pytest
from accelerator_bench import DESIGN, Host, in_environment, of_environment, work
from axi_memory import Pace
from hls_bench import design_for
from samples import GRAY, ODD, RGB

MODELS = {vit.name: vit for vit in (RGB, GRAY, ODD)}
DESIGNS: dict[str, dict[str, Any]] = {
    "two frames": {},
    "adder, one frame, resident": {
        "engine": "adder",
        "frames_in_flight": 1,
        "resident": True,
        "act_bits": 3,
        "tokens": 3,
        "norm_tokens": 3,
    },
}
# model, network, frames, whether the memories are slow
RUNS = (
    ("small", "calibrated", 1, False),
    ("gray", "calibrated", 3, True),
    ("odd", "extreme", 2, True),
)


@pytest.mark.parametrize("name", DESIGNS)
def test_networks(
    simulate: Callable[..., None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = design_for(list(MODELS.values()), **DESIGNS[name])
    monkeypatch.setenv(DESIGN, in_environment(design))
    simulate(__file__, "vaqf_accelerator", {}, design=design)


@cocotb.test()
async def logits_are_golden(dut: Any) -> None:
    design = of_environment()
    host = Host(dut)
    await host.power_up()
    for name, kind, frames, slow in RUNS:
        host.pace(Pace(0.4, 0.6, 0.5, 30) if slow else Pace(latency=5))
        cycles = await host.run(work(design, MODELS[name], kind, frames))
        dut._log.info("%s: %d frames in %d cycles", name, frames, cycles)
