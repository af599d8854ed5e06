"""How much of its grid every quantizer of a network uses on images: a bad scale is seen here.

Whatever leaves an accumulator is clamped to a grid low..high. A scale that is too small puts too
many values on the ends, one that is too large leaves most of the grid empty.

What is natural is not reported:
- *Values at an end* are not all clamped: with 2 bits a third of them may well belong there. The
  clamped share is estimated as what an end holds more than the level beside it, too little rather
  than too much where values get rarer outwards; up to MAX_CLAMPED is no finding.
- *Rare values* far out do not make a range wide: TAIL of the values at each end is left out of it.
- *Softmax*: 0 is a token far from the row's maximum, the top is the maximum itself; both ends are
  meant to be used, however rarely. Only a narrow range is reported: attention is nearly uniform.
- *Hidden, low end*: GELU has a minimum (-0.17), and where the zero point is 0 all that is negative
  becomes 0.
- *GELU's index*: an end where the table already holds what it tends to: its zero point at the low
  end, its top level at the high end (hidden itself is then at its end, and is judged there).
- *16 and 24 bits* (residual stream, logits): one scale serves all additions and keeps headroom, so
  a small part of the range is enough while it has as many steps as an 8-bit grid. But nothing is
  meant to reach an end: a single value there is reported.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaqf.arithmetic import widths
from vaqf.model.layers import Kind, Layer, of_block
from vaqf.network.structure import Block, Network

MAX_CLAMPED = 0.05  # of the values, at one end
TAIL = 0.005  # of the values, at each end that values may not crowd
LEAST_SPAN = 0.25  # of the grid between the tails
WIDE_LEVELS = 2**16  # of a grid with headroom
WIDE_SPAN = 256  # steps of them that are enough

IntArray = NDArray[Any]
Histogram = Callable[[Any, int, int], IntArray]
"""(values, low, levels) -> how often each level occurs, int64 [levels]."""


@dataclass(frozen=True)
class Grid:
    """The integers that one quantizer can give."""

    name: str  # golden's layer; q, k and v of attn.qkv by themselves
    what: str
    low: int
    high: int
    free_low: bool = False  # an end that values may crowd
    free_high: bool = False

    @property
    def levels(self) -> int:
        """Integers of the grid."""
        return self.high - self.low + 1

    @property
    def wide(self) -> bool:
        """Whether the grid keeps headroom: the residual stream and the logits."""
        return self.levels >= WIDE_LEVELS


@dataclass(frozen=True)
class Range:
    """What one quantizer gave."""

    grid: Grid
    values: int
    at_low: int  # values at the low end
    at_high: int
    beside_low: int  # values one level inside the low end
    beside_high: int
    least: int  # smallest value given
    most: int
    inner_least: int  # without the tail
    inner_most: int
    used: int  # different integers given

    @property
    def span(self) -> float:
        """Share of the grid that the values fill without their tails."""
        return (self.inner_most - self.inner_least + 1) / self.grid.levels

    @property
    def clamped(self) -> tuple[float, float]:
        """Estimated share of the values that were clamped to the low and to the high end."""
        low, high = self.at_low - self.beside_low, self.at_high - self.beside_high
        return max(0, low) / self.values, max(0, high) / self.values

    @property
    def findings(self) -> tuple[str, ...]:
        """What looks wrong: `low` or `high` (that end is saturated), `narrow`; mostly nothing."""
        grid = self.grid
        if grid.wide:
            low, high, needed = self.at_low > 0, self.at_high > 0, float(WIDE_SPAN)
        else:
            low, high = (share > MAX_CLAMPED for share in self.clamped)
            needed = max(2.0, LEAST_SPAN * grid.levels)
        seen = (
            ("low", low and not grid.free_low),
            ("high", high and not grid.free_high),
            ("narrow", self.inner_most - self.inner_least + 1 < needed),
        )
        return tuple(word for word, true in seen if true)

    def to_json(self) -> dict[str, Any]:
        """Counts as shares of the values, and of the grid's levels."""
        return {
            "name": self.grid.name,
            "what": self.grid.what,
            "low": self.grid.low,
            "high": self.grid.high,
            "values": self.values,
            "at_low": self.at_low / self.values,
            "at_high": self.at_high / self.values,
            "clamped_low": self.clamped[0],
            "clamped_high": self.clamped[1],
            "min": self.least,
            "max": self.most,
            "span": self.span,
            "levels_used": self.used / self.grid.levels,
            "free_low": self.grid.free_low,
            "free_high": self.grid.free_high,
            "findings": list(self.findings),
        }


def _signed(name: str, what: str, bits: int) -> Grid:
    return Grid(name, what, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _residual(name: str) -> Grid:
    return _signed(name, "residual stream", widths.RESIDUAL_BITS)


def _part(name: str, part: str) -> str:
    """The name of what is computed on the way to a layer of golden, or is a part of it."""
    return f"{name.rpartition('.')[0]}.{part}"


def _grids(layer: Layer, block: Block, act_bits: int) -> Iterator[Grid]:
    """What is clamped where one layer of a block is computed; nothing for many."""
    name = layer.name
    top, signed = widths.unsigned_limit(act_bits), widths.signed_limit(act_bits)
    match layer.kind:
        case Kind.NORM1 | Kind.NORM2:
            yield Grid(name, "layer norm", 0, top)
        case Kind.QKV:
            for part in "qkv":
                yield Grid(_part(name, part), part, -signed, signed)
        case Kind.SOFTMAX:
            high = widths.unsigned_limit(widths.exp_bits(act_bits))
            yield Grid(name, "softmax numerator", 0, high, free_low=True, free_high=True)
        case Kind.CONTEXT:
            yield Grid(name, "context", 0, top)
        case Kind.PROJ | Kind.FC2:
            yield _residual(name)
        case Kind.FC1:
            zero = int(block.gelu[2 ** (widths.GELU_INDEX_BITS - 1)])  # gelu(0)
            index = _signed(_part(name, "index"), "gelu index", widths.GELU_INDEX_BITS)
            low, high = int(block.gelu[0]) == zero, int(block.gelu[-1]) == top
            yield replace(index, free_low=low, free_high=high)
            yield Grid(name, "hidden", 0, top, free_low=True)


def grids(network: Network) -> tuple[Grid, ...]:
    """Every quantizer of a network, in the order of computation."""
    top = widths.unsigned_limit(network.act_bits)
    blocks = [
        grid
        for i, block in enumerate(network.blocks)
        for layer in of_block(i)
        for grid in _grids(layer, block, network.act_bits)
    ]
    logits = _signed("head", "logits", widths.LOGIT_BITS)
    return (_residual("embed"), *blocks, Grid("norm", "layer norm", 0, top), logits)


def histogram(values: IntArray, low: int, levels: int) -> IntArray:
    """How often each of the integers low, low + 1, ... occurs in an array of any shape."""
    return np.bincount(values.ravel().astype(np.int64) - low, minlength=levels)


class Tally:
    """Counts what every quantizer gives, over any number of batches, in some 10 MB.

    `record` is the argument of golden.run, and of the same network in torch with a `histogram`
    that counts where the values are.
    """

    def __init__(self, network: Network, histogram: Histogram = histogram) -> None:
        self._grids = {grid.name: grid for grid in grids(network)}
        self._split = {Kind.QKV.of(i) for i in range(network.vit.depth)}
        self._histogram = histogram
        self._counts = {
            name: np.zeros(grid.levels, np.int64)
            for name, grid in self._grids.items()
            if name != "head"
        }

    def record(self, name: str, values: Any) -> None:
        """Count the values [..., channels] of one layer; logits are left to `ranges`."""
        if name in self._split:
            dim = values.shape[-1] // 3
            for i, part in enumerate("qkv"):
                own = values[..., i * dim : (i + 1) * dim]
                self._add(_part(name, part), own)
        elif name != "head":
            self._add(name, values)

    def _add(self, name: str, values: Any) -> None:
        grid = self._grids[name]
        self._counts[name] += self._histogram(values, grid.low, grid.levels)

    def ranges(self, logits: IntArray) -> tuple[Range, ...]:
        """What every quantizer gave; `logits` are those of all images, whose grid is too large
        for a histogram. Nothing was given without an image: no ranges."""
        if not len(logits):
            return ()
        found = []
        for name, grid in self._grids.items():
            if name == "head":
                values, counts = np.unique(logits, return_counts=True)
            else:
                counts = self._counts[name]
                values = counts.nonzero()[0]
                counts = counts[values]
                values = values + grid.low
            found.append(_range(grid, values, counts))
        return tuple(found)


def _range(grid: Grid, values: IntArray, counts: IntArray) -> Range:
    """The range of different values, in ascending order, and how often each occurs."""
    total = int(counts.sum())
    upto, onward = counts.cumsum(), counts[::-1].cumsum()[::-1]
    inner_least = values[upto > (0 if grid.free_low else TAIL * total)][0]
    inner_most = values[onward > (0 if grid.free_high else TAIL * total)][-1]
    return Range(
        grid=grid,
        values=total,
        at_low=int(counts[values == grid.low].sum()),
        at_high=int(counts[values == grid.high].sum()),
        beside_low=int(counts[values == grid.low + 1].sum()),
        beside_high=int(counts[values == grid.high - 1].sum()),
        least=int(values[0]),
        most=int(values[-1]),
        inner_least=int(inner_least),
        inner_most=int(inner_most),
        used=len(values),
    )
