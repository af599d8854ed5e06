"""The lines and tables of an estimate."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from vaqf.cli.show.tables import Json, console, number, table

MEANING = {
    "tokens": "T: token rows per cycle",
    "pe": "P: outputs per cycle",
    "simd": "K: inputs per cycle",
    "attention_rows": "query rows per cycle",
    "attention_lanes": "channels of a head per cycle",
    "norm_tokens": "token rows normalized per cycle",
    "frames_in_flight": "2: attention of one frame runs under the matmuls of the other",
    "share": "token rows per table generator",
    "dsp_sums": "of T x P sums per cycle, those that begin on DSPs",
    "weight_ports": "AXI4 masters of 128 bits that fetch weights",
    "ring_words": "weight ring, words of P x K bits",
    "resident": "all weights stay on chip",
}


def headline(doc: Json, given: bool = False) -> str:
    """The answer of an estimate in one line; given: the design is the user's own."""
    target, feasible = doc["target_fps"], doc["feasible"]
    if target is None and given:
        asked = "the design given" if feasible else "the design given; it does not fit"
    elif target is None:
        asked = "the fastest legal design" if feasible else "the nearest design; it does not fit"
    else:
        asked = f"asked: {target:,g}" if feasible else f"asked: {target:,g}; not met"
    return (
        f"{doc['model']} on {doc['board']}: w1a{doc['act_bits']}, "
        f"{number(doc['fps'])} FPS ({asked}), latency {number(doc['latency_ms'], 2)} ms, "
        f"{doc['clock_mhz']:g} MHz, engine {doc['engine']}"
    )


def estimate(doc: Json, quiet: bool, given: bool = False) -> None:
    """The whole estimate: answer, design, resources, layers, search, assumptions."""
    out = console()
    met, path = doc["met_clock_mhz"], doc["longest_path"]
    if met is not None and doc["clock_mhz"] > met:
        out.print(
            f"warning: {doc['clock_mhz']:g} MHz is above the {met:g} MHz that this"
            f" design meets in the timing model ({path['ns']:.2f} ns, in {path['module']})"
        )
    out.print(headline(doc, given), style="bold")
    if quiet:
        return
    out.print("All figures are estimates from formulas; nothing was synthesized.")
    facts = [
        ("cycles per frame", number(doc["cycles_per_frame"])),
        ("DRAM traffic, GB/s", number(doc["ddr_gbytes_per_s"], 2)),
        ("power, W (rough)", number(doc["power_w"])),
    ]
    design = [
        (name, _design_value(value), MEANING.get(name, ""))
        for name, value in doc["design"].items()
        if value is not None and not isinstance(value, Mapping)
    ]
    out.print()
    out.print(table("", ("", ">"), facts, header=False))
    out.print()
    out.print(table("Design", ("", ">", ""), design, header=False))
    out.print()
    out.print(table("Resources", ("", ">used", ">available", ">%"), _resources(doc["resources"])))
    out.print()
    layers = table(
        "Cycles of one frame, blocks added up (each: --json)",
        ("layer", ">count", ">MMAC", ">cycles", ">exposed", ">%", "bound by"),
        _layers(doc["layers"], doc["cycles_per_frame"]),
    )
    out.print(layers)
    out.print()
    search = [
        (
            f"w1a{c['act_bits']}",
            number(c["fps"]),
            "yes" if c["feasible"] else "no",
            c["limited_by"] or "",
        )
        for c in doc["search"]
    ]
    met = "fits" if doc["target_fps"] is None else "meets the target"
    out.print(table("Search", ("precision", ">best FPS", met, "limited by"), search))
    out.print("\nAssumptions", style="bold")
    for line in doc["assumptions"]:
        out.print(textwrap.fill(line, out.width, initial_indent="- ", subsequent_indent="  "))


def _design_value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if value is None or isinstance(value, int | float) else str(value)


def _resources(resources: Json) -> list[tuple[str, ...]]:
    """Name, used, available, percent."""
    return [
        (
            name,
            number(r["used"]),
            number(r["available"]),
            number(100 * r["used"] / r["available"])
            if r["available"] and r["used"] is not None
            else "-",
        )
        for name, r in resources.items()
    ]


def _layers(layers: Sequence[Json], frame: int) -> list[tuple[str, ...]]:
    """One row per kind of layer: the same layer of every block added up."""
    kinds: dict[str, list[Json]] = {}
    for layer in layers:
        kinds.setdefault(re.sub(r"^blocks\.\d+\.", "", layer["name"]), []).append(layer)
    rows: list[tuple[str, ...]] = []
    for name, same in kinds.items():
        macs, cycles, exposed = (
            sum(layer[key] for layer in same) for key in ("macs", "cycles", "exposed_cycles")
        )
        rows.append(
            (
                name,
                number(len(same)),
                number(macs / 1e6) if macs else "",
                number(cycles),
                number(exposed),
                number(100 * exposed / frame),
                ", ".join(dict.fromkeys(layer["bound_by"] or "" for layer in same)),
            )
        )
    return rows
