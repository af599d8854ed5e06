"""Workload + Design + Board -> cycles, FPS, latency, bandwidth, power: the whole estimate."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import ceil_div
from vaqf.clock import met
from vaqf.clock.met import Met
from vaqf.cycles.port import EFFICIENCY, READ_LATENCY
from vaqf.cycles.schedule import Schedule, schedule_frame
from vaqf.cycles.timeline import stream_rate
from vaqf.hardware.board import Board
from vaqf.hardware.design import PORT_BITS, Design
from vaqf.hardware.fabric import Resources
from vaqf.model.layers import Op
from vaqf.model.vit import Vit
from vaqf.model.workload import Elementwise, Work, workload
from vaqf.resources import parts
from vaqf.resources import unit_costs as cost
from vaqf.resources.use import resources

SCHEMA = 1


@dataclass(frozen=True)
class LayerEstimate:
    """One workload layer: busy cycles of its engine, and its part of the frame's interval.

    bound_by: compute, table fill or fetch of the array's operands, start-up of the layer norm,
    attention; weights, parameters or pixels that are late; hidden under another engine.
    elapsed_cycles: from the start to the end of its command, with waits for weights; 0 if it has no
    command of its own.
    """

    name: str
    op: str
    macs: int
    cycles: int
    exposed_cycles: int
    bound_by: str
    elapsed_cycles: int


@dataclass(frozen=True)
class Estimate:
    """One design on one board at one clock: everything `vaqf estimate` prints."""

    vit: Vit
    board: Board
    design: Design
    clock_mhz: float
    cycles_per_frame: int
    latency_cycles: int
    use: Resources
    dram_bits_per_frame: int
    layers: tuple[LayerEstimate, ...]

    @property
    def act_bits(self) -> int:
        """Activation bits A."""
        return self.design.act_bits

    @property
    def fps(self) -> float:
        """Frames per second in the steady state."""
        return self.clock_mhz * 1e6 / self.cycles_per_frame

    @property
    def latency_ms(self) -> float:
        """From a frame's first cycle to its logits, in the steady state."""
        return self.latency_cycles / (self.clock_mhz * 1e3)

    @property
    def ddr_gbytes_per_s(self) -> float:
        """Mean DRAM traffic: weights, parameters, images, logits."""
        return self.dram_bits_per_frame * self.fps / 8e9

    @property
    def weight_rate(self) -> float:
        """Bits per cycle that the weight ports deliver."""
        return stream_rate(self.board, self.design.weight_ports, self.clock_mhz)

    @property
    def power_w(self) -> float:
        """static + clock * sum(count * energy per cycle) + DRAM: unit_costs.py; +-50 %."""
        per_cycle = (
            self.use.lut * cost.LUT_PJ
            + self.use.dsp * cost.DSP_PJ
            + self.use.bram36 * cost.BRAM36_PJ
        )
        dram = self.dram_bits_per_frame * self.fps * cost.DRAM_PJ_PER_BIT
        return cost.STATIC_W + (self.clock_mhz * 1e6 * per_cycle + dram) * 1e-12

    @cached_property
    def met(self) -> Met:
        """The clock that the timing model says the design meets."""
        return met.met(self.design, self.board)

    @property
    def size(self) -> float:
        """Largest used / available."""
        return self.use.largest_share(self.board.available())

    def to_json(self) -> dict[str, Any]:
        """The estimate's own keys; Search.to_json adds target, feasible and search."""
        available = self.board.available()
        return {
            "schema": SCHEMA,
            "model": self.vit.name,
            "board": self.board.name,
            "engine": self.design.engine,
            "clock_mhz": self.clock_mhz,
            "met_clock_mhz": self.met.mhz,
            "longest_path": {"ns": round(self.met.ns, 3), "module": self.met.module},
            "act_bits": self.act_bits,
            "target_fps": None,
            "feasible": True,
            "fps": self.fps,
            "cycles_per_frame": self.cycles_per_frame,
            "latency_ms": self.latency_ms,
            "design": self.design.to_json(),
            "resources": {
                key: {"used": self.use[key], "available": available[key]}
                for key in self.board.resources
            },
            "ddr_gbytes_per_s": self.ddr_gbytes_per_s,
            "weight_bits_per_cycle": self.weight_rate,
            "power_w": round(self.power_w, 2),
            "layers": [vars(layer) for layer in self.layers],
            "search": [],
            "assumptions": list(assumptions(self)),
        }


def estimate(vit: Vit, board: Board, design: Design, clock_mhz: float) -> Estimate:
    """Cycles, resources, bandwidth and power of one design; legality is search.py's question.

    The schedule is that of docs/accelerator.md, followed command by command with the weight
    ring (schedule.py). Clock in MHz; resources are those of the RTL, before placement.
    """
    plan = schedule_frame(vit, board, design, clock_mhz)
    return Estimate(
        vit=vit,
        board=board,
        design=design,
        clock_mhz=clock_mhz,
        cycles_per_frame=plan.interval,
        latency_cycles=plan.latency,
        use=resources(design, board),
        dram_bits_per_frame=plan.stream_bits + _image_bits(vit),
        layers=tuple(_layers(vit, design, plan)),
    )


def _image_bits(vit: Vit) -> int:
    """DRAM bits of one image in (uint8) and its logits out (32 bits each)."""
    return 8 * vit.channels * vit.image_size**2 + 32 * vit.classes


def _layers(vit: Vit, design: Design, plan: Schedule) -> Iterator[LayerEstimate]:
    """Every workload layer with its share of the interval; the shares add up to the interval."""
    for work in workload(vit):
        timing = plan.layers.get(work.name)
        if timing is not None:
            yield LayerEstimate(
                name=work.name,
                op=work.op,
                macs=work.macs,
                cycles=timing.busy,
                exposed_cycles=timing.exposed,
                bound_by=timing.bound_by,
                elapsed_cycles=timing.elapsed,
            )
        else:
            busy = _vector_cycles(design, work)
            yield LayerEstimate(work.name, work.op, 0, busy, 0, "hidden", 0)


def _vector_cycles(design: Design, work: Work) -> int:
    """Busy cycles of the vector unit's lanes for a layer that runs under an engine."""
    size = work.size
    assert isinstance(size, Elementwise)
    if work.layer.kind.op is Op.SOFTMAX:
        return ceil_div(size.rows, parts.of(design).attention.softmax_lanes) * size.channels
    return ceil_div(size.rows, design.tokens) * ceil_div(size.channels, design.pe)


def assumptions(result: Estimate) -> Iterator[str]:
    """What a reader must believe to believe the estimate, one sentence each."""
    d = result.design
    yield (
        "Cycles and resources are estimates for the RTL from unit costs measured with Yosys "
        "before placement; no vendor tool was run."
    )
    yield (
        f"{result.clock_mhz:g} MHz: the timing model allows {result.met.mhz:g} MHz, a path of "
        f"{result.met.ns:.2f} ns in {result.met.module} and {met.UNCERTAINTY_NS} ns of skew and "
        "jitter, nets as in a device in use; no tool has routed the design (docs/timing.md)."
    )
    if result.board.dies > 1:
        yield (
            f"The design stays on one of the {result.board.dies} dies of {result.board.name}; "
            "what is available is its share."
        )
    yield (
        f"AXI ports and DRAM deliver {EFFICIENCY:.0%} of their peak; {d.weight_ports} port(s) of "
        f"{PORT_BITS} bits at the accelerator's clock."
        if not d.resident
        else "All weights stay on chip and are loaded once, before the first frame."
    )
    yield (
        f"The patch embedding and the head keep 8-bit weights: "
        f"{widths.pixel_digits(d.act_bits)} digit(s) x 8 bit planes of the embedding are "
        "included."
    )
    if d.frames_in_flight == 2:
        yield (
            "Two frames are in flight, so FPS holds for a stream of frames and latency is two "
            "intervals."
        )
    yield (
        f"The first data of a read come {READ_LATENCY} cycles after its address; starts, pipelines "
        "and parameters of every command are followed as the RTL has them."
    )
    if result.board.uram:
        yield f"The {result.board.uram:,} UltraRAMs of {result.board.name} are not used yet."
    yield "The host's image decoding and resizing are not included."
    yield (
        "Power is a rough figure: "
        f"{cost.STATIC_W:g} W + clock x (LUT x {cost.LUT_PJ} + DSP x {cost.DSP_PJ:g} + BRAM x "
        f"{cost.BRAM36_PJ:g}) pJ + DRAM x {cost.DRAM_PJ_PER_BIT:g} pJ/bit, +-50 %."
    )
