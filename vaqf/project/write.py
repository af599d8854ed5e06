"""Everything a project holds on disk: Design + Network + images -> a folder.

The static C++ library is copied; the generated part is thin and comes from hls_templates/project.
Equal inputs give byte-identical files.
"""

import csv
import hashlib
import json
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vaqf
from vaqf.files.paths import HLS_INCLUDE, HLS_PROJECT, RTL, RTL_PROJECT, rtl
from vaqf.hardware.command import FIELDS, Dest, Opcode, Source, Status, layout
from vaqf.hardware.config import constants, design_id, rtl_sizes, tables
from vaqf.hardware.design import PORT_BITS, Design, ceil_div
from vaqf.network import structure as network_file
from vaqf.network.structure import Network
from vaqf.program import packing
from vaqf.program.compile import Program, compile_network
from vaqf.project.blob import BLOB_HEADER, Blob, blob
from vaqf.search.estimate import Estimate
from vaqf.search.search import Search

IntArray = NDArray[Any]
LAYER_HEADER = struct.Struct("<64s8I")
_KINDS = {"uint8": 0, "int8": 1, "int16": 2}
TOP = "vaqf_accelerator"
PACKAGE = "vaqf_pkg.sv"  # the constants of one design
RTL_PACKAGES = ("latency", "sizes")  # in rtl/, before its modules
RTL_FILE_LIST = f"{TOP}.f"
SCHEMA = 1  # of manifest.json


@dataclass(frozen=True)
class Golden:
    """What the network must compute on some images."""

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


def _literal(value: int, bits: int) -> str:
    return f"{bits}'d{value}"


def _render(name: str, **values: Any) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([HLS_PROJECT, RTL_PROJECT]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["camel"] = _camel
    environment.filters["literal"] = _literal
    return environment.get_template(name).render(version=vaqf.__version__, **values)


def _codes() -> dict[str, int]:
    """Enum members as constants: op_matmul, source_pixels, dest_qkv, blob_weights, ..."""
    kinds = {"op": Opcode, "source": Source, "dest": Dest, "status": Status, "blob": Blob}
    return {
        f"{prefix}_{member.name.lower()}": int(member)
        for prefix, kind in kinds.items()
        for member in kind
    }


def _constants(design: Design) -> dict[str, Any]:
    """What both flavours' generated constants are rendered from."""
    return {
        "engine": design.engine,
        "constants": constants(design),
        "tables": tables(),
        "codes": _codes(),
        "fields": FIELDS,
    }


def rtl_sources(design: Design, model: str) -> list[tuple[str, str]]:
    """(name, text) of the package and the library in the order in which tools read them."""
    library = ((path.name, path.read_text(encoding="utf-8")) for path in rtl_library())
    return [(PACKAGE, rtl_package(design, model)), *library]


def rtl_library() -> list[Path]:
    """The SystemVerilog that no design changes, in the order in which tools read it."""
    packages = [rtl(name) for name in RTL_PACKAGES]
    return packages + sorted(
        (path for path in RTL.rglob("*.sv") if path not in packages), key=lambda path: path.name
    )


def rtl_package(design: Design, model: str) -> str:
    """The SystemVerilog package of one design."""
    title = _title(design, model)
    values = _constants(design) | {"sizes": rtl_sizes(design), "layout": layout()}
    values["design_id"] = design_id(design)
    return _render("vaqf_pkg.sv.j2", title=title, **values)


def write_rtl(design: Design, model: str, folder: Path) -> None:
    """The SystemVerilog of one design: generated constants, the library, and a file list.

    The list names one file a line, relative to `folder`, in the order in which tools read them.
    """
    (folder / PACKAGE).write_text(rtl_package(design, model), encoding="utf-8")
    sources = rtl_library()
    for source in sources:
        shutil.copy(source, folder)
    names = ["vaqf_pkg.sv", *(source.name for source in sources)]
    (folder / RTL_FILE_LIST).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def write_kernel(design: Design, model: str, folder: Path, program: Program | None = None) -> None:
    """The C++ of one design: library, generated constants and top, test bench, Makefile.

    `program` only sizes the arrays of the vendor's co-simulation.
    """
    title = _title(design, model)
    for source in sorted(HLS_INCLUDE.rglob("*")):  # copytree would hide a full disk's errno
        if source.is_file():
            place = folder / "include" / source.relative_to(HLS_INCLUDE)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)
    port_bytes = PORT_BITS // 8
    depths = {"commands": 1, "weights": 1, "images": 1, "results": 1}
    if program is not None:
        depths = {
            "commands": ceil_div(len(program.commands), port_bytes),
            "weights": ceil_div(len(program.weights), design.weight_read_bytes) + 2,
            "images": ceil_div(program.frame_bytes, port_bytes) + 2,
            "results": ceil_div(packing.STATUS_BYTES + program.result_bytes, port_bytes),
        }
    rendered = {
        "config.hpp": _render("config.hpp.j2", title=title, **_constants(design)),
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
    packed = packing.pack_images(network, golden.images)
    frame = packing.frame_bytes(network)
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


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def _write_report(estimate: dict[str, Any], folder: Path) -> None:
    """The estimate as JSON and CSV, under FINN's file names where it has them."""
    layers = estimate["layers"]
    slowest = max(layers, key=lambda layer: layer["exposed_cycles"])
    performance = {
        "critical_path_cycles": round(estimate["latency_ms"] * estimate["clock_mhz"] * 1e3),
        "estimated_latency_ns": round(estimate["latency_ms"] * 1e6),
        "estimated_throughput_fps": estimate["fps"],
        "max_cycles": slowest["exposed_cycles"],
        "max_cycles_node_name": slowest["name"],
    }
    used = {name: entry["used"] for name, entry in estimate["resources"].items()}
    files = {
        "estimate.json": estimate,
        "estimate_layer_cycles.json": {layer["name"]: layer["cycles"] for layer in layers},
        "estimate_layer_resources.json": {"total": used},
        "estimate_network_performance.json": performance,
    }
    for name, content in files.items():
        (folder / name).write_text(_json(content), encoding="utf-8")
    with (folder / "layers.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, list(layers[0]), lineterminator="\n")
        rows.writeheader()
        rows.writerows(layers)


def _manifest(folder: Path, estimate: Estimate, network: Network, golden: Golden) -> dict[str, Any]:
    """Versions, inputs and the SHA-256 of every file of the project."""
    blobs = {
        path.relative_to(folder).as_posix(): f"{BLOB_HEADER.unpack_from(path.read_bytes())[3]:08x}"
        for path in sorted(folder.rglob("*.bin"))
    }
    return {
        "schema": SCHEMA,
        "vaqf": vaqf.__version__,
        "model": network.vit.name,
        "board": estimate.board.name,
        "part": estimate.board.part,
        "clock_mhz": estimate.clock_mhz,
        "act_bits": network.act_bits,
        "engine": estimate.design.engine,
        "weights": network.origin,
        "network_sha256": network_file.sha256(network),
        "images": golden.source,
        "crc32": blobs,
        "sha256": {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        },
    }


def write_project(folder: Path, search: Search, network: Network, golden: Golden) -> None:
    """The whole project of one network on the searched design, into an empty folder."""
    estimate = search.estimate
    design = estimate.design
    program = compile_network(design, network)
    for name in ("hls", "rtl", "weights", "golden", "report"):
        (folder / name).mkdir()
    write_kernel(design, network.vit.name, folder / "hls", program)
    write_rtl(design, network.vit.name, folder / "rtl")
    (folder / "hls" / "run_hls.tcl").write_text(
        _render(
            "run_hls.tcl.j2",
            title=_title(design, network.vit.name),
            part=estimate.board.part,
            clock_ns=f"{1e3 / estimate.clock_mhz:.3f}",
            top=TOP,
        ),
        encoding="utf-8",
    )
    write_program(program, folder / "weights")
    (folder / "weights" / "network.safetensors").write_bytes(network_file.to_bytes(network))
    write_images(network, golden, folder / "golden")
    layers = layers_blob(program, golden.layers)
    (folder / "golden" / "layers.bin").write_bytes(layers)
    labels = None if golden.labels is None else [int(label) for label in golden.labels]
    answers = [int(label) for label in golden.logits.argmax(axis=-1)]
    (folder / "golden" / "labels.json").write_text(
        _json({"images": golden.source, "labels": labels, "golden": answers}), encoding="utf-8"
    )
    (folder / "design.json").write_text(_json(design.to_json()), encoding="utf-8")
    _write_report(search.to_json(), folder / "report")
    (folder / "README.md").write_text(
        _render(
            "README.md.j2",
            title=_title(design, network.vit.name),
            estimate=estimate,
            network=network,
            golden=golden,
            target=search.target_fps,
        ),
        encoding="utf-8",
    )
    manifest = _manifest(folder, estimate, network, golden)
    (folder / "manifest.json").write_text(_json(manifest), encoding="utf-8")
