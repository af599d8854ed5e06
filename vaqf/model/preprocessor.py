"""preprocessor_config.json beside a float checkpoint: what transformers does to a picture."""

import math
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from vaqf.errors import InputError
from vaqf.files import smallfile
from vaqf.files.fields import shown
from vaqf.model.vit import Vit

NAME = "preprocessor_config.json"
WHAT = "the settings of one of transformers' image processors"
MAX_BYTES = 2**16
RESAMPLE = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}  # Pillow's numbers
RESCALE = 1 / 255
TYPES = ("image_processor_type", "feature_extractor_type")
READ = (
    *TYPES, "do_resize", "size", "default_to_square", "resample", "do_center_crop", "crop_size",
    "do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std",
)  # fmt: skip
# what changes no pixel: names of classes, the form of a tensor, RGB, which we make in any case
NO_MATTER = (
    "processor_class", "auto_map", "do_convert_rgb", "data_format", "input_data_format",
    "return_tensors", "device", "disable_grouping", "_valid_processor_keys", "_processor_class",
)  # fmt: skip
# what the processors' own classes take where a file does not say, by how their names begin; to
# these a size of one number is a square, to others it may be the shorter side
_HALVES: dict[str, Any] = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
DEFAULTS: dict[str, dict[str, Any]] = {
    "ViT": {"size": 224, "resample": 2, "do_center_crop": False, **_HALVES},
    "DeiT": {"size": 256, "crop_size": 224, "resample": 3, "do_center_crop": True, **_HALVES},
    "Beit": {"size": 224, "crop_size": 224, "resample": 3, "do_center_crop": False, **_HALVES},
}
NEEDED = ("size", "resample", "image_mean", "image_std")  # in a file of another processor
SWITCHES = ("do_resize", "do_center_crop", "do_rescale", "do_normalize")
SHOWN = ("resize", "crop", "interpolation", "mean", "std")  # what a note names


def beside(weights: Path | None, vit: Vit) -> tuple[Vit, tuple[str, ...]]:
    """The model with the preprocessing that lies beside a float checkpoint, if there are both.

    And a note where that differs from the model's own. InputError for a file that is damaged, and
    for preprocessing that the model cannot say.
    """
    if weights is None or not os.path.lexists(path := weights.parent / NAME):
        return vit, ()
    try:
        taken = _taken(smallfile.read_object(path, MAX_BYTES, WHAT), vit)
    except _Cannot as error:
        raise refused(path, error, vit) from error
    return taken, told(weights, NAME, taken, vit)


def told(weights: Path, source: str, taken: Vit, vit: Vit) -> tuple[str, ...]:
    """A note on preprocessing that a file beside `weights` has, where the model's own differs."""
    changed = [
        f"{key} {_text(getattr(taken, key))} (not {_text(getattr(vit, key))})"
        for key in SHOWN
        if getattr(taken, key) != getattr(vit, key)
    ]
    if not changed:
        return ()
    return (f"preprocessing of {weights.name} from {source}: {', '.join(changed)}",)


def refused(path: Path, why: Exception, vit: Vit) -> InputError:
    """For a file of preprocessing that a model cannot say."""
    return InputError(
        f"{path}: {why}; put it elsewhere to build with the preprocessing of {vit.name}"
    )


class _Cannot(Exception):
    """What a file asks for that a model cannot say."""


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return "/".join(map(_text, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _taken(content: Mapping[str, Any], vit: Vit) -> Vit:
    """The model with the preprocessing of a file."""
    for key, value in content.items():
        if key not in READ + NO_MATTER and value not in (None, False):
            raise _Cannot(
                f"it has {shown(key)}, which is not known here; known are {', '.join(READ)}"
            )
    given = _with_defaults(content)
    for key in (*SWITCHES, "default_to_square"):
        if not isinstance(given.get(key, False), bool):
            raise _Cannot(f"{key} is {shown(given[key])}; it must be true or false")
    changes = _geometry(given, vit) | _interpolation(given) | _levels(given, vit)
    try:
        return replace(vit, **changes)
    except InputError as error:
        raise _Cannot(str(error)) from error


def _with_defaults(content: Mapping[str, Any]) -> dict[str, Any]:
    """All that a file says, and what its processor's class takes for the rest."""
    given = {key: value for key, value in content.items() if value is not None}
    given |= {key: False for key in SWITCHES if key in content and content[key] is None}
    kind = _kind(given)
    defaults = next((own for name, own in DEFAULTS.items() if kind.startswith(name)), None)
    if defaults is not None:
        return {**defaults, **given}
    needed = NEEDED if given.get("do_normalize", True) else NEEDED[:2]
    lacking = [key for key in needed if key not in given]
    if lacking:
        known = ", ".join(f"{name}ImageProcessor" for name in DEFAULTS)
        raise _Cannot(
            f"it lacks {', '.join(lacking)}, and {TYPES[0]} is"
            f" {shown(kind) if kind else 'missing'}; give them, or the type: {known} have defaults"
        )
    return given


def _kind(given: Mapping[str, Any]) -> str:
    """The class of the processor, empty where the file does not say."""
    kind = next((given[key] for key in TYPES if key in given), "")
    if not isinstance(kind, str):
        raise _Cannot(f"{TYPES[0]} is {shown(kind)}; it must be a text")
    return kind


def _geometry(given: Mapping[str, Any], vit: Vit) -> dict[str, Any]:
    """`resize` and `crop`."""
    if not given.get("do_resize", True):
        raise _Cannot("do_resize is false, and pictures of any size are resized here")
    resize, size = _size(given)
    cropped = given.get("do_center_crop", "crop_size" in given)
    if cropped and "crop_size" in given:
        kept = _square(given["crop_size"], "crop_size")
    elif cropped:
        raise _Cannot("do_center_crop is true and there is no crop_size")
    elif resize == "shorter":
        raise _Cannot("it resizes the shorter side and crops nothing, which leaves no square")
    else:
        kept = size
    if kept != vit.image_size:
        raise _Cannot(f"it gives pictures of {kept} x {kept}, and {vit.name} takes {_side(vit)}")
    if size < kept:
        raise _Cannot(f"size is {size}, less than crop_size {kept}, which would add a black frame")
    return {"resize": resize, "crop": _crop(kept, size)}


def _side(vit: Vit) -> str:
    return f"{vit.image_size} x {vit.image_size}"


def _size(given: Mapping[str, Any]) -> tuple[str, int]:
    """How a picture is resized, and to how many pixels."""
    size = given["size"]
    if isinstance(size, dict):
        known = {key: value for key, value in size.items() if value is not None}
        if set(known) == {"shortest_edge"}:
            return "shorter", _pixels(known["shortest_edge"], "size: shortest_edge")
        return "squash", _square(size, "size")
    kind = _kind(given)  # the oldest files have none: they are ViT's
    if given.get("default_to_square") is False:
        return "shorter", _pixels(size, "size")
    if kind and not kind.startswith(tuple(DEFAULTS)):
        raise _Cannot(
            f"size is one number, and for {shown(kind)} that may be a square or the shorter side;"
            ' write {"height": N, "width": N} or {"shortest_edge": N}'
        )
    return "squash", _pixels(size, "size")


def _square(size: object, what: str) -> int:
    """The side of a square, given as a number or as height and width."""
    if not isinstance(size, dict):
        return _pixels(size, what)
    if set(size) != {"height", "width"} or size["height"] != size["width"]:
        raise _Cannot(
            f"{what} is {shown(size)}; it must be a number, or equal height and width"
            + (", or shortest_edge" if what == "size" else "")
        )
    return _pixels(size["height"], f"{what}: height")


def _pixels(value: object, what: str) -> int:
    if type(value) is not int or not 1 <= value <= 2**14:
        raise _Cannot(f"{what} is {shown(value)}; it must be a whole number, 1 to {2**14}")
    return value


def _crop(kept: int, size: int) -> float:
    """The share that `image_size / crop`, rounded down, makes `size` of again."""
    crop = kept / size
    return crop if int(kept / crop) == size else math.nextafter(crop, 0)


def _interpolation(given: Mapping[str, Any]) -> dict[str, Any]:
    number = given["resample"]
    if type(number) is not int or number not in RESAMPLE:
        allowed = ", ".join(f"{key} ({name})" for key, name in RESAMPLE.items())
        raise _Cannot(f"resample is {shown(number)}; it must be one of {allowed}")
    return {"interpolation": RESAMPLE[number]}


def _levels(given: Mapping[str, Any], vit: Vit) -> dict[str, Any]:
    """`mean` and `std`, of pixels / 255."""
    factor = given.get("rescale_factor", RESCALE)
    good = isinstance(factor, float) and math.isclose(factor, RESCALE, rel_tol=1e-6)
    if not given.get("do_rescale", True) or not good:
        raise _Cannot(
            f"do_rescale is {shown(given.get('do_rescale', True))} and rescale_factor"
            f" {shown(factor)}; the network takes pixels / 255, rescale_factor {RESCALE:.6g}"
        )
    if not given.get("do_normalize", True):
        return {"mean": (0.0,) * vit.channels, "std": (1.0,) * vit.channels}
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in (("mean", given.get("image_mean")), ("std", given.get("image_std")))
        if value is not None
    }
