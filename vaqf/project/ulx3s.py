"""A ULX3S around a project's accelerator: clock, memories, addresses, pads.

The board has an ECP5-85F, an oscillator and a serial port behind USB. Its SDRAM is not used: a
small network lies in block RAM. Pads are those of the board's own ulx3s_v20.lpf (emard/ulx3s).
"""

import shutil
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import vaqf
from vaqf.arithmetic.widths import ceil_div
from vaqf.errors import InputError
from vaqf.files import ours
from vaqf.files.fields import Number, check_rule
from vaqf.hardware import layout, registers
from vaqf.hardware.config import design_id
from vaqf.hardware.design import PORT_BITS
from vaqf.hardware.family import PORTABLE
from vaqf.program.packing import beats_text, frame_bytes
from vaqf.project import reference, rtl, ulx3s_host
from vaqf.project.manifest import hashes
from vaqf.project.read import Project, rtl_sources
from vaqf.project.render import design_title, render
from vaqf.project.report import json_text

NAME = "ulx3s"
OSCILLATOR_MHZ = 25.0
CLOCK_MHZ = 50.0  # where none is asked for
BAUD = 1_000_000  # the FT231X divides 3 MHz: 1.5, 1 and 0.75 MBaud are exact
MOST_OFF = 0.02  # of a bit's time on the serial line: a byte of ten stays within a quarter of a bit
FRAMES = 16  # images that its memory holds
BEHIND = 4096  # bytes behind commands, weights and images: the end of a burst that begins in them
REGION_BITS = 28  # of an address; those above say which memory is meant
# of the PLL, FPGA-DS-02012: its own clock, its divided input, and its dividers
VCO_MHZ, INPUT_MHZ, DIVIDERS = (400.0, 800.0), (3.125, 400.0), range(1, 129)
PACKAGE = "ulx3s_pkg.sv"
BITSTREAM = f"{NAME}.bit"
_PARTS = ("weights/weights.bin", "weights/commands.bin")
PADS = {  # port: pad, and what else the pad is told
    "clk_25mhz": ("G2", "PULLMODE=NONE"),
    "ftdi_txd": ("M1", "PULLMODE=UP"),
    "ftdi_rxd": ("L4", "PULLMODE=UP DRIVE=4"),
    "fire1": ("R1", "PULLMODE=DOWN"),
    "wifi_gpio0": ("L2", "PULLMODE=NONE DRIVE=4"),
} | {
    f"led[{index}]": (pad, "PULLMODE=NONE DRIVE=4")
    for index, pad in enumerate(("B2", "C2", "C1", "D2", "D1", "E2", "E1", "H3"))
}


@dataclass(frozen=True)
class Pll:
    """Dividers of the PLL: the clock is the oscillator's times `multiply` over `divide`."""

    divide: int
    multiply: int
    output_divide: int


def pll(clock_mhz: float) -> Pll:
    """The least dividers that make this clock, with the PLL's own nearest to its middle.

    InputError for a clock that the PLL does not make exactly.
    """
    check_rule(Number(10.0, 200.0), clock_mhz, "--clock-mhz")
    middle = sum(VCO_MHZ) / 2
    ratio = Fraction(str(clock_mhz)) / Fraction(str(OSCILLATOR_MHZ))  # as they are written
    for divide in DIVIDERS:
        for multiply in DIVIDERS:
            if ratio * divide != multiply:
                continue
            outputs = [d for d in DIVIDERS if VCO_MHZ[0] <= clock_mhz * d <= VCO_MHZ[1]]
            if outputs and OSCILLATOR_MHZ / divide >= INPUT_MHZ[0]:
                best = min(outputs, key=lambda d: (abs(clock_mhz * d - middle), d))
                return Pll(divide, multiply, best)
    raise InputError(
        f"--clock-mhz is {clock_mhz:g}; the PLL makes {OSCILLATOR_MHZ:g} MHz times a fraction, such"
        " as 50, 62.5 or 75; give one of those"
    )


@dataclass(frozen=True)
class Memory:
    """One memory of the board, by the name of the register that is told where it begins."""

    name: str
    base: int
    width: int  # bytes of a line
    lines: int

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.lines * self.width


@dataclass(frozen=True)
class Ulx3s:
    """The board around one project."""

    project: Project
    clock_mhz: float = CLOCK_MHZ
    baud: float = BAUD

    def __post_init__(self) -> None:
        pll(self.clock_mhz)  # says what is wrong with a clock that is none
        if abs(self.bit_cycles * self.baud / (1e6 * self.clock_mhz) - 1) > MOST_OFF:
            raise InputError(
                f"--clock-mhz is {self.clock_mhz:g}; a bit of {self.baud:,.0f} Baud must be a whole"
                " number of its cycles, within 2 %; give one such as 50 or 75"
            )

    @cached_property
    def pll(self) -> Pll:
        """How the PLL makes the clock."""
        return pll(self.clock_mhz)

    @property
    def bit_cycles(self) -> int:
        """Cycles of a bit on the serial line."""
        return round(1e6 * self.clock_mhz / self.baud)

    @cached_property
    def memories(self) -> tuple[Memory, ...]:
        """In the order of their registers."""
        project, port = self.project, PORT_BITS // 8
        images = FRAMES * frame_bytes(project.network)
        results = layout.STATUS_BYTES + FRAMES * layout.logit_row_bytes(project.network.vit.classes)
        sizes = {
            "commands": (port, len(b"".join(project.commands)) + BEHIND),
            "weights": (project.design.weight_read_bytes, len(project.weights) + BEHIND),
            "images": (port, images + BEHIND),
            "results": (port, results),
        }
        return tuple(
            Memory(name, index << REGION_BITS, width, ceil_div(size, width))
            for index, (name, (width, size)) in enumerate(sizes.items(), 1)
        )


def sources(board: Ulx3s) -> list[tuple[str, str]]:
    """(name, text) of all SystemVerilog of the board, in the order in which tools read them."""
    package = render(f"{PACKAGE}.j2", **_told(board))
    around = ((path.name, path.read_text(encoding="utf-8")) for path in rtl.ulx3s_library())
    return [(PACKAGE, package), *rtl_sources(board.project, PORTABLE), *around]


def lpf(board: Ulx3s) -> str:
    """Pads and the oscillator's clock, as nextpnr reads them."""
    return render(f"{NAME}.lpf.j2", **_told(board))


def board_json(board: Ulx3s) -> dict[str, Any]:
    """What host.py knows of the board."""
    project = board.project
    return {
        "model": project.network.vit.name,
        "clock_mhz": board.clock_mhz,
        "baud": board.baud,
        "design_id": design_id(project.design),
        "n_commands": len(project.commands),
        "frames": FRAMES,
        "frame_bytes": frame_bytes(project.network),
        "logits_bytes": layout.logit_row_bytes(project.network.vit.classes),
        "status_bytes": layout.STATUS_BYTES,
        "classes": project.network.vit.classes,
        "memories": {
            memory.name: {"base": memory.base, "size": memory.size, "width": memory.width}
            for memory in board.memories
        },
        "registers": {one.name: one.address for one in registers.REGISTERS},
        "masks": {
            "start": registers.mask("control", "start"),
            "status": registers.mask("error", "status"),
        },
    }


def contents(board: Ulx3s) -> dict[str, str]:
    """Name and text of the files that fill memories of the bitstream."""
    lines = {memory.name: memory for memory in board.memories}
    filled = {"commands": b"".join(board.project.commands), "weights": board.project.weights}
    return {
        f"{name}.hex": beats_text(content.ljust(lines[name].size, b"\0"), lines[name].width)
        for name, content in filled.items()
    }


def write(board: Ulx3s, folder: Path) -> None:
    """All that is known before the board is placed and routed, into an empty folder."""
    (folder / "rtl").mkdir()
    own = sources(board)
    for name, text in own:
        (folder / "rtl" / name).write_text(text, encoding="utf-8")
    names = "".join(f"{name}\n" for name, _ in own)
    (folder / "rtl" / f"{NAME}.f").write_text(names, encoding="utf-8")
    for name, text in contents(board).items():
        (folder / name).write_text(text, encoding="ascii")
    (folder / f"{NAME}.lpf").write_text(lpf(board), encoding="utf-8")
    (folder / "board.json").write_text(json_text(board_json(board)), encoding="utf-8")
    (folder / "host.py").write_bytes(Path(ulx3s_host.__file__).read_bytes())
    for name in (*_PARTS, f"golden/{reference.IMAGES}", f"golden/{reference.LOGITS}"):
        shutil.copyfile(board.project.folder / name, folder / Path(name).name)


def may_be_replaced(folder: Path) -> bool:
    """Whether a folder of ours, or none, lies there that holds no project."""
    hashes = ours.named(folder)
    return hashes is None or BITSTREAM in hashes


def write_result(board: Ulx3s, folder: Path, bits: bytes, result: dict[str, Any]) -> None:
    """What was made of it: bitstream, report, README, and a manifest by which all is ours."""
    (folder / BITSTREAM).write_bytes(bits)
    (folder / "place.json").write_text(json_text(result), encoding="utf-8")
    readme = render(f"{NAME}_README.md.j2", result=result, frames=FRAMES, **_told(board))
    (folder / "README.md").write_text(readme, encoding="utf-8")
    manifest = {"vaqf": vaqf.__version__, "sha256": hashes(folder)}
    (folder / "manifest.json").write_text(json_text(manifest), encoding="utf-8")


def _told(board: Ulx3s) -> dict[str, Any]:
    """What the board's templates are rendered from."""
    project = board.project
    return {
        "title": design_title(project.design, project.model),
        "board": board,
        "pads": PADS,
        "oscillator_mhz": OSCILLATOR_MHZ,
    }
