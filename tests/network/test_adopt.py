"""adopt.py: other layouts become ours, exactly where that is possible; what is not is named."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vaqf.errors import InputError
from vaqf.model import zoo
from vaqf.model.vit import Vit
from vaqf.network import parameters
from vaqf.network.adopt import FloatModel, adopt

VIT = Vit(
    name="small", image_size=16, patch_size=8, dim=24, depth=2, heads=3, mlp_ratio=2, classes=5
)
DISTILLED = replace(VIT, distilled=True)
REGISTERS = replace(VIT, image_size=24, registers=3)
Params = dict[str, np.ndarray]


def made(vit: Vit, **changes: np.ndarray | None) -> Params:
    """Seeded parameters with some changed, None: without."""
    params = parameters.random(vit, 1) | changes
    return {name: value for name, value in params.items() if value is not None}


def read(vit: Vit, params: Params) -> FloatModel:
    return adopt(Path("w.safetensors"), params, vit)


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


@pytest.mark.parametrize(
    "names",
    [
        ("blocks.{}.ls1.gamma", "blocks.{}.ls2.gamma"),  # timm
        ("blocks.{}.gamma_1", "blocks.{}.gamma_2"),  # DeiT's own
        ("encoder.layer.{}.layer_scale1.lambda1", "encoder.layer.{}.layer_scale2.lambda1"),
    ],
)
def test_layer_scale_is_folded(names: tuple[str, str]) -> None:
    rng = np.random.default_rng(0)
    plain, scales = made(VIT), {}
    expected = dict(plain)
    for block in range(VIT.depth):
        for name, layer in zip(names, ("attn.proj", "mlp.fc2"), strict=True):
            gamma = rng.normal(size=24).astype(np.float32)
            scales[name.format(block)] = gamma
            weight, bias = (f"blocks.{block}.{layer}.{leaf}" for leaf in ("weight", "bias"))
            expected[weight] = gamma[:, None] * plain[weight]
            expected[bias] = gamma * plain[bias]
    found = read(VIT, plain | scales)
    for name, value in expected.items():
        np.testing.assert_array_equal(found.params[name], value, err_msg=name)
    assert found.notes == ("LayerScale is folded into attn.proj and mlp.fc2",)


def test_registers_are_tokens_behind_the_class_token() -> None:
    """timm gives positions to the patches alone, DINOv2 to the class token too."""
    params = made(REGISTERS)
    assert params["reg_token"].shape == (1, 3, 24)
    patches = params["pos_embed"][:, 4:]
    zeros = np.zeros((1, 3, 24), np.float32)
    alone = read(REGISTERS, params | {"pos_embed": patches})
    np.testing.assert_array_equal(
        alone.params["pos_embed"], np.concatenate([zeros[:, :1], zeros, patches], axis=1)
    )
    with_class = params | {"pos_embed": np.concatenate([params["pos_embed"][:, :1], patches], 1)}
    with_class["register_tokens"] = with_class.pop("reg_token")
    with_class["mask_token"] = np.zeros((1, 24), np.float32)
    found = read(REGISTERS, with_class)
    np.testing.assert_array_equal(
        found.params["pos_embed"],
        np.concatenate([params["pos_embed"][:, :1], zeros, patches], axis=1),
    )
    assert found.notes == ("mask_token: left out, no classifier reads it",)


def test_one_head_of_a_distilled_model_is_the_mean_of_two() -> None:
    params = made(DISTILLED, **{"head_dist.weight": None, "head_dist.bias": None})
    found = read(DISTILLED, params)
    for leaf in ("weight", "bias"):
        one, two = found.params[f"head.{leaf}"], found.params[f"head_dist.{leaf}"]
        np.testing.assert_array_equal((one + two) / 2, params[f"head.{leaf}"])
        assert not two.any()
    assert "one head" in found.notes[0]


@pytest.mark.parametrize("old", [1, 3, 5, 8, 37])
def test_positions_of_another_grid(old: int) -> None:
    """As timm's resample_abs_pos_embed has torch do it; those of the class token stay."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(old)
    params = made(VIT)
    params["pos_embed"] = rng.normal(size=(1, 1 + old**2, 24)).astype(np.float32)
    vit = replace(VIT, image_size=32)  # 4 x 4 patches
    found = read(vit, params)
    planes = torch.from_numpy(params["pos_embed"][0, 1:].T.copy()).reshape(1, 24, old, old)
    wanted = torch.nn.functional.interpolate(planes, (4, 4), mode="bicubic", antialias=True)
    position = found.params["pos_embed"]
    np.testing.assert_array_equal(position[:, :1], params["pos_embed"][:, :1])
    np.testing.assert_allclose(
        position[0, 1:], wanted.reshape(24, 16).numpy().T, rtol=1e-5, atol=1e-6
    )
    assert found.notes == (f"pos_embed is interpolated from {old} x {old} to 4 x 4 patches",)


def test_torchvisions_names() -> None:
    params = made(VIT)
    top = {
        "class_token": "cls_token",
        "encoder.pos_embedding": "pos_embed",
        **{f"conv_proj.{leaf}": f"patch_embed.proj.{leaf}" for leaf in ("weight", "bias")},
        **{f"encoder.ln.{leaf}": f"norm.{leaf}" for leaf in ("weight", "bias")},
        **{f"heads.head.{leaf}": f"head.{leaf}" for leaf in ("weight", "bias")},
    }
    for block in range(2):
        for leaf in ("weight", "bias"):
            inside = {
                f"ln_1.{leaf}": f"norm1.{leaf}",
                f"ln_2.{leaf}": f"norm2.{leaf}",
                f"self_attention.in_proj_{leaf}": f"attn.qkv.{leaf}",
                f"self_attention.out_proj.{leaf}": f"attn.proj.{leaf}",
                f"mlp.0.{leaf}": f"mlp.fc1.{leaf}",
                f"mlp.3.{leaf}": f"mlp.fc2.{leaf}",
            }
            for theirs, ours in inside.items():
                top[f"encoder.layers.encoder_layer_{block}.{theirs}"] = f"blocks.{block}.{ours}"
    found = read(VIT, {theirs: params[ours] for theirs, ours in top.items()})
    assert len(top) == len(params)
    for name, value in params.items():
        np.testing.assert_array_equal(found.params[name], value)


def renamed(old: str, new: str) -> Callable[[Params], Params]:
    return lambda params: {
        new + name.removeprefix(old) if name.startswith(old) else name: value
        for name, value in params.items()
    }


NAMED: dict[str, tuple[Callable[[Params], Params], str]] = {
    "mean pool": (renamed("norm.", "fc_norm."), "mean-pooled head, .* reads the class token"),
    "class and mean": (
        lambda p: p | {"head.weight": ones(5, 48)},
        "beside the mean of the patches .* class token alone",
    ),
    "backbone": (
        lambda p: {n: v for n, v in p.items() if not n.startswith("head")},
        "no classifier",
    ),
    "registers": (lambda p: p | {"reg_token": ones(1, 4, 24)}, "4 .* and small 0; .* registers: 4"),
    "distilled": (
        lambda p: p | {"dist_token": ones(1, 1, 24), "pos_embed": ones(1, 6, 24)},
        "a distillation token and small none; .* distilled: true",
    ),
    "depth": (renamed("blocks.1.", "blocks.2."), "3 blocks and small 2; .* depth: 3"),
    "BEiT": (lambda p: p | {"blocks.0.attn.q_bias": ones(24)}, "relative position bias"),
    "too many": (lambda p: p | {"reg_token": ones(1, 14, 24)}, "14 register tokens; .* takes 13"),
    "no square": (lambda p: p | {"pos_embed": ones(1, 8, 24)}, "8 rows, which is no square grid"),
    "classes": (lambda p: p | {"head.weight": ones(7, 24)}, "7 classes .* classes: 7"),
    "bias": (
        lambda p: {n: v for n, v in p.items() if not n.endswith("qkv.bias")},
        "have no bias .* qkv_bias: false",
    ),
    "norm": (lambda p: p | {"blocks.0.attn.q_norm.weight": ones(8)}, "normalized queries"),
    "clip": (lambda p: p | {"norm_pre.weight": ones(24)}, "before the first block"),
    "gate": (lambda p: p | {"blocks.0.mlp.w12.weight": ones(96, 24)}, "SwiGLU"),
    "beit": (
        lambda p: p | {"blocks.0.attn.relative_position_bias_table": ones(9, 3)},
        "relative position bias",
    ),
}


@pytest.mark.parametrize("case", NAMED)
def test_what_is_not_supported_is_named(case: str) -> None:
    change, said = NAMED[case]
    with pytest.raises(InputError, match=said) as caught:
        read(VIT, change(made(VIT)))
    assert "check --model" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_readings_of_positions_are_refused() -> None:
    """25 rows: 9 tokens and 4 x 4 patches, or 5 x 5 patches alone."""
    vit = replace(VIT, image_size=32, registers=8)
    with pytest.raises(InputError, match=r"of 0 tokens and 5 x 5 or of 9 tokens and 4 x 4 patches"):
        read(vit, made(vit))
    ours = adopt(Path("w.float.safetensors"), made(vit), vit, ours=True)
    np.testing.assert_array_equal(ours.params["pos_embed"], made(vit)["pos_embed"])


@pytest.mark.parametrize(
    "wrap",
    [
        "_fsdp_wrapped_module.{}",
        "_forward_module.module.{}",
        "module._checkpoint_wrapped_module.{}",
        "model.model._orig_mod.{}",
    ],
)
def test_wrappers_before_a_name(wrap: str) -> None:
    params = made(VIT)
    found = read(VIT, {wrap.format(name): value for name, value in params.items()})
    assert all(np.array_equal(found.params[name], value) for name, value in params.items())
    assert found.notes == ()


def test_wrappers_within_a_name_and_chunks_of_blocks() -> None:
    params = made(VIT)
    inside = {name.replace("attn.", "_fsdp_wrapped_module.attn."): v for name, v in params.items()}
    chunks = {name.replace("blocks.", "blocks.0."): value for name, value in params.items()}
    for names in (inside, chunks):
        found = read(VIT, names)
        assert all(np.array_equal(found.params[name], value) for name, value in params.items())


@pytest.mark.parametrize("prefix", ["backbone.", "net.", "student.backbone.", "encoder."])
def test_a_model_within_another(prefix: str) -> None:
    params = made(VIT)
    outside = {
        name if name.startswith("head") else prefix + name: value for name, value in params.items()
    }
    found = read(VIT, outside)
    assert all(np.array_equal(found.params[name], value) for name, value in params.items())
    assert found.notes == (f"names are read without '{prefix}' before them",)


def test_two_models_in_one_file() -> None:
    both = {
        f"{who}.{name}": value
        for who in ("student", "teacher")
        for name, value in made(VIT).items()
    }
    with pytest.raises(InputError, match=r"holds 2 models, .* 'student\.' and 'teacher\.'; save"):
        read(VIT, both)


def test_models_that_a_file_fits_are_told_with_their_preprocessing() -> None:
    tiny = parameters.random(zoo.load("deit_tiny"), 1)
    with pytest.raises(InputError, match="fits the shapes of deit_tiny, vit_tiny, which prepare"):
        read(VIT, tiny)
    new = {"patch_embed.": "embeddings.patch_embeddings.", "pos_e": "embeddings.position_e"}
    for old, name in new.items():
        tiny = {
            key.replace(old, name).replace("ings.proj.", "ings.projection."): value
            for key, value in tiny.items()
        }
    tiny["embeddings.position_embeddings"] = tiny.pop("embeddings.position_embed")
    with pytest.raises(InputError, match="of facebook/deit-tiny-patch16-224, google/vit-tiny"):
        read(VIT, tiny)


def test_no_bias_where_the_file_has_one() -> None:
    with pytest.raises(InputError, match=r"qkv have a bias .* qkv_bias: true"):
        read(replace(VIT, qkv_bias=False), made(VIT))
