// The command list: taken from the commands' port at the start of a run, then read by several.
//
// A reader holds `read_request` and its index until `read_answer` says that `read_command` is its
// command; the lowest reader goes first. None can be kept waiting for long: each is busy with an
// answer for longer than the memory is.
module commands #(
    parameter int READERS = 3
) (
    input logic clk,
    input logic rst,
    input logic start,
    input logic [31:0] n_commands,  // 1 to MAX_COMMANDS
    output logic filled,  // pulse: all of them may be read
    // one request for all of them, from the first byte of the list
    output logic request_valid,
    input logic request_ready,
    output logic [31:0] request_beats,
    input logic in_valid,
    output logic in_ready,
    input logic [vaqf_pkg::PORT_BITS-1:0] in_data,
    input logic [READERS-1:0] read_request,
    input logic [READERS*sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] read_index,
    output logic [READERS-1:0] read_answer,
    output vaqf_pkg::command_t read_command
);
  localparam int INDEX_BITS = sizes::index_bits(vaqf_pkg::MAX_COMMANDS);
  localparam int COMMAND_BITS = 32 * vaqf_pkg::COMMAND_WORDS;
  localparam int PORT = vaqf_pkg::PORT_BITS;
  localparam int BEATS = COMMAND_BITS / PORT;

  // -- filling -----------------------------------------------------------------------------------

  logic [31:0] beats_left;
  logic [INDEX_BITS-1:0] write_index;
  logic [$clog2(BEATS)-1:0] beat;
  logic [COMMAND_BITS-PORT-1:0] before_last;  // beats of the command, the oldest lowest
  logic take, write;
  assign in_ready = beats_left != '0;
  assign take = in_valid && in_ready;
  assign write = take && beat == $clog2(BEATS)'(BEATS - 1);

  always_ff @(posedge clk) begin
    if (take) before_last <= {in_data, before_last[COMMAND_BITS-PORT-1:PORT]};
    if (rst) begin
      beats_left <= '0;
      request_valid <= 1'b0;
      filled <= 1'b0;
    end else begin
      filled <= take && beats_left == 32'd1;
      if (start) begin
        request_valid <= 1'b1;
        request_beats <= n_commands * BEATS;
        beats_left    <= n_commands * BEATS;
        beat          <= '0;
        write_index   <= '0;
        assert (beats_left == '0);
        assert (n_commands != '0 && n_commands <= vaqf_pkg::MAX_COMMANDS);
      end else begin
        if (request_ready) request_valid <= 1'b0;
        if (take) begin
          beats_left <= beats_left - 1'b1;
          beat <= beat + 1'b1;
        end
        if (write) write_index <= write_index + 1'b1;
      end
    end
  end

  // -- reading -----------------------------------------------------------------------------------

  logic [READERS-1:0] waiting, granted;
  logic [latency::MEMORY*READERS-1:0] on_the_way;
  logic [INDEX_BITS-1:0] index;
  always_comb begin
    waiting = read_request;
    for (int i = 0; i < latency::MEMORY; ++i) waiting &= ~on_the_way[i*READERS+:READERS];
    granted = waiting & (~waiting + 1'b1);
    index   = '0;
    for (int i = 0; i < READERS; ++i) begin
      if (granted[i]) index |= read_index[i*INDEX_BITS+:INDEX_BITS];
    end
  end
  assign read_answer = on_the_way[(latency::MEMORY-1)*READERS+:READERS];

  always_ff @(posedge clk) begin
    if (rst) on_the_way <= '0;
    else on_the_way <= {on_the_way[(latency::MEMORY-1)*READERS-1:0], granted};
  end

  memory #(
      .WIDTH(COMMAND_BITS),
      .DEPTH(vaqf_pkg::MAX_COMMANDS)
  ) u_memory (
      .clk,
      .write,
      .write_address(write_index),
      .write_data({in_data, before_last}),
      .read_address(index),
      .read_data(read_command)
  );
endmodule
