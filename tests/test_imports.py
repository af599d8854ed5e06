"""The import rule of the architecture: each module knows only those above it; torch only quant."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vaqf.paths import HLS_INCLUDE, RTL

ROOT = Path(__file__).resolve().parents[1]

PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")


def listed(section: str) -> list[str]:
    """The first column of the tables in one section of docs/architecture.md."""
    _, _, text = PAGE.partition(f"\n### {section}\n")
    return re.findall(r"^\| `(\S+)` \|", text.partition("\n### ")[0], re.MULTILINE)


# a module may import only those before it
ORDER = listed("`vaqf/`, in import order")
HEADERS = listed("`hls_templates/`, in include order")
QUANT_MAY_KNOW = {
    "arithmetic",
    "calibrate",
    "checkpoint",
    "errors",
    "fields",
    "images",
    "weights",
    "integerize",
    "network",
    "output",
    "patches",
    "shapes",
    "smallfile",
    "vit",
    "yamlfile",
}


def module_level(tree: ast.Module) -> list[ast.Import | ast.ImportFrom]:
    """Imports that run when the module is imported, in any if or try, not under TYPE_CHECKING."""
    found: list[ast.Import | ast.ImportFrom] = []
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append(node)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            todo += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo += ast.iter_child_nodes(node)
    return found


def names(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Dotted names an import statement asks for, `from vaqf import vit` as vaqf.vit."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if node.level:
        return ["relative"]
    if node.module in ("vaqf", "sim", "quant"):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return [node.module or ""]


def all_imports(path: Path, nodes: str) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    chosen = (
        module_level(tree)
        if nodes == "module"
        else [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    )
    return [name for node in chosen for name in names(node)]


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def test_the_architecture_lists_what_is_there_once() -> None:
    ours = [path.stem for path in modules("vaqf")]
    assert sorted(ORDER) == sorted(name for name in ours if name != "__init__")
    others = [f"{path.parent.name}/{path.stem}" for path in modules("quant") + modules("sim")]
    told = sorted(listed("`quant/` and `sim/`"))
    assert told == sorted(name for name in others if not name.endswith("__init__"))
    assert sorted(HEADERS) == sorted(path.stem for path in (HLS_INCLUDE / "vaqf").glob("*.hpp"))
    rtl = listed("`rtl/`, from the leaves up")
    assert sorted(rtl) == sorted(path.stem for path in RTL.glob("*.sv"))


@pytest.mark.parametrize("header", HEADERS)
def test_headers_include_upwards_only(header: str) -> None:
    text = (HLS_INCLUDE / f"vaqf/{header}.hpp").read_text(encoding="utf-8")
    included = re.findall(r'#include "vaqf/(\w+)\.hpp"', text)
    assert set(included) <= set(HEADERS[: HEADERS.index(header)])


@pytest.mark.parametrize("path", modules("vaqf"), ids=lambda p: p.stem)
def test_vaqf_imports_upwards_only(path: Path) -> None:
    if path.stem == "__init__":
        return
    assert path.stem in ORDER, f"give {path.stem} its line in docs/architecture.md"
    above = ORDER[: ORDER.index(path.stem)]
    below = [
        name
        for name in all_imports(path, "module")
        if name.startswith("vaqf.")
        and name.split(".")[1] in ORDER
        and name.split(".")[1] not in above
    ]
    assert below == []


@pytest.mark.parametrize("path", modules("vaqf"), ids=lambda p: p.stem)
def test_vaqf_loads_neither_quant_nor_sim_nor_torch(path: Path) -> None:
    roots = {name.split(".")[0] for name in all_imports(path, "module")}
    assert roots.isdisjoint({"quant", "sim", "torch", "brevitas", "relative"})


@pytest.mark.parametrize("path", modules("sim"), ids=lambda p: p.stem)
def test_sim_never_imports_torch(path: Path) -> None:
    roots = {name.split(".")[0] for name in all_imports(path, "all")}
    assert roots.isdisjoint({"torch", "brevitas", "quant"})


@pytest.mark.parametrize("path", modules("quant"), ids=lambda p: p.stem)
def test_quant_knows_little_of_vaqf(path: Path) -> None:
    known = {n.split(".")[1] for n in all_imports(path, "all") if n.startswith("vaqf.")}
    assert known <= QUANT_MAY_KNOW


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after running `code`."""
    probe = f"{code}\nimport sys\nprint(*{{m.split('.')[0] for m in sys.modules}})"
    answer = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    )
    return set(answer.stdout.splitlines()[-1].split())


def test_the_command_line_loads_nothing_heavy() -> None:
    heavy = {"numpy", "rich", "jinja2", "safetensors", "PIL", "yaml", "torch", "sim", "quant"}
    assert loaded_by("import vaqf.cli").isdisjoint(heavy)


def test_an_estimate_loads_no_numpy() -> None:
    code = "import vaqf\nvaqf.estimate('deit_tiny', 'zcu102').to_json()"
    heavy = {"numpy", "jinja2", "safetensors", "PIL", "torch", "sim", "quant"}
    assert loaded_by(code).isdisjoint(heavy)
