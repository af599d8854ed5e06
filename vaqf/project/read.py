"""Reading back what `build` left in a folder."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vaqf.errors import InputError
from vaqf.files import regular, smallfile
from vaqf.files.fields import Number, check_name, shown
from vaqf.hardware import design as designs
from vaqf.hardware.command import COMMAND_WORDS, MAX_COMMANDS
from vaqf.hardware.design import Design
from vaqf.hardware.family import Family
from vaqf.network import networkfile
from vaqf.network.structure import Network
from vaqf.project import blob, reference, rtl, vivado
from vaqf.project.blob import WRITTEN, Blob
from vaqf.project.manifest import SCHEMA
from vaqf.project.reference import MAX_JSON_BYTES, Reference

CLOCK_MHZ = Number(0.01, 1e5)  # of a manifest that somebody may have written
MAX_SOURCE_BYTES = 2**24  # of a C++ or SystemVerilog file; ours are under 100 kB
_PARTS = (
    "hls/Makefile",
    "weights/weights.bin",
    "weights/commands.bin",
    "weights/network.safetensors",
    "golden/images.bin",
    "golden/logits.bin",
    "golden/layers.bin",
    "golden/labels.json",
    "design.json",
)


@dataclass(frozen=True)
class Project:
    """A folder written by `vaqf build`; each of its parts is read once, when it is first asked for.

    All raise InputError for a part that is not what was built.
    """

    folder: Path
    manifest: dict[str, Any]

    @property
    def model(self) -> str:
        """The name of the model it was built for."""
        return self._name("model")

    @property
    def board(self) -> str:
        """The name of the board it was built for, which may be one of the user's own."""
        return self._name("board")

    @property
    def part(self) -> str:
        """The device it was built for."""
        return self._name("part")

    @property
    def images(self) -> str:
        """Where its images come from, in words."""
        words = self.manifest.get("images")
        return words if isinstance(words, str) and words.isprintable() else "unknown images"

    def _name(self, key: str) -> str:
        """A name of the manifest, which may be spliced into sources and shown."""
        value = self.manifest.get(key)
        check_name(value, f"{self.folder}/manifest.json: {key}")
        return str(value)

    @cached_property
    def network(self) -> Network:
        """The integer network the project was built from."""
        return networkfile.read(self.folder / "weights" / "network.safetensors")

    @cached_property
    def design(self) -> Design:
        """The accelerator's parameters."""
        check_unchanged(self, ["design.json"])
        return designs.from_json(read_json(self.folder / "design.json"))

    @cached_property
    def weights(self) -> bytes:
        """The weight image."""
        return blob.read(self.folder / "weights" / "weights.bin", Blob.WEIGHTS).payload

    @cached_property
    def commands(self) -> tuple[bytes, ...]:
        """The command list."""
        path, size = self.folder / "weights" / "commands.bin", 4 * COMMAND_WORDS
        found = blob.read(path, Blob.COMMANDS)
        if not 1 <= found.count <= MAX_COMMANDS or len(found.payload) != size * found.count:
            raise blob.damaged(path)
        return tuple(found.payload[at : at + size] for at in range(0, len(found.payload), size))

    @cached_property
    def reference(self) -> Reference:
        """Its images, and what golden says of them."""
        return reference.read(self.folder / "golden", self.network)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file of a project; InputError says what is wrong with it."""
    return smallfile.read_object(path, MAX_JSON_BYTES, WRITTEN)


def load(folder: Path) -> Project:
    """Open a project folder; InputError unless `vaqf build` wrote it and nothing is missing."""
    if _is_absent(folder / "manifest.json"):
        raise InputError(f"{folder} is no project (no manifest.json); write one with vaqf build")
    manifest = read_json(folder / "manifest.json")
    if manifest.get("schema") != SCHEMA:
        raise InputError(
            f"{folder} was built by vaqf {shown(manifest.get('vaqf'))} with schema "
            f"{shown(manifest.get('schema'))}, this version reads {SCHEMA}; build the project again"
        )
    listed = manifest.get("sha256")
    if not isinstance(listed, dict):
        raise InputError(f"{folder}/manifest.json lists no files; build the project again")
    sources = {name for name in listed if name.startswith(("hls/", "rtl/"))}
    for part in (*_PARTS, *sorted(sources)):
        if _is_absent(folder / part):
            raise InputError(f"{folder} is incomplete: {part} is missing; build the project again")
        # a pipe in the place of a source would stop the compiler for ever
        regular.check(folder / part, WRITTEN, MAX_SOURCE_BYTES if part in sources else None)
    return Project(folder, manifest)


def _is_absent(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        pass
    return False


def listed(project: Project, folder: str) -> list[str]:
    """The files of one of its folders that `vaqf build` wrote."""
    return sorted(name for name in project.manifest["sha256"] if name.startswith(f"{folder}/"))


def edited(project: Project, names: Iterable[str]) -> Iterator[str]:
    """Those of these files, named as in the manifest, that are not as `vaqf build` wrote them."""
    hashes = project.manifest["sha256"]
    for name in names:
        if hashlib.sha256(_source(project, name)).hexdigest() != hashes.get(name):
            yield name


def _source(project: Project, name: str) -> bytes:
    return smallfile.read(project.folder / name, MAX_SOURCE_BYTES, WRITTEN)


def check_unchanged(project: Project, names: Iterable[str]) -> None:
    """InputError unless these files, named as in the manifest, are as `vaqf build` wrote them."""
    for name in edited(project, names):
        raise InputError(f"{project.folder / name} is not as it was built; build the project again")


def _is_for(family: Family, project: Project) -> bool:
    """Whether the project's SystemVerilog was written for devices of this family."""
    package = _source(project, f"rtl/{rtl.PACKAGE}").decode(errors="replace")
    return f"FAMILY = {family.yosys.upper()};" in package


def _systemverilog(project: Project) -> list[str]:
    return [name for name in listed(project, "rtl") if re.fullmatch(r"rtl/\w+\.sv", name)]


def rtl_sources(project: Project, family: Family) -> list[tuple[str, str]]:
    """(name, text) of the project's SystemVerilog in the order in which tools read it.

    A project without rtl/, or built for another family, gets what a build writes today.
    """
    sources = _systemverilog(project)
    if not sources or not _is_for(family, project):
        return rtl.rtl_sources(project.design, project.model, family)
    check_unchanged(project, sources)
    return [
        (Path(name).name, _source(project, name).decode(errors="replace"))
        for name in _in_order(sources)
    ]


def _in_order(sources: list[str]) -> list[str]:
    """SystemVerilog of a project, named as in the manifest, in the order in which tools read it."""
    first = [f"rtl/{name}" for name in (rtl.PACKAGE, *(f"{p}.sv" for p in rtl.RTL_PACKAGES))]
    return [*(name for name in first if name in sources), *sorted(set(sources) - set(first))]


def vivado_digest(project: Project) -> str:
    """Of all that rtl/vivado.tcl reads, which must be as it was built."""
    read = [*_in_order(_systemverilog(project)), f"rtl/{vivado.CONSTRAINTS}"]
    check_unchanged(project, read)
    return vivado.digest(_source(project, name) for name in read)


def clock_mhz(project: Project) -> float:
    """The clock that the project was built for."""
    value: Any = project.manifest.get("clock_mhz")
    if not CLOCK_MHZ.holds(value, {}):
        raise InputError(
            f"{project.folder}/manifest.json has the clock_mhz {shown(value)}; build the project "
            "again"
        )
    clock_mhz: float = value
    return clock_mhz
