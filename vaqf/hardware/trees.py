"""Cycles of the adder trees of rtl/arithmetic: for those who wait, and for what it takes."""

from functools import lru_cache

from vaqf.arithmetic.widths import ceil_div


@lru_cache(maxsize=1024)
def add_tree(count: int) -> int:
    """Levels of adders that make one number of three."""
    levels = 0
    while count > 1:
        count, levels = ceil_div(count, 3), levels + 1
    return levels


@lru_cache(maxsize=1024)
def packed_tree(count: int) -> int:
    """Two DSPs that make one number of four, then levels of adders."""
    return 2 + add_tree(ceil_div(count, 4))
