"""Three emitted projects kept whole: a change of what vaqf writes is read as a diff.

`pytest tests/project/test_references.py --rewrite` writes references/ anew. A reference holds every
text that is generated; a copy of our libraries is one line of FILES.txt, a binary file its SHA-256.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hls_bench import extreme, pictures
from samples import GRAY, ODD, RGB

from vaqf.files.paths import HLS_PROJECT, HLS_TEMPLATES, RTL
from vaqf.hardware import board
from vaqf.model.vit import Vit
from vaqf.project.reference import Golden
from vaqf.project.report import json_text
from vaqf.project.write import write_project
from vaqf.search.question import Question
from vaqf.search.search import search
from vaqf.sim import golden

REFERENCES = Path(__file__).with_name("references")
LIST, MANIFEST = "FILES.txt", "manifest.json"
BINARY = (".bin", ".safetensors")


@dataclass(frozen=True)
class Case:
    """What is asked for; the network's integers are drawn, so that no float decides a bit."""

    vit: Vit
    board: str
    fps: float
    act_bits: int
    engine: str = "table"


CASES = {
    "table_ultrascale": Case(RGB, "zcu102", 2_000.0, 8),
    "adder_series_7": Case(GRAY, "pynq_z2", 500.0, 4, "adder"),
    "distilled": Case(ODD, "kv260", 10_000.0, 6),
}


def project(case: Case, folder: Path) -> None:
    """The project of one case."""
    device = board.load(case.board)
    found = search(Question(case.vit, device, case.fps, case.act_bits, case.engine))
    assert found.feasible
    network, images = extreme(case.vit, case.act_bits, 0), pictures(case.vit, 2, 0)
    logits, layers = golden.with_layers(network, images)
    expected = Golden(images, None, logits, layers, "noise, seed 0")
    folder.mkdir()
    write_project(folder, found, network, expected)


def libraries() -> dict[bytes, str]:
    """What is copied into a project: content -> the file that it is a copy of."""
    top = RTL.parent
    files = [*RTL.rglob("*.sv"), *HLS_TEMPLATES.rglob("*.h*"), HLS_PROJECT / "testbench.cpp"]
    return {path.read_bytes(): path.relative_to(top).as_posix() for path in files}


def without_copies(manifest: bytes, copied: set[str]) -> bytes:
    """A manifest less the hashes of what is compared with our libraries anyway."""
    content = json.loads(manifest)
    content["sha256"] = {k: v for k, v in content["sha256"].items() if k not in copied}
    return json_text(content).encode()


def kept(folder: Path) -> Iterator[tuple[str, str | bytes]]:
    """Of every file of a project its line in FILES.txt, or its text where it is kept."""
    copies, copied = libraries(), set[str]()
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        name, content = path.relative_to(folder).as_posix(), path.read_bytes()
        if content in copies:
            copied.add(name)
            yield name, f"{name}: {copies[content]}"
        elif path.suffix in BINARY:
            yield name, f"{name}: {hashlib.sha256(content).hexdigest()}"
        elif name != MANIFEST:
            yield name, content
    yield MANIFEST, without_copies((folder / MANIFEST).read_bytes(), copied)


@pytest.mark.parametrize("name", CASES)
def test_a_project_is_its_reference(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder, reference = tmp_path / name, REFERENCES / name
    project(CASES[name], folder)
    now = dict(kept(folder))
    lines = "".join(f"{line}\n" for line in now.values() if isinstance(line, str))
    texts = {place: text for place, text in now.items() if isinstance(text, bytes)}
    texts[LIST] = lines.encode()
    if request.config.getoption("--rewrite"):
        shutil.rmtree(reference, ignore_errors=True)
        for place, text in texts.items():
            (reference / place).parent.mkdir(parents=True, exist_ok=True)
            (reference / place).write_bytes(text)
    there = {p.relative_to(reference).as_posix() for p in reference.rglob("*") if p.is_file()}
    assert there == set(texts)
    for place, text in texts.items():
        assert text.decode() == (reference / place).read_text(encoding="utf-8"), place
