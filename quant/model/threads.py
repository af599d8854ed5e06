"""How many threads torch gets on the CPU for a model."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from vaqf.model.vit import Vit

SMALL = 2**15  # tokens x dim up to which a second thread costs more than it gives


@contextmanager
def fitting(vit: Vit) -> Iterator[None]:
    """One thread for a small model; the caller's number comes back."""
    before = torch.get_num_threads()
    try:
        if vit.tokens * vit.dim <= SMALL:
            torch.set_num_threads(1)
        yield
    finally:
        torch.set_num_threads(before)
