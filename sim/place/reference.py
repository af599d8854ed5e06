"""The core that our clock is compared with: picorv32, whose clock from Vivado is published.

Its README: behind AXI with TWO_CYCLE_ALU Vivado closes it at 1.5 ns on xcvu3p-2 and 2.4 ns on a
Kintex-7 at -2. So it says what a tool makes of good logic, in a number that people know.
"""

import importlib.util
from pathlib import Path

NAME, TOP, CLOCK = "picorv32_axi", "calibration", "clk"
PACKAGE = "pythondata_cpu_picorv32"  # of PyPI, which brings its Verilog
# the parameters of its README's table, as the top of a design
SOURCE = """
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


def verilog() -> Path | None:
    """picorv32.v as its package brings it; None without it."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        return None
    return next(Path(found.submodule_search_locations[0]).rglob("picorv32.v"), None)


def sources(core: Path) -> list[tuple[str, str]]:
    """(name, text) of the core and of the top around it."""
    return [("picorv32.v", core.read_text(encoding="utf-8")), ("calibration.v", SOURCE)]
