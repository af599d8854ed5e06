"""preprocessor_config.json: what transformers' processors do, taken, told or refused."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vaqf.errors import InputError
from vaqf.images import pictures
from vaqf.model import preprocessor, zoo
from vaqf.model.vit import HALF, IMAGENET_MEAN, IMAGENET_STD

VIT, DEIT = zoo.load("vit_base"), zoo.load("deit_base")  # with timm's preprocessing
# the public files of google/vit-base-patch16-224 and facebook/deit-base-patch16-224
GOOGLE = {
    "do_normalize": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "resample": 2,
    "size": 224,
}
FACEBOOK = {
    "crop_size": 224,
    "do_center_crop": True,
    "do_normalize": True,
    "do_resize": True,
    "feature_extractor_type": "DeiTFeatureExtractor",
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
    "resample": 3,
    "size": 256,
}
# the same, as transformers has written them since
NEW_GOOGLE = GOOGLE | {
    "image_processor_type": "ViTImageProcessor",
    "do_rescale": True,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 224, "width": 224},
    "do_convert_rgb": None,
}
NEW_FACEBOOK = FACEBOOK | {
    "image_processor_type": "DeiTImageProcessor",
    "do_rescale": True,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 256, "width": 256},
    "crop_size": {"height": 224, "width": 224},
}


def beside(folder: Path, content: object) -> Path:
    """A checkpoint's path with such a file beside it."""
    (folder / preprocessor.NAME).write_text(json.dumps(content))
    return folder / "model.safetensors"


@pytest.mark.parametrize("content", [GOOGLE, NEW_GOOGLE])
def test_google_vit(tmp_path: Path, content: dict[str, Any]) -> None:
    taken, notes = preprocessor.beside(beside(tmp_path, content), VIT)
    assert taken == replace(VIT, resize="squash", crop=1.0, interpolation="bilinear")
    assert taken.mean == HALF
    assert notes == (
        "preprocessing of model.safetensors from preprocessor_config.json: resize squash (not"
        " shorter), crop 1 (not 0.9), interpolation bilinear (not bicubic)",
    )
    named = zoo.load("google/vit-base-patch16-224")
    assert preprocessor.beside(tmp_path / "model.safetensors", named) == (named, ())


@pytest.mark.parametrize("content", [FACEBOOK, NEW_FACEBOOK])
def test_facebook_deit(tmp_path: Path, content: dict[str, Any]) -> None:
    taken, (note,) = preprocessor.beside(beside(tmp_path, content), VIT)
    assert (taken.resize, taken.crop, taken.interpolation) == ("squash", 0.875, "bicubic")
    assert (taken.mean, taken.std) == (IMAGENET_MEAN, IMAGENET_STD)
    assert note.endswith(
        "crop 0.875 (not 0.9), mean 0.485/0.456/0.406 (not 0.5/0.5/0.5),"
        " std 0.229/0.224/0.225 (not 0.5/0.5/0.5)"
    )
    named = zoo.load("facebook/deit-base-patch16-224")
    assert preprocessor.beside(tmp_path / "model.safetensors", named) == (named, ())


@pytest.mark.parametrize("shape", [(60, 90), (300, 200), (224, 224)])
def test_pixels_are_those_of_the_processor(tmp_path: Path, shape: tuple[int, int]) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    whole = Image.fromarray(levels)
    whole.save(tmp_path / "a.png")
    taken, _ = preprocessor.beside(beside(tmp_path, NEW_FACEBOOK), VIT)
    wanted = whole.resize((256, 256), Image.Resampling.BICUBIC).crop((16, 16, 240, 240))
    decoded = pictures.decode(tmp_path / "a.png", taken)
    assert np.array_equal(pictures.fit(decoded, taken), np.asarray(wanted))


@pytest.mark.parametrize("size", range(224, 620, 7))
def test_any_size_comes_back_from_the_crop(tmp_path: Path, size: int) -> None:
    content = FACEBOOK | {"size": {"shortest_edge": size}}
    taken, _ = preprocessor.beside(beside(tmp_path, content), VIT)
    assert (taken.resize, int(224 / taken.crop)) == ("shorter", size)


def test_what_is_not_said_stays(tmp_path: Path) -> None:
    assert preprocessor.beside(None, DEIT) == (DEIT, ())
    assert preprocessor.beside(tmp_path / "model.safetensors", DEIT) == (DEIT, ())
    plain, _ = preprocessor.beside(beside(tmp_path, NEW_FACEBOOK | {"do_normalize": False}), DEIT)
    assert (plain.mean, plain.std) == ((0.0,) * 3, (1.0,) * 3)
    shorter = FACEBOOK | {"image_processor_type": "CLIPImageProcessor", "default_to_square": False}
    taken, _ = preprocessor.beside(beside(tmp_path, shorter), DEIT)
    assert (taken.resize, taken.crop) == ("shorter", 0.875)


@pytest.mark.parametrize("lacking", ["size", "resample", "image_mean", "image_std", None])
@pytest.mark.parametrize("kind", preprocessor.DEFAULTS)
def test_what_is_not_said_is_the_class_of_transformers(
    tmp_path: Path, kind: str, lacking: str | None
) -> None:
    """lacking None: of all that a file may say the type alone is there."""
    name = f"{kind}ImageProcessor"
    content = NEW_GOOGLE | {"image_processor_type": name, "crop_size": 224}
    content = {"image_processor_type": name} if lacking is None else content
    content.pop(lacking or "", None)
    own = getattr(pytest.importorskip("beside_torch").transformers, f"{name}Pil")
    levels = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    Image.fromarray(levels).save(tmp_path / "a.png")
    taken, _ = preprocessor.beside(beside(tmp_path, content), VIT)
    pixels = pictures.fit(pictures.decode(tmp_path / "a.png", taken), taken)
    ours = (pixels / 255 - np.array(taken.mean)) / np.array(taken.std)
    theirs = own.from_pretrained(tmp_path)(Image.open(tmp_path / "a.png"), return_tensors="np")
    np.testing.assert_allclose(ours, theirs["pixel_values"][0].transpose(1, 2, 0), atol=1e-5)


def test_an_unknown_processor_must_say_all(tmp_path: Path) -> None:
    content = NEW_FACEBOOK | {"image_processor_type": "CLIPImageProcessor"}
    preprocessor.beside(beside(tmp_path, content), DEIT)
    for key in ("size", "resample", "image_mean", "image_std"):
        less = {name: value for name, value in content.items() if name != key}
        with pytest.raises(InputError, match=f"lacks {key}, and .* is 'CLIPImageProcessor'; give"):
            preprocessor.beside(beside(tmp_path, less), DEIT)
    with pytest.raises(InputError, match=r"lacks size, resample, .* is missing; give them"):
        preprocessor.beside(beside(tmp_path, {}), DEIT)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"do_resize": False}, "do_resize is false"),
        ({"do_resize": 1}, "do_resize is 1; it must be true or false"),
        ({"size": {"height": 224, "width": 256}}, "equal height and width, or shortest_edge"),
        ({"size": {"shortest_edge": 224, "longest_edge": 300}}, "equal height and width"),
        ({"size": {"shortest_edge": 224}}, "leaves no square"),
        ({"size": 384}, "gives pictures of 384 x 384, and vit_base takes 224 x 224"),
        ({"size": 256, "crop_size": 192}, "gives pictures of 192 x 192"),
        ({"size": 200, "crop_size": 224}, "size is 200, less than crop_size 224"),
        ({"size": 256, "do_center_crop": True}, "there is no crop_size"),
        ({"size": 10**9}, "size is 1000000000; it must be a whole number, 1 to 16384"),
        ({"size": "224"}, "size is '224'; it must be a whole number"),
        ({"image_processor_type": "CLIPImageProcessor"}, "'CLIPImageProcessor' that may be a sq"),
        ({"image_processor_type": ["ViT"]}, "it must be a text"),
        ({"resample": 4}, r"resample is 4; it must be one of 0 \(nearest\), 1 \(lanczos\)"),
        ({"resample": True}, "resample is True"),
        ({"do_rescale": False}, "the network takes pixels / 255"),
        ({"rescale_factor": 1 / 127.5}, r"rescale_factor 0\.0078.* takes pixels / 255"),
        ({"image_mean": [0.5]}, r"mean is \(0.5,\); it must be 3 number"),
        ({"image_std": [0, 1, 1]}, "std is 0; it must be a number"),
        ({"image_mean": 0.5}, "mean is 0.5; it must be 3 number"),
        ({"crop_pct": 0.875}, "it has 'crop_pct', which is not known here; known are"),
    ],
)
def test_what_the_network_cannot_do_is_refused(
    tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    weights = beside(tmp_path, GOOGLE | change)
    with pytest.raises(InputError, match=why) as refused:
        preprocessor.beside(weights, VIT)
    assert str(refused.value).startswith(f"{tmp_path / preprocessor.NAME}: ")
    assert str(refused.value).endswith(
        "; put it elsewhere to build with the preprocessing of vit_base"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "holds no JSON object"),
        ("{", "is no JSON"),
        ('{"size": 1, "size": 2}', "has the key 'size' twice"),
        (" " * (preprocessor.MAX_BYTES + 1), "larger than"),
    ],
)
def test_a_damaged_file(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / preprocessor.NAME).write_text(text)
    with pytest.raises(InputError, match=why):
        preprocessor.beside(tmp_path / "model.safetensors", VIT)


def test_a_pipe_or_a_dead_link_is_not_waited_for(tmp_path: Path) -> None:
    place = tmp_path / preprocessor.NAME
    os.mkfifo(place)
    with pytest.raises(InputError, match=preprocessor.NAME):
        preprocessor.beside(tmp_path / "model.safetensors", VIT)
    place.unlink()
    place.symlink_to(tmp_path / "absent")
    with pytest.raises(InputError, match=preprocessor.NAME):
        preprocessor.beside(tmp_path / "model.safetensors", VIT)
