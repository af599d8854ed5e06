"""Everything a project holds on disk: Design + Network + images -> a folder.

The static C++ library is copied; the generated part is thin and comes from hls_templates/project.
Equal inputs give byte-identical files.
"""

import json
import shutil
import struct
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vaqf
from vaqf import network as network_file
from vaqf import program as program_format
from vaqf.board import Board
from vaqf.constants import constants, tables
from vaqf.design import Design, ceil_div
from vaqf.network import Network
from vaqf.paths import HLS_INCLUDE, HLS_PROJECT
from vaqf.performance import Estimate
from vaqf.program import Blob, Program, blob

IntArray = NDArray[Any]
LAYER_HEADER = struct.Struct("<64s8I")
_KINDS = {"uint8": 0, "int8": 1, "int16": 2}
TOP = "vaqf_accelerator"


@dataclass(frozen=True)
class Golden:
    """What the network must compute: images, their labels if known, logits, first image's layers."""

    images: NDArray[np.uint8]  # [B, S, S, C]
    labels: IntArray | None  # [B]
    logits: NDArray[np.int32]  # [B, classes]
    layers: dict[str, IntArray]  # of image 0
    source: str  # what the images are, for people


def _camel(name: str) -> str:
    return "k" + "".join(part.capitalize() for part in name.split("_"))


def _title(design: Design, model: str) -> str:
    shape = f"{design.tokens}x{design.pe}x{design.simd}"
    return f"{model}, w1a{design.act_bits}, {design.engine} engine {shape}"


def _render(name: str, **values: Any) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HLS_PROJECT),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - every name was checked when the model or board was read
    )
    environment.filters["camel"] = _camel
    return environment.get_template(name).render(version=vaqf.__version__, **values)


def _enums() -> dict[str, dict[str, int]]:
    """Enum members as C++ constants: kOpMatmul, kSourcePixels, kDestQkv, ..."""
    kinds = {
        "Op": program_format.Opcode,
        "Source": program_format.Source,
        "Dest": program_format.Dest,
    }

    def camel(name: str) -> str:
        return "".join(part.capitalize() for part in name.split("_"))

    return {
        prefix: {camel(member.name): int(member) for member in kind}
        for prefix, kind in kinds.items()
    }


def write_kernel(design: Design, model: str, folder: Path, program: Program | None = None) -> None:
    """The C++ of one design: library, generated constants and top, test bench, Makefile.

    `program` only sizes the arrays of the vendor's co-simulation.
    """
    title = _title(design, model)
    shutil.copytree(HLS_INCLUDE, folder / "include")
    port_bytes = 16 * design.weight_ports
    depths = {"commands": 1, "weights": 1, "images": 1, "results": 1}
    if program is not None:
        depths = {
            "commands": ceil_div(len(program.commands), 16),
            "weights": ceil_div(len(program.weights), port_bytes) + 2,
            "images": ceil_div(program.frame_bytes, 16) + 2,
            "results": ceil_div(program_format.STATUS_BYTES + program.result_bytes, 16),
        }
    rendered = {
        "config.hpp": _render(
            "config.hpp.j2",
            title=title,
            engine=design.engine,
            constants=constants(design),
            tables=tables(),
            enums=_enums(),
            fields=program_format.FIELDS,
        ),
        "vaqf_accelerator.hpp": _render("vaqf_accelerator.hpp.j2", title=title),
        "vaqf_accelerator.cpp": _render("vaqf_accelerator.cpp.j2", title=title, depths=depths),
        "Makefile": _render("Makefile.j2", title=title),
    }
    for name, text in rendered.items():
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copy(HLS_PROJECT / "testbench.cpp", folder / "testbench.cpp")


def layers_blob(program: Program, layers: dict[str, IntArray]) -> bytes:
    """Golden's layers with where each shows in the hardware; logits have a file of their own."""
    traced = {entry.layer: entry for entry in program.traced}
    parts = []
    for name, values in layers.items():
        if name == "head":
            continue
        entry = traced[name]
        rows = values.reshape(-1, values.shape[-1])
        parts.append(
            LAYER_HEADER.pack(
                name.encode()[:63],
                entry.command,
                int(entry.normalized_input),
                *rows.shape,
                entry.head_dim,
                entry.padded_head,
                _KINDS[values.dtype.name],
                0,
            )
        )
        parts.append(np.ascontiguousarray(rows).astype(rows.dtype.newbyteorder("<")).tobytes())
    return blob(Blob.LAYERS, b"".join(parts), len(layers) - 1)


def write_images(network: Network, golden: Golden, folder: Path) -> None:
    """images.bin and logits.bin as the test bench and the driver read them."""
    count = len(golden.images)
    packed = program_format.pack_images(network, golden.images)
    frame = program_format.frame_bytes(network)
    (folder / "images.bin").write_bytes(blob(Blob.IMAGES, packed, count, frame))
    logits = np.ascontiguousarray(golden.logits, "<i4")
    row = 4 * network.vit.classes
    (folder / "logits.bin").write_bytes(blob(Blob.LOGITS, logits.tobytes(), count, row))


def write_program(program: Program, folder: Path) -> None:
    """weights.bin and commands.bin, each with its CRC."""
    weights = blob(Blob.WEIGHTS, program.weights, 1)
    (folder / "weights.bin").write_bytes(weights)
    commands = blob(Blob.COMMANDS, program.commands, program.command_count)
    (folder / "commands.bin").write_bytes(commands)
