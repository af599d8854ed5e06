"""qonnx.py: the file computes what the model computes in training, run by qonnx itself."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import samples
import torch
from onnx import numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.infer_datatypes import InferDataTypes
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.util.cleanup import cleanup_model
from samples import ODD, noise

from vaqf import quant
from vaqf.arithmetic import widths
from vaqf.errors import InputError, ToolMissing
from vaqf.model.vit import Vit
from vaqf.network import parameters
from vaqf.quant.files import qonnx
from vaqf.quant.model import quantizers
from vaqf.quant.model.vit import BinaryStyle, QuantVit

torch.set_num_threads(1)

GRAY = replace(samples.GRAY, ln_eps=1e-2)  # large enough that the wrong eps shows
SHALLOW = replace(GRAY, depth=1)
# two orders of float32 sums: a logit may differ by this share of the logits' standard deviation
LOGITS = 1e-5
# and the integer of a value that is nearer to a rounding boundary, in steps, by one
TIE = 1e-3


def student(vit: Vit, act_bits: int, style: BinaryStyle) -> QuantVit:
    """A model whose scales, zero points and row scales have moved from where they started."""
    model = QuantVit(vit, act_bits, style)
    model.load_params(parameters.random(vit, act_bits))
    model.begin_binary(torch.Generator().manual_seed(0))
    model.calibrate(noise(vit, 6, seed=1))
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return model.train()


def execute(wrapped: ModelWrapper, image: np.ndarray) -> dict[str, np.ndarray]:
    """Every tensor of one run on pixels [S, S, C]."""
    pixels = image.transpose(2, 0, 1)[None].astype(np.float32)
    return execute_onnx(wrapped, {wrapped.graph.input[0].name: pixels}, True)


def real(model: QuantVit, image: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return model.real(torch.from_numpy(image[None]))[0].numpy()


class Locked:
    """Replaces what each activation quantizer gives by the file's tensor of the same name.

    A value near a rounding boundary may fall either way in two orders of summation; from there
    on the networks differ by whole steps. Locked together, every stretch between quantizers is
    compared in floats and every quantizer in integers.
    """

    def __init__(self, model: QuantVit, tensors: dict[str, np.ndarray]) -> None:
        self.wrong: list[str] = []
        self.near = self.all = 0
        self.hooks = []
        for name, module in model.named_modules():
            if isinstance(module, quantizers.QuantIdentity):
                hook = self._hook(name, quantizers.act_grid(module), tensors[name])
                self.hooks.append(module.register_forward_hook(hook))

    def _hook(self, name, grid, theirs):
        scale, zero = (float(value.detach()) for value in grid.scale_and_zero())

        def lock(module, inputs, output):
            steps = inputs[0].numpy() / scale
            near = np.abs(steps - np.floor(steps) - 0.5) < TIE
            self.near, self.all = self.near + near.sum(), self.all + near.size
            ours, reached = np.rint(output.numpy() / scale) + zero, theirs / scale + zero
            integers = np.rint(reached)
            on_grid = np.abs(reached - integers).max() < TIE
            in_range = grid.low <= integers.min() and integers.max() <= grid.high
            if not (on_grid and in_range and (integers == ours)[~near].all()):
                self.wrong.append(name)
            return torch.from_numpy(theirs)

        return lock

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for hook in self.hooks:
            hook.remove()


def check(model: QuantVit, proto: "onnx.ModelProto") -> None:
    wrapped = ModelWrapper(proto).transform(InferShapes())
    (image,) = noise(model.vit, 1, seed=2)
    tensors = execute(wrapped, image)
    got = tensors["logits"]
    with Locked(model, tensors) as locked:
        wanted = real(model, image)
    assert locked.wrong == []
    assert locked.hooks and locked.near < 0.01 * locked.all
    np.testing.assert_allclose(got, wanted, rtol=0, atol=LOGITS * wanted.std())


@pytest.mark.parametrize("act_bits", range(2, 9))
@pytest.mark.parametrize("vit", [GRAY, ODD], ids=lambda vit: vit.name)
def test_the_file_computes_what_training_computes(vit: Vit, act_bits: int) -> None:
    style = BinaryStyle(centred=act_bits % 2 == 0, scale=("learned", "row", "tensor")[act_bits % 3])
    model = student(vit, act_bits, style)
    check(model, qonnx.to_onnx(model))


def scaled(proto: "onnx.ModelProto", name: str, factor: float) -> None:
    (constant,) = [c for c in proto.graph.initializer if c.name == name]
    value = numpy_helper.to_array(constant) * np.float32(factor)
    constant.CopyFrom(numpy_helper.from_array(value, name))


def attribute(proto: "onnx.ModelProto", node: str, name: str) -> "onnx.AttributeProto":
    (found,) = [n for n in proto.graph.node if n.name == node]
    return next(a for a in found.attribute if a.name == name)


def wrong_eps(proto) -> None:
    attribute(proto, "blocks.1.norm2", "epsilon").f = 2e-2


def wrong_gelu(proto) -> None:
    (node,) = [n for n in proto.graph.node if n.name == "blocks.0.mlp.erf"]
    node.op_type = "Tanh"


def narrow_index(proto) -> None:
    attribute(proto, "blocks.0.mlp.act_index", "narrow").i = 1


def wrong_zero_point(proto) -> None:
    scaled(proto, "blocks.1.act_norm1.signed.in1", 1.01)


def wrong_softmax_scale(proto) -> None:
    scaled(proto, "blocks.1.attn.scores.in1", 1.01)


def wrong_row_scale(proto) -> None:
    scaled(proto, "blocks.0.attn.proj.weight.in1", 1.01)


def wrong_head(proto) -> None:
    scaled(proto, "head.in1", 1.01)


@pytest.mark.parametrize(
    "mistake",
    [
        wrong_eps,
        wrong_gelu,
        narrow_index,
        wrong_zero_point,
        wrong_softmax_scale,
        wrong_row_scale,
        wrong_head,
    ],
)
def test_the_comparison_sees_a_mistake(mistake) -> None:
    model = student(GRAY, 8, BinaryStyle())
    with torch.no_grad():
        model.blocks[0].mlp.fc1.bias.sub_(2.0)  # some reach the index's lowest integer
    proto = qonnx.to_onnx(model)
    mistake(proto)
    with pytest.raises(AssertionError):
        check(model, proto)


@pytest.fixture(scope="module")
def model() -> QuantVit:
    return student(SHALLOW, 5, BinaryStyle(centred=True, scale="learned"))


@pytest.fixture
def proto(model: QuantVit) -> "onnx.ModelProto":
    return qonnx.to_onnx(model)


def test_a_checked_file_for_one_image_of_pixels(model, proto) -> None:
    onnx.checker.check_model(proto)
    (image,), (logits,) = proto.graph.input, proto.graph.output
    sizes = [[d.dim_value for d in value.type.tensor_type.shape.dim] for value in (image, logits)]
    assert (image.name, logits.name, sizes) == ("image", "logits", [[1, 1, 8, 8], [1, 10]])
    assert ModelWrapper(proto).get_tensor_datatype("image").name == "UINT8"
    assert {o.domain: o.version for o in proto.opset_import} == qonnx.OPSETS
    assert proto.ir_version == 8
    names = [n.name for n in proto.graph.node] + [c.name for c in proto.graph.initializer]
    assert len(names) == len(set(names))


def test_qonnx_cleanup_changes_no_logit(model, proto) -> None:
    (image,) = noise(SHALLOW, 1, seed=3)
    raw = execute(ModelWrapper(proto).transform(InferShapes()), image)["logits"]
    clean = cleanup_model(ModelWrapper(proto))
    np.testing.assert_array_equal(execute(clean, image)[clean.graph.output[0].name], raw)


def test_finn_sees_bipolar_weights_and_narrow_activations(model, proto) -> None:
    wrapped = cleanup_model(ModelWrapper(proto)).transform(InferDataTypes())
    weights, activations = [], []
    for node in wrapped.graph.node:
        if node.op_type in ("Quant", "BipolarQuant"):
            constant = wrapped.get_initializer(node.input[0]) is not None
            kind = getCustomOp(node).get_integer_datatype(wrapped).name
            (weights if constant else activations).append(kind)
    bits = (model.act_bits, widths.exp_bits(model.act_bits), widths.GELU_INDEX_BITS)
    assert sorted(weights) == ["BIPOLAR"] * 4 * SHALLOW.depth + ["INT8"] * 2
    assert set(activations) == {f"INT{n}" for n in bits}
    assert len(activations) == 9 * SHALLOW.depth + 1
    scaled_integers = wrapped.transform(InferDataTypes(allow_scaledint_dtypes=True))
    inferred = {
        scaled_integers.get_tensor_datatype(node.output[0]).name
        for node in scaled_integers.graph.node
        if node.op_type == "Quant"
    }
    assert inferred == {f"SCALEDINT<{n}>" for n in bits}


def test_quantizers_are_what_finn_converts(model, proto) -> None:
    """Its QuantIdentityHandler and FoldQuantWeights: signed, no zero point, weights used once."""
    constants = {c.name: numpy_helper.to_array(c) for c in proto.graph.initializer}
    zeros = [quantizers.learned(block.act_norm1).grid().zero for block in model.blocks]
    assert all(zeros), "grids with zero points are what this test is about"
    used = [name for node in proto.graph.node for name in node.input]
    for node in proto.graph.node:
        if node.op_type == "Quant":
            scale, zero, bits = (constants[name] for name in node.input[1:])
            assert (zero.shape, float(zero), bits.shape) == ((), 0.0, ())
            assert np.all(scale > 0)
            assert {a.name: a.i for a in node.attribute}["signed"] == 1
        if node.op_type == "BipolarQuant":
            assert set(np.unique(constants[node.input[0]])) == {-1.0, 1.0}
        if node.op_type == "LayerNormalization":
            assert {a.name for a in node.attribute} == {"axis", "epsilon"}
        if node.input[0] in constants:
            assert used.count(node.output[0]) == 1


def test_the_same_parameters_give_the_same_bytes(model, proto, tmp_path: Path) -> None:
    qonnx.write(model, tmp_path / "a.onnx")
    again = student(SHALLOW, 5, BinaryStyle(centred=True, scale="learned"))
    qonnx.write(again.eval(), tmp_path / "b.onnx")
    written = (tmp_path / "a.onnx").read_bytes()
    assert written == (tmp_path / "b.onnx").read_bytes()
    assert onnx.load_from_string(written) == proto
    with torch.no_grad():
        again.blocks[0].mlp.fc1.weight[0, 0] *= -1
    assert qonnx.to_onnx(again) != proto


def test_our_files_are_known_from_others(model, tmp_path: Path) -> None:
    ours, other = tmp_path / "ours.onnx", tmp_path / "other.onnx"
    qonnx.write(model, ours)
    stranger = onnx.load(ours)
    stranger.producer_name = "pytorch"
    other.write_bytes(stranger.SerializeToString())
    assert [qonnx.is_ours(path) for path in (ours, other)] == [True, False]


def test_more_parameters_than_a_file_holds_are_refused(model, monkeypatch) -> None:
    monkeypatch.setattr(qonnx, "LARGEST", 1000)
    with pytest.raises(InputError, match=r"gray has .* an ONNX file holds 2 GiB"):
        qonnx.to_onnx(model)


def test_a_missing_onnx_is_named(monkeypatch) -> None:
    quant.require_qonnx()
    present = importlib.util.find_spec
    monkeypatch.setattr(quant, "find_spec", lambda name: None if name == "onnx" else present(name))
    with pytest.raises(ToolMissing, match=r"onnx is not installed.*vaqf\[qonnx\]"):
        quant.require_qonnx()
