"""golden against a float64 forward that nobody here wrote: transformers' ViT and DeiT.

Both sides hold the same binary weights, alpha * sign; golden gets uint8 pixels, transformers the
normalized ones. What remains is the rounding of activations, so the bounds on the relative error
shrink with every bit of precision; each mistake that is made on purpose below breaks them.
"""

import math
import os
from dataclasses import replace

import numpy as np
import pytest

from vaqf.model.vit import Vit
from vaqf.network import calibrate, integerize
from vaqf.network import parameters as checkpoint
from vaqf.sim import golden

os.environ["HF_HUB_OFFLINE"] = "1"
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

# docs/arithmetic.md, "Error bounds": relative L2 error of all logits of IMAGES images, by A
MAX_LOGIT_ERROR = {2: 1.3, 3: 0.6, 4: 0.3, 5: 0.16, 6: 0.09, 7: 0.05, 8: 0.03}
MAX_EMBED_ERROR = 0.02  # relative L2, one image: 8-bit weights
MAX_RESIDUAL_ERROR = 0.02  # relative L2 of each residual stream, one image, A = 8
MAX_DEIT_TINY_ERROR = 0.06  # 12 layers at full size, A = 8
MISTAKE = 5  # every mistake is at least this many times the bound
IMAGES = 8

BASE = Vit(name="base", image_size=32, patch_size=8, dim=48, depth=2, heads=3, classes=11)
MODELS = {
    "deit": BASE,
    "distilled": replace(BASE, name="distilled", distilled=True),
    "vit, mean 0.5, one channel": replace(
        BASE, name="vit", channels=1, patch_size=4, mean=(0.5,), std=(0.5,), heads=2, ln_eps=1e-12
    ),
    "no qkv bias, odd head, patch 16": replace(
        BASE, name="odd", patch_size=16, dim=45, heads=5, mlp_ratio=3.0, qkv_bias=False
    ),
    "deep": replace(BASE, name="deep", depth=8, heads=4),
    "large eps": replace(BASE, name="eps", ln_eps=0.5),
}


def parameters(vit, seed):
    """Random parameters in which nothing is too small to matter: biases, tokens and positions."""
    params = checkpoint.random(vit, seed)
    for name, value in params.items():
        if name.endswith(("norm1.weight", "norm2.weight")) or name == "norm.weight":
            params[name] = 1 + 4 * (value - 1)
        elif name.endswith("bias") or name in ("cls_token", "dist_token", "pos_embed"):
            params[name] = 5 * value
    for i in range(vit.depth):  # the biases of keys shift all scores of a row alike: no effect
        if vit.qkv_bias:
            params[f"blocks.{i}.attn.qkv.bias"][vit.dim : 2 * vit.dim] *= 0.2
    return params


def photos(vit, count, seed=3):
    """Smooth images with a colour of their own each, and some noise."""
    rng = np.random.default_rng(seed)
    size = vit.image_size
    y, x = np.mgrid[0:size, 0:size] / size
    images = []
    for _ in range(count):
        wave = [
            np.sin(2 * np.pi * (a * x + b * y + c)) * 60
            for a, b, c in rng.uniform(-3, 3, (vit.channels, 3))
        ]
        colour = rng.uniform(50, 200, vit.channels)
        noise = rng.normal(0, 20, (size, size, vit.channels))
        images.append(np.stack(wave, axis=-1) + colour + noise)
    return np.clip(np.rint(images), 0, 255).astype(np.uint8)


def state_dict(vit, params):
    """Our parameters with binary encoder weights, under transformers' names."""
    root = "deit" if vit.distilled else "vit"
    source = dict(params)
    for name in integerize.binary_layers(vit):
        binary = integerize.binarize(params[f"{name}.weight"])
        source[f"{name}.weight"] = binary.alpha[:, None] * binary.sign
    out = {
        f"{root}.embeddings.cls_token": source["cls_token"],
        f"{root}.embeddings.position_embeddings": source["pos_embed"],
        f"{root}.embeddings.patch_embeddings.projection.weight": source["patch_embed.proj.weight"],
        f"{root}.embeddings.patch_embeddings.projection.bias": source["patch_embed.proj.bias"],
        f"{root}.layernorm.weight": source["norm.weight"],
        f"{root}.layernorm.bias": source["norm.bias"],
    }
    if vit.distilled:
        out[f"{root}.embeddings.distillation_token"] = source["dist_token"]
    heads = {"cls_classifier": "head", "distillation_classifier": "head_dist"}
    for theirs, ours in heads.items() if vit.distilled else {"classifier": "head"}.items():
        out[f"{theirs}.weight"] = source[f"{ours}.weight"]
        out[f"{theirs}.bias"] = source[f"{ours}.bias"]
    names = {
        "layernorm_before": "norm1",
        "layernorm_after": "norm2",
        "attention.o_proj": "attn.proj",
        "mlp.fc1": "mlp.fc1",
        "mlp.fc2": "mlp.fc2",
    }
    for i in range(vit.depth):
        layer, block = f"{root}.layers.{i}", f"blocks.{i}"
        for theirs, ours in names.items():
            out[f"{layer}.{theirs}.weight"] = source[f"{block}.{ours}.weight"]
            out[f"{layer}.{theirs}.bias"] = source[f"{block}.{ours}.bias"]
        for part, kind in enumerate(("weight", "bias")):
            if part == 1 and not vit.qkv_bias:
                continue
            thirds = np.split(source[f"{block}.attn.qkv.{kind}"], 3)
            for letter, value in zip("qkv", thirds, strict=True):
                out[f"{layer}.attention.{letter}_proj.{kind}"] = value
    return {name: torch.tensor(np.array(value, np.float64)) for name, value in out.items()}


def reference(vit, params, images):
    """float64 logits [B, classes] and residual streams [depth + 1, B, T, D] of transformers."""
    config_of = transformers.DeiTConfig if vit.distilled else transformers.ViTConfig
    config = config_of(
        hidden_size=vit.dim,
        num_hidden_layers=vit.depth,
        num_attention_heads=vit.heads,
        intermediate_size=vit.hidden,
        layer_norm_eps=vit.ln_eps,
        image_size=vit.image_size,
        patch_size=vit.patch_size,
        num_channels=vit.channels,
        qkv_bias=vit.qkv_bias,
        num_labels=vit.classes,
        attn_implementation="sdpa",  # the eager one computes softmax in float32
    )
    model = (
        transformers.DeiTForImageClassificationWithTeacher(config)
        if vit.distilled
        else transformers.ViTForImageClassification(config)
    )
    model = model.double().eval()
    model.load_state_dict(state_dict(vit, params), strict=True)
    pixels = (images / 255.0 - np.array(vit.mean)) / np.array(vit.std)
    with torch.no_grad():
        out = model(torch.tensor(pixels.transpose(0, 3, 1, 2)), output_hidden_states=True)
    assert out.logits.dtype == torch.float64
    return out.logits.numpy(), [h.numpy() for h in out.hidden_states]


def relative(value, wanted):
    return float(np.linalg.norm(value - wanted) / np.linalg.norm(wanted))


def logits_of(net, images):
    return golden.run(net, images) * net.logit_scale


CASES = {}


def case(name):
    """Model, parameters, images and transformers' answer, made once."""
    if name not in CASES:
        vit = MODELS[name]
        params, images = parameters(vit, 11), photos(vit, IMAGES)
        CASES[name] = vit, params, images, reference(vit, params, images)
    return CASES[name]


@pytest.mark.parametrize("act_bits", MAX_LOGIT_ERROR)
def test_logits_agree(act_bits):
    errors = {}
    for name in MODELS:
        vit, params, images, (wanted, _) = case(name)
        net = calibrate.calibrate(vit, act_bits, params, images, "seeded")
        errors[name] = relative(logits_of(net, images), wanted)
    bound = MAX_LOGIT_ERROR[act_bits]
    assert bound / 2 < max(errors.values()) <= bound, errors  # and the bound is not slack


@pytest.mark.parametrize("name", MODELS)
def test_every_residual_stream_agrees(name):
    """After each half of each block: an early mistake that a later layer hides is seen here."""
    vit, params, images, (_, streams) = case(name)
    binary = {n: integerize.binarize(params[f"{n}.weight"]) for n in integerize.binary_layers(vit)}
    scales = calibrate.scales(vit, 8, params, {n: w.real() for n, w in binary.items()}, images)
    net = integerize.integerize(vit, 8, params, binary, scales, "seeded")
    layers = golden.layers(net, images[0])
    names = ["embed", *(f"blocks.{i}.mlp.fc2" for i in range(vit.depth))]
    assert len(names) == len(streams)
    errors = [
        relative(layers[layer] * scales.residual, stream[0])
        for layer, stream in zip(names, streams, strict=True)
    ]
    assert errors[0] <= MAX_EMBED_ERROR
    assert max(errors) <= MAX_RESIDUAL_ERROR


def test_most_images_get_the_same_class():
    vit = BASE
    params = checkpoint.random(vit, 2)  # small biases: images decide, not the head's bias
    images = photos(vit, 200, seed=5)
    wanted, _ = reference(vit, params, images)
    for act_bits, share in ((8, 0.95), (6, 0.9), (4, 0.7)):
        net = calibrate.calibrate(vit, act_bits, params, images[:8], "seeded")
        same = golden.labels(golden.run(net, images)) == wanted.argmax(axis=1)
        assert same.mean() >= share


def test_deit_tiny_at_its_real_size():
    vit = replace(Vit(), name="deit_tiny_distilled", distilled=True)
    params, images = parameters(vit, 1), photos(vit, 2)
    wanted, _ = reference(vit, params, images)
    net = calibrate.calibrate(vit, 8, params, images, "seeded")
    error = relative(logits_of(net, images), wanted)
    assert MAX_DEIT_TINY_ERROR / 2 < error <= MAX_DEIT_TINY_ERROR


@pytest.mark.parametrize("act_bits", range(2, 9))
def test_gelu_table_is_torch_gelu(act_bits):
    """Equality, with the erf: the tanh approximation would go unseen in the bounds above."""
    vit, params, images, _ = case("deit")
    binary = {n: integerize.binarize(params[f"{n}.weight"]) for n in integerize.binary_layers(vit)}
    scales = calibrate.scales(
        vit, act_bits, params, {n: w.real() for n, w in binary.items()}, images
    )
    net = integerize.integerize(vit, act_bits, params, binary, scales, "seeded")
    for block, scale in zip(net.blocks, scales.blocks, strict=True):
        x = torch.arange(-128, 128, dtype=torch.float64) * scale.gelu
        tables = [
            (torch.nn.functional.gelu(x, approximate=kind) / scale.hidden.scale).round()
            + scale.hidden.zero
            for kind in ("none", "tanh")
        ]
        exact, tanh = (t.clamp(0, 2**act_bits - 1).numpy() for t in tables)
        assert (block.gelu == exact).all()
        assert act_bits < 8 or (block.gelu != tanh).any()


# -- mistakes made on purpose -----------------------------------------------------------------


def reordered(params, suffix, change):
    """Parameters with `change` applied to every array whose name ends so."""
    found = {name: change(value) for name, value in params.items() if name.endswith(suffix)}
    assert found
    return params | found


def qkv_by_head(value):
    """Rows as [heads, 3, head_dim] instead of [3, heads, head_dim]."""
    parts = value.reshape(3, BASE.heads, -1, *value.shape[1:])
    return parts.swapaxes(0, 1).reshape(value.shape)


def heads_rolled(value):
    """The query rows moved by one head."""
    q, rest = value[: BASE.dim], value[BASE.dim :]
    return np.concatenate([np.roll(q, BASE.head_dim, axis=0), rest])


def swap_thirds(a, b):
    def change(value):
        parts = np.split(value.copy(), 3)
        parts[a], parts[b] = parts[b], parts[a]
        return np.concatenate(parts)

    return change


def head_dim_forgotten(value):
    """Scores not divided by sqrt(head_dim)."""
    value = value.copy()
    value[: BASE.dim] *= math.sqrt(BASE.head_dim)
    return value


def columns_by_token(value):
    """Context channels as [head_dim, heads] instead of [heads, head_dim]."""
    out, _ = value.shape
    return value.reshape(out, BASE.heads, -1).swapaxes(1, 2).reshape(value.shape)


def zero(value):
    return np.zeros_like(value)


def on(suffix, change):
    return lambda vit, params: (vit, reordered(params, suffix, change))


def in_model(**fields):
    return lambda vit, params: (replace(vit, **fields), params)


def swapped_heads(vit, params):
    names = {f"head{a}.{kind}": f"head{b}.{kind}" for a, b in (("", "_dist"), ("_dist", ""))
             for kind in ("weight", "bias")}  # fmt: skip
    return vit, params | {name: params[other] for name, other in names.items()}


def swapped_tokens(vit, params):
    return vit, params | {"cls_token": params["dist_token"], "dist_token": params["cls_token"]}


PLAIN_MISTAKES = {
    "qkv interleaved by head": on("attn.qkv.weight", qkv_by_head),
    "queries one head off": on("attn.qkv.weight", heads_rolled),
    "q and k swapped": on("attn.qkv.weight", swap_thirds(0, 1)),
    "k and v swapped": on("attn.qkv.weight", swap_thirds(1, 2)),
    "scores not divided by sqrt(head_dim)": on("attn.qkv.weight", head_dim_forgotten),
    "context channels transposed": on("attn.proj.weight", columns_by_token),
    "proj transposed": on("attn.proj.weight", np.transpose),
    "qkv bias missing": on("attn.qkv.bias", zero),
    "proj bias missing": on("attn.proj.bias", zero),
    "fc1 bias missing": on("mlp.fc1.bias", zero),
    "fc2 bias missing": on("mlp.fc2.bias", zero),
    "norm1 bias missing": on("norm1.bias", zero),
    "final norm bias missing": on("norm.bias", zero),
    "head bias missing": on("head.bias", zero),
    "embed bias missing": on("patch_embed.proj.bias", zero),
    "gamma missing": on("norm2.weight", np.ones_like),
    "norms swapped": lambda vit, params: (
        vit,
        params
        | {k.replace("norm1", "norm2"): v for k, v in params.items() if "norm1" in k}
        | {k.replace("norm2", "norm1"): v for k, v in params.items() if "norm2" in k},
    ),
    "class token missing": on("cls_token", zero),
    "position embedding missing": on("pos_embed", zero),
    "position embedding one token off": on("pos_embed", lambda v: np.roll(v, 1, axis=1)),
    "patch pixels transposed": on("patch_embed.proj.weight", lambda v: v.swapaxes(2, 3).copy()),
    "patch channels reversed": on("patch_embed.proj.weight", lambda v: v[:, ::-1].copy()),
    "normalization 0.5": in_model(mean=(0.5,) * 3, std=(0.5,) * 3),
    "mean of another order": in_model(mean=(0.406, 0.456, 0.485)),
    "no normalization": in_model(mean=(0.0,) * 3, std=(1.0,) * 3),
}
DISTILLED_MISTAKES = {
    "heads swapped": swapped_heads,
    "tokens swapped": swapped_tokens,
    "distillation head missing": on("head_dist.weight", zero),
    "mean of heads is a sum": on("head_dist.weight", lambda v: 2 * v),
}
MISTAKES = {("deit", name): change for name, change in PLAIN_MISTAKES.items()}
MISTAKES |= {
    ("large eps", "eps of timm"): in_model(ln_eps=1e-6),
    ("large eps", "eps in units of variance * dim"): in_model(ln_eps=0.5 / BASE.dim),
}
MISTAKES |= {("distilled", name): change for name, change in DISTILLED_MISTAKES.items()}


def mistake_errors(model, change):
    """Relative logit errors of the right and of the wrong network."""
    vit, params, images, (wanted, _) = case(model)
    errors = []
    for wrong in (lambda vit, params: (vit, params), change):
        built, held = wrong(vit, params)
        net = calibrate.calibrate(built, 8, held, images, "seeded")
        errors.append(relative(logits_of(net, images), wanted))
    return errors


@pytest.mark.parametrize(("model", "mistake"), MISTAKES)
def test_every_mistake_breaks_the_bound(model, mistake):
    right, wrong = mistake_errors(model, MISTAKES[model, mistake])
    assert right <= MAX_LOGIT_ERROR[8]
    assert wrong >= MISTAKE * MAX_LOGIT_ERROR[8]
