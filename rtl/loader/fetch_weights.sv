// What is read into the weight ring: the weights of all matmuls of a run, in their order.
//
// A chunk is asked for when the ring has room for all of it, and takes that room at once. Chunks are
// long enough for the memory, and short enough for parameters to get in between. A resident design
// reads its weights with frame 0.
module fetch_weights (
    input logic clk,
    input logic rst,
    input logic start,
    input logic [31:0] n_frames,
    input logic [31:0] n_commands,
    output logic list_request,
    output logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] list_index,
    input logic list_answer,
    input vaqf_pkg::command_t list_command,
    input logic [sizes::bits_for(vaqf_pkg::RING_WORDS)-1:0] room,
    output logic reserve,
    output logic [sizes::bits_for(vaqf_pkg::RING_WORDS)-1:0] reserve_words,
    output logic request_valid,
    input logic request_ready,
    output logic [37:0] request_position,  // in bytes, in the weight image
    output logic [31:0] request_beats,
    output logic for_pixels  // they are the patch embedding's
);
  localparam int COUNT_BITS = sizes::bits_for(vaqf_pkg::RING_WORDS);
  localparam int LONG_BYTES = sizes::CHUNK_BYTES;
  localparam int WORD_BYTES = vaqf_pkg::RING_WORD / 8;
  localparam int BEAT_BITS = $clog2(vaqf_pkg::WEIGHT_BITS / 8);  // of an address inside a beat
  localparam int LONG = LONG_BYTES > WORD_BYTES ? LONG_BYTES / WORD_BYTES : 1;
  localparam int CHUNK = LONG < vaqf_pkg::RING_WORDS ? LONG : vaqf_pkg::RING_WORDS;
  localparam int CHUNK_BITS = sizes::bits_for(CHUNK);

  logic valid, next, new_step, ended;
  logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] index;
  vaqf_pkg::command_t command;
  logic [31:0] frame;
  walk u_walk (
      .clk,
      .rst,
      .start,
      .n_frames,
      .n_commands,
      .list_request,
      .list_index,
      .list_answer,
      .list_command,
      .valid,
      .next,
      .command,
      .index,
      .frame,
      .new_step,
      .ended
  );

  typedef enum logic [2:0] {
    TAKE,
    PLAN,
    JUDGE,  // whether there is room, without what was taken
    WAIT,
    ASK,
    DONE
  } state_t;
  state_t state;
  logic   wanted;  // before the walk shows the command
  logic skips, asked, last, enough;
  logic [31:0] left;  // ring words of the command
  logic [CHUNK_BITS-1:0] chunk;
  assign asked = request_valid && request_ready;
  assign last = left == 32'(chunk);
  assign next = skips || state == DONE;
  assign request_valid = state == ASK;
  assign request_beats = sizes::times(32'(chunk), vaqf_pkg::RING_WORD / vaqf_pkg::WEIGHT_BITS);
  assign reserve_words = COUNT_BITS'(chunk);

  always_ff @(posedge clk) begin
    wanted <= command.opcode == 4'(vaqf_pkg::OP_MATMUL) && (vaqf_pkg::RESIDENT == 0 || frame == '0);
    for_pixels <= command.source == 4'(vaqf_pkg::SOURCE_PIXELS);
    // a cycle later, as it is a long way from there
    skips <= state == TAKE && valid && !wanted && !skips && !rst && !start;
    reserve <= asked && !rst && !start;
    chunk <= left < CHUNK ? left[CHUNK_BITS-1:0] : CHUNK_BITS'(CHUNK);
    enough <= left < CHUNK ? room >= COUNT_BITS'(left) : room >= COUNT_BITS'(CHUNK);
    if (state == TAKE) begin
      left <= command.weight_words;
      request_position <= {command.weight_offset, 6'b0};
    end else if (asked) begin
      left <= left - 32'(chunk);
      request_position <= request_position + 38'({request_beats, BEAT_BITS'(0)});
    end
    if (rst || start) begin
      state <= TAKE;
    end else begin
      case (state)
        TAKE: if (valid && wanted) state <= PLAN;
        PLAN: state <= JUDGE;
        JUDGE: state <= WAIT;
        WAIT: if (enough) state <= ASK;
        ASK: if (asked) state <= last ? DONE : PLAN;
        default: state <= TAKE;
      endcase
`ifndef SYNTHESIS
      assert (state != ASK || chunk != '0);
`endif
    end
  end

  logic unused;
  assign unused = &{1'b0, command, index, frame, new_step, ended};
endmodule
