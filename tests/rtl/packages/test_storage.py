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

WIDTHS = (1, 9, 36, 60, 3072)
DEPTHS = (1, 2, 33, 96, 129, 513, 1025, 1576)
DEEP = (4096, 4728, 9000, 16385, 40960, 151296)


@pytest.mark.parametrize("family", FAMILIES)
def test_functions(tmp_path: Path, family: Family) -> None:
    sizes = list(product(WIDTHS, DEPTHS + DEEP))
    calls = [f"storage::row(width, depth, {most})" for most in (3, 2, 1)]
    calls += ["storage::on_luts(width, depth)", "storage::column(width, storage::power(depth))"]
    expected = [
        number
        for w, d in sizes
        for number in (
            *(storage.row(w, d, most, family) for most in (3, 2, 1)),
            storage.on_luts(w, d, family),
            storage.column(w, storage.power(d)),
        )
    ]
    assert evaluated(calls, ["storage"], family, tmp_path, sizes) == expected


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
MEMORIES = ((36, 520), (11, 96), (20, 4696), (1, 16385))
PORTS = """\
    input logic write{0},
    input logic [sizes::index_bits({depth})-1:0] write_address{0}, read_address{0},
    input logic [{width}-1:0] write_data{0},
    output logic [{width}-1:0] read_data{0}"""
MODULE = f"""\
module memory_{{width}}_{{depth}} (
    input logic clk,
{PORTS.replace("{0}", "")}
);
  memory #(.WIDTH({{width}}), .DEPTH({{depth}})) u_memory (.*);
endmodule
"""
INSTANCE = """\
  memory_{width}_{depth} u{0} (
      .clk, .write(write{0}), .write_address(write_address{0}), .write_data(write_data{0}),
      .read_address(read_address{0}), .read_data(read_data{0})
  );
"""


def every(text: str) -> list[str]:
    """A text for each of the memories."""
    return [text.format(f"_{w}_{d}", width=w, depth=d) for w, d in MEMORIES]


@pytest.mark.parametrize("family", FAMILIES)
def test_yosys_and_vivado_take_as_many(family: Family) -> None:
    """Of single memories: all but LUTs by Yosys, blocks by what is known of Vivado too."""
    ports, inside = ",\n".join(["    input logic clk", *every(PORTS)]), "".join(every(INSTANCE))
    package = (
        f"package vaqf_pkg;\nlocalparam int LUTRAM_PORTS = {family.lutram_ports};\nendpackage\n"
    )
    names = ("sizes", "storage", "memory_row", "memory")
    library = [(f"{name}.sv", rtl(name).read_text()) for name in names]
    modules = "".join(every(MODULE))
    top = ("top.sv", f"{modules}module top (\n{ports}\n);\n{inside}endmodule\n")
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
