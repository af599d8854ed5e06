// The accelerator on a ULX3S: its four memories in block RAM, its registers and theirs behind the
// serial line of the board's USB.
//
// The host's addresses are the accelerator's: the highest four bits say what is meant, registers (0)
// or one of the memories of ulx3s_pkg. Commands and weights come with the bitstream.
module ulx3s (
    input  logic       clk_25mhz,
    input  logic       ftdi_txd,   // what the host sends
    output logic       ftdi_rxd,
    input  logic       fire1,      // a button: reset
    output logic [7:0] led,
    output logic       wifi_gpio0  // low, it resets the board
);
  localparam int PORT = vaqf_pkg::PORT_BITS;
  localparam int WEIGHTS = vaqf_pkg::WEIGHT_BITS;
  localparam int SETTLE = 16;  // cycles of reset behind the PLL's lock
  localparam int READ_CYCLES = 4;  // from a word's address in the results to the word

  logic clk, locked;
  pll #(
      .DIVIDE(ulx3s_pkg::PLL_DIVIDE),
      .MULTIPLY(ulx3s_pkg::PLL_MULTIPLY),
      .OUTPUT_DIVIDE(ulx3s_pkg::PLL_OUTPUT_DIVIDE)
  ) u_pll (
      .oscillator(clk_25mhz),
      .clk,
      .locked
  );

  // the button and the lock are of other clocks; a device is configured with what is initial
  logic [1:0] resets;
  logic [SETTLE-1:0] settling;
  logic rst;
  initial begin
    settling = '1;
    rst = 1'b1;
  end
  always @(posedge clk) begin
    resets   <= {resets[0], fire1 || !locked};
    settling <= resets[1] ? '1 : settling << 1;
    rst      <= settling[SETTLE-1];
  end

  // -- the host ----------------------------------------------------------------------------------

  logic in_valid, in_broken, out_valid, out_ready;
  logic [7:0] in_data, out_data;
  uart_receive #(
      .CYCLES(ulx3s_pkg::BIT_CYCLES)
  ) u_receive (
      .clk,
      .rst,
      .line  (ftdi_txd),
      .valid (in_valid),
      .data  (in_data),
      .broken(in_broken)
  );
  uart_send #(
      .CYCLES(ulx3s_pkg::BIT_CYCLES)
  ) u_send (
      .clk,
      .rst,
      .valid(out_valid),
      .ready(out_ready),
      .data (out_data),
      .line (ftdi_rxd)
  );

  logic ask, write, done;
  logic [31:0] address, write_data, read_data;
  serial_host u_host (
      .clk,
      .rst,
      .in_valid,
      .in_data,
      .in_broken,
      .out_valid,
      .out_ready,
      .out_data,
      .ask,
      .write,
      .address,
      .write_data,
      .done,
      .read_data
  );

  // which region is asked for; reads of all but registers and results give what the last ones did
  logic [ 3:0] region;
  logic [31:0] place;  // inside it
  logic of_registers, register_done;
  logic [READ_CYCLES-1:0] waiting;
  logic [31:0] register_data, results_data;
  assign region = address[31:28];
  assign place = {4'b0, address[27:0]};
  assign of_registers = region == 4'd0;
  assign done = of_registers ? register_done : waiting[READ_CYCLES-1];
  assign read_data = of_registers ? register_data : results_data;
  always_ff @(posedge clk) waiting <= rst ? '0 : {waiting[READ_CYCLES-2:0], ask && !of_registers};

  logic writes_memory;
  assign writes_memory = ask && write;

  // -- the accelerator and its ports -------------------------------------------------------------

  logic awvalid, awready, wvalid, wready, bvalid, bready, arvalid, arready, rvalid, rready;
  logic [11:0] awaddr, araddr;
  logic [31:0] wdata, rdata;
  logic [3:0] wstrb;
  register_access u_registers (
      .clk,
      .rst,
      .ask(ask && of_registers),
      .write,
      .address(address[11:0]),
      .write_data,
      .done(register_done),
      .read_data(register_data),
      .awvalid,
      .awready,
      .awaddr,
      .wvalid,
      .wready,
      .wdata,
      .wstrb,
      .bvalid,
      .bready,
      .arvalid,
      .arready,
      .araddr,
      .rvalid,
      .rready,
      .rdata
  );

  logic commands_arvalid, commands_arready, commands_rvalid, commands_rready, commands_rlast;
  logic weights_arvalid, weights_arready, weights_rvalid, weights_rready, weights_rlast;
  logic images_arvalid, images_arready, images_rvalid, images_rready, images_rlast;
  logic results_awvalid, results_awready, results_wvalid, results_wready, results_wlast;
  logic results_bvalid, results_bready;
  logic [63:0] commands_araddr, weights_araddr, images_araddr, results_awaddr;
  logic [7:0] commands_arlen, weights_arlen, images_arlen, results_awlen;
  logic [PORT-1:0] commands_rdata, images_rdata, results_wdata;
  logic [WEIGHTS-1:0] weights_rdata;
  logic [ PORT/8-1:0] results_wstrb;
  logic [1:0] commands_rresp, weights_rresp, images_rresp, results_bresp;
  // bursts are of consecutive whole beats, caches there are none, and the host asks
  // verilator lint_off PINCONNECTEMPTY
  vaqf_accelerator u_accelerator (
      .ap_clk(clk),
      .ap_rst_n(!rst),
      .interrupt(),
      .s_axi_control_awvalid(awvalid),
      .s_axi_control_awready(awready),
      .s_axi_control_awaddr(awaddr),
      .s_axi_control_wvalid(wvalid),
      .s_axi_control_wready(wready),
      .s_axi_control_wdata(wdata),
      .s_axi_control_wstrb(wstrb),
      .s_axi_control_bvalid(bvalid),
      .s_axi_control_bready(bready),
      .s_axi_control_bresp(),
      .s_axi_control_arvalid(arvalid),
      .s_axi_control_arready(arready),
      .s_axi_control_araddr(araddr),
      .s_axi_control_rvalid(rvalid),
      .s_axi_control_rready(rready),
      .s_axi_control_rdata(rdata),
      .s_axi_control_rresp(),
      .m_axi_commands_arvalid(commands_arvalid),
      .m_axi_commands_arready(commands_arready),
      .m_axi_commands_araddr(commands_araddr),
      .m_axi_commands_arlen(commands_arlen),
      .m_axi_commands_arsize(),
      .m_axi_commands_arburst(),
      .m_axi_commands_arcache(),
      .m_axi_commands_arprot(),
      .m_axi_commands_rvalid(commands_rvalid),
      .m_axi_commands_rready(commands_rready),
      .m_axi_commands_rdata(commands_rdata),
      .m_axi_commands_rresp(commands_rresp),
      .m_axi_commands_rlast(commands_rlast),
      .m_axi_weights_arvalid(weights_arvalid),
      .m_axi_weights_arready(weights_arready),
      .m_axi_weights_araddr(weights_araddr),
      .m_axi_weights_arlen(weights_arlen),
      .m_axi_weights_arsize(),
      .m_axi_weights_arburst(),
      .m_axi_weights_arcache(),
      .m_axi_weights_arprot(),
      .m_axi_weights_rvalid(weights_rvalid),
      .m_axi_weights_rready(weights_rready),
      .m_axi_weights_rdata(weights_rdata),
      .m_axi_weights_rresp(weights_rresp),
      .m_axi_weights_rlast(weights_rlast),
      .m_axi_images_arvalid(images_arvalid),
      .m_axi_images_arready(images_arready),
      .m_axi_images_araddr(images_araddr),
      .m_axi_images_arlen(images_arlen),
      .m_axi_images_arsize(),
      .m_axi_images_arburst(),
      .m_axi_images_arcache(),
      .m_axi_images_arprot(),
      .m_axi_images_rvalid(images_rvalid),
      .m_axi_images_rready(images_rready),
      .m_axi_images_rdata(images_rdata),
      .m_axi_images_rresp(images_rresp),
      .m_axi_images_rlast(images_rlast),
      .m_axi_results_awvalid(results_awvalid),
      .m_axi_results_awready(results_awready),
      .m_axi_results_awaddr(results_awaddr),
      .m_axi_results_awlen(results_awlen),
      .m_axi_results_awsize(),
      .m_axi_results_awburst(),
      .m_axi_results_awcache(),
      .m_axi_results_awprot(),
      .m_axi_results_wvalid(results_wvalid),
      .m_axi_results_wready(results_wready),
      .m_axi_results_wdata(results_wdata),
      .m_axi_results_wstrb(results_wstrb),
      .m_axi_results_wlast(results_wlast),
      .m_axi_results_bvalid(results_bvalid),
      .m_axi_results_bready(results_bready),
      .m_axi_results_bresp(results_bresp)
  );
  // verilator lint_on PINCONNECTEMPTY

  // -- memories ----------------------------------------------------------------------------------

  read_memory #(
      .WIDTH(PORT),
      .DEPTH(ulx3s_pkg::COMMANDS_LINES),
      .BASE (ulx3s_pkg::COMMANDS_BASE),
      .FILE ("commands.hex")
  ) u_commands (
      .clk,
      .rst,
      .write(writes_memory && region == ulx3s_pkg::COMMANDS_BASE[31:28]),
      .write_address(place),
      .write_data,
      .arvalid(commands_arvalid),
      .arready(commands_arready),
      .araddr(commands_araddr),
      .arlen(commands_arlen),
      .rvalid(commands_rvalid),
      .rready(commands_rready),
      .rdata(commands_rdata),
      .rresp(commands_rresp),
      .rlast(commands_rlast)
  );
  read_memory #(
      .WIDTH(WEIGHTS),
      .DEPTH(ulx3s_pkg::WEIGHTS_LINES),
      .BASE (ulx3s_pkg::WEIGHTS_BASE),
      .FILE ("weights.hex")
  ) u_weights (
      .clk,
      .rst,
      .write(writes_memory && region == ulx3s_pkg::WEIGHTS_BASE[31:28]),
      .write_address(place),
      .write_data,
      .arvalid(weights_arvalid),
      .arready(weights_arready),
      .araddr(weights_araddr),
      .arlen(weights_arlen),
      .rvalid(weights_rvalid),
      .rready(weights_rready),
      .rdata(weights_rdata),
      .rresp(weights_rresp),
      .rlast(weights_rlast)
  );
  read_memory #(
      .WIDTH(PORT),
      .DEPTH(ulx3s_pkg::IMAGES_LINES),
      .BASE (ulx3s_pkg::IMAGES_BASE)
  ) u_images (
      .clk,
      .rst,
      .write(writes_memory && region == ulx3s_pkg::IMAGES_BASE[31:28]),
      .write_address(place),
      .write_data,
      .arvalid(images_arvalid),
      .arready(images_arready),
      .araddr(images_araddr),
      .arlen(images_arlen),
      .rvalid(images_rvalid),
      .rready(images_rready),
      .rdata(images_rdata),
      .rresp(images_rresp),
      .rlast(images_rlast)
  );
  write_memory #(
      .WIDTH(PORT),
      .DEPTH(ulx3s_pkg::RESULTS_LINES),
      .BASE (ulx3s_pkg::RESULTS_BASE)
  ) u_results (
      .clk,
      .rst,
      .read_address(place),
      .read_data(results_data),
      .awvalid(results_awvalid),
      .awready(results_awready),
      .awaddr(results_awaddr),
      .awlen(results_awlen),
      .wvalid(results_wvalid),
      .wready(results_wready),
      .wdata(results_wdata),
      .wstrb(results_wstrb),
      .wlast(results_wlast),
      .bvalid(results_bvalid),
      .bready(results_bready),
      .bresp(results_bresp)
  );

  // alive; weights are read; the host's line and ours, which rest high
  assign led = {4'b0, !ftdi_rxd, !ftdi_txd, weights_rvalid, !rst};
  assign wifi_gpio0 = 1'b1;
endmodule
