"""Which RAM a memory lies on: the rules of rtl/packages/storage.sv, its functions in Python.

tests/rtl/packages/test_storage.py compares the functions with the package's, in a simulator.
"""

from collections.abc import Iterator
from functools import lru_cache

from vaqf.arithmetic.widths import ceil_div
from vaqf.hardware.family import Family
from vaqf.hardware.rtl_numbers import number

ROWS, BLOCK_LUTS, BLOCK_WORDS, HALF_BITS, WHOLE_BITS, COLUMN_WORDS = (
    number("storage", name)
    for name in (
        "ROWS",
        "BLOCK_LUTS",
        "BLOCK_WORDS",
        "HALF_BITS",
        "WHOLE_BITS",
        "COLUMN_WORDS",
    )
)


def power(depth: int) -> int:
    """Words of the smallest row of block RAM that holds so many."""
    return 1 << (depth - 1).bit_length()


def block_width(bits: int, depth: int) -> int:
    """Bits of a word in a block of `bits` that is so deep (UG573, table "Port aspect ratios")."""
    plain = bits // max(depth, BLOCK_WORDS)
    return plain + plain // 8


def column(width: int, depth: int) -> int:
    """Bits of the columns of a row."""
    if depth < COLUMN_WORDS:
        return width
    return block_width(WHOLE_BITS, depth) if depth < WHOLE_BITS else 1


def blocks(width: int, depth: int) -> int:
    """Blocks of 18 Kbit of a row of a power of two."""
    half = block_width(HALF_BITS, depth)
    if depth < COLUMN_WORDS:
        return ceil_div(width, half)
    if depth >= WHOLE_BITS:
        return 2 * width * (depth // WHOLE_BITS)
    whole, rest = divmod(width, column(width, depth))
    return 2 * whole + (2 if rest > half else 1 if rest > 0 else 0)


def lutrams(width: int, depth: int, family: Family) -> int:
    """LUTs of a row of LUTRAM, of any depth: a port has two bits of 32 words or one of 64."""
    ports = family.lutram_ports
    wide = ceil_div(width, 2 * ports) * ceil_div(depth, 32)
    deep = ceil_div(width, ports) * ceil_div(depth, 64)
    return family.lutram_luts * min(wide, deep)


def luts(width: int, depth: int, family: Family) -> int:
    """And with the multiplexer between LUTRAMs."""
    return lutrams(width, depth, family) + width * (ceil_div(depth, 64) // 2)


def on_luts(width: int, depth: int, family: Family) -> bool:
    """Whether a row lies on LUTRAM."""
    return luts(width, depth, family) <= BLOCK_LUTS * blocks(width, power(depth))


def cost(width: int, depth: int, family: Family) -> int:
    """Of a row, in LUTs."""
    if on_luts(width, depth, family):
        return luts(width, depth, family)
    return BLOCK_LUTS * blocks(width, power(depth))


def row(width: int, depth: int, most: int, family: Family) -> int:
    """Words of the first row of a memory that may have `most`: all, or a power of two with the rest
    behind it if that costs less. The first cut brings the multiplexer, the next is in its LUTs."""
    left, cut = depth, width if most == ROWS else 0
    found = depth if on_luts(width, depth, family) else power(depth)
    best = cost(width, depth, family)
    for _ in range(1, most):
        if not on_luts(width, left, family):
            half = power(left) // 2
            cut, left = cut + cost(width, half, family), left - half
            if cut + cost(width, left, family) < best:
                best = cut + cost(width, left, family)
                found = power(depth) // 2
    return found


@lru_cache(maxsize=4096)
def rows(width: int, depth: int, family: Family) -> tuple[int, ...]:
    """Words of the rows of rtl/memory/memory.sv, of the last no more than there are."""
    return tuple(_rows(width, depth, family))


def _rows(width: int, depth: int, family: Family) -> Iterator[int]:
    for most in range(ROWS, 0, -1):
        first = row(width, depth, most, family)
        yield min(first, depth)
        depth -= first
        if depth <= 0:
            return
