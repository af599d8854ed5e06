"""A safetensors file from outside, opened with its header and all offsets checked."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vaqf.errors import InputError
from vaqf.files import regular


@contextmanager
def opened(path: Path, what: str) -> Iterator[Any]:
    """What safe_open gives, in numpy; `what` it must be, for the sentence of the InputError."""
    from safetensors import SafetensorError, safe_open

    regular.check(path, what)
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except SafetensorError as error:
        raise InputError(
            f"{path}: damaged, or not a safetensors file ({error}); it must be {what}"
        ) from error
