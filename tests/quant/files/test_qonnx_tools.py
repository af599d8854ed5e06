"""qonnx.py: what qonnx, FINN's front end and onnxruntime make of the file."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.fold_constants import FoldConstants
from qonnx.transformation.general import GiveUniqueNodeNames
from qonnx.transformation.infer_datatypes import InferDataTypes
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.transformation.qonnx_to_qcdq import QuantToQCDQ
from qonnx.util.cleanup import cleanup_model
from qonnx_runs import SHALLOW, close, dimensions, floats, logits, real, student
from samples import ODD, noise

from vaqf.arithmetic import widths
from vaqf.quant.files import qonnx
from vaqf.quant.model import quantizers
from vaqf.quant.model.vit import BinaryStyle, QuantVit

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def model() -> QuantVit:
    return student(SHALLOW, 5, BinaryStyle(centred=True, scale="learned"))


@pytest.fixture
def proto(model: QuantVit) -> "onnx.ModelProto":
    return qonnx.to_onnx(model)


@pytest.fixture(scope="module")
def odd() -> QuantVit:
    return student(ODD, 3, BinaryStyle())


@pytest.fixture(params=["model", "odd"])
def either(request: pytest.FixtureRequest) -> QuantVit:
    """A plain model; one that is distilled, without qkv bias, 21 wide."""
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("batch", [1, 3])
def test_qonnx_cleanup_changes_no_logit(either: QuantVit, batch: int) -> None:
    proto, images = qonnx.to_onnx(either), noise(either.vit, batch, seed=3)
    raw = logits(ModelWrapper(proto), images)
    free = cleanup_model(ModelWrapper(proto))
    assert dimensions(free.model) == dimensions(proto)
    np.testing.assert_array_equal(logits(free, images), raw)
    fixed = cleanup_model(ModelWrapper(proto), override_inpsize=batch)
    assert [shape[0] for shape in dimensions(fixed.model)] == [batch, batch]
    np.testing.assert_array_equal(logits(fixed, images), raw)


TRANSFORMATIONS = [InferDataTypes(), GiveUniqueNodeNames(), FoldConstants(exclude_op_types=[])]


@pytest.mark.parametrize("transformation", TRANSFORMATIONS, ids=lambda each: type(each).__name__)
def test_transformations_change_no_logit(either: QuantVit, transformation) -> None:
    proto, images = qonnx.to_onnx(either), noise(either.vit, 3, seed=3)
    changed = ModelWrapper(proto).transform(InferShapes()).transform(transformation)
    assert dimensions(changed.model) == dimensions(proto)
    np.testing.assert_array_equal(logits(changed, images), logits(ModelWrapper(proto), images))


def test_onnxruntime_runs_any_batch_of_what_qonnx_converts(either: QuantVit) -> None:
    """It knows no Quant: binary weights are folded, activations become QuantizeLinear."""
    folded = cleanup_model(ModelWrapper(qonnx.to_onnx(either)), preserve_qnt_ops=False)
    standard = folded.transform(QuantToQCDQ()).model
    assert {node.domain for node in standard.graph.node} == {""}
    session = onnxruntime.InferenceSession(standard.SerializeToString())
    (image,) = session.get_inputs()
    for batch in (1, 3):
        images = noise(either.vit, batch, seed=3)
        (got,) = session.run(None, {image.name: floats(images)})
        close(got, real(either, images))


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
