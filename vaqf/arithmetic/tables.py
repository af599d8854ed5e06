"""The constant tables of the accelerator: reciprocal, reciprocal square root, 2**x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vaqf.arithmetic.widths import (
    EXP2_FRACTION_BITS,
    EXP2_VALUE_BITS,
    NORM_INDEX_BITS,
    NORM_VALUE_BITS,
    unsigned_limit,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class OctaveTable:
    """A function on [1, 2) as value and slope per entry, linear between entries.

    f(x) ~ value[i] - (slope[i] * offset >> NORM_OFFSET_BITS), in units of 2**-NORM_VALUE_BITS,
    where i is the top NORM_INDEX_BITS of x's fraction and offset its next NORM_OFFSET_BITS.
    """

    value: NDArray[np.int64]
    slope: NDArray[np.int64]


def _octave_table(samples: NDArray[np.float64]) -> OctaveTable:
    """Table of a falling function from its 2**NORM_INDEX_BITS + 1 samples on [1, 2]."""
    import numpy as np

    scaled = np.minimum(np.rint(samples * 2.0**NORM_VALUE_BITS), unsigned_limit(NORM_VALUE_BITS))
    values = scaled.astype(np.int64)
    return OctaveTable(value=values[:-1], slope=values[:-1] - values[1:])


def _octave() -> NDArray[np.float64]:
    import numpy as np

    entries = 2**NORM_INDEX_BITS
    points: NDArray[np.float64] = 1.0 + np.arange(entries + 1, dtype=np.float64) / entries
    return points


def reciprocal_table() -> OctaveTable:
    """1 / x on [1, 2)."""
    return _octave_table(1.0 / _octave())


def rsqrt_tables() -> tuple[OctaveTable, OctaveTable]:
    """1 / sqrt(x) and 1 / sqrt(2x) on [1, 2): even and odd exponents."""
    import numpy as np

    return _octave_table(1.0 / np.sqrt(_octave())), _octave_table(1.0 / np.sqrt(2.0 * _octave()))


def exp2_table() -> NDArray[np.int64]:
    """[256]: 2**-(i / 2**EXP2_FRACTION_BITS) in units of 2**-EXP2_VALUE_BITS."""
    import numpy as np

    steps = np.arange(2**EXP2_FRACTION_BITS, dtype=np.float64) / 2**EXP2_FRACTION_BITS
    entries: NDArray[np.int64] = np.rint(2.0 ** (EXP2_VALUE_BITS - steps)).astype(np.int64)
    return entries
