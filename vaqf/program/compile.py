"""Design + Network -> what the accelerator loads: a command list and one packed weight image.

The commands' fields are in command.py, the layout of their data in packing.py; docs/accelerator.md
describes both.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import round_up
from vaqf.errors import InputError
from vaqf.hardware.command import COMMAND_WORDS, Dest, Opcode, Source, encode
from vaqf.hardware.design import Design
from vaqf.hardware.layout import ALIGN, patch_row_bytes
from vaqf.hardware.matmuls import MatMulShape, head_token_inputs, matmul_shapes, weight_words
from vaqf.hardware.matmuls import check_fits as check_model_fits
from vaqf.hardware.order import layer_names
from vaqf.network.structure import Block, Linear, Network, Norm
from vaqf.program.packing import WeightImage, constant_tiles, frame_bytes, pack_weights, records

IntArray = NDArray[Any]


@dataclass(frozen=True)
class Traced:
    """Where a layer of golden shows in the hardware: an output, or a normalized input."""

    layer: str  # golden's name
    command: int
    normalized_input: bool
    head_dim: int  # logical channels come in groups of head_dim ...
    padded_head: int  # ... each padded to this many in the hardware


@dataclass(frozen=True)
class Program:
    """What one network is to a design: bytes to load and how to read the results."""

    commands: bytes
    weights: bytes
    traced: tuple[Traced, ...]  # for the first frame
    frame_bytes: int  # of one packed image
    result_bytes: int  # of one frame's logits, int32 each

    @property
    def command_count(self) -> int:
        """Commands in the list."""
        return len(self.commands) // (4 * COMMAND_WORDS)


@dataclass(frozen=True)
class _Layout:
    """Channel positions in memory: logical index -> padded index."""

    dim: IntArray
    hidden: IntArray
    attention: IntArray
    qkv: IntArray
    head_inputs: IntArray
    pixels: IntArray
    classes: IntArray


def _layout(network: Network, design: Design) -> _Layout:
    vit = network.vit
    head = design.padded_head(vit.head_dim)
    attention = (np.arange(vit.heads)[:, None] * head + np.arange(vit.head_dim)).reshape(-1)
    dim = np.arange(vit.dim)
    prefix = np.arange(vit.prefix_tokens)[:, None]
    prefix = prefix * head_token_inputs(vit, design.pe, design.simd)
    return _Layout(
        dim=dim,
        hidden=np.arange(vit.hidden),
        attention=attention,
        qkv=(np.arange(3)[:, None] * vit.heads * head + attention).reshape(-1),
        head_inputs=(prefix + dim).reshape(-1),
        pixels=np.arange(vit.patch_inputs),
        classes=np.arange(vit.classes),
    )


class _Compiler:
    """Commands of one frame, and the weight image they point into."""

    def __init__(self, design: Design, network: Network) -> None:
        vit = network.vit
        self.design = design
        self.network = network
        self.layout = _layout(network, design)
        self.padded_head = design.padded_head(vit.head_dim)
        self.shapes = matmul_shapes(vit, network.act_bits, design.pe, design.simd, self.padded_head)
        self.image = WeightImage()
        self.ring_offset = 0

    def matmul(
        self,
        shape: MatMulShape,
        source: Source,
        dest: Dest,
        linear: Linear,
        rows: IntArray,
        columns: IntArray,
        norm: Norm | None = None,
        **more: int,
    ) -> dict[str, int]:
        """One matmul command; rows and columns place the weight's n and k in memory."""
        design = self.design
        placed = np.zeros((shape.n, shape.k), np.int8)
        weight = linear.weight if shape.planes > 1 else (linear.weight > 0).astype(np.int8)
        placed[np.ix_(rows, columns)] = weight
        bits = np.stack([placed.view(np.uint8) >> plane & 1 for plane in range(shape.planes)])
        words = weight_words(shape, design.pe, design.simd)
        values = {
            "opcode": Opcode.MATMUL,
            "source": source,
            "dest": dest,
            "tokens": shape.m,
            "outputs": int(rows.max()) + 1,
            "k_words": shape.k // design.pe,
            "n_words": shape.n // design.pe,
            "planes": shape.planes,
            "digits": shape.digits,
            "shift": linear.requant.shift,
            "requant_offset": self.image.add(records(linear.requant, rows, shape.n)),
            "dim": self.network.vit.dim,
            "head_words": self.padded_head // design.pe,
            "heads": self.network.vit.heads,
            "prefix_tokens": self.network.vit.prefix_tokens,
            "weight_words": words,
            "ring_offset": self.ring_offset,
        }
        if norm is not None:
            values |= {
                "norm_offset": self.image.add(
                    records(
                        norm.requant, self.layout.dim, round_up(len(self.layout.dim), design.pe)
                    )
                ),
                "norm_shift": norm.requant.shift,
                "eps_low": norm.eps & 0xFFFFFFFF,
                "eps_high": norm.eps >> 32,
            }
        values |= more
        values["weight_offset"] = self.image.add(pack_weights(bits, design))
        if design.resident:
            self.ring_offset += words
        return values

    def embed(self) -> dict[str, int]:
        """Pixels -> residual stream."""
        vit, layout = self.network.vit, self.layout
        tiles = constant_tiles(self.network.position, self.design, self.shapes["embed"].n)
        acc_bits = widths.fixed_acc_bits(widths.PIXEL_BITS, vit.patch_inputs)
        return self.matmul(
            self.shapes["embed"],
            Source.PIXELS,
            Dest.RESIDUAL,
            self.network.embed,
            layout.dim,
            layout.pixels,
            pre_shift=widths.pre_shift(acc_bits),
            constant_offset=self.image.add(tiles),
            pixel_bytes=patch_row_bytes(vit.patch_inputs),
        )

    def qkv(self, block: Block) -> dict[str, int]:
        """Residual stream -> q, k, v."""
        layout = self.layout
        shape = self.shapes["qkv"]
        return self.matmul(
            shape, Source.NORM, Dest.QKV, block.qkv, layout.qkv, layout.dim, block.norm1
        ) | {"outputs": shape.n}

    def attention(self, block: Block) -> dict[str, int]:
        """q, k, v -> context, in q's place."""
        vit, layer = self.network.vit, block.attention
        size = vit.heads * self.padded_head
        return {
            "opcode": Opcode.ATTENTION,
            "tokens": vit.tokens,
            "heads": vit.heads,
            "head_words": self.padded_head // self.design.pe,
            "n_words": size // self.design.pe,
            "outputs": size,
            "score_mult": layer.score_mult,
            "score_shift": layer.score_shift,
            "shift": layer.context.shift,
            "requant_offset": self.image.add(records(layer.context, self.layout.attention, size)),
        }

    def behind_attention(self, block: Block) -> list[dict[str, int]]:
        """Context -> residual stream -> hidden -> residual stream."""
        layout, shapes = self.layout, self.shapes
        proj = self.matmul(
            shapes["proj"],
            Source.CONTEXT,
            Dest.RESIDUAL,
            block.proj,
            layout.dim,
            layout.attention,
        )
        fc1 = self.matmul(
            shapes["fc1"],
            Source.NORM,
            Dest.HIDDEN,
            block.fc1,
            layout.hidden,
            layout.dim,
            block.norm2,
            gelu_offset=self.image.add(block.gelu.tobytes()),
        )
        fc2 = self.matmul(
            shapes["fc2"], Source.HIDDEN, Dest.RESIDUAL, block.fc2, layout.dim, layout.hidden
        )
        return [proj, fc1, fc2]

    def head(self) -> dict[str, int]:
        """Prefix tokens -> logits."""
        network, layout = self.network, self.layout
        k = network.vit.prefix_tokens * network.vit.dim
        acc_bits = widths.fixed_acc_bits(network.act_bits, k)
        return self.matmul(
            self.shapes["head"],
            Source.NORM_PREFIX,
            Dest.LOGITS,
            network.head,
            layout.classes,
            layout.head_inputs,
            network.norm,
            pre_shift=widths.pre_shift(acc_bits),
        )

    def phases(self) -> tuple[list[list[dict[str, int]]], list[dict[str, int]]]:
        """Binary-engine phases 0..L of a frame, and the attention between them."""
        blocks = self.network.blocks
        phases, attention = [[self.embed(), self.qkv(blocks[0])]], []
        for i, block in enumerate(blocks):
            attention.append(self.attention(block))
            phase = self.behind_attention(block)
            last = i + 1 == len(blocks)
            phase.append(self.head() if last else self.qkv(blocks[i + 1]))
            phases.append(phase)
        return phases, attention


Tagged = tuple[str, dict[str, int]]


def _at(
    frame_offset: int, names: Iterable[str], commands: Iterable[dict[str, int]]
) -> list[Tagged]:
    return [
        (name, command | {"frame_offset": frame_offset})
        for name, command in zip(names, commands, strict=True)
    ]


def _steps(compiler: _Compiler) -> list[list[Tagged]]:
    """The commands of one iteration, by step; both engines finish before the next step.

    Two frames in flight: in step j the binary engine works for slot j % 2 and the attention
    engine for the other slot. The last phase of a frame shares a step with the first phase of
    the frame two later, so an iteration has 2 * depth steps.
    """
    phases, attention = compiler.phases()
    names, attention_names = layer_names(len(attention))
    depth = len(attention)

    def binary(phase: int, offset: int) -> list[Tagged]:
        return _at(offset, names[phase], phases[phase])

    def attend(layer: int, offset: int) -> list[Tagged]:
        return _at(offset, [attention_names[layer]], [attention[layer]])

    if compiler.design.frames_in_flight == 1:
        steps = [binary(0, 0)]
        for layer in range(depth):
            steps += [attend(layer, 0), binary(layer + 1, 0)]
        return steps
    steps = [
        attend(depth - 1, -1) + binary(depth, -2) + binary(0, 0),
        attend(0, 0) + binary(depth, -1) + binary(0, 1),
    ]
    for phase in range(1, depth):
        steps += [
            attend(phase - 1, 1) + binary(phase, 0),
            attend(phase, 0) + binary(phase, 1),
        ]
    return steps


def _traced(
    names: list[str], commands: list[dict[str, int]], head_dim: int, padded: int
) -> tuple[Traced, ...]:
    """Every layer of golden, at the first command that computes it for slot 0."""
    norms = {"attn.qkv": "norm1", "mlp.fc1": "norm2", "head": "norm"}
    found: dict[str, Traced] = {}
    for index, (name, command) in enumerate(zip(names, commands, strict=True)):
        if command["frame_offset"] % 2 or name in found:
            continue
        attention = name.endswith(("attn.qkv", "attn.context"))
        group = (head_dim, padded) if attention else (1, 1)
        suffix = name if name == "head" else ".".join(name.split(".")[2:])
        if suffix in norms:
            norm = name.removesuffix(suffix) + norms[suffix]
            found[norm] = Traced(norm, index, True, 1, 1)
        found[name] = Traced(name, index, False, *group)
    return tuple(found.values())


def check_fits(design: Design, network: Network) -> None:
    """Raise InputError unless this design runs this network."""
    if network.act_bits != design.act_bits:
        raise InputError(
            f"the network has {network.act_bits}-bit activations, the design {design.act_bits};"
            " build for the network's precision"
        )
    check_model_fits(design, network.vit)


def compile_network(design: Design, network: Network) -> Program:
    """Commands and packed weights that run this network on this design.

    Raises InputError if it does not fit.
    """
    check_fits(design, network)
    vit = network.vit
    compiler = _Compiler(design, network)
    names: list[str] = []
    commands: list[dict[str, int]] = []
    for step in _steps(compiler):
        for position, (name, command) in enumerate(step):
            names.append(name)
            commands.append(command | {"step_end": int(position + 1 == len(step))})
    return Program(
        commands=b"".join(encode(command) for command in commands),
        weights=b"".join(compiler.image.parts),
        traced=_traced(names, commands, vit.head_dim, compiler.padded_head),
        frame_bytes=frame_bytes(network),
        result_bytes=round_up(4 * vit.classes, ALIGN),
    )
