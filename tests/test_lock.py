"""lock/: what `make lock` wrote is within pyproject.toml's ranges, whole, and names no place."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
CUDA = ("cuda-", "nvidia-", "triton")  # what torch's CUDA build brings


def entries(name: str) -> dict[str, list[str]]:
    """Each requirement of a lock file, with the hashes of its files."""
    text = (ROOT / "lock" / f"{name}.txt").read_text().replace("\\\n", "")
    found: dict[str, list[str]] = {}
    for words in (line.partition("#")[0].split() for line in text.splitlines()):
        if not words:
            continue
        hashes = [word for word in words if word.startswith("--hash=")]
        found[" ".join(words[: len(words) - len(hashes)])] = hashes
    return found


def pins(name: str, python: str) -> dict[str, str]:
    """Package to version, as an x86 PC under Linux with this Python installs them."""
    here = {"python_version": python, "python_full_version": f"{python}.1", "extra": ""}
    here |= {"sys_platform": "linux", "platform_machine": "x86_64", "os_name": "posix"}
    here |= {"platform_system": "Linux", "platform_python_implementation": "CPython"}
    chosen = [Requirement(line) for line in entries(name)]
    chosen = [need for need in chosen if need.marker is None or need.marker.evaluate(here)]
    versions = {canonicalize_name(need.name): str(need.specifier) for need in chosen}
    assert len(versions) == len(chosen), "a package has two versions"
    assert all(re.fullmatch(r"==[^*,]+", version) for version in versions.values())
    return {package: version.removeprefix("==") for package, version in versions.items()}


def needs(*extras: str) -> list[Requirement]:
    """The ranges of pyproject.toml, those of extras named by extras too."""
    project = PYPROJECT["project"]
    options = project["optional-dependencies"]
    groups = [*PYPROJECT["dependency-groups"].values(), *(options[extra] for extra in extras)]
    lines = [*project["dependencies"], *(line for group in groups for line in group)]
    ours = [need for need in map(Requirement, lines) if need.name != "vaqf"]
    within = {extra for line in lines for extra in Requirement(line).extras if "vaqf[" in line}
    return ours + (needs(*within) if within else [])


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    ("name", "extras"), [("demo", ("quant", "sim")), ("test", ("quant", "sim", "dev"))]
)
def test_every_range_has_one_version(name: str, extras: tuple[str, ...], python: str) -> None:
    found = pins(name, python) | pins("torch", python)
    missing = {"hls4ml"} if name == "demo" else set()
    outside = [
        str(need)
        for need in needs(*extras)
        if need.name not in missing
        and not need.specifier.contains(found.get(canonicalize_name(need.name), "0.dev0"))
    ]
    assert outside == [], "pyproject.toml changed; run `make lock`"


def test_the_demo_has_the_versions_of_the_tests() -> None:
    for python in PYTHONS:
        assert pins("demo", python).items() <= pins("test", python).items()


def test_every_file_is_known_by_its_hash_but_torchs() -> None:
    for name in ("demo", "test"):
        for line, hashes in entries(name).items():
            assert hashes, line
            assert [h for h in hashes if not re.fullmatch("--hash=sha256:[0-9a-f]{64}", h)] == []
            assert not line.startswith(("torch=", *CUDA))
    ((line, hashes),) = entries("torch").items()
    assert re.fullmatch(r"torch==\d+\.\d+\.\d+", line) and hashes == []


def test_a_lock_names_no_place() -> None:
    for name in ("demo", "test", "torch"):
        text = (ROOT / "lock" / f"{name}.txt").read_text()
        assert "://" not in text and re.findall(r"^-.*", text, re.MULTILINE) == []
        assert [word for word in text.split() if word.startswith(("/", "."))] == []


def test_torch_brings_nothing_unlocked_but_cuda() -> None:
    """lock/uv.toml says for uv what torch needs: what an installed torch says of itself."""
    listed = [Requirement(line) for line in importlib.metadata.requires("torch") or []]
    names = {
        canonicalize_name(need.name)
        for need in listed
        if need.marker is None or need.marker.evaluate({"extra": ""})
    }
    unlocked = names - pins("demo", "3.11").keys()
    assert {name for name in unlocked if not name.startswith(CUDA)} == set()
