"""Shared by every test: hypothesis without time limits (shared cores), the same cases each run."""

import signal

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
