"""The exceptions vaqf raises on purpose, each with the exit code of the command line."""

import difflib
from collections.abc import Iterable


class VaqfError(Exception):
    """Base of every deliberate error; its text is one sentence: cause, what is allowed, next step."""

    exit_code = 70


class Mismatch(VaqfError):
    """A verification ran and found a difference."""

    exit_code = 1


class InputError(VaqfError):
    """Wrong input or environment: a flag, a file, a permission, a full disk."""

    exit_code = 2


class Infeasible(VaqfError):
    """No legal design reaches the target, or the model does not fit the device."""

    exit_code = 3


class ToolMissing(VaqfError):
    """An external tool is not installed; the text says what still works without it."""

    exit_code = 4


class ToolFailed(VaqfError):
    """An external tool ran and failed; the text carries the tool's own error lines."""

    exit_code = 5


def unknown(what: str, name: str, known: Iterable[str], alternative: str = "") -> InputError:
    """The error for a name that is not in a list: the nearest one, or all of them.

    `alternative` is a clause for what else is allowed ("or a YAML file").
    """
    names = list(known)
    near = difflib.get_close_matches(name.lower(), names, n=1)
    hint = f"did you mean {near[0]}" if near else f"known: {', '.join(names)}"
    return InputError(f"unknown {what} {name!r}; {hint}{alternative and ', ' + alternative}")
