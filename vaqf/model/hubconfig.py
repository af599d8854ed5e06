"""config.json beside a float checkpoint: what of a model its tensors do not tell.

transformers and timm write it.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from vaqf.errors import InputError
from vaqf.files import smallfile
from vaqf.files.fields import shown
from vaqf.model.preprocessor import refused, told
from vaqf.model.vit import Vit

NAME = "config.json"
WHAT = "the description of a model, as transformers or timm writes it"
MAX_BYTES = 2**23  # 21,843 classes have their names in it
# transformers' keys and ours
_SAME = (("num_attention_heads", "heads"), ("patch_size", "patch_size"))
_GELU = ("gelu", "gelu_python")  # with the erf; others (gelu_new, quick_gelu, relu) are none
_CROP_MODES = {"center": "shorter", "squash": "squash"}  # timm's, and the keys of a model


def beside(weights: Path | None, vit: Vit) -> tuple[Vit, tuple[str, ...]]:
    """The model with the preprocessing that timm's config.json beside a float checkpoint has, and
    a note where that differs from the model's own.

    InputError for a file that contradicts the model in what no tensor tells: the number of heads,
    the activation, how the head reads the tokens.
    """
    if weights is None or not os.path.lexists(path := weights.parent / NAME):
        return vit, ()
    content = smallfile.read_object(path, MAX_BYTES, WHAT)
    _check_transformers(path, content, vit)
    pool = content.get("global_pool", "token")
    if "pretrained_cfg" in content and pool not in ("token", ""):
        raise InputError(
            f"{path}: global_pool is {shown(pool)}, which is not supported yet: the accelerator's"
            " head reads the class token; use a model with global_pool 'token'"
        )
    settings = content.get("pretrained_cfg")
    taken = _preprocessing(path, settings, vit) if isinstance(settings, dict) else vit
    return taken, told(weights, NAME, taken, vit)


def _check_transformers(path: Path, content: Mapping[str, Any], vit: Vit) -> None:
    if "model_type" not in content:
        return
    for key, ours in _SAME:
        own = getattr(vit, ours)
        if key in content and content[key] != own:
            raise InputError(
                f"{path}: {key} is {shown(content[key])}, and {vit.name} has {own}; take a model"
                f" file with {ours}: {shown(content[key])}"
            )
    activation = content.get("hidden_act", _GELU[0])
    if activation not in _GELU:
        raise InputError(
            f"{path}: hidden_act is {shown(activation)}, which is not supported: the accelerator"
            f" computes {_GELU[0]}; use a model with it"
        )


def _preprocessing(path: Path, settings: Mapping[str, Any], vit: Vit) -> Vit:
    """What timm's pretrained_cfg says of mean, std, crop and interpolation."""
    changes: dict[str, Any] = {
        key: tuple(settings[key]) for key in ("mean", "std") if isinstance(settings.get(key), list)
    }
    changes |= {
        ours: settings[key]
        for key, ours in (("crop_pct", "crop"), ("interpolation", "interpolation"))
        if settings.get(key) is not None
    }
    mode = settings.get("crop_mode", "center")
    try:
        if mode not in _CROP_MODES:
            raise InputError(f"crop_mode is {shown(mode)}; it must be {' or '.join(_CROP_MODES)}")
        return replace(vit, **changes, resize=_CROP_MODES[mode])
    except InputError as error:
        raise refused(path, error, vit) from error
