"""Small float models and their files, as tests of reading them share them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vaqf.model.vit import Vit

VIT = Vit(
    name="small", image_size=16, patch_size=8, dim=24, depth=2, heads=3, mlp_ratio=2, classes=5
)


DISTILLED = replace(VIT, name="small_distilled", distilled=True)


Params = dict[str, np.ndarray]


def equal(a: Params, b: Params) -> None:
    assert list(a) == list(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
        assert a[name].dtype == np.float32


def saved(tmp_path: Path, content: object) -> Path:
    """A torch file."""
    torch = pytest.importorskip("torch")
    torch.save(content, tmp_path / "w.pth")
    return tmp_path / "w.pth"


def as_tensors(params: Params) -> dict[str, object]:
    torch = pytest.importorskip("torch")
    return {name: torch.from_numpy(value.copy()) for name, value in params.items()}
