"""The matmuls of a model as a design runs them: padded shapes, weights, what memories must hold."""

from dataclasses import dataclass, fields
from functools import lru_cache

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import ceil_div, round_up
from vaqf.errors import InputError
from vaqf.hardware.design import TABLE_ENTRIES, Capacity, Design, run_words
from vaqf.model.layers import Kind
from vaqf.model.vit import Vit


@dataclass(frozen=True)
class MatMulShape:
    """One matmul as the binary engine runs it."""

    m: int  # token rows
    k: int  # inputs, padded to whole words
    n: int  # outputs, padded to whole words
    planes: int  # 1 for binary weights, 8 for two's complement ones
    digits: int  # 1, or the digits of a pixel

    def passes(self, simd: int) -> int:
        """Accumulating passes over the outputs of one token group."""
        return ceil_div(self.k, simd) * self.planes * self.digits


def head_token_inputs(vit: Vit, pe: int, simd: int) -> int:
    """Inputs of the head for each of its tokens: joined tokens start new K slices."""
    return round_up(vit.dim, pe if vit.head_tokens == 1 else simd)


@lru_cache(maxsize=1024)
def _matmul_shapes(
    vit: Vit, act_bits: int, pe: int, simd: int, padded_head: int
) -> tuple[tuple[Kind, MatMulShape], ...]:
    dim, hidden = round_up(vit.dim, pe), round_up(vit.hidden, pe)
    attention = vit.heads * padded_head
    tokens, planes = vit.tokens, widths.FIXED_WEIGHT_BITS
    digits = widths.pixel_digits(act_bits)
    head_inputs = vit.head_tokens * head_token_inputs(vit, pe, simd)
    classes = round_up(vit.classes, pe)
    return (
        (Kind.EMBED, MatMulShape(tokens, round_up(vit.patch_inputs, pe), dim, planes, digits)),
        (Kind.QKV, MatMulShape(tokens, dim, 3 * attention, 1, 1)),
        (Kind.PROJ, MatMulShape(tokens, attention, dim, 1, 1)),
        (Kind.FC1, MatMulShape(tokens, dim, hidden, 1, 1)),
        (Kind.FC2, MatMulShape(tokens, hidden, dim, 1, 1)),
        (Kind.HEAD, MatMulShape(1, head_inputs, classes, planes, 1)),
    )


def matmul_shapes(
    vit: Vit, act_bits: int, pe: int, simd: int, padded_head: int
) -> dict[Kind, MatMulShape]:
    """The matmuls of one frame that have weights, by kind."""
    return dict(_matmul_shapes(vit, act_bits, pe, simd, padded_head))


def capacity_for(vit: Vit, act_bits: int, pe: int, simd: int, lanes: int) -> Capacity:
    """The smallest capacity that runs this model on a design with these parameters."""
    padded_head = round_up(vit.head_dim, lanes)
    shapes = matmul_shapes(vit, act_bits, pe, simd, padded_head)
    partial = [s.n for s in shapes.values() if s.passes(simd) > 1]
    return Capacity(
        tokens=vit.tokens,
        dim=round_up(vit.dim, pe),
        hidden=round_up(vit.hidden, pe),
        attention=vit.heads * padded_head,
        head=padded_head,
        pixels=shapes[Kind.EMBED].k,
        outputs=max(s.n for s in shapes.values()),
        partial_outputs=max(partial),
    )


def weight_words(shape: MatMulShape, pe: int, simd: int) -> int:
    """Ring words of pe * simd bits of one matmul; every digit of a pixel reads the same words."""
    return ceil_div(shape.k, simd) * shape.planes * (shape.n // pe)


def total_weight_words(vit: Vit, act_bits: int, pe: int, simd: int, lanes: int) -> int:
    """Ring words of all matmuls of one frame: what a resident design holds."""
    shapes = matmul_shapes(vit, act_bits, pe, simd, round_up(vit.head_dim, lanes))
    return sum(
        weight_words(shape, pe, simd) * (vit.depth if kind.in_block else 1)
        for kind, shape in shapes.items()
    )


def streamed_ring_words(vit: Vit, act_bits: int, pe: int, simd: int, lanes: int) -> int:
    """Smallest legal ring: two of the largest encoder matrix, and any one matrix whole.

    Two, so that the next matrix is filled while one is used; the 8-bit embedding and head are
    read as bit planes and need only fit themselves.
    """
    shapes = matmul_shapes(vit, act_bits, pe, simd, round_up(vit.head_dim, lanes))
    words = [(weight_words(shape, pe, simd), shape.planes) for shape in shapes.values()]
    return max(count if planes > 1 else 2 * count for count, planes in words)


def most_sharing(vit: Vit, act_bits: int, array: tuple[int, int, int], lanes: int) -> int:
    """Largest legal F of a T x P x K array: a shared table generator fills 16 * F cycles, one
    slice takes N / P; the tokens that share it are not loaded together."""
    tokens, pe, simd = array
    shapes = matmul_shapes(vit, act_bits, pe, simd, round_up(vit.head_dim, lanes))
    slowest = min(s.n // pe for s in shapes.values() if s.planes == 1)
    run = run_words(tokens, pe, simd)
    fits = (f for f in range(run, 1, -1) if run % f == 0 and TABLE_ENTRIES * f <= slowest)
    return next(fits, 1)


def check_fits(design: Design, vit: Vit) -> None:
    """InputError unless this design runs this model, naming what is too small."""
    need = capacity_for(vit, design.act_bits, design.pe, design.simd, design.attention_lanes)
    for field in fields(Capacity):
        has, wanted = getattr(design.capacity, field.name), getattr(need, field.name)
        if has < wanted:
            raise InputError(
                f"design: capacity.{field.name} is {has}; {vit.name} needs at least {wanted}"
            )
    shape = (vit, design.act_bits, design.pe, design.simd, design.attention_lanes)
    words = total_weight_words(*shape) if design.resident else streamed_ring_words(*shape)
    if design.ring_words < words:
        raise InputError(
            f"design: ring_words is {design.ring_words}; {vit.name} needs at least {words}"
        )
    array = (design.tokens, design.pe, design.simd)
    share = most_sharing(vit, design.act_bits, array, design.attention_lanes)
    if design.share > share:
        raise InputError(f"design: share is {design.share}; {vit.name} allows at most {share}")
