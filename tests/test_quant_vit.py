"""quant/vit.py: model.eval() is the hardware; in training it is the same network in floats."""

import numpy as np
import pytest
from samples import noise

torch = pytest.importorskip("torch")
pytest.importorskip("brevitas")

from quant.train import initialize, student  # noqa: E402
from quant.vit import FloatVit, QuantVit  # noqa: E402
from sim import golden  # noqa: E402
from vaqf import checkpoint, network  # noqa: E402
from vaqf.vit import Vit  # noqa: E402

VIT = Vit(
    name="tiny",
    image_size=8,
    patch_size=2,
    channels=1,
    dim=24,
    depth=2,
    heads=3,
    classes=10,
    mean=(0.4,),
    std=(0.3,),
)
DISTILLED = Vit(
    name="odd",
    image_size=9,
    patch_size=3,
    channels=3,
    dim=21,
    depth=1,
    heads=7,
    mlp_ratio=3,
    classes=5,
    distilled=True,
    qkv_bias=False,
    mean=(0.5, 0.4, 0.3),
    std=(0.2, 0.3, 0.4),
)


def pixels(vit: Vit, count: int = 6) -> np.ndarray:
    return noise(vit, count, seed=7)


def random_student(vit: Vit, act_bits: int) -> QuantVit:
    teacher = FloatVit(vit)
    teacher.load_params(checkpoint.random(vit, act_bits))
    return student(teacher, act_bits, pixels(vit))


def train_a_little(model: QuantVit, steps: int = 3) -> None:
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    images = torch.from_numpy(pixels(model.vit))
    labels = torch.arange(len(images)) % model.vit.classes
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()


@pytest.mark.parametrize("act_bits", range(2, 9))
@pytest.mark.parametrize("vit", [VIT, DISTILLED], ids=lambda vit: vit.name)
def test_eval_is_golden_before_and_after_training(vit: Vit, act_bits: int) -> None:
    model = random_student(vit, act_bits)
    before = model.eval().network("before")
    train_a_little(model)
    after = model.eval().network("after")
    assert network.sha256(before) != network.sha256(after)
    images = pixels(vit)
    logits = model(torch.from_numpy(images))
    assert not logits.is_floating_point()
    np.testing.assert_array_equal(logits.numpy(), golden.run(after, images))
    assert not np.array_equal(logits.numpy(), golden.run(before, images))


@pytest.mark.parametrize("vit", [VIT, DISTILLED], ids=lambda vit: vit.name)
def test_training_forward_is_near_the_integers_at_8_bits(vit: Vit) -> None:
    model = random_student(vit, 8)
    real = model.train()(torch.from_numpy(pixels(vit))).detach().numpy()
    exported = model.network("random")
    integer = golden.run(exported, pixels(vit)) * exported.logit_scale
    # measured 0.03 and 0.013: a transposed head, a missing bias or a wrong scale gives 0.3 and more
    assert np.linalg.norm(real - integer) < 0.06 * np.linalg.norm(integer)


def test_every_parameter_of_the_student_learns() -> None:
    model = random_student(VIT, 4)
    initial = {name: p.detach().clone() for name, p in model.named_parameters()}
    train_a_little(model, steps=8)
    still = [name for name, p in model.named_parameters() if torch.equal(p, initial[name])]
    assert still == []


def test_names_are_timms() -> None:
    for vit in (VIT, DISTILLED):
        shapes = {n: tuple(t.shape) for n, t in FloatVit(vit).state_dict().items()}
        assert shapes == checkpoint.shapes(vit)
        names = set(QuantVit(vit, 4).state_dict())
        assert names > set(shapes)
        assert all(
            ".act_" in n or n.startswith("act_") or n == "residual_scale"
            for n in names - set(shapes)
        )


def test_params_round_trip() -> None:
    params = checkpoint.random(DISTILLED, 3)
    model = QuantVit(DISTILLED, 5)
    model.load_params(params)
    back = model.params()
    assert back.keys() == params.keys()
    for name, value in params.items():
        np.testing.assert_array_equal(back[name], value)


def test_scales_round_trip() -> None:
    model = random_student(VIT, 6)
    other = QuantVit(VIT, 6)
    other.set_scales(model.scales())
    again = other.scales()
    assert again.residual == model.scales().residual
    for block, expected in zip(again.blocks, model.scales().blocks, strict=True):
        assert block.hidden.zero == expected.hidden.zero
        assert block.q == pytest.approx(expected.q, rel=1e-6)
    assert again.norm.zero == model.scales().norm.zero


def test_residual_scale_follows_the_largest_value_seen() -> None:
    model = random_student(VIT, 8)
    before = float(model.residual_scale)
    with torch.no_grad():
        model.cls_token.add_(1000.0)
    model.train()(torch.from_numpy(pixels(VIT)))
    after = float(model.residual_scale)
    assert after >= 2 * 990 / 32767 > before
    model.eval()
    assert int(np.abs(golden.layers(model.network("x"), pixels(VIT)[0])["embed"]).max()) < 32767


def test_float_model_computes_what_transformers_does() -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.DeiTConfig(
        hidden_size=21,
        num_hidden_layers=1,
        num_attention_heads=7,
        intermediate_size=63,
        image_size=9,
        patch_size=3,
        num_labels=5,
        qkv_bias=False,
        layer_norm_eps=DISTILLED.ln_eps,
        attn_implementation="eager",
    )
    torch.manual_seed(0)
    theirs = transformers.DeiTForImageClassificationWithTeacher(config).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    arrays = {name: tensor.numpy() for name, tensor in theirs.state_dict().items()}
    ours = FloatVit(DISTILLED).eval()
    ours.load_params(checkpoint.adopt("theirs", arrays, DISTILLED))
    images = torch.from_numpy(pixels(DISTILLED))
    mean = torch.tensor(DISTILLED.mean).view(-1, 1, 1)
    std = torch.tensor(DISTILLED.std).view(-1, 1, 1)
    normal = (images.permute(0, 3, 1, 2) / 255 - mean) / std
    with torch.no_grad():
        np.testing.assert_allclose(ours(images), theirs(normal).logits, atol=2e-5)


def test_initialize_is_seeded_and_leaves_no_layer_constant() -> None:
    torch.manual_seed(3)
    model = FloatVit(VIT)
    initialize(model)
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            assert float(parameter.detach().std()) > 0, name
