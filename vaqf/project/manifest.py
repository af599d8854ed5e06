"""The manifest of a project: versions, inputs, and the hash of every file."""

import hashlib
from pathlib import Path
from typing import Any

import vaqf
from vaqf.network import networkfile
from vaqf.network.structure import Network
from vaqf.project.blob import BLOB_HEADER
from vaqf.project.reference import Golden
from vaqf.search.estimate import Estimate

SCHEMA = 1  # of manifest.json


def manifest_of(
    folder: Path, estimate: Estimate, network: Network, golden: Golden
) -> dict[str, Any]:
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
        "network_sha256": networkfile.sha256(network),
        "images": golden.source,
        "crc32": blobs,
        "sha256": hashes(folder),
    }


def hashes(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file in a folder: by it we know what is ours."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
