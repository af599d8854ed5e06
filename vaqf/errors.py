"""The exceptions vaqf raises on purpose, each with the exit code of the command line."""


class VaqfError(Exception):
    """Base of every deliberate error; its text is one sentence: cause, allowed, next step."""

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
