"""What the command line prints: tables for people, made from the same keys that --json prints."""

import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from vaqf.cli.words import count, share

if TYPE_CHECKING:
    from vaqf.evaluation.answer import Cosimulated, Training

PIPE_COLUMNS = 160  # a pipe has no width: no line is cut there
MEANING = {
    "tokens": "T: token rows per cycle",
    "pe": "P: outputs per cycle",
    "simd": "K: inputs per cycle",
    "attention_rows": "query rows per cycle",
    "attention_lanes": "channels of a head per cycle",
    "norm_tokens": "token rows normalized per cycle",
    "frames_in_flight": "2: attention of one frame runs under the matmuls of the other",
    "share": "token rows per table generator",
    "weight_ports": "AXI4 masters of 128 bits that fetch weights",
    "ring_words": "weight ring, words of P x K bits",
    "resident": "all weights stay on chip",
}
Json = Mapping[str, Any]


def console() -> Console:
    """Standard output: the terminal's width, or wide enough for every table in a pipe."""
    return Console(
        width=None if sys.stdout.isatty() else PIPE_COLUMNS,
        highlight=False,
        markup=False,
        emoji=False,
    )


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], header: bool = True
) -> Table:
    """A plain table; a column whose name starts with '>' is set to the right."""
    out = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
        show_header=header,
    )
    for name in columns:
        right = name.startswith(">")
        out.add_column(name.lstrip(">"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        out.add_row(*row)
    return out


def number(value: float | None, digits: int = 1) -> str:
    """Thousands separated; a dash for what is not known."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}f}"


def models(rows: Sequence[Json]) -> None:
    """The model zoo."""
    columns = ("model", ">image", ">patch", ">tokens", ">dim", ">depth", ">heads", ">GMAC")
    keys = ("image_size", "patch_size", "tokens", "dim", "depth", "heads")
    lines = [(r["name"], *(number(r[k]) for k in keys), number(r["macs"] / 1e9, 3)) for r in rows]
    console().print(table("", columns, lines))


def boards(rows: Sequence[Json]) -> None:
    """The boards; what a line of 80 columns has no room for is in --json."""
    keys = ("lut", "lutram", "dsp", "bram36", "dram_gbytes_per_s", "clock_mhz")
    columns = ("board", "part", ">lut", ">lutram", ">dsp", ">bram36", ">GB/s", ">MHz")
    lines = [(r["name"], r["part"], *(number(r[k]) for k in keys)) for r in rows]
    out = console()
    out.print(table("", columns, lines))
    out.print("GB/s: DRAM peak. MHz: default clock. FF, URAM and each number's source: --json")


def tools(rows: Sequence[Json]) -> None:
    """The outside tools."""
    lines = [(r["name"], r["version"] or "missing", r["needed_for"], r["without_it"]) for r in rows]
    console().print(table("", ("tool", "version", "needed for", "without it"), lines))


def headline(doc: Json) -> str:
    """The answer of an estimate in one line."""
    target, feasible = doc["target_fps"], doc["feasible"]
    if target is None:
        asked = "the fastest legal design" if feasible else "the nearest design; it does not fit"
    else:
        asked = f"asked: {target:,g}" if feasible else f"asked: {target:,g}; not met"
    return (
        f"{doc['model']} on {doc['board']}: w1a{doc['act_bits']}, "
        f"{number(doc['fps'])} FPS ({asked}), latency {number(doc['latency_ms'], 2)} ms, "
        f"{doc['clock_mhz']:g} MHz, engine {doc['engine']}"
    )


def estimate(doc: Json, quiet: bool) -> None:
    """The whole estimate: answer, design, resources, layers, search, assumptions."""
    out = console()
    out.print(headline(doc), style="bold")
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


MODULES_SHOWN = 12


def synthesis(doc: Json, quiet: bool) -> None:
    """What a design takes beside its estimate, and which modules take it."""
    out = console()
    out.print(
        f"{doc['model']} on {doc['board']}, {doc['tool']}, before placement;"
        f" {count(doc['levels'], 'LUT')} at most between registers",
        style="bold",
    )
    columns = ("", ">estimate", ">synthesized", ">ratio", ">available", ">%")
    rows = [
        (
            name,
            number(r["estimate"]),
            number(r["synthesized"]),
            number(r["ratio"], 2),
            number(r["available"]),
            number(100 * r["synthesized"] / r["available"]) if r["available"] else "-",
        )
        for name, r in doc["resources"].items()
    ]
    out.print(table("Resources", columns, rows))
    if quiet:
        return
    keys = ("kinds", "instances", "lut", "lutram", "ff", "dsp", "bram36", "carry")
    largest = doc["modules"][:MODULES_SHOWN]
    out.print()
    out.print(
        table(
            "Modules with the most LUTs (all: --json)",
            ("module", *(f">{key}" for key in keys)),
            [(m["module"], *(number(m[key]) for key in keys)) for m in largest],
        )
    )


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


def cosim(result: "Cosimulated", quiet: bool) -> None:
    """What differs from golden, and the cycles beside the estimate's."""
    run = result.result
    of_first = f", {count(run.layers, 'layer')} of the first" if run.layers else ""
    print(
        f"{count(run.frames, 'image')} ({result.images_are}){of_first}: "
        f"{count(run.mismatches, 'mismatch')} ({run.compile_seconds:.1f} s to compile, "
        f"{run.run_seconds:.1f} s to run)"
    )
    for finding in run.findings:
        print(f"  {finding}")
    if run.edited:
        print(f"not as vaqf build wrote it: {', '.join(run.edited)}")
    if result.correct is not None and not run.mismatches:
        print(f"{share(result.correct, run.frames)} images correct")
    if run.waveform is not None:
        print(f"wrote {run.waveform}")
    cycles = run.cycles
    if cycles is None:
        return
    print(
        f"{number(cycles.frame)} cycles per frame ({cycles.frame_is}), estimate "
        f"{number(cycles.estimated)}: {cycles.frame / cycles.estimated:.3f} of it"
    )
    if quiet or not cycles.commands:
        return
    rows = [
        (
            one.layer,
            number(one.measured),
            number(one.estimated),
            f"{one.measured / one.estimated:.3f}" if one.estimated else "-",
        )
        for one in cycles.commands
    ]
    columns = ("command", ">RTL", ">estimate", ">RTL / estimate")
    console().print(table("Cycles from start to end of each command", columns, rows))


def training(result: "Training") -> None:
    """What training gave, and what to do next."""
    trained = result.trained
    print(f"{share(trained.correct, trained.images)} test images correct (integer network)")
    if trained.float_correct is None:
        print(f"checkpoint: {result.checkpoint}")
    else:
        teacher = share(trained.float_correct, trained.images)
        print(f"its float teacher: {teacher}; checkpoint: {result.checkpoint}")
    if trained.unreadable:
        skipped = list(trained.unreadable)
        named = ", ".join(skipped[:3]) + (", ..." if len(skipped) > 3 else "")
        print(f"skipped {count(len(skipped), 'file')} that cannot be read: {named}")
    if result.search is not None:
        found = result.search.estimate
        print(
            f"w1a{result.act_bits} for {found.fps:,.1f} FPS (estimated) on {found.board.name};"
            f" network: {result.network}"
        )


def sweep(result: Json) -> None:
    """The points of a sweep, and where table and picture are."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    target = result["target_fps"]
    asked = [] if target is None else [f"meets {target:,.6g} FPS"]
    words = ["precision", "limited by", *asked, "pareto"]
    for name in (
        "precision",
        "accuracy %",
        "float %",
        "FPS (estimated)",
        "limited by",
        *asked,
        "pareto",
    ):
        table.add_column(name, justify="left" if name in words else "right")
    for point in result["points"]:
        real, fps = point["float_accuracy"], point["fps"]
        table.add_row(
            f"w1a{point['act_bits']}",
            f"{100 * point['accuracy']:.1f}",
            "" if real is None else f"{100 * real:.1f}",
            "no legal design" if fps is None else f"{fps:,.1f}",
            point["limited_by"],
            *(["yes" if point["feasible"] else "no"] if asked else []),
            "yes" if point["pareto"] else "",
        )
    print(f"{result['model']} on {result['board']}, recipe {result['recipe']}")
    console().print(table)
    print(f"wrote {result['folder']}: sweep.csv, sweep.png, a checkpoint and a network each")
