"""Reading back what `build` left in a folder."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaqf.errors import InputError
from vaqf.files.fields import shown
from vaqf.hardware import design as designs
from vaqf.hardware.design import Design
from vaqf.network import networkfile
from vaqf.network.structure import Network
from vaqf.project import blob, rtl
from vaqf.project.blob import Blob
from vaqf.project.manifest import SCHEMA

MAX_JSON_BYTES = 2**24
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
    """A folder written by `vaqf build`."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def network(self) -> Network:
        """The integer network the project was built from."""
        return networkfile.read(self.folder / "weights" / "network.safetensors")

    @property
    def design(self) -> Design:
        """The accelerator's parameters; InputError if they are not those that were built."""
        check_unchanged(self, ["design.json"])
        return designs.from_json(read_json(self.folder / "design.json"))

    @property
    def labels(self) -> tuple[list[int] | None, list[int]]:
        """(true labels if known, golden's answers) of the images in golden/."""
        path = self.folder / "golden" / "labels.json"
        content = read_json(path)
        answers = _classes(path, "golden", content)
        labels = None if content.get("labels") is None else _classes(path, "labels", content)
        return labels, answers


def _classes(path: Path, name: str, content: dict[str, Any]) -> list[int]:
    values = content.get(name)
    if not isinstance(values, list) or not all(type(value) is int for value in values):
        raise InputError(f"{path}: {name} is no list of classes; build the project again")
    return values


def read_logits(path: Path, count: int | None = None) -> NDArray[np.int32]:
    """Golden's logits [images, classes] of the first `count` images, or of all.

    InputError for a damaged file, and for more images than it holds.
    """
    found = blob.read(path, Blob.LOGITS, check_crc=False)
    if found.item_bytes == 0 or found.item_bytes % 4:
        raise InputError(f"{path} is damaged; build the project again")
    if count is not None and count > found.count:
        raise InputError(f"--images is {count}; the project holds {found.count} images")
    logits = np.frombuffer(found.payload, "<i4").reshape(found.count, found.item_bytes // 4)
    return logits[:count].copy()


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file of at most MAX_JSON_BYTES; InputError says what is wrong."""
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise InputError(f"{path} is larger than any file of vaqf; build the project again")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is no JSON; build the project again") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds no JSON object; build the project again")
    return content


def load(folder: Path) -> Project:
    """Open a project folder; InputError unless `vaqf build` wrote it and nothing is missing."""
    if not (folder / "manifest.json").is_file():
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
    sources = sorted(name for name in listed if name.startswith(("hls/", "rtl/")))
    for part in (*_PARTS, *sources):  # a pipe in the place of one would stop the compiler for ever
        if not (folder / part).is_file():
            raise InputError(f"{folder} is incomplete: {part} is missing; build the project again")
    return Project(folder, manifest)


def listed(project: Project, folder: str) -> list[str]:
    """The files of one of its folders that `vaqf build` wrote."""
    return sorted(name for name in project.manifest["sha256"] if name.startswith(f"{folder}/"))


def edited(project: Project, names: Iterable[str]) -> Iterator[str]:
    """Those of these files, named as in the manifest, that are not as `vaqf build` wrote them."""
    hashes = project.manifest["sha256"]
    for name in names:
        path = project.folder / name
        try:
            if hashlib.sha256(path.read_bytes()).hexdigest() != hashes.get(name):
                yield name
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def check_unchanged(project: Project, names: Iterable[str]) -> None:
    """InputError unless these files, named as in the manifest, are as `vaqf build` wrote them."""
    for name in edited(project, names):
        raise InputError(f"{project.folder / name} is not as it was built; build the project again")


def rtl_sources(project: Project) -> list[tuple[str, str]]:
    """(name, text) of the project's SystemVerilog in the order in which tools read it.

    A project without rtl/ gets what a build writes today.
    """
    sources = [name for name in listed(project, "rtl") if re.fullmatch(r"rtl/\w+\.sv", name)]
    if not sources:
        return rtl.rtl_sources(project.design, str(project.manifest.get("model")))
    check_unchanged(project, sources)
    first = [f"rtl/{name}" for name in (rtl.PACKAGE, *(f"{p}.sv" for p in rtl.RTL_PACKAGES))]
    order = [*(name for name in first if name in sources), *sorted(set(sources) - set(first))]
    return [
        (Path(name).name, (project.folder / name).read_text(encoding="utf-8")) for name in order
    ]
