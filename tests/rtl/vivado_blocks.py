"""Block RAM as Vivado is known to map it, of the memories that a unit has before Yosys maps them.

UG906, "Optimizing RAMB Utilization when Memory Depth is not a Power of 2": the depth is rounded up
to a power of two, and blocks that are as deep as the memory lie side by side. Not run with Vivado.
"""

import re

from vaqf.sim.synth.units import Unit

# words of a block of 36 Kbit -> bits of one, UG573 and UG473; half a block has half the bits
WIDEST = {512: 72, 1024: 36, 2048: 18, 4096: 9, 8192: 4, 16384: 2, 32768: 1}


def vivado_blocks(unit: Unit) -> int:
    """18 Kbit blocks of all memories of a unit that ask for block RAM."""
    memory = r"^((?:  attribute [^\n]*\n)*)  memory (?:width (\d+) )?size (\d+) "
    found = re.findall(memory, unit.text, re.M)
    return sum(blocks(int(w or 1), int(d)) for attributes, w, d in found if '"block"' in attributes)


def blocks(width: int, depth: int) -> int:
    """18 Kbit blocks of one memory."""
    rounded = max(512, 1 << (depth - 1).bit_length())
    if rounded > max(WIDEST):
        return 2 * width * (rounded // max(WIDEST))
    whole, rest = divmod(width, WIDEST[rounded])
    return 2 * whole + (0 if rest == 0 else 1 if rest <= WIDEST[rounded] // 2 else 2)
