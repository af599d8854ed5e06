// The commands of a run in their order: the list again and again, without those that have no frame.
//
// From `start` on it shows one after the other (`valid`) until `next` takes it, and reads ahead of
// that. The list answers behind the first cycle of a request, so what counts frames may be late.
// `new_step`: a step ended since the command before. `ended`: all were taken.
module walk (
    input logic clk,
    input logic rst,
    input logic start,
    input logic [31:0] n_frames,
    input logic [31:0] n_commands,
    output logic list_request,
    output logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] list_index,
    input logic list_answer,
    input vaqf_pkg::command_t list_command,
    output logic valid,
    input logic next,
    output vaqf_pkg::command_t command,
    output logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] index,
    output logic [31:0] frame,
    output logic new_step,
    output logic ended
);
  localparam int STRIDE = vaqf_pkg::FRAMES_IN_FLIGHT;  // frames of an iteration
  localparam int FRAME_BITS = 34;  // signed, and an iteration more than 32 bits hold

  typedef enum logic [2:0] {
    IDLE,
    FETCH,
    PLACE,  // in time: the frame that it would be for
    JUDGE,
    SHOW
  } state_t;
  state_t state;
  logic signed [FRAME_BITS-1:0] first_frame, left;  // of the iteration; frames from there on
  logic runs, leave;  // runs: in JUDGE
  logic started, goes_on;  // `start`, and the end of an iteration, a cycle later
  logic last_command, last_iteration;
  // Frames from the iteration's first on, and before it, as far as an offset of -2 to 1 tells them
  // apart: in registers, as they stand still long before they are used.
  logic signed [2:0] left_near, before_near, left_then, before_then;
  logic signed [3:0] offset;
  assign offset = command.frame_offset;
  assign left_then = left > 2 ? 3'sd2 : left < -2 ? -3'sd2 : left[2:0];
  assign before_then = first_frame > 2 ? 3'sd2 : first_frame[2:0];
  // with two frames in flight a frame ends an iteration later
  assign last_iteration = left_near <= 3'(2 - STRIDE);
  assign leave = next || (state == JUDGE && !runs);  // next: in SHOW
  assign list_request = state == FETCH;
  assign list_index = index;
  assign ended = state == IDLE;

  always_ff @(posedge clk) begin
    if (list_answer && list_request) command <= list_command;
    if (state == PLACE) frame <= 32'(first_frame) + 32'(offset);
    last_command <= 32'(index) + 1 == n_commands;
    runs <= offset < 4'(left_near) && offset + 4'(before_near) >= 4'sd0;
    left_near <= left_then;
    before_near <= before_then;
    started <= start;
    goes_on <= leave && last_command;
    if (started) begin
      first_frame <= '0;
      left        <= FRAME_BITS'(n_frames);
    end else if (goes_on) begin
      first_frame <= first_frame + FRAME_BITS'(STRIDE);
      left        <= left - FRAME_BITS'(STRIDE);
    end
    valid <= !rst && !start && !leave && (valid || state == JUDGE);
    if (rst) begin
      state <= IDLE;
    end else if (start) begin
      state    <= FETCH;
      index    <= '0;
      new_step <= 1'b1;
`ifndef SYNTHESIS
      assert (state == IDLE);
`endif
    end else if (leave) begin
      state    <= last_command && last_iteration ? IDLE : FETCH;
      index    <= last_command ? '0 : index + 1'b1;
      new_step <= command.step_end || last_command || (new_step && state == JUDGE);
    end else if (state == FETCH && list_answer) begin
      state <= PLACE;
    end else if (state == PLACE) begin
      state <= JUDGE;
    end else if (state == JUDGE) begin
      state <= SHOW;
    end
`ifndef SYNTHESIS
    if (!rst) begin
      assert (!next || valid);
      assert (valid == (state == SHOW));
      assert (state == IDLE || started || left == FRAME_BITS'(n_frames) - first_frame);
      if (state != IDLE && state != FETCH)
        assert (!started && !goes_on && left_near == left_then && before_near == before_then);
    end
`endif
  end
endmodule
