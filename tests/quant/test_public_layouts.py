"""Float models of public layouts: a file of theirs and a photograph give their own logits.

Each library's own class with seeded random weights (nothing is downloaded), saved as it saves them,
and its own preprocessing of the same file; ours is what `evaluate --float` runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file
from sklearn.datasets import load_sample_images

from vaqf.images.pictures import decode, fit
from vaqf.model import zoo
from vaqf.model.vit import Vit
from vaqf.model.workload import workload
from vaqf.quant import inference
from vaqf.quant.files import floatmodel

torch = pytest.importorskip("torch")
libraries = pytest.importorskip("beside_torch")
timm, torchvision, transformers = libraries.timm, libraries.torchvision, libraries.transformers

CLASSES = 10  # fewer than theirs: the head is the same layer
MAX_ERROR = 1e-4  # relative L2 of all logits of a model
SMALL_MACS = 2e9  # a model above it runs two of the photographs, or the test would take minutes
Preprocess = Callable[[Image.Image], Any]  # to [3, S, S], normalized


@dataclass(frozen=True)
class Reference:
    """What a library has."""

    model: Any
    preprocess: Preprocess
    logits: Callable[[Any], Any]  # of what it preprocessed, [B, 3, S, S]


def of_timm(name: str) -> Reference:
    model = timm.create_model(name, pretrained=False, num_classes=CLASSES)
    config = timm.data.resolve_model_data_config(model)
    if name.endswith(".fb_in22k_ft_in1k"):
        assert config["crop_pct"] == 1.0
    return Reference(model, timm.data.create_transform(**config), model)


def of_transformers(config: Any, kind: str, processor: Any) -> Reference:
    """processor: its image processor on Pillow, which resizes as the weights were evaluated."""
    model = getattr(transformers, f"{kind}ForImageClassification")(config)
    return _hugging_face(model, processor)


def _hugging_face(model: Any, processor: Any) -> Reference:
    def preprocess(picture: Image.Image) -> Any:
        return processor(picture.convert("RGB"), return_tensors="pt")["pixel_values"][0]

    return Reference(model, preprocess, lambda pixels: model(pixels).logits)


def sizes(vit: Vit) -> dict[str, Any]:
    return {
        "hidden_size": vit.dim,
        "num_hidden_layers": vit.depth,
        "num_attention_heads": vit.heads,
        "intermediate_size": vit.hidden,
        "image_size": vit.image_size,
        "patch_size": vit.patch_size,
        "num_labels": CLASSES,
    }


def google(vit: Vit) -> Reference:
    """Its preprocessor_config.json: 224 x 224, resample 2, mean and deviation 0.5."""
    size = {"height": vit.image_size, "width": vit.image_size}
    processor = transformers.ViTImageProcessorPil(size=size)
    return of_transformers(transformers.ViTConfig(**sizes(vit)), "ViT", processor)


def facebook(vit: Vit) -> Any:
    """Its preprocessor_config.json: 256, the middle 224, resample 3, ImageNet's mean."""
    before = round(vit.image_size / vit.crop)
    return transformers.DeiTImageProcessorPil(
        size={"height": before, "width": before},
        crop_size={"height": vit.image_size, "width": vit.image_size},
        image_mean=list(vit.mean),
        image_std=list(vit.std),
        resample=3,
    )


def deit(vit: Vit) -> Reference:
    return of_transformers(transformers.ViTConfig(**sizes(vit)), "ViT", facebook(vit))


def deit_one_head(vit: Vit) -> Reference:
    return of_transformers(transformers.DeiTConfig(**sizes(vit)), "DeiT", facebook(vit))


def deit_two_heads(vit: Vit) -> Reference:
    config = transformers.DeiTConfig(**sizes(vit))
    return _hugging_face(transformers.DeiTForImageClassificationWithTeacher(config), facebook(vit))


def of_torchvision(_: Vit) -> Reference:
    weights = torchvision.models.ViT_B_32_Weights.IMAGENET1K_V1
    model = torchvision.models.vit_b_32(num_classes=CLASSES)
    return Reference(model, weights.transforms(), model)


TIMM = (
    "vit_tiny_patch16_224.augreg_in21k_ft_in1k",
    "vit_small_patch32_384.augreg_in21k_ft_in1k",
    "deit_tiny_patch16_224.fb_in1k",
    "deit_tiny_distilled_patch16_224.fb_in1k",
    "deit3_small_patch16_224.fb_in1k",
    "deit3_medium_patch16_224.fb_in22k_ft_in1k",
    "vit_small_patch14_dinov2",
    "vit_small_patch14_reg4_dinov2",
)
LAYOUTS: dict[str, tuple[str, Callable[[Vit], Reference]]] = {
    **{name: (name, lambda _, name=name: of_timm(name)) for name in TIMM},
    "ViT of transformers": ("google/vit-base-patch16-224", google),
    "DeiT of transformers": ("facebook/deit-tiny-patch16-224", deit),
    "DeiT of transformers, one head": ("facebook/deit-tiny-distilled-patch16-224", deit_one_head),
    "DeiT of transformers, two heads": ("facebook/deit-tiny-distilled-patch16-224", deit_two_heads),
    "torchvision": ("torchvision/vit_b_32", of_torchvision),
}


def randomize(model: Any, seed: int) -> None:
    """Weights of which none is too small to matter: scales of layers, tokens, positions too."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            draw = torch.randn(tensor.shape, generator=generator)
            if tensor.ndim > 1 and "token" not in name and "pos" not in name:
                tensor.copy_(draw / tensor[0].numel() ** 0.5)
            elif tensor.ndim == 1 and not name.endswith("bias"):
                tensor.copy_(1 + 0.2 * draw)
            else:
                tensor.copy_(0.3 * draw)
    model.eval()


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """scikit-learn's two, whole and cut: wide, tall, square, smaller than any model's images."""
    folder = tmp_path_factory.mktemp("photographs")
    china, flower = load_sample_images().images
    cuts = {
        "china.png": china,
        "flower.jpg": flower,
        "tall.png": china[:, 100:301],
        "square.png": flower[:, 50:477],
        "small.png": flower[100:163, 200:301],
        "wide.png": china[150:250],
    }
    for name, pixels in cuts.items():
        Image.fromarray(pixels).save(folder / name)
    return [folder / name for name in cuts]


def save(reference: Reference, folder: Path) -> Path:
    """As its library saves it."""
    if hasattr(reference.model, "save_pretrained"):
        reference.model.save_pretrained(folder)
        return folder / "model.safetensors"
    state = {n: t.numpy().copy() for n, t in reference.model.state_dict().items()}
    save_file(state, folder / "model.safetensors")
    return folder / "model.safetensors"


# the same layout with registers is in the default run
SLOW = {"vit_small_patch14_dinov2"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in LAYOUTS],
)
def test_photographs_give_the_logits_of_the_library(
    name: str, photographs: list[Path], tmp_path: Path
) -> None:
    model_name, make = LAYOUTS[name]
    known = zoo.load(model_name)
    vit = Vit(**{**vars(known), "classes": CLASSES})
    reference = make(vit)
    randomize(reference.model, 1)
    theirs = torch.stack([reference.preprocess(Image.open(path)) for path in photographs])
    pixels = np.stack([fit(decode(path, vit), vit) for path in photographs])
    mean, std = (np.array(values, np.float32) for values in (vit.mean, vit.std))
    ours = (pixels.astype(np.float32) / 255 - mean) / std
    np.testing.assert_allclose(ours, theirs.permute(0, 2, 3, 1).numpy(), atol=1e-5)
    count = len(photographs) if sum(w.macs for w in workload(vit)) < SMALL_MACS else 2
    with torch.no_grad():
        wanted = reference.logits(theirs[:count]).numpy()
    file = save(reference, tmp_path)
    found = inference.float_model(file, vit, floatmodel.load(file, vit).params)(pixels[:count])
    error = float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))
    assert error <= MAX_ERROR
    spread = wanted - wanted.mean(axis=0)  # or any picture would do
    assert np.linalg.norm(spread) > 100 * error * np.linalg.norm(wanted)
