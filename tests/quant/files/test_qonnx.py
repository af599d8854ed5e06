"""qonnx.py: the file computes what the model computes in training, run by qonnx itself."""

import importlib
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx_runs import GRAY, SHALLOW, close, dimensions, execute, real, student
from samples import ODD, noise

from vaqf import quant
from vaqf.errors import InputError, ToolMissing
from vaqf.model.vit import Vit
from vaqf.quant.files import qonnx
from vaqf.quant.model import quantizers
from vaqf.quant.model.vit import BinaryStyle, QuantVit

torch.set_num_threads(1)

# the integer of a value nearer to a rounding boundary than this, in steps, may differ by one
TIE = 1e-3


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


def check(model: QuantVit, proto: "onnx.ModelProto", batch: int) -> None:
    images = noise(model.vit, batch, seed=2)
    tensors = execute(ModelWrapper(proto), images)
    got = tensors["logits"]
    with Locked(model, tensors) as locked:
        wanted = real(model, images)
    assert locked.wrong == []
    assert locked.hooks and locked.near < 0.01 * locked.all
    close(got, wanted)


@pytest.mark.parametrize("act_bits", range(2, 9))
@pytest.mark.parametrize("vit", [GRAY, ODD], ids=lambda vit: vit.name)
def test_the_file_computes_what_training_computes(vit: Vit, act_bits: int) -> None:
    style = BinaryStyle(centred=act_bits % 2 == 0, scale=("learned", "row", "tensor")[act_bits % 3])
    model = student(vit, act_bits, style)
    proto = qonnx.to_onnx(model)
    check(model, proto, batch=1)
    check(model, proto, batch=3)


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
        check(model, proto, batch=1)


@pytest.fixture(scope="module")
def model() -> QuantVit:
    return student(SHALLOW, 5, BinaryStyle(centred=True, scale="learned"))


@pytest.fixture
def proto(model: QuantVit) -> "onnx.ModelProto":
    return qonnx.to_onnx(model)


def test_a_checked_file_for_any_batch_of_pixels(model, proto) -> None:
    onnx.checker.check_model(proto, full_check=True)
    assert [value.name for value in (*proto.graph.input, *proto.graph.output)] == [
        "image",
        "logits",
    ]
    assert dimensions(proto) == [["batch", 1, 8, 8], ["batch", 10]]
    assert ModelWrapper(proto).get_tensor_datatype("image").name == "UINT8"
    assert {o.domain: o.version for o in proto.opset_import} == qonnx.OPSETS
    assert proto.ir_version == 8
    names = [n.name for n in proto.graph.node] + [c.name for c in proto.graph.initializer]
    assert len(names) == len(set(names))


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
