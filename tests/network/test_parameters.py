"""parameters.py: the names and shapes of a model, and seeded ones."""

from dataclasses import replace

import numpy as np

from vaqf.model import zoo
from vaqf.model.vit import Vit
from vaqf.network import parameters

VIT = Vit(
    name="small", image_size=16, patch_size=8, dim=24, depth=2, heads=3, mlp_ratio=2, classes=5
)


def test_random_parameters_are_seeded_and_fit_the_model() -> None:
    for vit in (
        VIT,
        replace(VIT, distilled=True, registers=3),
        replace(VIT, qkv_bias=False),
    ):
        params = parameters.random(vit, 7)
        assert {n: v.shape for n, v in params.items()} == parameters.array_shapes(vit)
        again = parameters.random(vit, 7)
        assert all(np.array_equal(params[name], again[name]) for name in params)
        assert not np.array_equal(params["pos_embed"], parameters.random(vit, 8)["pos_embed"])


def test_deit_base_has_the_published_number_of_parameters() -> None:
    count = sum(int(np.prod(s)) for s in parameters.array_shapes(zoo.load("deit_base")).values())
    assert count == 86_567_656  # DeiT (arXiv 2012.12877), table 1: 86 M; timm counts 86,567,656
