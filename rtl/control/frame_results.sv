// What goes to the results' port: the logits of frame after frame, and the status block before them.
//
// `start` is the run's; then each matmul with logits asks for the next place of its size. When the run
// ends it asks for the status block (`report_valid`). `frames_done` counts the frames whose logits are
// in memory. `rst` forgets what is asked for, but not how many frames were done.
module frame_results (
    input  logic                                         clk,
    input  logic                                         rst,
    input  logic                                         start,
    input  logic               [                   63:0] results_base,
    input  logic                                         matmul_start,
    input  vaqf_pkg::command_t                           command,
    input  logic                                         logits_valid,
    output logic                                         logits_ready,
    input  logic               [vaqf_pkg::PORT_BITS-1:0] logits_data,
    input  logic                                         report_valid,
    output logic                                         report_ready,
    input  logic               [                   31:0] status,
    input  logic               [                   31:0] stopped_at,
    output logic               [                   31:0] frames_done,
    // the port
    output logic                                         request_valid,
    input  logic                                         request_ready,
    output logic               [                   63:0] request_address,
    output logic               [                   31:0] request_beats,
    output logic                                         data_valid,
    input  logic                                         data_ready,
    output logic               [vaqf_pkg::PORT_BITS-1:0] data,
    input  logic                                         port_idle,
    input  logic                                         port_failed
);
  localparam int PER_BEAT = vaqf_pkg::PORT_BITS / 32;
  localparam int PER_UNIT = vaqf_pkg::ALIGN_BYTES / 4;

  // -- frames ------------------------------------------------------------------------------------

  logic logits_request, asked;
  logic [63:0] logits_address;
  logic [31:0] frames_asked;
  localparam int UNIT_BITS = sizes::bits_for((vaqf_pkg::MAX_OUTPUTS + PER_UNIT - 1) / PER_UNIT);
  logic [UNIT_BITS-1:0] frame_units;  // of ALIGN_BYTES
  assign frame_units = UNIT_BITS'((32'(command.outputs) + (PER_UNIT - 1)) / PER_UNIT);
  assign asked = logits_request && request_ready;
  always_ff @(posedge clk) begin
    if (rst) logits_request <= 1'b0;
    else if (matmul_start) logits_request <= command.dest == 4'(vaqf_pkg::DEST_LOGITS);
    else if (asked) logits_request <= 1'b0;

    if (start) begin
      logits_address <= results_base + 64'(vaqf_pkg::STATUS_BYTES);
      frames_asked <= '0;
      frames_done <= '0;
    end else if (!rst) begin
      if (asked) begin
        logits_address <= logits_address + 64'({frame_units, $clog2(vaqf_pkg::ALIGN_BYTES)'(0)});
        frames_asked   <= frames_asked + 1'b1;
      end
      // what was asked for before this cycle has its response
      if (port_idle && !port_failed) frames_done <= frames_asked;
    end
`ifndef SYNTHESIS
    if (!rst) assert (!(logits_request && matmul_start));
`endif
  end

  // -- the status block --------------------------------------------------------------------------

  logic reporting;  // its beat waits
  assign report_ready = report_valid && request_ready;
  always_ff @(posedge clk) begin
    if (report_ready) reporting <= 1'b1;
    else if (start || data_ready) reporting <= 1'b0;
  end

  assign request_valid = report_valid || logits_request;
  assign request_address = report_valid ? results_base : logits_address;
  assign request_beats = report_valid ? 32'd1 : (32'(command.outputs) + (PER_BEAT - 1)) / PER_BEAT;
  assign data_valid = reporting || logits_valid;
  assign data = reporting ? vaqf_pkg::PORT_BITS'({frames_done, stopped_at, status}) : logits_data;
  assign logits_ready = data_ready;
`ifndef SYNTHESIS
  // logits are through, or in reset
  always_ff @(posedge clk) if (!rst) assert (!(reporting && logits_valid));
`endif

  logic unused;
  assign unused = &{1'b0, command};
endmodule
