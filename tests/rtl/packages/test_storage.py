"""storage.py: its functions give what those of storage.sv give, and Yosys takes what both say."""

from itertools import pairwise, product
from pathlib import Path

import pytest
from packages_bench import evaluated
from vivado_blocks import vivado_blocks

from vaqf.files.paths import rtl
from vaqf.hardware.family import FAMILIES, Family
from vaqf.resources import storage
from vaqf.resources.memories import memory_use
from vaqf.sim.synth import mapping, netlist, units

WIDTHS = (1, 2, 5, 8, 9, 16, 36, 60, 128, 300, 3072)
DEPTHS = (1, 2, 3, 5, 31, 32, 33, 64, 96, 128, 129, 200, 512, 513, 640, 1024, 1025, 1576, 2500)
DEEP = (4096, 4728, 5000, 6336, 8191, 8192, 9000, 16385, 40960, 151296)


@pytest.mark.parametrize("family", FAMILIES)
def test_functions(tmp_path: Path, family: Family) -> None:
    sizes = list(product(WIDTHS, DEPTHS + DEEP))
    calls = [f"storage::row({w}, {d}, {most})" for w, d in sizes for most in (3, 2, 1)]
    calls += [f"storage::on_luts({w}, {d})" for w, d in sizes]
    calls += [f"storage::column({w}, storage::power({d}))" for w, d in sizes]
    expected = [storage.row(w, d, most, family) for w, d in sizes for most in (3, 2, 1)]
    expected += [storage.on_luts(w, d, family) for w, d in sizes]
    expected += [storage.column(w, storage.power(d)) for w, d in sizes]
    assert evaluated(calls, ["storage"], family, tmp_path) == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_rows(family: Family) -> None:
    """All words, no more rows than a LUT chooses among, all but the last of a power of two that has
    room for what lies behind."""
    for width, depth in product(WIDTHS, DEPTHS + DEEP):
        *first, last = storage.rows(width, depth, family)
        assert sum(first) + last == depth
        assert len(first) < storage.ROWS
        for row, behind in pairwise([*first, last]):
            assert row == storage.power(row) >= behind


# one row and several, columns, LUTRAM behind blocks and alone
MEMORIES = ((8, 129), (36, 513), (20, 640), (11, 96), (60, 4696), (16, 9000), (1, 16385))
MODULE = """\
module memory_{width}_{depth} (
    input logic clk, write,
    input logic [sizes::index_bits({depth})-1:0] write_address, read_address,
    input logic [{width}-1:0] write_data,
    output logic [{width}-1:0] read_data
);
  memory #(.WIDTH({width}), .DEPTH({depth})) u_memory (.*);
endmodule
"""


@pytest.mark.parametrize("family", FAMILIES)
def test_yosys_and_vivado_take_as_many(family: Family) -> None:
    """Of single memories: all but LUTs by Yosys, blocks by what is known of Vivado too."""
    modules = "".join(MODULE.format(width=w, depth=d) for w, d in MEMORIES)
    inside = "".join(f"memory_{w}_{d} u_{w}_{d} ();\n" for w, d in MEMORIES)
    package = (
        f"package vaqf_pkg;\nlocalparam int LUTRAM_PORTS = {family.lutram_ports};\nendpackage\n"
    )
    names = ("sizes", "storage", "memory_row", "memory")
    library = [(f"{name}.sv", rtl(name).read_text()) for name in names]
    top = ("top.sv", f"{modules}module top;\n{inside}endmodule\n")
    tree = units.cut([("vaqf_pkg.sv", package), *library, top], "top")
    made = mapping.synthesize(tree, family, None)
    found = {unit.module: name for name, unit in tree.items()}
    for width, depth in MEMORIES:
        use = memory_use(width, depth, 2, family)
        name = found[f"memory_{width}_{depth}"]
        counts = netlist.count(made[name])
        assert (2 * counts.bram36, counts.ff, counts.lutram) == (use.blocks, use.ff, use.lutram)
        assert counts.lut == pytest.approx(use.lut, abs=15)  # decoders of write enables
        assert vivado_blocks(tree[name]) == use.blocks
