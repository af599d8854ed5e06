// The accelerator: runs whole networks from a command list, on AXI4 ports laid out as Vitis HLS does.
//
// Two processes walk the list at their own pace: the loader reads weights and parameters ahead,
// the sequencer starts the binary path (rows, engine, results) and the attention engine.
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
  localparam int INDEX_BITS = sizes::index_bits(vaqf_pkg::MAX_COMMANDS);
  localparam int PORT = vaqf_pkg::PORT_BITS;
  localparam int ACT_WORD = vaqf_pkg::ACT_WORD;
  localparam int QKV_BITS = sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH);
  localparam int BANK_BITS = sizes::index_bits(vaqf_pkg::BANKS);
  localparam int ROW_BITS = sizes::index_bits(vaqf_pkg::TOKENS);
  localparam int RESIDUAL_BITS = sizes::index_bits(vaqf_pkg::RESIDUAL_DEPTH);
  localparam int HIDDEN_BITS = sizes::index_bits(vaqf_pkg::HIDDEN_DEPTH);
  localparam int GROUP_BITS = sizes::index_bits(vaqf_pkg::GROUPS);
  localparam int ROOM_BITS = sizes::bits_for(vaqf_pkg::RING_WORDS);
  localparam int RESIDUAL_TILE = vaqf_pkg::TOKENS * vaqf_pkg::RESIDUAL_WORD;

  // ports, registers and the run's state outlive an abort; everything else is held in reset by it
  logic clk, rst, datapath_rst, halt;
  assign clk = ap_clk;
  always_ff @(posedge clk) begin
    rst <= !ap_rst_n;
    datapath_rst <= !ap_rst_n || halt;
  end

  // -- a run -------------------------------------------------------------------------------------

  logic start, done, idle, prepare, list_start, list_filled, list_refused, frames_start, run_done;
  logic report_valid, report_ready, timed_out;
  logic [63:0] commands_address, weights_address, images_address, results_address;
  logic [31:0] n_frames, n_commands, frames, count;  // as the host sees them; of this run
  logic [63:0] list_base, weights_base, images_base, results_base;
  logic [INDEX_BITS-1:0] refused_index, matmul_index, attention_index;
  logic [7:0] status;
  logic [31:0] stopped_at, frames_done, status_data;
  logic [9:0] status_word;
  logic [3:0] ports_idle, ports_moved, flush;
  logic [7:0] ports_error;
  control u_control (
      .clk,
      .rst,
      .start,
      .done,
      .ready(done),
      .idle,
      .interrupt_request(interrupt),
      .commands(commands_address),
      .weights(weights_address),
      .images(images_address),
      .results(results_address),
      .n_frames,
      .n_commands,
      .status_word,
      .status(status_data),
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
  logic moves;
  run #(
      .WATCHDOG(WATCHDOG)
  ) u_run (
      .clk,
      .rst,
      .start,
      .done,
      .idle,
      .n_frames,
      .n_commands,
      .commands(commands_address),
      .weights(weights_address),
      .images(images_address),
      .results(results_address),
      .frames,
      .count,
      .commands_base(list_base),
      .weights_base,
      .images_base,
      .results_base,
      .list_start,
      .list_filled,
      .list_refused,
      .list_refused_index(refused_index),
      .frames_start,
      .frames_ended(run_done),
      .report_valid,
      .report_ready,
      .moved(moves),
      .ports_idle,
      .ports_failed({ports_error[7], ports_error[5], ports_error[3], ports_error[1]}),
      .prepare,
      .flush,
      .halt,
      .matmul_index,
      .status,
      .timed_out,
      .stopped_at
  );

  logic ring_read, matmul_busy, attention_busy;
  logic [INDEX_BITS-1:0] cycles_index;
  logic [31:0] cycles;
  run_status u_run_status (
      .clk,
      .rst,
      .word(status_word),
      .data(status_data),
      .start,
      .idle,
      .status,
      .timed_out,
      .ports_error,
      .stopped_at,
      .frames_done,
      .look_up(ring_read),
      .matmul_busy,
      .matmul_index,
      .attention_busy,
      .attention_index,
      .index(cycles_index),
      .cycles
  );

  // -- the command list and who walks it ---------------------------------------------------------

  logic list_request_valid, list_request_ready, list_valid, list_ready;
  logic [31:0] list_beats;
  logic [PORT-1:0] list_data;
  logic [2:0] read_request, read_answer;
  logic [3*INDEX_BITS-1:0] read_index;
  vaqf_pkg::command_t read_command;
  logic stored;
  logic [INDEX_BITS-1:0] stored_index;
  commands #(
      .READERS(3)
  ) u_commands (
      .clk,
      .rst(datapath_rst),
      .start(list_start),
      .n_commands(count),
      .filled(list_filled),
      .refused(list_refused),
      .refused_index,
      .stored,
      .stored_index,
      .request_valid(list_request_valid),
      .request_ready(list_request_ready),
      .request_beats(list_beats),
      .in_valid(list_valid),
      .in_ready(list_ready),
      .in_data(list_data),
      .read_request,
      .read_index,
      .read_answer,
      .read_command
  );
  axi_read u_commands_port (
      .clk,
      .rst,
      .request_valid(list_request_valid),
      .request_ready(list_request_ready),
      .request_address(list_base),
      .request_beats(list_beats),
      .data_valid(list_valid),
      .data_ready(list_ready),
      .data(list_data),
      .flush(flush[0]),
      .clear_error(prepare),
      .error(ports_error[0+:2]),
      .idle(ports_idle[0]),
      .moved(ports_moved[0]),
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

  logic matmul_loaded, matmul_start, matmul_done, matmul_slot, matmul_parity;
  vaqf_pkg::command_t matmul_command, attention_command;
  logic [31:0] matmul_frame, attention_frame;
  logic attention_loaded, attention_start, attention_done, attention_slot, attention_parity;
  sequencer u_sequencer (
      .clk,
      .rst(datapath_rst),
      .start(frames_start),
      .n_frames(frames),
      .n_commands(count),
      .run_done,
      .list_request(read_request[0]),
      .list_index(read_index[0*INDEX_BITS+:INDEX_BITS]),
      .list_answer(read_answer[0]),
      .list_command(read_command),
      .matmul_loaded,
      .matmul_start,
      .matmul_busy,
      .matmul_command,
      .matmul_index,
      .matmul_frame,
      .matmul_slot,
      .matmul_parity,
      .matmul_done,
      .attention_loaded,
      .attention_start,
      .attention_busy,
      .attention_command,
      .attention_index,
      .attention_frame,
      .attention_slot,
      .attention_parity,
      .attention_done
  );

  logic weights_request_valid, weights_request_ready, weights_valid, weights_ready;
  logic [63:0] weights_request_address, image_request_address;
  logic [31:0] weights_request_beats, image_request_beats;
  logic [vaqf_pkg::WEIGHT_BITS-1:0] weights_data, fill_data, constant_data;
  logic image_request_valid, image_request_ready, pixels_idle, pixels_start;
  vaqf_pkg::command_t pixels_command;
  logic parity, gelu_write, requant_write, reserve, fill_valid, constant_valid, constant_ready;
  logic [sizes::index_bits(vaqf_pkg::GELU_ENTRIES)-1:0] gelu_address;
  logic [vaqf_pkg::ACT_BITS-1:0] gelu_data;
  logic [vaqf_pkg::NORM_WORDS-1:0] norm_write;
  logic [vaqf_pkg::HEAD_WORDS-1:0] context_write;
  logic [sizes::index_bits(vaqf_pkg::RECORD_DEPTH)-1:0] record_address;
  logic [vaqf_pkg::PE*vaqf_pkg::RECORD_BITS-1:0] record_data;
  logic [ROOM_BITS-1:0] room, reserve_words;
  loader u_loader (
      .clk,
      .rst(datapath_rst),
      .start(frames_start),
      .n_frames(frames),
      .n_commands(count),
      .weights_address(weights_base),
      .images_address(images_base),
      .list_request(read_request[2:1]),
      .list_index(read_index[INDEX_BITS+:2*INDEX_BITS]),
      .list_answer(read_answer[2:1]),
      .list_command(read_command),
      .matmul_start,
      .matmul_done,
      .attention_done,
      .matmul_loaded,
      .attention_loaded,
      .request_valid(weights_request_valid),
      .request_ready(weights_request_ready),
      .request_address(weights_request_address),
      .request_beats(weights_request_beats),
      .data_valid(weights_valid),
      .data_ready(weights_ready),
      .data(weights_data),
      .image_request_valid,
      .image_request_ready,
      .image_request_address,
      .image_request_beats,
      .pixels_idle,
      .pixels_start,
      .pixels_command,
      .parity,
      .gelu_write,
      .gelu_address,
      .gelu_data,
      .norm_write,
      .requant_write,
      .context_write,
      .record_address,
      .record_data,
      .room,
      .reserve,
      .reserve_words,
      .fill_valid,
      .fill_data,
      .constant_valid,
      .constant_ready,
      .constant_data
  );
  axi_read #(
      .DATA_BITS(vaqf_pkg::WEIGHT_BITS)
  ) u_weights_port (
      .clk,
      .rst,
      .request_valid(weights_request_valid),
      .request_ready(weights_request_ready),
      .request_address(weights_request_address),
      .request_beats(weights_request_beats),
      .data_valid(weights_valid),
      .data_ready(weights_ready),
      .data(weights_data),
      .flush(flush[1]),
      .clear_error(prepare),
      .error(ports_error[2+:2]),
      .idle(ports_idle[1]),
      .moved(ports_moved[1]),
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

  // -- pixels ------------------------------------------------------------------------------------

  localparam int PIXEL_BITS = sizes::index_bits(2 * vaqf_pkg::PIXEL_WORDS);
  logic image_valid, image_ready, pixels_stored, pixels_release;
  logic [PORT-1:0] image_data;
  logic [ROW_BITS-1:0] pixels_first;
  logic [vaqf_pkg::TOKENS*PIXEL_BITS-1:0] pixels_address;
  logic [vaqf_pkg::TOKENS*8*vaqf_pkg::PE-1:0] pixels_data;
  axi_read u_images_port (
      .clk,
      .rst,
      .request_valid(image_request_valid),
      .request_ready(image_request_ready),
      .request_address(image_request_address),
      .request_beats(image_request_beats),
      .data_valid(image_valid),
      .data_ready(image_ready),
      .data(image_data),
      .flush(flush[2]),
      .clear_error(prepare),
      .error(ports_error[4+:2]),
      .idle(ports_idle[2]),
      .moved(ports_moved[2]),
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
  pixels u_pixels (
      .clk,
      .rst(datapath_rst),
      .start(pixels_start),
      .command(pixels_command),
      .idle(pixels_idle),
      .in_valid(image_valid),
      .in_ready(image_ready),
      .in_data(image_data),
      .stored(pixels_stored),
      .release_group(pixels_release),
      .read_first(pixels_first),
      .read_address(pixels_address),
      .read_data(pixels_data)
  );

  // -- the binary path ---------------------------------------------------------------------------

  logic load_valid, load_ready;
  logic [vaqf_pkg::LOAD_BITS-1:0] load_data;
  logic [ROW_BITS-1:0] norm_first, hidden_read_first, hidden_first;
  logic [vaqf_pkg::NORM_TOKENS*RESIDUAL_BITS-1:0] norm_address;
  logic [vaqf_pkg::NORM_TOKENS*vaqf_pkg::RESIDUAL_WORD-1:0] norm_data;
  logic [GROUP_BITS-1:0] sums_read_address, sums_address;
  logic [vaqf_pkg::TOKENS*vaqf_pkg::SUMS_BITS-1:0] sums_read_data, row_sums_data;
  logic [sizes::index_bits(vaqf_pkg::NORM_RECORD_DEPTH)-1:0] norm_record_address;
  logic [vaqf_pkg::NORM_WORDS*vaqf_pkg::PE*vaqf_pkg::RECORD_BITS-1:0] norm_record_data;
  logic [vaqf_pkg::TOKENS*HIDDEN_BITS-1:0] hidden_read_address;
  logic [HIDDEN_BITS-1:0] hidden_address;
  logic [vaqf_pkg::LOAD_BITS-1:0] hidden_read_data, hidden_data, context_data, qkv_data;
  logic [BANK_BITS-1:0] context_first, qkv_first;
  logic [vaqf_pkg::TOKENS*QKV_BITS-1:0] context_address, qkv_address;
  rows u_rows (
      .clk,
      .rst(datapath_rst),
      .start(matmul_start),
      .command(matmul_command),
      .residual_first(norm_first),
      .residual_address(norm_address),
      .residual_data(norm_data),
      .sums_address(sums_read_address),
      .sums_data(sums_read_data),
      .norm_record_address,
      .norm_record_data,
      .hidden_first(hidden_read_first),
      .hidden_address(hidden_read_address),
      .hidden_data(hidden_read_data),
      .q_first(context_first),
      .q_address(context_address),
      .q_data(context_data),
      .pixels_stored,
      .pixels_release,
      .pixels_first,
      .pixels_address,
      .pixels_data,
      .loads_valid(load_valid),
      .loads_ready(load_ready),
      .loads_data(load_data)
  );

  logic [sizes::index_bits(vaqf_pkg::RING_WORDS)-1:0] ring_offset;
  logic ring_available, ring_release;
  logic [vaqf_pkg::RING_WORD-1:0] ring_data;
  ring u_ring (
      .clk,
      .rst(datapath_rst),
      .start(frames_start),
      .room,
      .reserve,
      .reserve_words,
      .fill_valid,
      .fill_data,
      .matmul_start,
      .command_offset(matmul_command.ring_offset[$bits(ring_offset)-1:0]),
      .read(ring_read),
      .offset(ring_offset),
      .available(ring_available),
      .release_word(ring_release),
      .read_data(ring_data)
  );

  logic allowed, issued, acc_valid, sums_valid, sums_ready;
  logic [  vaqf_pkg::TILE*vaqf_pkg::ACC_BITS-1:0] acc_data;
  logic [vaqf_pkg::TOKENS*vaqf_pkg::ACC_BITS-1:0] sums_data;
  binary_engine u_engine (
      .clk,
      .rst(datapath_rst),
      .start(matmul_start),
      .command(matmul_command),
      .load_valid,
      .load_ready,
      .load_data,
      .ring_offset,
      .ring_read,
      .ring_available,
      .ring_release,
      .ring_data,
      .allowed,
      .issued,
      .acc_valid,
      .acc_data,
      .sums_valid,
      .sums_ready,
      .sums_data
  );

  logic constant_written, result_write, residual_write, row_sums_write, hidden_write;
  logic [ROW_BITS-1:0] constant_first, result_first, residual_first, skip_first;
  logic [RESIDUAL_BITS-1:0] constant_address, result_address, residual_address, skip_address;
  logic [RESIDUAL_TILE-1:0] constant_tile, result_tile, residual_data, skip_data;
  embed_constants u_embed_constants (
      .clk,
      .rst(datapath_rst),
      .start(matmul_start),
      .command(matmul_command),
      .in_valid(constant_valid),
      .in_ready(constant_ready),
      .in_data(constant_data),
      .held(result_write),
      .written(constant_written),
      .write_first(constant_first),
      .write_address(constant_address),
      .write_data(constant_tile)
  );
  assign residual_write = result_write || constant_written;
  assign residual_first = result_write ? result_first : constant_first;
  assign residual_address = result_write ? result_address : constant_address;
  assign residual_data = result_write ? result_tile : constant_tile;

  logic [sizes::index_bits(vaqf_pkg::OUTPUT_WORDS)-1:0] requant_address;
  logic [vaqf_pkg::PE*vaqf_pkg::RECORD_BITS-1:0] requant_data;
  logic [2:0] qkv_write;
  logic logits_valid, logits_ready, logits_last;
  logic [PORT-1:0] logits_data;
  results u_results (
      .clk,
      .rst(datapath_rst),
      .start(matmul_start),
      .command(matmul_command),
      .done(matmul_done),
      .allowed,
      .issued,
      .constant_written,
      .acc_valid,
      .acc_data,
      .sums_valid,
      .sums_ready,
      .sums_data,
      .record_address(requant_address),
      .record_data(requant_data),
      .gelu_write,
      .gelu_address,
      .gelu_data,
      .q_write(qkv_write[0]),
      .k_write(qkv_write[1]),
      .v_write(qkv_write[2]),
      .qkv_first,
      .qkv_address,
      .qkv_data,
      .hidden_write,
      .hidden_first,
      .hidden_address,
      .hidden_data,
      .residual_read_first(skip_first),
      .residual_read_address(skip_address),
      .residual_read_data(skip_data),
      .residual_write(result_write),
      .residual_write_first(result_first),
      .residual_write_address(result_address),
      .residual_write_data(result_tile),
      .row_sums_write,
      .row_sums_address(sums_address),
      .row_sums_data,
      .logits_valid,
      .logits_ready,
      .logits_data,
      .logits_last
  );

  // -- attention ---------------------------------------------------------------------------------

  logic [3*BANK_BITS-1:0] run_first;
  logic [3*vaqf_pkg::HEAD_WORDS*QKV_BITS-1:0] run_address;
  logic [3*vaqf_pkg::HEAD_WORDS*ACT_WORD-1:0] run_data;
  logic [vaqf_pkg::HEAD_WORDS-1:0] run_write;
  logic [BANK_BITS-1:0] run_write_first;
  logic [vaqf_pkg::HEAD_WORDS*QKV_BITS-1:0] run_write_address;
  logic [vaqf_pkg::HEAD_WORDS*ACT_WORD-1:0] run_write_data;
  logic [sizes::index_bits(vaqf_pkg::CONTEXT_RUNS)-1:0] context_record_address;
  logic [vaqf_pkg::HEAD_LANES*vaqf_pkg::RECORD_BITS-1:0] context_record_data;
  localparam int RUN_BITS = vaqf_pkg::HEAD_WORDS * QKV_BITS;
  localparam int RUN_WORD = vaqf_pkg::HEAD_WORDS * ACT_WORD;
  attention u_attention (
      .clk,
      .rst(datapath_rst),
      .start(attention_start),
      .command(attention_command),
      .done(attention_done),
      .q_read_first(run_first[0*BANK_BITS+:BANK_BITS]),
      .q_read_address(run_address[0*RUN_BITS+:RUN_BITS]),
      .q_read_data(run_data[0*RUN_WORD+:RUN_WORD]),
      .k_read_first(run_first[1*BANK_BITS+:BANK_BITS]),
      .k_read_address(run_address[1*RUN_BITS+:RUN_BITS]),
      .k_read_data(run_data[1*RUN_WORD+:RUN_WORD]),
      .v_read_first(run_first[2*BANK_BITS+:BANK_BITS]),
      .v_read_address(run_address[2*RUN_BITS+:RUN_BITS]),
      .v_read_data(run_data[2*RUN_WORD+:RUN_WORD]),
      .q_write(run_write),
      .q_write_first(run_write_first),
      .q_write_address(run_write_address),
      .q_write_data(run_write_data),
      .record_address(context_record_address),
      .record_data(context_record_data)
  );
  // -- memories ----------------------------------------------------------------------------------

  logic normalizes;
  assign normalizes = matmul_command.source == 4'(vaqf_pkg::SOURCE_NORM) ||
      matmul_command.source == 4'(vaqf_pkg::SOURCE_NORM_PREFIX);
  activations u_activations (
      .clk,
      .matmul_slot,
      .normalizes,
      .attention_slot,
      .attention_active(attention_busy),
      .norm_first,
      .norm_address,
      .norm_data,
      .sums_read_address,
      .sums_read_data,
      .hidden_read_first,
      .hidden_read_address,
      .hidden_read_data,
      .context_first,
      .context_address,
      .context_data,
      .skip_first,
      .skip_address,
      .skip_data,
      .residual_write,
      .residual_first,
      .residual_address,
      .residual_data,
      .sums_write(row_sums_write),
      .sums_address,
      .sums_data(row_sums_data),
      .hidden_write,
      .hidden_first,
      .hidden_address,
      .hidden_data,
      .qkv_write,
      .qkv_first,
      .qkv_address,
      .qkv_data,
      .run_first,
      .run_address,
      .run_data,
      .run_write,
      .run_write_first,
      .run_write_address,
      .run_write_data
  );
  parameters u_parameters (
      .clk,
      .parity,
      .norm_write,
      .requant_write,
      .context_write,
      .record_address,
      .record_data,
      .matmul_parity,
      .attention_parity,
      .norm_address(norm_record_address),
      .norm_data(norm_record_data),
      .requant_address,
      .requant_data,
      .context_address(context_record_address),
      .context_data(context_record_data)
  );

  // -- results -----------------------------------------------------------------------------------

  logic write_request_valid, write_request_ready, write_valid, write_ready;
  logic [63:0] write_address;
  logic [31:0] write_beats;
  logic [PORT-1:0] write_data;
  frame_results u_frame_results (
      .clk,
      .rst(datapath_rst),
      .start(prepare),
      .results_base,
      .matmul_start,
      .command(matmul_command),
      .logits_valid,
      .logits_ready,
      .logits_data,
      .report_valid,
      .report_ready,
      .status(32'(status)),
      .stopped_at,
      .frames_done,
      .request_valid(write_request_valid),
      .request_ready(write_request_ready),
      .request_address(write_address),
      .request_beats(write_beats),
      .data_valid(write_valid),
      .data_ready(write_ready),
      .data(write_data),
      .port_idle(ports_idle[3]),
      .port_failed(ports_error[7])
  );
  axi_write u_results_port (
      .clk,
      .rst,
      .request_valid(write_request_valid),
      .request_ready(write_request_ready),
      .request_address(write_address),
      .request_beats(write_beats),
      .data_valid(write_valid),
      .data_ready(write_ready),
      .data(write_data),
      .flush(flush[3]),
      .clear_error(prepare),
      .error(ports_error[6+:2]),
      .idle(ports_idle[3]),
      .moved(ports_moved[3]),
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

  // -- what is measured, and watched -------------------------------------------------------------

  command_cycles u_command_cycles (
      .clk,
      .rst  (datapath_rst),
      .stored,
      .stored_index,
      .matmul_start,
      .matmul_done,
      .matmul_index,
      .attention_start,
      .attention_done,
      .attention_index,
      .index(cycles_index),
      .data (cycles)
  );
  assign moves = |{ports_moved, stored, matmul_start, matmul_done, attention_start, attention_done,
                   load_valid && load_ready, ring_read, run_write};

  logic unused;
  assign unused = &{1'b0, logits_last, matmul_frame, attention_frame, matmul_command,
                    attention_command};
endmodule
