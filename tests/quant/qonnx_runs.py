"""A student, and its QONNX file run by qonnx; see tests/quant/files/test_qonnx*.py."""

from dataclasses import replace

import numpy as np
import onnx
import samples
import torch
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.change_batchsize import ChangeBatchSize
from qonnx.transformation.infer_shapes import InferShapes
from samples import noise

from vaqf.model.vit import Vit
from vaqf.network import parameters
from vaqf.quant.model.vit import BinaryStyle, QuantVit

GRAY = replace(samples.GRAY, ln_eps=1e-2)  # large enough that the wrong eps shows
SHALLOW = replace(GRAY, depth=1)
# two orders of float32 sums: a logit may differ by this share of the logits' standard deviation
LOGITS = 1e-5


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


def floats(images: np.ndarray) -> np.ndarray:
    """Pixels [B, S, S, C] as the file takes them."""
    return images.transpose(0, 3, 1, 2).astype(np.float32)


def execute(wrapped: ModelWrapper, images: np.ndarray) -> dict[str, np.ndarray]:
    """Every tensor of one run on pixels [B, S, S, C]; qonnx runs one batch size at a time."""
    fixed = wrapped.transform(ChangeBatchSize(len(images))).transform(InferShapes())
    return execute_onnx(fixed, {fixed.graph.input[0].name: floats(images)}, True)


def logits(wrapped: ModelWrapper, images: np.ndarray) -> np.ndarray:
    """[B, classes], whatever a transformation called them."""
    return execute(wrapped, images)[wrapped.graph.output[0].name]


def real(model: QuantVit, images: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return model.real(torch.from_numpy(images))[0].numpy()


def close(got: np.ndarray, wanted: np.ndarray) -> None:
    """Assert that these are the same logits."""
    np.testing.assert_allclose(got, wanted, rtol=0, atol=LOGITS * wanted.std())


def dimensions(proto: "onnx.ModelProto") -> list[list[int | str]]:
    """Of image and logits; a free dimension by its name."""
    return [
        [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (*proto.graph.input, *proto.graph.output)
    ]
