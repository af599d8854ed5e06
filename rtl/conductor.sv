// Who says what happens when: the run, the command list and the two who walk it.
//
// The loader reads weights and parameters ahead, the sequencer gives the binary path and the attention
// engine their jobs, each at its own pace. `halt` holds everything in reset but the ports, the
// registers and the run's own state. Ports: 0 commands, 1 weights, 2 images, 3 results.
module conductor #(
    parameter int WATCHDOG = 2 ** 20  // cycles in which nothing moves
) (
    input logic clk,
    input logic rst,
    input logic datapath_rst,
    // registers
    input logic start,
    output logic done,
    output logic idle,
    input vaqf_pkg::arguments_t arguments,
    input logic [9:0] status_word,
    output logic [31:0] status,
    // ports
    input vaqf_pkg::ports_t ports,
    output logic prepare,
    output logic [3:0] flush,
    output logic halt,
    output vaqf_pkg::request_t commands_request,
    input logic commands_request_ready,
    input logic commands_valid,
    output logic commands_ready,
    input logic [vaqf_pkg::PORT_BITS-1:0] commands_data,
    output vaqf_pkg::request_t weights_request,
    input logic weights_request_ready,
    input logic weights_valid,
    output logic weights_ready,
    input logic [vaqf_pkg::WEIGHT_BITS-1:0] weights_data,
    output vaqf_pkg::request_t images_request,
    input logic images_request_ready,
    output vaqf_pkg::request_t results_request,
    input logic results_request_ready,
    output logic results_valid,
    input logic results_ready,
    output logic [vaqf_pkg::PORT_BITS-1:0] results_data,
    // the datapath: `frames_start` before the first job
    output logic frames_start,
    output vaqf_pkg::job_t matmul,
    input logic matmul_done,
    output vaqf_pkg::job_t attention,
    input logic attention_done,
    input logic look_up,
    input logic moves,
    output vaqf_pkg::delivery_t delivery,
    input logic [sizes::bits_for(vaqf_pkg::RING_WORDS)-1:0] room,
    output vaqf_pkg::fill_t fill,
    output logic constant_valid,
    input logic constant_ready,
    output logic [vaqf_pkg::WEIGHT_BITS-1:0] constant_data,
    input logic pixels_idle,
    output logic pixels_start,
    output vaqf_pkg::command_t pixels_command,
    input logic logits_valid,
    output logic logits_ready,
    input logic [vaqf_pkg::PORT_BITS-1:0] logits_data
);
  localparam int INDEX_BITS = sizes::index_bits(vaqf_pkg::MAX_COMMANDS);

  // one for each, as a reset has many loads
  (* keep = "true" *) logic cycles_rst, list_rst, sequencer_rst, loader_rst, results_rst;
  always_ff @(posedge clk) begin
    {cycles_rst, list_rst, sequencer_rst, loader_rst, results_rst} <= {5{datapath_rst}};
  end

  // -- a run -------------------------------------------------------------------------------------

  logic list_start, list_filled, list_refused, run_done, report_valid, report_ready, timed_out;
  logic moved, stored;
  logic [31:0] frames, count;  // of this run
  logic [63:0] list_base, weights_base, images_base, results_base;
  logic [INDEX_BITS-1:0] refused_index, cycles_index, stored_index;
  logic [7:0] run_status;
  logic [31:0] stopped_at, frames_done, cycles;
  assign moved = |{ports.moved, stored, matmul.start, matmul_done, attention.start, attention_done,
                   moves};
  run #(
      .WATCHDOG(WATCHDOG)
  ) u_run (
      .clk,
      .rst,
      .start,
      .done,
      .idle,
      .n_frames(arguments.n_frames),
      .n_commands(arguments.n_commands),
      .commands(arguments.commands),
      .weights(arguments.weights),
      .images(arguments.images),
      .results(arguments.results),
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
      .moved,
      .ports_idle(ports.idle),
      .ports_failed({ports.error[7], ports.error[5], ports.error[3], ports.error[1]}),
      .prepare,
      .flush,
      .halt,
      .matmul_index(matmul.index),
      .status(run_status),
      .timed_out,
      .stopped_at
  );
  run_status u_run_status (
      .clk,
      .rst,
      .word(status_word),
      .data(status),
      .start,
      .idle,
      .status(run_status),
      .timed_out,
      .ports_error(ports.error),
      .stopped_at,
      .frames_done,
      .look_up,
      .matmul_busy(matmul.busy),
      .matmul_index(matmul.index),
      .attention_busy(attention.busy),
      .attention_index(attention.index),
      .index(cycles_index),
      .cycles
  );
  command_cycles u_command_cycles (
      .clk,
      .rst(cycles_rst),
      .stored,
      .stored_index,
      .matmul_start(matmul.start),
      .matmul_done,
      .matmul_index(matmul.index),
      .attention_start(attention.start),
      .attention_done,
      .attention_index(attention.index),
      .index(cycles_index),
      .data(cycles)
  );

  // -- the command list and who walks it ---------------------------------------------------------

  logic [2:0] read_request, read_answer;  // of the sequencer, and two of the loader
  logic [3*INDEX_BITS-1:0] read_index;
  vaqf_pkg::command_t read_command;
  assign commands_request.address = list_base;
  commands #(
      .READERS(3)
  ) u_commands (
      .clk,
      .rst(list_rst),
      .start(list_start),
      .n_commands(count),
      .filled(list_filled),
      .refused(list_refused),
      .refused_index,
      .stored,
      .stored_index,
      .request_valid(commands_request.valid),
      .request_ready(commands_request_ready),
      .request_beats(commands_request.beats),
      .in_valid(commands_valid),
      .in_ready(commands_ready),
      .in_data(commands_data),
      .read_request,
      .read_index,
      .read_answer,
      .read_command
  );

  logic matmul_loaded, attention_loaded;
  sequencer u_sequencer (
      .clk,
      .rst(sequencer_rst),
      .start(frames_start),
      .n_frames(frames),
      .n_commands(count),
      .run_done,
      .list_request(read_request[0]),
      .list_index(read_index[0*INDEX_BITS+:INDEX_BITS]),
      .list_answer(read_answer[0]),
      .list_command(read_command),
      .matmul_loaded,
      .matmul_start(matmul.start),
      .matmul_busy(matmul.busy),
      .matmul_command(matmul.command),
      .matmul_index(matmul.index),
      .matmul_frame(matmul.frame),
      .matmul_slot(matmul.slot),
      .matmul_parity(matmul.parity),
      .matmul_done,
      .attention_loaded,
      .attention_start(attention.start),
      .attention_busy(attention.busy),
      .attention_command(attention.command),
      .attention_index(attention.index),
      .attention_frame(attention.frame),
      .attention_slot(attention.slot),
      .attention_parity(attention.parity),
      .attention_done
  );
  loader u_loader (
      .clk,
      .rst(loader_rst),
      .start(frames_start),
      .n_frames(frames),
      .n_commands(count),
      .weights_address(weights_base),
      .images_address(images_base),
      .list_request(read_request[2:1]),
      .list_index(read_index[INDEX_BITS+:2*INDEX_BITS]),
      .list_answer(read_answer[2:1]),
      .list_command(read_command),
      .matmul_start(matmul.start),
      .matmul_done,
      .attention_done,
      .matmul_loaded,
      .attention_loaded,
      .request_valid(weights_request.valid),
      .request_ready(weights_request_ready),
      .request_address(weights_request.address),
      .request_beats(weights_request.beats),
      .data_valid(weights_valid),
      .data_ready(weights_ready),
      .data(weights_data),
      .image_request_valid(images_request.valid),
      .image_request_ready(images_request_ready),
      .image_request_address(images_request.address),
      .image_request_beats(images_request.beats),
      .pixels_idle,
      .pixels_start,
      .pixels_command,
      .parity(delivery.parity),
      .gelu_write(delivery.gelu_write),
      .gelu_address(delivery.gelu_address),
      .gelu_data(delivery.gelu_data),
      .norm_write(delivery.norm_write),
      .requant_write(delivery.requant_write),
      .context_write(delivery.context_write),
      .record_address(delivery.record_address),
      .record_data(delivery.record_data),
      .room,
      .reserve(fill.reserve),
      .reserve_words(fill.reserve_words),
      .fill_valid(fill.valid),
      .fill_data(fill.data),
      .constant_valid,
      .constant_ready,
      .constant_data
  );

  // -- results -----------------------------------------------------------------------------------

  frame_results u_frame_results (
      .clk,
      .rst(results_rst),
      .start(prepare),
      .results_base,
      .matmul_start(matmul.start),
      .command(matmul.command),
      .logits_valid,
      .logits_ready,
      .logits_data,
      .report_valid,
      .report_ready,
      .status(32'(run_status)),
      .stopped_at,
      .frames_done,
      .request_valid(results_request.valid),
      .request_ready(results_request_ready),
      .request_address(results_request.address),
      .request_beats(results_request.beats),
      .data_valid(results_valid),
      .data_ready(results_ready),
      .data(results_data),
      .port_idle(ports.idle[3]),
      .port_failed(ports.error[7])
  );
endmodule
