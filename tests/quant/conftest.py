"""What training needs may be missing; then this folder is left out, and the header says so."""

from importlib.util import find_spec

MISSING = [
    name
    for name in ("torch", "brevitas", "kornia", "matplotlib", "sklearn")
    if find_spec(name) is None
]
collect_ignore_glob = ["*"] if MISSING else []
if find_spec("qonnx") is None:
    collect_ignore_glob.append("files/test_qonnx.py")


def pytest_report_header() -> str:
    """One line where tests are left out."""
    return f"tests/quant is left out: {', '.join(MISSING)} missing" if MISSING else ""
