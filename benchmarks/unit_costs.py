"""Unit costs and paths from synthesis: whole accelerators through Yosys, fitted module by module.

python benchmarks/unit_costs.py [--check] [--jobs 2]

Every module's counts, less memories and tables whose size is known, are fitted by what the module
grows with (vaqf/resources/quantities.py), no cost below zero; the result is
vaqf/resources/unit_costs.json. So is its longest path, by the static timing of the same netlists
with the delays of every fabric; the result is vaqf/clock/unit_paths.json. Then the estimate stands
beside Yosys for what the search finds on three boards: LUT, LUTRAM and FF within 10 %, BRAM and DSP
exact, the longest path within 8 %, else the script fails. --check fits nothing. All counts go to
tests/resources/yosys_counts.json, with which the tests compare the estimate. What was synthesized
before comes from the user's cache, so after a small change of the RTL this takes minutes; the first
run takes an hour or more.
"""

import argparse
import datetime
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from vaqf.clock import met, unit_paths
from vaqf.hardware import board
from vaqf.hardware.board import Board
from vaqf.hardware.design import Design
from vaqf.hardware.family import SERIES_7, ULTRASCALE_PLUS, Family
from vaqf.hardware.matmuls import capacity_for, streamed_ring_words
from vaqf.hardware.speed import FABRICS, Speed
from vaqf.model import zoo
from vaqf.project import render, rtl
from vaqf.resources import unit_costs
from vaqf.resources.memories import memories, memory_use
from vaqf.resources.quantities import MODULES, quantities, table_luts
from vaqf.resources.use import gelu_luts, resources
from vaqf.search import search
from vaqf.search.question import Question
from vaqf.sim.synth import cache, synthesize, yosys
from vaqf.sim.synth.netlist import Counts
from vaqf.sim.synth.synthesize import Synthesis

LOGIC, MEMORY, FLIP_FLOPS = "lut", "lutram", "ff"
ONE_ENGINE = {  # modules that the other engine does not have
    "lookup": "table",
    "subset_sums": "table",
    "table_generator": "table",
    "masked_column": "adder",
    "masked_sum": "adder",
}
RECORD = Path(__file__).parents[1] / "tests/resources/yosys_counts.json"
# Of a module's path: how dear a doubling is to the fit. Chosen on the designs of the sweep alone,
# one left out at a time: 2.4 to 2.8 % rms on three fabrics, 2.4 to 3.4 at 0.2, 3.0 to 4.2 at 0.05
SHY = 0.4
NOTHING = 1e-6  # a cost below it is what rounding left of zero
BARS = ("lut", "lutram", "ff")


@dataclass(frozen=True)
class Sample:
    """A synthesized design."""

    label: str
    design: Design
    made: Synthesis

    @property
    def family(self) -> Family:
        return self.made.family

    @property
    def longest_ns(self) -> float:
        """Of its device, nets as in a device in use."""
        return self.made.timings[-1].worst_ns


def sized(model: str, **changes: int | str | bool) -> Design:
    """A small design with the memories of a real model."""
    values: dict[str, int | str | bool] = {
        "engine": "table",
        "act_bits": 8,
        "tokens": 4,
        "pe": 4,
        "simd": 96,
        "attention_rows": 6,
        "attention_lanes": 16,
        "norm_tokens": 2,
        "frames_in_flight": 2,
        "share": 1,
        "weight_ports": 1,
        "resident": False,
        **changes,
    }
    shape = tuple(values[name] for name in ("act_bits", "pe", "simd", "attention_lanes"))
    needs = zoo.load(model)
    return Design(
        ring_words=streamed_ring_words(needs, *shape),
        capacity=capacity_for(needs, *shape),
        **values,
    )


# some parameters at a time: what a module grows with is told apart
SWEEP = (
    (ULTRASCALE_PLUS, sized("deit_tiny")),
    (ULTRASCALE_PLUS, sized("deit_tiny", act_bits=6, attention_rows=9, attention_lanes=32)),
    (ULTRASCALE_PLUS, sized("deit_tiny", act_bits=4, tokens=6, norm_tokens=3, attention_rows=17)),
    (ULTRASCALE_PLUS, sized("deit_tiny", act_bits=5, pe=8, simd=128, tokens=2, norm_tokens=1)),
    (ULTRASCALE_PLUS, sized("deit_tiny", act_bits=2, pe=2, simd=192, tokens=8, norm_tokens=8)),
    (
        ULTRASCALE_PLUS,
        sized("deit_small", pe=8, simd=192, share=2, weight_ports=2, attention_lanes=64),
    ),
    (
        ULTRASCALE_PLUS,
        sized("deit_base", tokens=9, pe=2, simd=384, norm_tokens=3, attention_lanes=8),
    ),
    (ULTRASCALE_PLUS, sized("deit_tiny", engine="adder", pe=8, simd=64, tokens=5, norm_tokens=1)),
    (
        ULTRASCALE_PLUS,
        sized("deit_tiny", engine="adder", act_bits=4, pe=2, simd=192, attention_rows=13),
    ),
    (SERIES_7, sized("vit_digits", tokens=5, pe=8, simd=64, norm_tokens=5, attention_rows=13)),
    (SERIES_7, sized("deit_tiny", act_bits=3, simd=64, tokens=3, norm_tokens=1)),
    (
        SERIES_7,
        sized("vit_digits", engine="adder", act_bits=5, pe=2, simd=128, tokens=3, norm_tokens=3),
    ),
)


@dataclass(frozen=True)
class Target:
    """What the search is asked for; the estimate of its answer is judged."""

    board: str
    model: str
    engine: str
    act_bits: int
    fps: float | None  # None: the fastest


TARGETS = (
    Target("zcu102", "deit_base", "table", 8, None),
    Target("zcu102", "deit_base", "table", 6, 100.0),
    Target("zcu102", "deit_small", "table", 4, 300.0),
    Target("zcu102", "deit_tiny", "table", 7, 500.0),
    Target("zcu102", "deit_tiny", "adder", 6, None),
    Target("kv260", "deit_tiny", "table", 4, None),
    Target("kv260", "deit_tiny", "table", 3, 100.0),
    Target("kv260", "deit_tiny", "adder", 3, None),
    Target("kv260", "vit_shapes", "table", 8, None),
    Target("pynq_z2", "vit_digits", "table", 8, None),
    Target("pynq_z2", "vit_digits", "table", 4, 1000.0),
    Target("pynq_z2", "vit_digits", "adder", 6, None),
    Target("pynq_z2", "vit_shapes", "table", 5, None),
)


def synthesized(
    label: str, design: Design, family: Family, part: str = "", others: Sequence[Speed] = ()
) -> Sample:
    """Through Yosys, or from the cache."""
    sources = rtl.rtl_sources(design, label, family)
    made = synthesize.synthesize(
        sources, render.TOP, family, cache.folder(), part=part, others=others
    )
    sample = Sample(label, design, made)
    counts = f"{made.total.lut:7} LUT {made.total.ff:7} FF"
    print(f"{label:44} {counts} {sample.longest_ns:5.2f} ns", flush=True)
    return sample


# -- fitting ---------------------------------------------------------------------------------------


def known(sample: Sample) -> dict[str, Counts]:
    """Module -> what its memories and tables take, by their sizes."""
    design, family = sample.design, sample.family
    found: dict[str, Counts] = {}
    for memory in memories(design):
        use = memory_use(memory.width, memory.depth, memory.registers, family)
        one = Counts(use.lut, use.lutram, use.ff, 0, use.blocks / 2)
        found[memory.module] = found.get(memory.module, Counts()) + one * memory.copies
    lanes = design.tokens * design.pe
    luts = gelu_luts(lanes, design.act_bits)
    found["gelu"] = Counts(luts, luts)
    if design.engine == "table":
        array = (design.tokens, design.pe, design.simd)
        luts = table_luts(design.act_bits, array, design.share, family)
        found["subset_sums"] = Counts(luts, luts)
    return found


def fit(samples: list[Sample]) -> dict[str, dict[str, dict[str, float]]]:
    """Module -> resource -> quantity -> cost."""
    amounts = [quantities(sample.design, sample.family) for sample in samples]
    sizes = [known(sample) for sample in samples]
    costs: dict[str, dict[str, dict[str, float]]] = {}
    for module in sorted({part.module for sample in samples for part in sample.made.parts}):
        names = [ONE_ENGINE.get(module, "one"), *MODULES.get(module, ())]
        rows = np.array([[amount.get(name, 0.0) for name in names] for amount in amounts])
        for resource in (LOGIC, MEMORY, FLIP_FLOPS):
            weights, wanted = [], []
            for sample, size in zip(samples, sizes, strict=True):
                part, formula = sample.made.part(module), size.get(module, Counts())
                counted = _of(part, resource) - _of(formula, resource)
                weights.append(1.0 / _of(sample.made.total, resource))
                wanted.append(max(0.0, counted))
            weight = np.array(weights)
            scale = np.maximum(abs(rows * weight[:, None]).max(axis=0), 1e-30)
            found = nnls(rows * weight[:, None] / scale, np.array(wanted) * weight)[0] / scale
            kept = {
                name: float(f"{cost:.4g}")
                for name, cost in zip(names, found, strict=True)
                if cost > NOTHING
            }
            if kept:
                costs.setdefault(module, {})[resource] = kept
    return costs


def fit_paths(samples: list[Sample]) -> dict[str, dict[str, dict[str, float]]]:
    """Fabric -> module -> quantity -> ns: what every sample's netlist takes with its delays. What
    does not grow is preferred to what does, as there are few samples of each."""
    amounts = [unit_paths.quantities(sample.design) for sample in samples]
    names = list(amounts[0])
    paths: dict[str, dict[str, dict[str, float]]] = {}
    for index, fabric in enumerate(FABRICS):
        timings = [sample.made.others[index] for sample in samples]
        modules = sorted({module for timing in timings for module in timing.by_module})
        for module in modules:
            seen = [(a, t.by_module[module]) for a, t in zip(amounts, timings, strict=True)
                    if module in t.by_module]  # fmt: skip
            rows = np.array([[amount[name] for name in names] for amount, _ in seen])
            wanted = np.array([ns for _, ns in seen])
            shy = SHY * wanted.mean() * np.diag([name != "one" for name in names])
            found = nnls(np.vstack([rows, shy]), np.append(wanted, np.zeros(len(names))))[0]
            kept = {n: round(float(ns), 4) for n, ns in zip(names, found, strict=True) if ns > 1e-3}
            paths.setdefault(fabric, {})[module] = kept
    return paths


def _of(counts: Counts, resource: str) -> float:
    return counts.lut - counts.lutram if resource == LOGIC else getattr(counts, resource)


def tool() -> str:
    """What counted, in words."""
    flags = f"synth_xilinx {yosys.FLAGS}, abc9 -D {yosys.DELAY_PS}"
    return f"Yosys {yosys.version()}, {flags}, before placement"


def write(samples: list[Sample]) -> None:
    """The files that vaqf reads, and from now on this process too."""
    made = {
        "by": "python benchmarks/unit_costs.py",
        "date": datetime.date.today().isoformat(),
        "tool": tool(),
        "designs": [f"{s.label} {s.family.yosys}" for s in samples],
    }
    of_file = {
        unit_costs.FILE: {"made": made, "costs": fit(samples)},
        unit_paths.FILE: {"made": made, "paths": fit_paths(samples)},
    }
    for file, content in of_file.items():
        text = json.dumps(content, indent=1, sort_keys=True)
        file.write_text(text + "\n", encoding="utf-8")
    for read in (unit_costs.calibration, unit_costs.of_quantities, unit_paths.calibration):
        read.cache_clear()
    unit_paths.longest.cache_clear()


# -- judging ---------------------------------------------------------------------------------------


def chosen(target: Target) -> tuple[Board, str, Design]:
    """What the search finds today: board, words for it, design."""
    device, model = board.load(target.board), zoo.load(target.model)
    found = search.search(
        Question(
            model,
            device,
            fps=target.fps,
            act_bits=target.act_bits,
            engine=target.engine,
        )
    )
    if not found.feasible:
        sys.exit(f"{target}: {found.reason}")
    label = f"{target.model} w1a{target.act_bits} {target.engine} on {target.board}"
    return device, label, found.estimate.design


def judge(device: Board, sample: Sample) -> bool:
    """One line: the estimate over what Yosys found, of every resource; whether all bars are met."""
    design = sample.design
    expected = resources(design, device)
    ratios = {name: expected[name] / max(getattr(sample.made.total, name), 1) for name in BARS}
    blocks, dsp = (expected[name] - sample.made.total[name] for name in ("bram36", "dsp"))
    path = met.met(design, device).ns / sample.longest_ns
    shape = f"{design.tokens}x{design.pe}x{design.simd}"
    words = "  ".join(f"{name} {ratio:.3f}" for name, ratio in ratios.items())
    print(
        f"{sample.label:40} {shape:12} {words}  bram36 {blocks:+g}  dsp {dsp:+d}  path {path:.3f}"
    )
    counted = all(abs(ratio - 1) <= unit_costs.WITHIN for ratio in ratios.values())
    return blocks == dsp == 0 and counted and abs(path - 1) <= unit_paths.WITHIN


def main() -> None:
    """Fit, write, then judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fit nothing")
    parser.add_argument("--jobs", type=int, default=2, help="processes of up to 4 GiB")
    asked = parser.parse_args()
    synthesize.JOBS = asked.jobs
    if not asked.check:
        every = [Speed(fabric) for fabric in FABRICS]
        swept = [synthesized(_label(d), d, family, others=every) for family, d in SWEEP]
        write(swept)
    samples, bad = [], []
    for target in TARGETS:
        device, label, design = chosen(target)
        samples.append(synthesized(label, design, device.generation, device.part))
        if not judge(device, samples[-1]):
            bad.append(label)
    record(samples)
    sys.exit(f"outside the bars: {', '.join(bad)}" if bad else 0)


def record(samples: list[Sample]) -> None:
    """What Yosys counted, for the tests."""
    found = [
        {
            "board": target.board,
            "design": sample.design.to_json(),
            **asdict(sample.made.total),
            "longest_ns": round(sample.longest_ns, 3),
        }
        for target, sample in zip(TARGETS, samples, strict=True)
    ]
    text = json.dumps({"tool": tool(), "designs": found}, indent=1)
    RECORD.write_text(text + "\n", encoding="utf-8")


def _label(design: Design) -> str:
    t, p, k, a = design.tokens, design.pe, design.simd, design.act_bits
    rows, lanes = design.attention_rows, design.attention_lanes
    return f"{design.engine} A{a} {t}x{p}x{k} R{rows} L{lanes} N{design.norm_tokens}"


if __name__ == "__main__":
    main()
