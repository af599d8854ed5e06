"""The model zoo, its names, and models from YAML."""

import errno
import os
from dataclasses import replace
from typing import Any

import pytest

from vaqf.arithmetic import widths
from vaqf.errors import InputError
from vaqf.hardware.command import FIELD_BITS
from vaqf.model import vit, zoo
from vaqf.model.vit import Vit


def test_every_model_loads_by_its_short_name_in_any_case() -> None:
    for name in zoo.names():
        assert zoo.load(name).name == name
        assert zoo.load(name.upper()) == zoo.load(name)


@pytest.mark.parametrize(
    ("timm", "short"),
    [
        ("deit_base_patch16_224", "deit_base"),
        ("deit_base_patch16_224.fb_in1k", "deit_base"),
        ("timm/deit_tiny_distilled_patch16_224", "deit_tiny_distilled"),
        ("deit_base_distilled_patch16_384", "deit_base_distilled_384"),
        ("vit_small_patch32_384", "vit_small_patch32_384"),
        ("vit_large_patch16_224.augreg_in21k_ft_in1k", "vit_large"),
        ("vit_base_patch32_224", "vit_base_patch32"),
    ],
)
def test_timm_names(timm: str, short: str) -> None:
    assert zoo.load(timm) == zoo.load(short)


@pytest.mark.parametrize(
    ("name", "size", "patch", "dim", "crop", "registers"),
    [
        ("deit3_small_patch16_224", 224, 16, 384, 0.9, 0),
        ("timm/deit3_medium_patch16_224.fb_in22k_ft_in1k", 224, 16, 512, 1.0, 0),
        ("deit3_large_patch16_384.fb_in1k", 384, 16, 1024, 1.0, 0),
        ("vit_base_patch14_dinov2", 518, 14, 768, 1.0, 0),
        ("vit_large_patch14_reg4_dinov2.lvd142m", 518, 14, 1024, 1.0, 4),
        ("torchvision/vit_b_16", 224, 16, 768, 0.875, 0),
        ("vit_l_32", 224, 32, 1024, 0.875, 0),
    ],
)
def test_public_models_without_a_short_name(
    name: str, size: int, patch: int, dim: int, crop: float, registers: int
) -> None:
    model = zoo.load(name)
    assert (model.image_size, model.patch_size, model.dim) == (size, patch, dim)
    assert (model.crop, model.registers, model.mean) == (crop, registers, vit.IMAGENET_MEAN)
    assert model.interpolation == ("bilinear" if name.endswith(("b_16", "l_32")) else "bicubic")


def test_normalization_is_that_of_the_weights() -> None:
    assert zoo.load("deit_base").mean == vit.IMAGENET_MEAN
    assert zoo.load("deit_base").std == vit.IMAGENET_STD
    assert zoo.load("vit_base").mean == zoo.load("vit_base").std == (0.5, 0.5, 0.5)
    assert {zoo.load(name).ln_eps for name in zoo.names()} == {1e-6}
    assert zoo.load("deit_base").crop == 0.9
    assert zoo.load("deit_base_384").crop == zoo.load("vit_tiny_384").crop == 1.0


def test_hugging_face_names_have_transformers_eps_and_preprocessing() -> None:
    deit = zoo.load("facebook/deit-base-patch16-224")
    ours = replace(deit, name="deit_base", ln_eps=1e-6, crop=0.9, resize="shorter")
    assert ours == zoo.load("deit_base")
    assert (deit.name, deit.ln_eps) == ("facebook-deit-base-patch16-224", 1e-12)
    assert (deit.crop, deit.resize) == (224 / 256, "squash")
    google = zoo.load("google/vit-large-patch16-384")
    assert (google.dim, google.crop, google.interpolation) == (1024, 1.0, "bilinear")


def test_shapes_of_the_zoo() -> None:
    shapes = {
        name: (m.tokens, m.dim, m.depth, m.heads, m.head_dim, m.hidden)
        for name in zoo.names()
        for m in [zoo.load(name)]
    }
    assert shapes["deit_base"] == (197, 768, 12, 12, 64, 3072)
    assert shapes["deit_base_distilled_384"] == (578, 768, 12, 12, 64, 3072)
    assert shapes["vit_large"] == (197, 1024, 24, 16, 64, 4096)
    assert shapes["vit_base_patch32"] == (50, 768, 12, 12, 64, 3072)
    assert shapes["vit_digits"] == (17, 64, 4, 4, 16, 256)
    assert shapes["vit_shapes"] == (17, 64, 4, 4, 16, 256)


def test_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean deit_base"):
        zoo.load("deit_bas")
    with pytest.raises(InputError, match="known are deit_tiny"):
        zoo.load("vit_base_patch16_224.dino")
    with pytest.raises(InputError, match="did you mean vit_small_patch14_reg4_dinov2"):
        zoo.load("vit_small_patch14_reg_dinov2")
    for name in (
        "vit_small_patch14_reg4_dinov2.fb_in1k",
        "google/vit_b_16",
        "torchvision/deit_base",
    ):
        with pytest.raises(InputError, match="unknown model"):
            zoo.load(name)


@pytest.mark.parametrize("ratio", [4, 4.0, 2.6666666666666665, 1 / 192, 1.25])
def test_mlp_ratio_is_a_number_that_gives_whole_channels(ratio: float) -> None:
    assert Vit(mlp_ratio=ratio).hidden == round(192 * ratio)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "a;b"),
        ("name", "a\nb"),
        ("name", "x" * 65),
        ("name", ".."),
        ("name", 3),
        ("image_size", 0),
        ("image_size", 225),
        ("image_size", True),
        ("patch_size", 1),
        ("channels", -1),
        ("dim", 0),
        ("dim", 2048),
        ("dim", 193),
        ("dim", "192"),
        ("depth", 10**9),
        ("depth", 0),
        ("heads", 5),
        ("heads", float("nan")),
        ("mlp_ratio", float("nan")),
        ("mlp_ratio", float("inf")),
        ("mlp_ratio", -4.0),
        ("mlp_ratio", 0.3333),
        ("mlp_ratio", 1e9),
        ("classes", 0),
        ("classes", 10**7),
        ("distilled", 1),
        ("ln_eps", float("nan")),
        ("ln_eps", -1e-6),
        ("crop", 1.1),
        ("interpolation", "cubic"),
        ("mean", (0.5,)),
        ("mean", (0.5, 0.5, float("nan"))),
        ("std", (0.0, 0.5, 0.5)),
        ("std", "abc"),
    ],
)
def test_bad_values_are_named(field: str, value: object) -> None:
    wanted = "tokens" if field == "patch_size" else field
    with pytest.raises(InputError, match=wanted):
        Vit(**{field: value})  # type: ignore[arg-type]


def test_limits_are_inclusive() -> None:
    assert Vit(dim=widths.MAX_DIM, heads=16).dim == widths.MAX_DIM


def test_yaml_model(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "mine.yaml"
    path.write_text("dim: 96\nheads: 4\ndepth: 2\n")
    assert zoo.load(str(path)) == Vit(name="mine", dim=96, heads=4, depth=2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dim: 96\ndim: 97", "twice"),
        ("dimm: 96", "did you mean dim"),
        ("[1, 2]", "mapping"),
        ("", "mapping"),
        ("3: 4", "keys must be words"),
        ("a: &x [1]\nb: *x", "anchors"),
        ("dim: !!python/object:os.system x", "tag"),
        ("dim: " + "[" * 50 + "]" * 50, "nested"),
        ("[" * 20_000, "nested|not valid YAML"),
        ("dim: {a: 1, a: 2}", "twice"),
        ("dim: [", "not valid YAML"),
        ("dim: .nan", "dim"),
        ("dim: " + "9" * 5000, "dim|cannot be read"),
        ("channels: 1", "mean and std"),
        ("x: 2000-99-99", "cannot be read|unknown key"),
        ("? [1, 2]\n: 3", "not valid YAML|keys must be words"),
        ("#" * 70_000, "larger"),
    ],
)
def test_hostile_yaml_is_one_sentence(tmp_path, text: str, says: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=says) as caught:
        zoo.load(str(path))
    assert "\n" not in str(caught.value)


def test_file_errors(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "latin.yaml").write_bytes(b"name: \xff")
    with pytest.raises(InputError, match="UTF-8"):
        zoo.load(str(tmp_path / "latin.yaml"))
    with pytest.raises(InputError, match=os.strerror(errno.ENOENT)):
        zoo.load(str(tmp_path / "none.yaml"))
    with pytest.raises(InputError, match="folder"):
        zoo.load(str(tmp_path))
    with pytest.raises(InputError):
        zoo.load("a\0b.yaml")


def test_a_command_holds_the_most_classes_and_heads() -> None:
    assert 2 ** FIELD_BITS["outputs"] - 1 == vit.MAX_CLASSES
    assert 2 ** FIELD_BITS["heads"] - 1 == vit.MAX_HEADS


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("a", "b"), "has 2 names; classes is 3"),
        (("a", "b", "a"), "'a' twice"),
        (("a", "b", ""), "a name is a text of 1 to 200 letters"),
        (("a", "b", True), "True; a name is a text .* in quotes"),
        ("abc", "must be a list of names"),
    ],
)
def test_class_names_that_are_none(names: Any, said: str) -> None:
    with pytest.raises(InputError, match=f"class_names .*{said}"):
        Vit(classes=3, class_names=names)


def test_models_are_equal_whatever_their_classes_are_called() -> None:
    assert Vit(classes=2, class_names=("a", "b")) == Vit(classes=2)
