"""Design + Network -> what the accelerator loads: a command list and one packed weight image.

The commands' fields are in command.py, the layout of their data in packing.py; docs/accelerator.md
describes both.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import round_up
from vaqf.errors import InputError
from vaqf.hardware.command import COMMAND_WORDS, Dest, Opcode, Source, encode
from vaqf.hardware.design import Design
from vaqf.hardware.layout import logit_row_bytes, patch_row_bytes
from vaqf.hardware.matmuls import MatMulShape, head_token_inputs, matmul_shapes, weight_words
from vaqf.hardware.matmuls import check_fits as check_model_fits
from vaqf.hardware.order import Entry, command_list, commands, result
from vaqf.model.layers import NORM_BEFORE, Kind, Layer
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
    first = np.arange(vit.head_tokens)[:, None]
    first = first * head_token_inputs(vit, design.pe, design.simd)
    return _Layout(
        dim=dim,
        hidden=np.arange(vit.hidden),
        attention=attention,
        qkv=(np.arange(3)[:, None] * vit.heads * head + attention).reshape(-1),
        head_inputs=(first + dim).reshape(-1),
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

    def command(self, layer: Layer) -> dict[str, int]:
        """The command that ends with this layer, for any frame."""
        block = self.network.blocks[layer.block]
        match layer.kind:
            case Kind.EMBED:
                return self.embed()
            case Kind.QKV:
                return self.qkv(block)
            case Kind.CONTEXT:
                return self.attention(block)
            case Kind.PROJ:
                return self.proj(block)
            case Kind.FC1:
                return self.fc1(block)
            case Kind.FC2:
                return self.fc2(block)
            case Kind.HEAD:
                return self.head()
        raise ValueError(f"no command ends with {layer.name}")

    def embed(self) -> dict[str, int]:
        """Pixels -> residual stream."""
        vit, layout = self.network.vit, self.layout
        shape = self.shapes[Kind.EMBED]
        tiles = constant_tiles(self.network.position, self.design, shape.n)
        acc_bits = widths.fixed_acc_bits(widths.PIXEL_BITS, vit.patch_inputs)
        return self.matmul(
            shape,
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
        shape = self.shapes[Kind.QKV]
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

    def proj(self, block: Block) -> dict[str, int]:
        """Context -> residual stream."""
        layout, shape = self.layout, self.shapes[Kind.PROJ]
        return self.matmul(
            shape, Source.CONTEXT, Dest.RESIDUAL, block.proj, layout.dim, layout.attention
        )

    def fc1(self, block: Block) -> dict[str, int]:
        """Residual stream -> hidden."""
        layout = self.layout
        return self.matmul(
            self.shapes[Kind.FC1],
            Source.NORM,
            Dest.HIDDEN,
            block.fc1,
            layout.hidden,
            layout.dim,
            block.norm2,
            gelu_offset=self.image.add(block.gelu.tobytes()),
        )

    def fc2(self, block: Block) -> dict[str, int]:
        """Hidden -> residual stream."""
        layout, shape = self.layout, self.shapes[Kind.FC2]
        return self.matmul(
            shape, Source.HIDDEN, Dest.RESIDUAL, block.fc2, layout.dim, layout.hidden
        )

    def head(self) -> dict[str, int]:
        """The head's tokens -> logits."""
        network, layout = self.network, self.layout
        k = network.vit.head_tokens * network.vit.dim
        acc_bits = widths.fixed_acc_bits(network.act_bits, k)
        return self.matmul(
            self.shapes[Kind.HEAD],
            Source.NORM_PREFIX,
            Dest.LOGITS,
            network.head,
            layout.classes,
            layout.head_inputs,
            network.norm,
            pre_shift=widths.pre_shift(acc_bits),
            prefix_tokens=network.vit.head_tokens,
        )


def _encoded(
    of_frame: Mapping[tuple[Kind, int], dict[str, int]], entries: Sequence[Entry]
) -> Iterator[bytes]:
    """The command list, out of the commands of any frame by kind and block."""
    for entry, following in zip(entries, [*entries[1:], entries[0]], strict=True):
        own = {"frame_offset": entry.frame, "step_end": int(following.new_step)}
        yield encode(of_frame[entry.kind, entry.block] | own)


def _traced(entries: Sequence[Entry], head_dim: int, padded: int) -> tuple[Traced, ...]:
    """Every layer of golden, at the first command that computes it for slot 0."""
    found: dict[str, Traced] = {}
    for index, entry in enumerate(entries):
        name = result(entry)
        if entry.slot or name in found:
            continue
        if entry.kind in NORM_BEFORE:
            norm = NORM_BEFORE[entry.kind].of(entry.block)
            found[norm] = Traced(norm, index, True, 1, 1)
        group = (head_dim, padded) if entry.kind in (Kind.QKV, Kind.CONTEXT) else (1, 1)
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
    # frames share weights, which lie in the image in the order of a frame
    of_frame = {(layer.kind, layer.block): compiler.command(layer) for layer in commands(vit.depth)}
    entries = command_list(vit.depth, design.frames_in_flight)
    return Program(
        commands=b"".join(_encoded(of_frame, entries)),
        weights=b"".join(compiler.image.parts),
        traced=_traced(entries, vit.head_dim, compiler.padded_head),
        frame_bytes=frame_bytes(network),
        result_bytes=logit_row_bytes(vit.classes),
    )
