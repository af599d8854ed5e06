// The accelerator: runs whole networks from a command list, on AXI4 ports laid out as Vitis HLS does.
//
// Here are its ports; the conductor says what happens when, the datapath is where it happens.
module vaqf_accelerator #(
    parameter int WATCHDOG = 2 ** 20  // cycles in which nothing moves: docs/accelerator.md
) (
    input  logic ap_clk,
    input  logic ap_rst_n,
    // verilator lint_off SYMRSVDWORD
    output logic interrupt,
    // verilator lint_on SYMRSVDWORD

    input  logic        s_axi_control_awvalid,
    output logic        s_axi_control_awready,
    input  logic [11:0] s_axi_control_awaddr,
    input  logic        s_axi_control_wvalid,
    output logic        s_axi_control_wready,
    input  logic [31:0] s_axi_control_wdata,
    input  logic [ 3:0] s_axi_control_wstrb,
    output logic        s_axi_control_bvalid,
    input  logic        s_axi_control_bready,
    output logic [ 1:0] s_axi_control_bresp,
    input  logic        s_axi_control_arvalid,
    output logic        s_axi_control_arready,
    input  logic [11:0] s_axi_control_araddr,
    output logic        s_axi_control_rvalid,
    input  logic        s_axi_control_rready,
    output logic [31:0] s_axi_control_rdata,
    output logic [ 1:0] s_axi_control_rresp,

    output logic                           m_axi_commands_arvalid,
    input  logic                           m_axi_commands_arready,
    output logic [                   63:0] m_axi_commands_araddr,
    output logic [                    7:0] m_axi_commands_arlen,
    output logic [                    2:0] m_axi_commands_arsize,
    output logic [                    1:0] m_axi_commands_arburst,
    output logic [                    3:0] m_axi_commands_arcache,
    output logic [                    2:0] m_axi_commands_arprot,
    input  logic                           m_axi_commands_rvalid,
    output logic                           m_axi_commands_rready,
    input  logic [vaqf_pkg::PORT_BITS-1:0] m_axi_commands_rdata,
    input  logic [                    1:0] m_axi_commands_rresp,
    input  logic                           m_axi_commands_rlast,

    output logic                             m_axi_weights_arvalid,
    input  logic                             m_axi_weights_arready,
    output logic [                     63:0] m_axi_weights_araddr,
    output logic [                      7:0] m_axi_weights_arlen,
    output logic [                      2:0] m_axi_weights_arsize,
    output logic [                      1:0] m_axi_weights_arburst,
    output logic [                      3:0] m_axi_weights_arcache,
    output logic [                      2:0] m_axi_weights_arprot,
    input  logic                             m_axi_weights_rvalid,
    output logic                             m_axi_weights_rready,
    input  logic [vaqf_pkg::WEIGHT_BITS-1:0] m_axi_weights_rdata,
    input  logic [                      1:0] m_axi_weights_rresp,
    input  logic                             m_axi_weights_rlast,

    output logic                           m_axi_images_arvalid,
    input  logic                           m_axi_images_arready,
    output logic [                   63:0] m_axi_images_araddr,
    output logic [                    7:0] m_axi_images_arlen,
    output logic [                    2:0] m_axi_images_arsize,
    output logic [                    1:0] m_axi_images_arburst,
    output logic [                    3:0] m_axi_images_arcache,
    output logic [                    2:0] m_axi_images_arprot,
    input  logic                           m_axi_images_rvalid,
    output logic                           m_axi_images_rready,
    input  logic [vaqf_pkg::PORT_BITS-1:0] m_axi_images_rdata,
    input  logic [                    1:0] m_axi_images_rresp,
    input  logic                           m_axi_images_rlast,

    output logic                             m_axi_results_awvalid,
    input  logic                             m_axi_results_awready,
    output logic [                     63:0] m_axi_results_awaddr,
    output logic [                      7:0] m_axi_results_awlen,
    output logic [                      2:0] m_axi_results_awsize,
    output logic [                      1:0] m_axi_results_awburst,
    output logic [                      3:0] m_axi_results_awcache,
    output logic [                      2:0] m_axi_results_awprot,
    output logic                             m_axi_results_wvalid,
    input  logic                             m_axi_results_wready,
    output logic [  vaqf_pkg::PORT_BITS-1:0] m_axi_results_wdata,
    output logic [vaqf_pkg::PORT_BITS/8-1:0] m_axi_results_wstrb,
    output logic                             m_axi_results_wlast,
    input  logic                             m_axi_results_bvalid,
    output logic                             m_axi_results_bready,
    input  logic [                      1:0] m_axi_results_bresp
);
  localparam int PORT = vaqf_pkg::PORT_BITS;

  // ports, registers and the run's state outlive an abort; everything else is held in reset by it
  logic clk, rst, datapath_rst, halt;
  assign clk = ap_clk;
  always_ff @(posedge clk) rst <= !ap_rst_n;
  assign datapath_rst = !ap_rst_n || halt;  // each block has a register for it

  // -- registers ---------------------------------------------------------------------------------

  logic start, done, idle;
  vaqf_pkg::arguments_t arguments;
  logic [9:0] status_word;
  logic [31:0] status;
  control u_control (
      .clk,
      .rst,
      .start,
      .done,
      .ready(done),
      .idle,
      .interrupt_request(interrupt),
      .commands(arguments.commands),
      .weights(arguments.weights),
      .images(arguments.images),
      .results(arguments.results),
      .n_frames(arguments.n_frames),
      .n_commands(arguments.n_commands),
      .status_word,
      .status,
      .awvalid(s_axi_control_awvalid),
      .awready(s_axi_control_awready),
      .awaddr(s_axi_control_awaddr),
      .wvalid(s_axi_control_wvalid),
      .wready(s_axi_control_wready),
      .wdata(s_axi_control_wdata),
      .wstrb(s_axi_control_wstrb),
      .bvalid(s_axi_control_bvalid),
      .bready(s_axi_control_bready),
      .bresp(s_axi_control_bresp),
      .arvalid(s_axi_control_arvalid),
      .arready(s_axi_control_arready),
      .araddr(s_axi_control_araddr),
      .rvalid(s_axi_control_rvalid),
      .rready(s_axi_control_rready),
      .rdata(s_axi_control_rdata),
      .rresp(s_axi_control_rresp)
  );

  // -- memories' ports ---------------------------------------------------------------------------

  vaqf_pkg::request_t commands_request, weights_request, images_request, results_request;
  logic commands_request_ready, weights_request_ready, images_request_ready, results_request_ready;
  logic commands_valid, commands_ready, weights_valid, weights_ready;
  logic images_valid, images_ready, results_valid, results_ready;
  logic [PORT-1:0] commands_data, images_data, results_data;
  logic [vaqf_pkg::WEIGHT_BITS-1:0] weights_data;
  vaqf_pkg::ports_t ports;
  logic [3:0] flush;
  logic prepare;
  axi_read u_commands_port (
      .clk,
      .rst,
      .request_valid(commands_request.valid),
      .request_ready(commands_request_ready),
      .request_address(commands_request.address),
      .request_beats(commands_request.beats),
      .data_valid(commands_valid),
      .data_ready(commands_ready),
      .data(commands_data),
      .flush(flush[0]),
      .clear_error(prepare),
      .error(ports.error[0+:2]),
      .idle(ports.idle[0]),
      .moved(ports.moved[0]),
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
  axi_read #(
      .DATA_BITS(vaqf_pkg::WEIGHT_BITS)
  ) u_weights_port (
      .clk,
      .rst,
      .request_valid(weights_request.valid),
      .request_ready(weights_request_ready),
      .request_address(weights_request.address),
      .request_beats(weights_request.beats),
      .data_valid(weights_valid),
      .data_ready(weights_ready),
      .data(weights_data),
      .flush(flush[1]),
      .clear_error(prepare),
      .error(ports.error[2+:2]),
      .idle(ports.idle[1]),
      .moved(ports.moved[1]),
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
  axi_read u_images_port (
      .clk,
      .rst,
      .request_valid(images_request.valid),
      .request_ready(images_request_ready),
      .request_address(images_request.address),
      .request_beats(images_request.beats),
      .data_valid(images_valid),
      .data_ready(images_ready),
      .data(images_data),
      .flush(flush[2]),
      .clear_error(prepare),
      .error(ports.error[4+:2]),
      .idle(ports.idle[2]),
      .moved(ports.moved[2]),
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
  axi_write u_results_port (
      .clk,
      .rst,
      .request_valid(results_request.valid),
      .request_ready(results_request_ready),
      .request_address(results_request.address),
      .request_beats(results_request.beats),
      .data_valid(results_valid),
      .data_ready(results_ready),
      .data(results_data),
      .flush(flush[3]),
      .clear_error(prepare),
      .error(ports.error[6+:2]),
      .idle(ports.idle[3]),
      .moved(ports.moved[3]),
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

  // -- what happens when, and where --------------------------------------------------------------

  logic frames_start, matmul_done, attention_done, look_up, moves;
  vaqf_pkg::job_t matmul, attention;
  vaqf_pkg::delivery_t delivery;
  vaqf_pkg::fill_t fill;
  logic [sizes::bits_for(vaqf_pkg::RING_WORDS)-1:0] room;
  logic constant_valid, constant_ready, pixels_start, pixels_idle;
  logic [vaqf_pkg::WEIGHT_BITS-1:0] constant_data;
  vaqf_pkg::command_t pixels_command;
  logic logits_valid, logits_ready;
  logic [PORT-1:0] logits_data;
  conductor #(
      .WATCHDOG(WATCHDOG)
  ) u_conductor (
      .clk,
      .rst,
      .datapath_rst,
      .start,
      .done,
      .idle,
      .arguments,
      .status_word,
      .status,
      .ports,
      .prepare,
      .flush,
      .halt,
      .commands_request,
      .commands_request_ready,
      .commands_valid,
      .commands_ready,
      .commands_data,
      .weights_request,
      .weights_request_ready,
      .weights_valid,
      .weights_ready,
      .weights_data,
      .images_request,
      .images_request_ready,
      .results_request,
      .results_request_ready,
      .results_valid,
      .results_ready,
      .results_data,
      .frames_start,
      .matmul,
      .matmul_done,
      .attention,
      .attention_done,
      .look_up,
      .moves,
      .delivery,
      .room,
      .fill,
      .constant_valid,
      .constant_ready,
      .constant_data,
      .pixels_idle,
      .pixels_start,
      .pixels_command,
      .logits_valid,
      .logits_ready,
      .logits_data
  );
  datapath u_datapath (
      .clk,
      .rst  (datapath_rst),
      .start(frames_start),
      .matmul,
      .matmul_done,
      .attention,
      .attention_done,
      .look_up,
      .moves,
      .delivery,
      .room,
      .fill,
      .constant_valid,
      .constant_ready,
      .constant_data,
      .pixels_idle,
      .pixels_start,
      .pixels_command,
      .images_valid,
      .images_ready,
      .images_data,
      .logits_valid,
      .logits_ready,
      .logits_data
  );
endmodule
