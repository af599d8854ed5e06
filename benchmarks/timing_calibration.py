"""The timing model beside a core whose Vivado clock is published: picorv32.

Quoted from picorv32's README: its core behind AXI with TWO_CYCLE_ALU is closed by Vivado at 1.5 ns
on xcvu3p-2 and at 2.4 ns on a Kintex-7 at -2. The ratio says how far the model's paths are from
routed ones, for logic that Vivado restructures and in a device that is nearly empty.

    pip install pythondata-cpu-picorv32
    python benchmarks/timing_calibration.py
"""

import argparse
import importlib.util
import tempfile
from pathlib import Path

from vaqf.hardware.family import SERIES_7, ULTRASCALE_PLUS
from vaqf.sim.synth import synthesize

PUBLISHED = (
    (ULTRASCALE_PLUS, "xcvu3p-ffvc1517-2-e", 1.5),
    (SERIES_7, "xc7k70tfbg676-2", 2.4),
)  # ns
# the parameters of its README's table, as the top of a design
TOP = """
module calibration (
    input clk, input resetn, output mem_axi_awvalid, input mem_axi_awready,
    output [31:0] mem_axi_awaddr, output mem_axi_wvalid, input mem_axi_wready,
    output [31:0] mem_axi_wdata, output [3:0] mem_axi_wstrb, input mem_axi_bvalid,
    output mem_axi_bready, output mem_axi_arvalid, input mem_axi_arready,
    output [31:0] mem_axi_araddr, input mem_axi_rvalid, output mem_axi_rready,
    input [31:0] mem_axi_rdata
);
  picorv32_axi #(
      .TWO_CYCLE_ALU(1)
  ) u_core (
      .clk, .resetn, .mem_axi_awvalid, .mem_axi_awready, .mem_axi_awaddr, .mem_axi_wvalid,
      .mem_axi_wready, .mem_axi_wdata, .mem_axi_wstrb, .mem_axi_bvalid, .mem_axi_bready,
      .mem_axi_arvalid, .mem_axi_arready, .mem_axi_araddr, .mem_axi_rvalid, .mem_axi_rready,
      .mem_axi_rdata, .pcpi_wr(1'b0), .pcpi_rd(32'b0), .pcpi_wait(1'b0), .pcpi_ready(1'b0),
      .irq(32'b0)
  );
endmodule
"""


def main() -> None:
    """A line per family."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--verilog", type=Path, help="picorv32.v, where the package is not installed"
    )
    path = parser.parse_args().verilog or _installed()
    sources = [("picorv32.v", path.read_text()), ("calibration.v", TOP)]
    for family, part, published in PUBLISHED:
        with tempfile.TemporaryDirectory() as folder:
            made = synthesize.synthesize(
                sources, "calibration", family, Path(folder), whole=True, part=part
            )
        least, most = (timing.worst_ns for timing in made.timings)
        print(
            f"{part}: {least:.2f} ns optimistic, {most:.2f} ns realistic; Vivado closes"
            f" {published} ns: {least / published:.2f} and {most / published:.2f} times as long",
            flush=True,
        )
        for place in made.timings[1].paths[0].places:
            print(f"  {place.name} {place.file}:{place.line}")


def _installed() -> Path:
    found = importlib.util.find_spec("pythondata_cpu_picorv32")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("pip install pythondata-cpu-picorv32, or name picorv32.v with --verilog")
    return next(Path(found.submodule_search_locations[0]).rglob("picorv32.v"))


if __name__ == "__main__":
    main()
