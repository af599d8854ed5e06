"""The tables of a project that Vivado has routed."""

from typing import Any

from vaqf.cli.show.tables import Json, console, number, table
from vaqf.cli.words import count, told

_KINDS = {"setup": "setup", "hold": "hold", "pulse_width": "pulse width"}


def _verdict(timing: Json, clock_ns: float) -> str:
    """Whether the clock is met; if not, what fails; and what the worst path allows, where setup
    alone decides about it."""
    longest = timing["longest_ns"]
    # paths may take no time at all where a clock is far too slow for them
    allowed = f"{longest:.3f} ns" + (f", {1e3 / longest:.1f} MHz" if longest > 0 else "")
    if timing["met"]:
        return f"the clock of {clock_ns:.3f} ns is met; the worst path allows {allowed}"
    failing = [
        f"{name} slack {timing[kind]['worst_ns']:.3f} ns at "
        f"{count(timing[kind]['failing'], 'endpoint')}"
        for kind, name in _KINDS.items()
        if timing[kind]["worst_ns"] < 0 or timing[kind]["failing"]
    ]
    told = f"the clock of {clock_ns:.3f} ns is NOT met: {', '.join(failing)}"
    if any(not line.startswith("setup") for line in failing):
        return told
    return f"{told}; the worst path allows {allowed}"


def _resources(doc: Json) -> Any:
    columns = ("", ">estimate", ">Yosys", ">Vivado", ">estimate/Vivado", ">available", ">%")
    rows = [
        (
            name,
            number(r["estimate"]),
            number(r["synthesized"]),
            number(r["routed"]),
            number(r["ratio"], 2),
            number(r["available"]),
            number(100 * r["routed"] / r["available"]) if r["available"] else "-",
        )
        for name, r in doc["resources"].items()
    ]
    return table("Resources", columns, rows)


def _slack(doc: Json) -> Any:
    """Setup of all three, hold and pulse width of Vivado alone."""
    timing, clock = doc["timing"], doc["clock_ns"]
    rows = [
        (f"Yosys, {scenario}", number(ns, 3), number(clock - ns, 3), "", "", "")
        for scenario, ns in (timing["yosys"] or {}).items()
    ]
    for kind, name in _KINDS.items():
        one = timing[kind]
        rows.append(
            (
                f"Vivado, {name}",
                number(timing["longest_ns"], 3) if kind == "setup" else "",
                number(one["worst_ns"], 3),
                number(one["total_ns"], 3),
                number(one["failing"]),
                number(one["endpoints"]),
            )
        )
    columns = ("", ">longest ns", ">slack ns", ">total ns", ">failing", ">endpoints")
    return table("Timing", columns, rows)


def _paths(doc: Json) -> Any:
    rows = []
    for path in doc["timing"]["paths"]:
        share = f"{100 * path['logic_ns'] / path['ns']:.0f}" if path["ns"] > 0 else "-"
        data = (number(path["slack_ns"], 3), number(path["ns"], 3), share, number(path["levels"]))
        rows.append((*data, f"from {path['start']}"))
        rows.append(("", "", "", "", f"to {path['end']}"))
    return table("Worst paths", (">slack ns", ">ns", ">% logic", ">levels", ""), rows)


def routed(doc: Json, quiet: bool) -> None:
    """Counts and slack of Vivado beside the estimate and Yosys."""
    out = console()
    place = f"{doc['model']} on {doc['board']} ({doc['part']}), {doc['tool']}"
    out.print(f"{place}, routed out of context", style="bold", soft_wrap=True)
    out.print(_verdict(doc["timing"], doc["clock_ns"]), style="bold", soft_wrap=True)
    out.print()
    out.print(_resources(doc))
    out.print()
    out.print(_slack(doc))
    if not quiet:
        out.print()
        out.print(_paths(doc))
    out.print()
    for line in told({}, doc["notes"]):
        out.print(line, soft_wrap=True)
