"""A model by its name, ours or a public one, or from a model file."""

import re
from pathlib import Path

from vaqf.errors import InputError
from vaqf.files import yamlfile
from vaqf.files.fields import folded, nearest, shown
from vaqf.model import public
from vaqf.model.models import MODELS
from vaqf.model.vit import Vit, from_mapping

_ZOO = {model.name: model for model in MODELS}


def names() -> list[str]:
    """The short names of the zoo."""
    return list(_ZOO)


def load(text: str) -> Vit:
    """A model by short, timm, Hugging Face or torchvision name (any case), or from a YAML file.

    InputError for an unknown name (the nearest is offered) or a file that is no valid model.
    """
    if re.search(r"\.ya?ml$", text, re.IGNORECASE):
        path = Path(text)
        return from_mapping(yamlfile.read_mapping(path), path.stem, text)
    word = folded(text)
    known = _ZOO.get(word) or public.known(word)
    if known is not None:
        return known
    if yamlfile.exists(text):
        return from_mapping(yamlfile.read_mapping(Path(text)), Path(text).stem, text)
    # an owner's name is only near to names with owners: they have another preprocessing
    public_names = public.hugging_face_names() if "/" in text else public.timm_names()
    hint = nearest(text, [*_ZOO, *public_names, *public.torchvision_names()])
    raise InputError(
        f"unknown model {shown(text)}{hint}; known are {', '.join(_ZOO)}, or give a YAML file"
    )
