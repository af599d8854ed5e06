"""Everything a project holds on disk: Design + Network + images -> a folder.

Equal inputs give byte-identical files.
"""

from pathlib import Path

from vaqf.hardware import board
from vaqf.network import networkfile
from vaqf.network.structure import Network
from vaqf.program.compile import Program, compile_network
from vaqf.project import reference
from vaqf.project.blob import Blob, blob
from vaqf.project.hls import write_kernel
from vaqf.project.manifest import manifest_of
from vaqf.project.reference import Golden
from vaqf.project.render import TOP, clock_ns, design_title, render
from vaqf.project.report import json_text, write_report
from vaqf.project.rtl import write_rtl
from vaqf.project.vivado import write_vivado
from vaqf.search.search import Search


def write_program(program: Program, folder: Path) -> None:
    """weights.bin and commands.bin, each with its CRC."""
    weights = blob(Blob.WEIGHTS, program.weights, 1)
    (folder / "weights.bin").write_bytes(weights)
    commands = blob(Blob.COMMANDS, program.commands, program.command_count)
    (folder / "commands.bin").write_bytes(commands)


def write_project(folder: Path, search: Search, network: Network, golden: Golden) -> None:
    """The whole project of one network on the searched design, into an empty folder."""
    estimate = search.estimate
    design = estimate.design
    program = compile_network(design, network)
    for name in ("hls", "rtl", "weights", "golden", "report"):
        (folder / name).mkdir()
    write_kernel(design, network.vit.name, folder / "hls", program)
    write_rtl(design, network.vit.name, estimate.board.generation, folder / "rtl")
    write_vivado(design, network.vit.name, estimate.board.part, estimate.clock_mhz, folder / "rtl")
    (folder / "hls" / "run_hls.tcl").write_text(
        render(
            "run_hls.tcl.j2",
            title=design_title(design, network.vit.name),
            part=estimate.board.part,
            clock_ns=clock_ns(estimate.clock_mhz),
            top=TOP,
        ),
        encoding="utf-8",
    )
    write_program(program, folder / "weights")
    (folder / "weights" / "network.safetensors").write_bytes(networkfile.to_bytes(network))
    reference.write(folder / "golden", network, program, golden)
    (folder / "design.json").write_text(json_text(design.to_json()), encoding="utf-8")
    write_report(search.to_json(), folder / "report")
    (folder / "README.md").write_text(
        render(
            "README.md.j2",
            title=design_title(design, network.vit.name),
            estimate=estimate,
            network=network,
            golden=golden,
            target=search.target_fps,
            # one of the user's own is known by its file alone
            board_file="" if estimate.board.name in board.names() else " --board FILE.yaml",
        ),
        encoding="utf-8",
    )
    manifest = manifest_of(folder, estimate, network, golden)
    (folder / "manifest.json").write_text(json_text(manifest), encoding="utf-8")
