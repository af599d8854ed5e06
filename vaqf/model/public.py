"""Models by the names that timm, Hugging Face's transformers and torchvision give to their weights.

Each has the preprocessing of its library's own configuration.
"""

from dataclasses import replace

from vaqf.model.models import MODELS, OURS
from vaqf.model.vit import Vit


def _timm_name(model: Vit) -> str:
    """deit_base_distilled_384 is timm's deit_base_distilled_patch16_384."""
    stem = model.name.removesuffix("_384").removesuffix("_patch32")
    return f"{stem}_patch{model.patch_size}_{model.image_size}"


def _deit3() -> list[Vit]:
    """DeiT III (arXiv 2204.07118): LayerScale, and positions for the patches alone."""
    widths = (("small", 384, 6, 12), ("medium", 512, 8, 12), ("base", 768, 12, 12))
    return [
        Vit(
            name=f"deit3_{name}_patch16_{size}",
            image_size=size,
            dim=dim,
            heads=heads,
            depth=depth,
            crop=0.9 if size == 224 else 1.0,
        )
        for name, dim, heads, depth in (*widths, ("large", 1024, 16, 24))
        for size in (224, 384)
        if (name, size) != ("medium", 384)
    ]


def _dinov2() -> list[Vit]:
    """DINOv2 (arXiv 2304.07193), without and with registers (arXiv 2309.16588)."""
    widths = (("small", 384, 6, 12), ("base", 768, 12, 12), ("large", 1024, 16, 24))
    return [
        Vit(
            name=f"vit_{name}_patch14_{word}dinov2",
            image_size=518,
            patch_size=14,
            dim=dim,
            heads=heads,
            depth=depth,
            crop=1.0,
            registers=registers,
        )
        for name, dim, heads, depth in widths
        for word, registers in (("", 0), ("reg4_", 4))
    ]


_SHORT = {_timm_name(model): model for model in MODELS if model.name not in OURS}
_TIMM = _SHORT | {model.name: model for model in (*_deit3(), *_dinov2())}
# timm's tags of the weights with these classes and this preprocessing, by how the name begins
_TAGS = {
    "deit": ("fb_in1k",),
    "dinov2": ("lvd142m",),  # a backbone: its head is the user's
    "deit3": ("fb_in1k", "fb_in22k_ft_in1k"),
    "vit": (
        "augreg_in1k",
        "augreg_in21k_ft_in1k",
        "augreg2_in21k_ft_in1k",
        "orig_in21k_ft_in1k",
        "sam_in1k",
    ),
}
_UNCROPPED = ("fb_in22k_ft_in1k",)  # tags whose pictures are evaluated uncropped, at any size

# torchvision's, resized to 256 but for the one
_TORCHVISION = {
    f"vit_{letter}_{patch}": replace(
        _SHORT[f"vit_{size}_patch16_224"],
        name=f"vit_{letter}_{patch}",
        patch_size=patch,
        mean=Vit.mean,
        std=Vit.std,
        crop=224 / (242 if (letter, patch) == ("l", 16) else 256),
        interpolation="bilinear",
    )
    for letter, size in (("b", "base"), ("l", "large"))
    for patch in (16, 32)
}


def timm_names() -> list[str]:
    """Without tags."""
    return [*_TIMM]


def torchvision_names() -> list[str]:
    """Without their owner."""
    return [*_TORCHVISION]


def hugging_face_names() -> list[str]:
    """With their owners."""
    known = ((owner, stem.replace("_", "-")) for owner in ("facebook", "google") for stem in _SHORT)
    return [f"{owner}/{name}" for owner, name in known if _of_hugging_face(owner, name)]


def known(word: str) -> Vit | None:
    """A model by a public name in small letters, with or without its owner; None for others."""
    owner, _, name = word.rpartition("/")
    if owner in ("", "timm") and (model := _of_timm(name)) is not None:
        return model
    if owner in ("", "torchvision"):
        return _TORCHVISION.get(name)
    return _of_hugging_face(owner, name)


def _of_timm(name: str) -> Vit | None:
    stem, dot, tag = name.partition(".")
    model = _TIMM.get(stem)
    if model is None or not dot:
        return model
    family = "dinov2" if stem.endswith("dinov2") else stem.partition("_")[0]
    if tag not in _TAGS[family]:
        return None
    return replace(model, crop=1.0) if tag in _UNCROPPED else model


def _of_hugging_face(owner: str, name: str) -> Vit | None:
    """The same shapes with the eps and preprocessing of transformers' configurations.

    Their image processors squash a picture to a square: facebook/deit-* to 256 (438 for 384),
    cropping the middle; google/vit-* to the image size with bilinear interpolation, cropping
    nothing; it has 1,000 classes.
    """
    model = _SHORT.get(name.replace("-", "_"))
    if model is None or (owner, name.partition("-")[0]) not in (
        ("facebook", "deit"),
        ("google", "vit"),
    ):
        return None
    model = replace(model, name=f"{owner}-{name}", ln_eps=1e-12, resize="squash")
    if owner == "facebook":
        return replace(model, crop=model.image_size / (256 if model.image_size == 224 else 438))
    return replace(model, crop=1.0, interpolation="bilinear")
