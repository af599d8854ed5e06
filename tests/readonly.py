"""A folder in which nothing can be written, as on a read-only disk: tests run as root, whom no
permission stops."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from vaqf.files import places


@contextmanager
def read_only(*folders: Path) -> Iterator[None]:
    """places.py is refused in these folders; what writes there all the same fails the test."""
    true = places._made

    def made(folder: Path) -> Path:
        if any(folder.is_relative_to(closed) for closed in folders):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(folder))
        return true(folder)

    before = [sorted(folder.rglob("*")) for folder in folders]
    with patch.object(places, "_made", made):
        yield
    assert [sorted(folder.rglob("*")) for folder in folders] == before
