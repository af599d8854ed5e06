"""A user's small file, read without trusting it: never more than asked, never what is no file."""

import json
from pathlib import Path
from typing import Any

from vaqf.errors import InputError
from vaqf.files import regular
from vaqf.files.fields import shown


def head(path: Path, count: int) -> bytes:
    """The first bytes of a regular file, by which its kind is known."""
    with regular.opened(path) as file:
        return file.read(count)


def read(path: Path, most: int, what: str) -> bytes:
    """The bytes of a regular file of at most `most`; `what` it must be, for the message.

    InputError for a folder, a pipe, a device, a file that is larger or cannot be read.
    """
    with regular.reading(path, what) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise regular.too_large(path, most, what)
    return data


def read_object(path: Path, most: int, what: str) -> dict[str, Any]:
    """The same of a file with a JSON object, which names each key once."""
    data = read(path, most, what)
    try:
        content = json.loads(data, object_pairs_hook=lambda pairs: _once(pairs, path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON; it must be {what}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no JSON object; it must be {what}")
    return content


def _once(pairs: list[tuple[str, Any]], path: Path) -> dict[str, Any]:
    """JSON lets the last of two equal keys win silently; we do not."""
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            raise InputError(f"{path} has the key {shown(key)} twice")
        content[key] = value
    return content
