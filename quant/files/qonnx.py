"""A trained model as QONNX, the form that FINN's tools read (Pappalardo et al., arXiv 2206.07527).

The graph is the training forward of quant/model/vit.py, node by node: weights and activations are
on their grids, everything between them is float32. It takes `image`, float32 [1, C, S, S] holding
the pixels 0..255 as FINN's drivers send them (annotated UINT8), and normalizes inside; it gives
`logits` [1, classes]. Tensors bear the names of the modules that compute them.

FINN converts a quantized activation only if it is signed and has no zero point. So an unsigned
grid with a zero point is written as a signed one of the same width between two constants:
scale * (a - zero) = scale * (a - half) + scale * (half - zero).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

from vaqf.arithmetic import widths
from vaqf.errors import InputError
from vaqf.files import smallfile
from vaqf.quant.model import quantizers
from vaqf.quant.model.vit import QuantVit

FloatArray = NDArray[np.float32]

DOMAIN = "qonnx.custom_op.general"
OPSETS = {"": 17, DOMAIN: 1}  # 17 brought LayerNormalization, which FINN looks for
PRODUCER = "vaqf"
IR_VERSION = 8  # the oldest with opset 17: read by onnxruntime since 1.12, whatever onnx writes it
LARGEST = 2**31 - 2**20  # bytes of parameters; protobuf ends at 2 GiB, and nodes need a little


def write(model: QuantVit, path: Path) -> None:
    """Write the model's training-mode arithmetic to `path`, an .onnx file for one image a run.

    The same parameters give the same bytes. InputError for more parameters than ONNX holds in
    one file.
    """
    path.write_bytes(to_onnx(model).SerializeToString(deterministic=True))


def is_ours(path: Path) -> bool:
    """Whether `write` wrote a file: the first fields of its message are IR version and producer."""
    begin = onnx.ModelProto(ir_version=IR_VERSION, producer_name=PRODUCER).SerializeToString()
    return smallfile.head(path, len(begin)) == begin


def to_onnx(model: QuantVit) -> onnx.ModelProto:
    """The graph that `write` writes."""
    params = model.params()
    size = sum(value.nbytes for value in params.values())
    if size > LARGEST:
        raise InputError(
            f"{model.vit.name} has {size / 2**30:.1f} GiB of parameters, and an ONNX file holds"
            " 2 GiB; export without --qonnx works"
        )
    graph = _Graph(model, params)
    _logits(graph)
    return graph.finish()


class _Graph:
    """Nodes and initializers so far; a method adds to them and returns its result's name."""

    def __init__(self, model: QuantVit, params: dict[str, FloatArray]) -> None:
        self.model, self.vit, self.params = model, model.vit, params
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[TensorProto] = []

    def initializer(self, name: str, value: ArrayLike) -> str:
        """A tensor of the file: whole numbers as int64, everything else as float32."""
        array = np.asarray(value)
        kind = np.int64 if array.dtype.kind == "i" else np.float32
        self.initializers.append(numpy_helper.from_array(array.astype(kind), name))
        return name

    def add(
        self,
        name: str,
        operator: str,
        *inputs: str | ArrayLike,
        outputs: Sequence[str] = (),
        **attributes: int | float | str | Sequence[int],
    ) -> str:
        """A node; an input is a name or an array, the output is called like the node."""
        names = [
            value if isinstance(value, str) else self.initializer(f"{name}.in{i}", value)
            for i, value in enumerate(inputs)
        ]
        domain = DOMAIN if operator.endswith("Quant") else ""
        self.nodes.append(
            helper.make_node(
                operator, names, outputs or [name], name=name, domain=domain, **attributes
            )
        )
        return name

    def quant(
        self, name: str, x: str | ArrayLike, scale: ArrayLike, bits: int, narrow: bool
    ) -> str:
        """scale * clamp(round(x / scale)), signed."""
        return self.add(
            name,
            "Quant",
            x,
            scale,
            0.0,
            float(bits),
            signed=1,
            narrow=int(narrow),
            rounding_mode="ROUND",
        )

    def act(self, name: str, x: str) -> str:
        """What the activation quantizer of this name does."""
        grid = quantizers.act_grid(self.model.get_submodule(name))
        scale, zero = (float(value.detach()) for value in grid.scale_and_zero())
        bits = int(grid.bit_width)
        if grid.low < 0:
            return self.quant(name, x, scale, bits, narrow=grid.low == -grid.high)
        middle = scale * (2 ** (bits - 1) - zero)
        signed = self.add(f"{name}.signed", "Sub", x, middle)
        signed = self.quant(f"{name}.quant", signed, scale, bits, narrow=False)
        return self.add(name, "Add", signed, middle)

    def binary_linear(self, name: str, x: str) -> str:
        """A layer with one bit per weight and a scale per output, and its bias if it has one."""
        weight = quantizers.binarized(self.model.get_submodule(name))
        signs = weight.sign.T.astype(np.float32)
        weights = self.add(f"{name}.weight", "BipolarQuant", signs, weight.alpha[None, :])
        return self._product(name, x, weights)

    def fixed_linear(self, name: str, x: str) -> str:
        """A layer with 8-bit weights and a scale per output, and its bias."""
        weight, scale = self._fixed_weight(name)
        return self._product(name, x, self._fixed(name, weight.T, scale.T))

    def _product(self, name: str, x: str, weight: str) -> str:
        bias = self.params.get(f"{name}.bias")
        if bias is None:
            return self.add(name, "MatMul", x, weight)
        return self.add(name, "Add", self.add(f"{name}.product", "MatMul", x, weight), bias)

    def _fixed_weight(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Quantized values, and the scale of each row."""
        quantized = self.model.get_submodule(name).quant_weight()
        value, scale = quantized.value.detach(), quantized.scale.detach()
        return value.cpu().numpy(), scale.cpu().numpy()

    def _fixed(self, name: str, weight: FloatArray, scale: FloatArray) -> str:
        bits = widths.FIXED_WEIGHT_BITS
        return self.quant(f"{name}.weight", weight, scale, bits, narrow=True)

    def convolution(self, name: str, x: str) -> str:
        """The patch embedding, with 8-bit weights."""
        weight = self._fixed(name, *self._fixed_weight(name))
        patch = [self.vit.patch_size] * 2
        bias = self.params[f"{name}.bias"]
        return self.add(name, "Conv", x, weight, bias, kernel_shape=patch, strides=patch)

    def norm(self, name: str, x: str) -> str:
        """Layer norm over channels."""
        weight, bias = self.params[f"{name}.weight"], self.params[f"{name}.bias"]
        return self.add(
            name, "LayerNormalization", x, weight, bias, axis=-1, epsilon=self.vit.ln_eps
        )

    def finish(self) -> onnx.ModelProto:
        """The model around the nodes so far."""
        vit = self.vit
        shape = [1, vit.channels, vit.image_size, vit.image_size]
        graph = helper.make_graph(
            self.nodes,
            vit.name,
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, vit.classes])],
            self.initializers,
        )
        kind = onnx.StringStringEntryProto(key="finn_datatype", value="UINT8")
        graph.quantization_annotation.append(
            onnx.TensorAnnotation(tensor_name="image", quant_parameter_tensor_names=[kind])
        )
        return helper.make_model(
            graph,
            producer_name=PRODUCER,
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid(name, n) for name, n in OPSETS.items()],
            doc_string=f"{vit.name} w1a{self.model.act_bits}; image: pixels 0..255, [1, C, S, S]",
        )


def _logits(g: _Graph) -> None:
    vit = g.vit
    x = g.add("image.unit", "Div", "image", 255.0)
    x = g.add("image.centred", "Sub", x, _channels(vit.mean))
    x = g.add("image.normal", "Div", x, _channels(vit.std))
    x = g.convolution("patch_embed.proj", x)  # [1, D, S / patch, S / patch]
    x = g.add("patch_embed.flat", "Reshape", x, [1, vit.dim, vit.patches])
    x = g.add("patch_embed", "Transpose", x, perm=[0, 2, 1])
    prefix = ["cls_token"] + (["dist_token"] if vit.distilled else [])
    tokens = [g.initializer(name, g.params[name]) for name in prefix]
    x = g.add("tokens", "Concat", *tokens, x, axis=1)  # [1, T, D]
    x = g.add("embed", "Add", x, g.params["pos_embed"])
    for i in range(vit.depth):
        x = _block(g, f"blocks.{i}", x)
    x = g.add("prefix", "Gather", x, list(range(vit.prefix_tokens)), axis=1)
    x = g.act("act_norm", g.norm("norm", x))
    x = _heads(g, x)
    g.add("logits", "Identity", x)


def _channels(values: Sequence[float]) -> FloatArray:
    """A number per channel of an image."""
    return np.array(values, np.float32).reshape(1, -1, 1, 1)


def _heads(g: _Graph, x: str) -> str:
    """Class scores of the class token; distilled models average those of both tokens."""
    one = g.fixed_linear("head", g.add("head.token", "Gather", x, 0, axis=1))
    if not g.vit.distilled:
        return one
    two = g.fixed_linear("head_dist", g.add("head_dist.token", "Gather", x, 1, axis=1))
    return g.add("heads", "Mul", g.add("heads.sum", "Add", one, two), 0.5)


def _block(g: _Graph, name: str, x: str) -> str:
    y = g.act(f"{name}.act_norm1", g.norm(f"{name}.norm1", x))
    x = g.add(f"{name}.middle", "Add", x, _attention(g, f"{name}.attn", y))
    y = g.act(f"{name}.act_norm2", g.norm(f"{name}.norm2", x))
    return g.add(name, "Add", x, _mlp(g, f"{name}.mlp", y))


def _attention(g: _Graph, name: str, x: str) -> str:
    """Softmax numerators are rounded before they are normalized, so there is no Softmax node."""
    vit = g.vit
    parts = [f"{name}.{part}" for part in "qkv"]
    qkv = g.binary_linear(f"{name}.qkv", x)
    g.add(f"{name}.split", "Split", qkv, [vit.dim] * 3, outputs=parts, axis=-1)
    q, k, v = (_per_head(g, f"{name}.act_{part}", f"{name}.{part}") for part in "qkv")
    scores = g.add(
        f"{name}.products", "MatMul", q, g.add(f"{name}.k_t", "Transpose", k, perm=[0, 1, 3, 2])
    )
    scores = g.add(f"{name}.scores", "Mul", scores, vit.head_dim**-0.5)
    largest = g.add(f"{name}.largest", "ReduceMax", scores, axes=[-1], keepdims=1)
    e = g.add(f"{name}.exp", "Exp", g.add(f"{name}.below", "Sub", scores, largest))
    e = g.act(f"{name}.act_exp", e)
    total = g.add(f"{name}.total", "ReduceSum", e, [-1], keepdims=1)
    mean = g.add(f"{name}.mean", "Div", g.add(f"{name}.weighted", "MatMul", e, v), total)
    mean = g.add(f"{name}.by_token", "Transpose", mean, perm=[0, 2, 1, 3])
    mean = g.add(f"{name}.context", "Reshape", mean, [1, vit.tokens, vit.dim])
    return g.binary_linear(f"{name}.proj", g.act(f"{name}.act_context", mean))


def _per_head(g: _Graph, quantizer: str, x: str) -> str:
    """[1, T, D] -> [1, heads, T, D / heads], quantized."""
    shape = [1, g.vit.tokens, g.vit.heads, g.vit.head_dim]
    heads = g.add(f"{x}.split", "Reshape", x, shape)
    return g.act(quantizer, g.add(f"{x}.heads", "Transpose", heads, perm=[0, 2, 1, 3]))


def _mlp(g: _Graph, name: str, x: str) -> str:
    x = g.act(f"{name}.act_index", g.binary_linear(f"{name}.fc1", x))
    half = g.add(f"{name}.half", "Mul", x, 0.5)
    erf = g.add(f"{name}.erf", "Erf", g.add(f"{name}.scaled", "Mul", x, 0.5**0.5))
    gelu = g.add(f"{name}.gelu", "Mul", half, g.add(f"{name}.gate", "Add", erf, 1.0))
    return g.binary_linear(f"{name}.fc2", g.act(f"{name}.act_hidden", gelu))
