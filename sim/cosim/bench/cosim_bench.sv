// The bench of whole networks: clock, accelerator and four memories. Python sees the control port, the
// reset and the interrupt, and nothing that moves in every cycle.
module cosim_bench (
    input logic rst_n,
    output logic clk,
    output longint cycle,  // since the reset
    // verilator lint_off SYMRSVDWORD
    output logic interrupt,
    // verilator lint_on SYMRSVDWORD

    input logic s_axi_control_awvalid,
    output logic s_axi_control_awready,
    input logic [11:0] s_axi_control_awaddr,
    input logic s_axi_control_wvalid,
    output logic s_axi_control_wready,
    input logic [31:0] s_axi_control_wdata,
    input logic [3:0] s_axi_control_wstrb,
    output logic s_axi_control_bvalid,
    input logic s_axi_control_bready,
    output logic [1:0] s_axi_control_bresp,
    input logic s_axi_control_arvalid,
    output logic s_axi_control_arready,
    input logic [11:0] s_axi_control_araddr,
    output logic s_axi_control_rvalid,
    input logic s_axi_control_rready,
    output logic [31:0] s_axi_control_rdata,
    output logic [1:0] s_axi_control_rresp
);
  initial clk = 1'b0;
  always #1 clk = !clk;
  always_ff @(posedge clk) cycle <= rst_n ? cycle + 1 : 0;

  logic m_axi_commands_arvalid;
  logic m_axi_commands_arready;
  logic [63:0] m_axi_commands_araddr;
  logic [7:0] m_axi_commands_arlen;
  logic [2:0] m_axi_commands_arsize;
  logic [1:0] m_axi_commands_arburst;
  logic [3:0] m_axi_commands_arcache;
  logic [2:0] m_axi_commands_arprot;
  logic m_axi_commands_rvalid;
  logic m_axi_commands_rready;
  logic [vaqf_pkg::PORT_BITS-1:0] m_axi_commands_rdata;
  logic [1:0] m_axi_commands_rresp;
  logic m_axi_commands_rlast;
  logic m_axi_weights_arvalid;
  logic m_axi_weights_arready;
  logic [63:0] m_axi_weights_araddr;
  logic [7:0] m_axi_weights_arlen;
  logic [2:0] m_axi_weights_arsize;
  logic [1:0] m_axi_weights_arburst;
  logic [3:0] m_axi_weights_arcache;
  logic [2:0] m_axi_weights_arprot;
  logic m_axi_weights_rvalid;
  logic m_axi_weights_rready;
  logic [vaqf_pkg::WEIGHT_BITS-1:0] m_axi_weights_rdata;
  logic [1:0] m_axi_weights_rresp;
  logic m_axi_weights_rlast;
  logic m_axi_images_arvalid;
  logic m_axi_images_arready;
  logic [63:0] m_axi_images_araddr;
  logic [7:0] m_axi_images_arlen;
  logic [2:0] m_axi_images_arsize;
  logic [1:0] m_axi_images_arburst;
  logic [3:0] m_axi_images_arcache;
  logic [2:0] m_axi_images_arprot;
  logic m_axi_images_rvalid;
  logic m_axi_images_rready;
  logic [vaqf_pkg::PORT_BITS-1:0] m_axi_images_rdata;
  logic [1:0] m_axi_images_rresp;
  logic m_axi_images_rlast;
  logic m_axi_results_awvalid;
  logic m_axi_results_awready;
  logic [63:0] m_axi_results_awaddr;
  logic [7:0] m_axi_results_awlen;
  logic [2:0] m_axi_results_awsize;
  logic [1:0] m_axi_results_awburst;
  logic [3:0] m_axi_results_awcache;
  logic [2:0] m_axi_results_awprot;
  logic m_axi_results_wvalid;
  logic m_axi_results_wready;
  logic [vaqf_pkg::PORT_BITS-1:0] m_axi_results_wdata;
  logic [vaqf_pkg::PORT_BITS/8-1:0] m_axi_results_wstrb;
  logic m_axi_results_wlast;
  logic m_axi_results_bvalid;
  logic m_axi_results_bready;
  logic [1:0] m_axi_results_bresp;

`ifdef VENDOR_RTL
  cosim_dut u_dut (
`else
  vaqf_accelerator u_dut (
`endif
      .ap_clk(clk),
      .ap_rst_n(rst_n),
      .interrupt,
      .s_axi_control_awvalid,
      .s_axi_control_awready,
      .s_axi_control_awaddr,
      .s_axi_control_wvalid,
      .s_axi_control_wready,
      .s_axi_control_wdata,
      .s_axi_control_wstrb,
      .s_axi_control_bvalid,
      .s_axi_control_bready,
      .s_axi_control_bresp,
      .s_axi_control_arvalid,
      .s_axi_control_arready,
      .s_axi_control_araddr,
      .s_axi_control_rvalid,
      .s_axi_control_rready,
      .s_axi_control_rdata,
      .s_axi_control_rresp,
      .m_axi_commands_arvalid,
      .m_axi_commands_arready,
      .m_axi_commands_araddr,
      .m_axi_commands_arlen,
      .m_axi_commands_arsize,
      .m_axi_commands_arburst,
      .m_axi_commands_arcache,
      .m_axi_commands_arprot,
      .m_axi_commands_rvalid,
      .m_axi_commands_rready,
      .m_axi_commands_rdata,
      .m_axi_commands_rresp,
      .m_axi_commands_rlast,
      .m_axi_weights_arvalid,
      .m_axi_weights_arready,
      .m_axi_weights_araddr,
      .m_axi_weights_arlen,
      .m_axi_weights_arsize,
      .m_axi_weights_arburst,
      .m_axi_weights_arcache,
      .m_axi_weights_arprot,
      .m_axi_weights_rvalid,
      .m_axi_weights_rready,
      .m_axi_weights_rdata,
      .m_axi_weights_rresp,
      .m_axi_weights_rlast,
      .m_axi_images_arvalid,
      .m_axi_images_arready,
      .m_axi_images_araddr,
      .m_axi_images_arlen,
      .m_axi_images_arsize,
      .m_axi_images_arburst,
      .m_axi_images_arcache,
      .m_axi_images_arprot,
      .m_axi_images_rvalid,
      .m_axi_images_rready,
      .m_axi_images_rdata,
      .m_axi_images_rresp,
      .m_axi_images_rlast,
      .m_axi_results_awvalid,
      .m_axi_results_awready,
      .m_axi_results_awaddr,
      .m_axi_results_awlen,
      .m_axi_results_awsize,
      .m_axi_results_awburst,
      .m_axi_results_awcache,
      .m_axi_results_awprot,
      .m_axi_results_wvalid,
      .m_axi_results_wready,
      .m_axi_results_wdata,
      .m_axi_results_wstrb,
      .m_axi_results_wlast,
      .m_axi_results_bvalid,
      .m_axi_results_bready,
      .m_axi_results_bresp
  );

  cosim_read_memory #(
      .DATA_BITS(vaqf_pkg::PORT_BITS),
      .NAME("commands")
  ) u_commands (
      .clk,
      .rst(!rst_n),
      .arvalid(m_axi_commands_arvalid),
      .arready(m_axi_commands_arready),
      .araddr(m_axi_commands_araddr),
      .arlen(m_axi_commands_arlen),
      .arsize(m_axi_commands_arsize),
      .arburst(m_axi_commands_arburst),
      .arcache(m_axi_commands_arcache),
      .arprot(m_axi_commands_arprot),
      .rvalid(m_axi_commands_rvalid),
      .rready(m_axi_commands_rready),
      .rdata(m_axi_commands_rdata),
      .rresp(m_axi_commands_rresp),
      .rlast(m_axi_commands_rlast)
  );
  cosim_read_memory #(
      .DATA_BITS(vaqf_pkg::WEIGHT_BITS),
      .NAME("weights")
  ) u_weights (
      .clk,
      .rst(!rst_n),
      .arvalid(m_axi_weights_arvalid),
      .arready(m_axi_weights_arready),
      .araddr(m_axi_weights_araddr),
      .arlen(m_axi_weights_arlen),
      .arsize(m_axi_weights_arsize),
      .arburst(m_axi_weights_arburst),
      .arcache(m_axi_weights_arcache),
      .arprot(m_axi_weights_arprot),
      .rvalid(m_axi_weights_rvalid),
      .rready(m_axi_weights_rready),
      .rdata(m_axi_weights_rdata),
      .rresp(m_axi_weights_rresp),
      .rlast(m_axi_weights_rlast)
  );
  cosim_read_memory #(
      .DATA_BITS(vaqf_pkg::PORT_BITS),
      .NAME("images")
  ) u_images (
      .clk,
      .rst(!rst_n),
      .arvalid(m_axi_images_arvalid),
      .arready(m_axi_images_arready),
      .araddr(m_axi_images_araddr),
      .arlen(m_axi_images_arlen),
      .arsize(m_axi_images_arsize),
      .arburst(m_axi_images_arburst),
      .arcache(m_axi_images_arcache),
      .arprot(m_axi_images_arprot),
      .rvalid(m_axi_images_rvalid),
      .rready(m_axi_images_rready),
      .rdata(m_axi_images_rdata),
      .rresp(m_axi_images_rresp),
      .rlast(m_axi_images_rlast)
  );
  cosim_write_memory #(
      .DATA_BITS(vaqf_pkg::PORT_BITS),
      .NAME("results")
  ) u_results (
      .clk,
      .rst(!rst_n),
      .cycle,
      .awvalid(m_axi_results_awvalid),
      .awready(m_axi_results_awready),
      .awaddr(m_axi_results_awaddr),
      .awlen(m_axi_results_awlen),
      .awsize(m_axi_results_awsize),
      .awburst(m_axi_results_awburst),
      .awcache(m_axi_results_awcache),
      .awprot(m_axi_results_awprot),
      .wvalid(m_axi_results_wvalid),
      .wready(m_axi_results_wready),
      .wdata(m_axi_results_wdata),
      .wstrb(m_axi_results_wstrb),
      .wlast(m_axi_results_wlast),
      .bvalid(m_axi_results_bvalid),
      .bready(m_axi_results_bready),
      .bresp(m_axi_results_bresp)
  );
endmodule
