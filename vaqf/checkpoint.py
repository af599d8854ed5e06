"""Float parameters of a vision transformer by timm's names: expected shapes, seeded random ones."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaqf.vit import Vit

FloatArray = NDArray[Any]

RANDOM_SCORE_STD = 3.0  # of random networks: attention far from uniform, far from one-hot


def shapes(vit: Vit) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every parameter."""
    d, p = vit.dim, vit.patch_size
    out: dict[str, tuple[int, ...]] = {
        "cls_token": (1, 1, d),
        "pos_embed": (1, vit.tokens, d),
        "patch_embed.proj.weight": (d, vit.channels, p, p),
        "patch_embed.proj.bias": (d,),
    }
    if vit.distilled:
        out["dist_token"] = (1, 1, d)
    for i in range(vit.depth):
        b = f"blocks.{i}"
        out |= {
            f"{b}.norm1.weight": (d,),
            f"{b}.norm1.bias": (d,),
            f"{b}.attn.qkv.weight": (3 * d, d),
            f"{b}.attn.proj.weight": (d, d),
            f"{b}.attn.proj.bias": (d,),
            f"{b}.norm2.weight": (d,),
            f"{b}.norm2.bias": (d,),
            f"{b}.mlp.fc1.weight": (vit.hidden, d),
            f"{b}.mlp.fc1.bias": (vit.hidden,),
            f"{b}.mlp.fc2.weight": (d, vit.hidden),
            f"{b}.mlp.fc2.bias": (d,),
        }
        if vit.qkv_bias:
            out[f"{b}.attn.qkv.bias"] = (3 * d,)
    out |= {"norm.weight": (d,), "norm.bias": (d,)}
    for head in ("head", "head_dist") if vit.distilled else ("head",):
        out |= {f"{head}.weight": (vit.classes, d), f"{head}.bias": (vit.classes,)}
    return out


def random(vit: Vit, seed: int) -> dict[str, FloatArray]:
    """Seeded random parameters, scaled so that no layer is trivial.

    Linear rows keep the variance of their inputs; query and key rows are larger, so that scores
    have a standard deviation of about RANDOM_SCORE_STD and attention is not uniform.
    """
    rng = np.random.default_rng(seed)
    params: dict[str, FloatArray] = {}
    for name, shape in shapes(vit).items():
        draw = rng.standard_normal(shape, dtype=np.float32)
        if name.endswith(("norm1.weight", "norm2.weight")) or name == "norm.weight":
            params[name] = 1.0 + np.float32(0.1) * draw
        elif len(shape) == 1 or name in ("cls_token", "dist_token", "pos_embed"):
            params[name] = np.float32(0.1) * draw
        else:
            params[name] = draw / np.float32(np.sqrt(np.prod(shape[1:])))
        if name.endswith("attn.qkv.weight"):
            params[name][: 2 * vit.dim] *= np.float32(np.sqrt(RANDOM_SCORE_STD))
    return params
