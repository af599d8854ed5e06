"""Shared by every test: hypothesis without time limits (shared cores), the same cases each run."""

import signal
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "vaqf",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("vaqf")


# without what training needs its tests are left out, and the header says so
TRAINING = ("torch", "brevitas", "kornia", "matplotlib", "sklearn")
MISSING = [name for name in TRAINING if find_spec(name) is None]
collect_ignore = ["quant"] if MISSING else []
if find_spec("qonnx") is None:
    MISSING.append("qonnx")
    collect_ignore += ["quant/files/test_qonnx.py", "quant/files/test_qonnx_tools.py"]


def pytest_report_header() -> list[str]:
    """One line where tests are left out."""
    return (
        [f"left out: {', '.join(collect_ignore)}; {', '.join(MISSING)} missing"] if MISSING else []
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    """The switch of tests/project/test_references.py."""
    parser.addoption("--rewrite", action="store_true", help="write tests/project/references anew")


# a shell ignores ctrl-C for what it runs in the background, nohup a hang-up, and so would all
# programs under test
for number, handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)
