"""Each deliberate error has the exit code of the command line."""

import pytest

from vaqf import errors


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.Mismatch, 1),
        (errors.InputError, 2),
        (errors.Infeasible, 3),
        (errors.ToolMissing, 4),
        (errors.ToolFailed, 5),
        (errors.VaqfError, 70),
    ],
)
def test_exit_codes(kind: type[errors.VaqfError], code: int) -> None:
    assert kind.exit_code == code
