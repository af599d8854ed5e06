"""A small project, and a stand-in for the Verilog that Vitis HLS exports."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from hls_bench import design_for
from samples import DIGITS_MODEL

from vaqf.cli import app
from vaqf.hardware.design import PORT_BITS
from vaqf.model import vit
from vaqf.project import render, rtl

ACT_BITS = 5
IMAGES = 6  # in the project
SMALL = vit.from_mapping(DIGITS_MODEL, "small", "samples.py")

# ports of a master as Vitis HLS 2020.2 and later names them, in its order
_ADDRESS = [
    "VALID",
    "READY",
    "ADDR",
    "ID",
    "LEN",
    "SIZE",
    "BURST",
    "LOCK",
    "CACHE",
    "PROT",
    "QOS",
    "REGION",
    "USER",
]
_CHANNELS = {
    "AW": _ADDRESS,
    "W": ["VALID", "READY", "DATA", "STRB", "LAST", "ID", "USER"],
    "AR": _ADDRESS,
    "R": ["VALID", "READY", "DATA", "LAST", "ID", "USER", "RESP"],
    "B": ["VALID", "READY", "RESP", "ID", "USER"],
}
_CONTROL = {
    "AW": ["VALID", "READY", "ADDR"],
    "W": ["VALID", "READY", "DATA", "STRB"],
    "AR": ["VALID", "READY", "ADDR"],
    "R": ["VALID", "READY", "DATA", "RESP"],
    "B": ["VALID", "READY", "RESP"],
}
_BITS = {
    "ID": 1,
    "LEN": 8,
    "SIZE": 3,
    "BURST": 2,
    "LOCK": 2,
    "CACHE": 4,
    "PROT": 3,
    "QOS": 4,
    "REGION": 4,
}
_BITS |= {"USER": 1, "RESP": 2, "VALID": 1, "READY": 1, "LAST": 1}
CONTROL = "s_axi_control_"
_ABSENT = {"ID", "LOCK", "QOS", "REGION", "USER"}  # of our own ports


def build(folder: Path) -> Path:
    """`vaqf build` of the small model on a design that compiles soon."""
    folder.mkdir(parents=True)
    design = design_for([SMALL], act_bits=ACT_BITS)
    (folder / "small.yaml").write_text(yaml.safe_dump(DIGITS_MODEL))
    (folder / "design.json").write_text(json.dumps(design.to_json()))
    words = ["-m", str(folder / "small.yaml"), "-b", "zcu102", "--clock-mhz", "200", "--quiet"]
    words += ["--design", str(folder / "design.json"), "--data", "digits", "--images", str(IMAGES)]
    assert app.main(["build", *words, "-o", str(folder / "project")]) == 0
    return folder / "project"


@dataclass(frozen=True)
class Port:
    """One port of the vendor's module."""

    prefix: str
    channel: str
    field: str
    bits: int
    comes: bool  # an input of the accelerator

    @property
    def name(self) -> str:
        return f"{self.prefix}{self.channel}{self.field}"

    @property
    def declaration(self) -> str:
        return f"  {'input ' if self.comes else 'output'} [{self.bits - 1}:0] {self.name}"

    @property
    def connection(self) -> str:
        """To our own module, whose control port has more address bits."""
        wide = self.prefix == CONTROL and self.field == "ADDR"
        lower = f"{self.prefix}{self.channel.lower()}{self.field.lower()}"
        return f"    .{lower}({{5'b0, {self.name}}})" if wide else f"    .{lower}({self.name})"

    @property
    def ours(self) -> bool:
        """Whether our own module has it: memories that are read ask for no write."""
        if self.prefix == CONTROL:
            return True
        writes = self.prefix == "m_axi_results_"
        return self.field not in _ABSENT and (self.channel in ("AW", "W", "B")) == writes


def stand_in(folder: Path, weight_bits: int) -> Path:
    """Our RTL behind the port list of Vitis HLS, as a folder of sources."""
    folder.mkdir(parents=True)
    for number, source in enumerate(rtl.rtl_library()):  # packages first in any listing
        text = source.read_text()
        if source.stem == render.TOP:
            text = text.replace(f"module {render.TOP} ", "module inner ")
        (folder / f"{number:02}_{source.name}").write_text(text)
    ports = list(_ports(weight_bits))
    whole = ("ap_clk", "ap_rst_n", "interrupt")
    declared = ["  input  ap_clk", "  input  ap_rst_n", "  output interrupt"]
    declared += [port.declaration for port in ports]
    connected = [f"    .{name}({name})" for name in whole]
    connected += [port.connection for port in ports if port.ours]
    quiet = [f"  assign {port.name} = 0;" for port in ports if not (port.ours or port.comes)]
    (folder / f"{render.TOP}.v").write_text(
        f"`timescale 1 ns / 1 ps\nmodule {render.TOP} (\n"
        + ",\n".join(declared)
        + "\n);\n"
        + "\n".join(quiet)
        + "\n  inner u_inner (\n"
        + ",\n".join(connected)
        + "\n  );\nendmodule\n"
    )
    return folder


def _ports(weight_bits: int) -> Iterator[Port]:
    for memory in ("commands", "weights", "images", "results"):
        width = weight_bits if memory == "weights" else PORT_BITS
        sizes = _BITS | {"DATA": width, "STRB": width // 8, "ADDR": 64}
        for channel, fields in _CHANNELS.items():
            for field in fields:
                comes = (channel in ("R", "B")) != (field == "READY")
                yield Port(f"m_axi_{memory}_", channel, field, sizes[field], comes)
    sizes = _BITS | {"DATA": 32, "STRB": 4, "ADDR": 7}
    for channel, fields in _CONTROL.items():
        for field in fields:
            comes = (channel not in ("R", "B")) != (field == "READY")
            yield Port(CONTROL, channel, field, sizes[field], comes)
