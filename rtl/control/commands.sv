// The command list: taken from the commands' port at the start of a run, then read by several.
//
// Every command is checked before the next one is taken. `filled` ends the filling; `refused` stands
// from then on, and `refused_index` is the first command that this design cannot run. A reader holds `read_request` and its index until `read_answer` says that `read_command` is its
// command; the lowest reader goes first. None can be kept waiting for long: each is busy with an
// answer for longer than the memory is.
module commands #(
    parameter int READERS = 3
) (
    input logic clk,
    input logic rst,
    input logic start,
    input logic [31:0] n_commands,  // 1 to MAX_COMMANDS
    output logic filled,  // pulse: all of them are here
    output logic refused,
    output logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] refused_index,
    // pulse: this command is stored
    output logic stored,
    output logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] stored_index,
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

  localparam int LEFT_BITS = sizes::bits_for(vaqf_pkg::MAX_COMMANDS * BEATS);
  logic [LEFT_BITS-1:0] beats_left;
  logic more;  // beats: in a register, as the port waits for it
  logic [$clog2(BEATS)-1:0] beat;
  logic [COMMAND_BITS-1:0] beats;  // of the command, the oldest lowest
  logic take, check, checking, good;
  assign in_ready = more && !check && !checking;
  assign take = in_valid && in_ready;
  check_command u_check (
      .clk,
      .rst,
      .start(check),
      .command(beats),
      .done(stored),
      .good
  );

  always_ff @(posedge clk) begin
    if (take) beats <= {in_data, beats[COMMAND_BITS-1:PORT]};
    if (rst) begin
      beats_left <= '0;
      more <= 1'b0;
      request_valid <= 1'b0;
      check <= 1'b0;
      checking <= 1'b0;
      filled <= 1'b0;
    end else begin
      check <= take && beat == $clog2(BEATS)'(BEATS - 1);
      checking <= check || (checking && !stored);
      filled <= stored && !more;
      if (start) begin
        request_valid <= 1'b1;
        request_beats <= n_commands * BEATS;
        beats_left    <= LEFT_BITS'(n_commands * BEATS);
        more          <= 1'b1;
        beat          <= '0;
        stored_index  <= '0;
        refused       <= 1'b0;
`ifndef SYNTHESIS
        assert (beats_left == '0 && !check && !checking);
        assert (n_commands != '0 && n_commands <= vaqf_pkg::MAX_COMMANDS);
`endif
      end else begin
        if (request_ready) request_valid <= 1'b0;
        if (take) begin
          beats_left <= beats_left - 1'b1;
          more <= beats_left != LEFT_BITS'(1);
          beat <= beat + 1'b1;
        end
        if (stored) begin
          stored_index <= stored_index + 1'b1;
          refused <= refused || !good;
          if (!refused) refused_index <= stored_index;
        end
      end
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk) if (!rst) assert (more == (beats_left != '0));
`endif

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
      .write(stored),
      .write_address(stored_index),
      .write_data(beats),
      .read_address(index),
      .read_data(read_command)
  );
endmodule
