"""vit.py: model.eval() is the hardware; in training it is the same network in floats."""

import numpy as np
import pytest
import torch
from samples import GRAY as VIT
from samples import ODD as DISTILLED
from samples import noise

from vaqf.model.vit import Vit
from vaqf.network import calibrate, networkfile, parameters
from vaqf.quant.model import quantizers
from vaqf.quant.model.vit import BinaryStyle, FloatVit, QuantVit
from vaqf.quant.training.run import initialize
from vaqf.sim import golden

STYLES = [BinaryStyle(c, s) for c in (False, True) for s in ("tensor", "row", "learned")]


def pixels(vit: Vit, count: int = 6) -> np.ndarray:
    return noise(vit, count, seed=7)


def random_student(vit: Vit, act_bits: int, style: BinaryStyle | None = None) -> QuantVit:
    model = QuantVit(vit, act_bits, style)
    model.load_params(parameters.random(vit, act_bits))
    model.begin_binary(torch.Generator().manual_seed(0))
    model.calibrate(pixels(vit))
    return model


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
    model = random_student(vit, act_bits, STYLES[act_bits % len(STYLES)])
    before = model.eval().network("before")
    train_a_little(model)
    after = model.eval().network("after")
    assert networkfile.sha256(before) != networkfile.sha256(after)
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


@pytest.mark.parametrize("style", STYLES, ids=str)
def test_every_parameter_of_the_student_learns(style: BinaryStyle) -> None:
    model = random_student(VIT, 4, style)
    with torch.no_grad():  # a zero point moves when values are clamped: half of each range
        for module in model.modules():
            if isinstance(module, quantizers.LearnedGrid):
                module.log_top.sub_(1.0)
    initial = {name: p.detach().clone() for name, p in model.named_parameters()}
    train_a_little(model, steps=1)
    still = [name for name, p in model.named_parameters() if torch.equal(p, initial[name])]
    assert still == []


def test_names_are_timms() -> None:
    for vit in (VIT, DISTILLED):
        shapes = {n: tuple(t.shape) for n, t in FloatVit(vit).state_dict().items()}
        assert shapes == parameters.array_shapes(vit)
        for style in STYLES:
            model = QuantVit(vit, 4, style)
            names = set(model.state_dict())
            assert names > set(shapes)
            scales = {n for n in names if n.endswith("weight_quant.tensor_quant.log_scale")}
            assert len(scales) == (style.scale == "learned") * len(model.binary_layers())
            assert all(
                ".act_" in n or n.startswith("act_") or n == "residual_scale"
                for n in names - set(shapes) - scales
            )


def test_params_round_trip() -> None:
    params = parameters.random(DISTILLED, 3)
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


def effective(model: QuantVit) -> FloatVit:
    """The float model with the weights that a quantized model multiplies by."""
    params = model.params()
    for name, layer in model.named_modules():
        if hasattr(layer, "quant_weight"):
            params[f"{name}.weight"] = layer.quant_weight().value.detach().numpy()
    found = FloatVit(model.vit)
    found.load_params(params)
    return found


@pytest.mark.parametrize("vit", [VIT, DISTILLED], ids=lambda vit: vit.name)
@pytest.mark.parametrize("masked", [True, False])
def test_real_activations_are_the_float_models(vit: Vit, masked: bool) -> None:
    model = random_student(vit, 3, STYLES[3])
    model.set_activations(None)
    images = torch.from_numpy(pixels(vit))
    for share in (0.0, 0.5, 1.0):
        model.set_binary(share, masked)
        got, expected = (m.train()(images).detach().numpy() for m in (model, effective(model)))
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
    model.set_activations(3)
    assert np.linalg.norm(model(images).detach().numpy() - expected) > 0.05 * np.linalg.norm(got)


def test_real_activations_leave_the_scales_alone() -> None:
    model = random_student(VIT, 8)
    scales = model.scales()
    model.set_activations(None)
    assert not model.quantized
    train_a_little(model)
    grids = [m for m in model.modules() if isinstance(m, quantizers.ActGrid)]
    assert not any(p.requires_grad or p.grad is not None for g in grids for p in g.parameters())
    assert model.scales().blocks == scales.blocks and model.scales().norm == scales.norm
    model.set_activations(4)
    assert model.quantized and model.act_bits == 4
    assert all(p.requires_grad for g in grids for p in g.parameters())


def test_a_lower_precision_keeps_the_real_ranges() -> None:
    model = random_student(VIT, 8)
    wide = model.scales()
    model.set_activations(3)
    few = model.scales()
    assert few.norm.scale * 7 == pytest.approx(wide.norm.scale * 255, rel=1e-5)
    for narrow, before in zip(few.blocks, wide.blocks, strict=True):
        assert narrow.norm1.scale * 7 == pytest.approx(before.norm1.scale * 255, rel=1e-5)
        assert narrow.q * 3 == pytest.approx(before.q * 127, rel=1e-5)
        assert narrow.gelu == before.gelu  # as wide at every precision
    exported = model.network("x")
    assert exported.act_bits == 3
    got = model.eval()(torch.from_numpy(pixels(VIT))).numpy()
    np.testing.assert_array_equal(got, golden.run(exported, pixels(VIT)))


def test_masks_come_from_the_generator() -> None:
    def masks(seed: int) -> torch.Tensor:
        model = QuantVit(VIT, 8)
        model.begin_binary(torch.Generator().manual_seed(seed))
        grids = [quantizers.binary_grid(layer) for layer in model.binary_layers().values()]
        return torch.cat([grid.field.flatten() for grid in grids])

    assert torch.equal(masks(3), masks(3))
    assert not torch.equal(masks(3), masks(4))
    assert len(masks(3).unique()) > 0.99 * len(masks(3))  # no two layers share one


@pytest.mark.parametrize("vit", [VIT, DISTILLED], ids=lambda vit: vit.name)
def test_calibration_is_the_one_of_vaqf_build(vit: Vit) -> None:
    params = parameters.random(vit, 6)
    expected = calibrate.calibrate(vit, 6, params, pixels(vit), "x")
    got = random_student(vit, 6).network("x")  # whose scales pass through float32 logarithms
    np.testing.assert_array_equal(got.blocks[0].qkv.weight, expected.blocks[0].qkv.weight)
    assert got.logit_scale == pytest.approx(expected.logit_scale, rel=1e-5)
    images = noise(vit, 40, seed=1)
    logits, others = (golden.run(net, images) * net.logit_scale for net in (got, expected))
    assert np.linalg.norm(logits - others) < 0.02 * np.linalg.norm(others)


def test_calibration_watches_the_weights_of_the_first_step() -> None:
    model = random_student(VIT, 8)
    model.set_binary(0.0, masked=False)
    model.calibrate(pixels(VIT))
    real = model.scales()
    model.set_binary(1.0, masked=False)
    model.calibrate(pixels(VIT))
    assert model.scales().blocks[0].q != pytest.approx(real.blocks[0].q, rel=0.01)


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
    ours.load_params(parameters.adopt("theirs", arrays, DISTILLED))
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
