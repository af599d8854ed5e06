"""The import rule of the house: a package knows those before it, nothing goes in a circle.

docs/architecture.md has the rule and a line for every folder; its table is what is tested here.
"""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from vaqf.files.paths import HLS_INCLUDE, RTL, RTL_PROJECT

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
FACE = "vaqf"  # vaqf/__init__.py: the version, and a verb when it is first asked for


def table(section: str) -> list[list[str]]:
    """The cells of the table in one section of docs/architecture.md, without its two first rows."""
    _, _, text = PAGE.partition(f"\n### {section}\n")
    rows = re.findall(r"^\|(.*)\|$", text.partition("\n##")[0], re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")] for row in rows[2:]]


def named(cell: str) -> list[str]:
    """What a cell has between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def rule() -> dict[str, set[str]]:
    """Package -> the packages that it may know, by the table: names, or all above but some."""
    found: dict[str, set[str]] = {}
    for first, knows, _ in table("Python: who may know whom"):
        names = {f"vaqf.{name}" for name in named(knows)}
        whole = knows.startswith("all above")
        package = f"vaqf.{named(first)[0].removeprefix('vaqf/')}"
        found[package] = set(found) - names if whole else names
    return found


RULE = rule()
RTL_ORDER = [named(first)[0] for first, _ in table("`rtl/`, in this order")]
HEADERS = [named(first)[0] for first, _ in table("`hls_templates/`, in include order")]
QUANT = "vaqf.quant"
# inside it: each folder and what it may know of the others
INSIDE_QUANT = {
    "vaqf.quant.model": set(),
    "vaqf.quant.recipe": set(),
    "vaqf.quant.report": set(),
    "vaqf.quant.data": {"vaqf.quant.recipe"},
    "vaqf.quant.files": {"vaqf.quant.model", "vaqf.quant.recipe"},
    "vaqf.quant.inference": {"vaqf.quant.files", "vaqf.quant.model"},
    "vaqf.quant.training": {
        "vaqf.quant.model",
        "vaqf.quant.recipe",
        "vaqf.quant.report",
        "vaqf.quant.data",
        "vaqf.quant.files",
        "vaqf.quant.inference",
    },
}
MODULES = sorted(path for top in ("vaqf", "quant", "sim") for path in (ROOT / top).rglob("*.py"))


def module_name(path: Path) -> str:
    """sim/csim.py -> vaqf.sim.csim, vaqf/cli/app.py -> vaqf.cli.app; a package by its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts if parts[0] == FACE else (FACE, *parts)).removesuffix(".__init__")


def package_of(module: str) -> str:
    """The row of the rule a module stands in: vaqf.model.vit -> vaqf.model."""
    return ".".join(module.split(".")[:2])


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Our own modules that a file imports anywhere, in functions and for types, too."""
    ours = {module_name(other) for other in MODULES}
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            assert node.module is not None
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.append(whole if whole in ours else node.module)
    assert not {name.split(".")[0] for name in found} & {"quant", "sim"}, f"{path}: a user's name"
    return tuple(name for name in found if name.split(".")[0] == FACE)


def test_the_architecture_names_every_folder_once() -> None:
    packages = {package_of(module_name(path)) for path in MODULES}
    assert packages - {FACE, "vaqf.__main__"} == set(RULE)
    assert sorted(HEADERS) == sorted(path.stem for path in (HLS_INCLUDE / "vaqf").glob("*.hpp"))
    folders = [path.name for path in RTL.iterdir() if path.is_dir() and path != RTL_PROJECT]
    assert sorted(RTL_ORDER) == sorted(folders)


def test_the_rule_is_an_order() -> None:
    before: set[str] = set()
    for package, knows in RULE.items():
        assert knows <= before, package
        before.add(package)


def test_no_folder_bears_a_verbs_name() -> None:
    from vaqf.verbs import VERBS

    assert not {path.name for path in (ROOT / "vaqf").iterdir()} & set(VERBS)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_module_knows_only_the_packages_before_its_own(path: Path) -> None:
    module = module_name(path)
    if module in (FACE, "vaqf.__main__"):
        return
    mine = package_of(module)
    allowed = {mine, *RULE[mine], FACE}
    assert [name for name in imported(path) if package_of(name) not in allowed] == []


@pytest.mark.parametrize("path", sorted((ROOT / "quant").rglob("*.py")), ids=module_name)
def test_inside_quant_a_folder_knows_only_some(path: Path) -> None:
    mine = ".".join(module_name(path).split(".")[:3])
    if mine == QUANT:
        return
    known = {name for name in imported(path) if package_of(name) == QUANT}
    assert {".".join(name.split(".")[:3]) for name in known} - {mine, QUANT} <= INSIDE_QUANT[mine]


def test_no_imports_go_in_a_circle() -> None:
    graph = {
        module_name(path): {name for name in imported(path) if name != FACE} for path in MODULES
    }
    graph.pop(FACE)
    finished: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, f"a circle: {' -> '.join((*way, module))}"
        if module in finished:
            return
        for name in sorted(graph.get(module, set()) - {module}):
            visit(name, (*way, module))
        finished.add(module)

    for module in graph:
        visit(module, ())


def test_only_quant_imports_torch() -> None:
    for path in MODULES:
        if path.relative_to(ROOT).parts[0] == "quant":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert {name.split(".")[0] for name in names}.isdisjoint({"torch", "brevitas"}), path


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_every_file_says_what_it_is(path: Path) -> None:
    told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert told and told.splitlines()[0].endswith((".", ":"))


@pytest.mark.parametrize("header", HEADERS)
def test_headers_include_upwards_only(header: str) -> None:
    text = (HLS_INCLUDE / f"vaqf/{header}.hpp").read_text(encoding="utf-8")
    included = re.findall(r'#include "vaqf/(\w+)\.hpp"', text)
    assert set(included) <= set(HEADERS[: HEADERS.index(header)])


@pytest.mark.parametrize("path", sorted(RTL.rglob("*.sv")), ids=lambda p: p.stem)
def test_a_module_instantiates_from_folders_before_its_own(path: Path) -> None:
    text = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
    modules = {other.stem: other.parent for other in RTL.rglob("*.sv")}
    used = {
        name
        for name in re.findall(r"^\s*(\w+)\s+(?:#\s*\(|u_\w+\s*\()", text, re.MULTILINE)
        if name in modules and name != path.stem
    }
    used |= {name for name in re.findall(r"\b(\w+)::", text) if name in modules}
    # the top stands behind all folders but the last, which is what a board has around it
    order = [*RTL_ORDER[:-1], RTL.name, RTL_ORDER[-1]]
    mine = order.index(path.parent.name)
    assert [name for name in used if order.index(modules[name].name) > mine] == []


def loaded_by(code: str) -> set[str]:
    """Modules that a fresh interpreter has after running `code`."""
    probe = f"{code}\nimport sys\nprint(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    )
    return set(answer.stdout.splitlines()[-1].split())


def test_the_command_line_loads_nothing_heavy() -> None:
    heavy = {"numpy", "rich", "jinja2", "safetensors", "PIL", "yaml", "torch", "vaqf.sim", QUANT}
    assert loaded_by("import vaqf.cli").isdisjoint(heavy)


def test_an_estimate_loads_no_numpy() -> None:
    code = "import vaqf\nvaqf.estimate('deit_tiny', 'zcu102').to_json()"
    heavy = {"numpy", "jinja2", "safetensors", "PIL", "torch", "vaqf.sim", QUANT}
    assert loaded_by(code).isdisjoint(heavy)
