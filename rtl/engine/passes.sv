// Counts the passes of a matmul: by token group, plane from the highest, digit and K slice.
//
// Several processes go through the same passes at their own pace; each has a counter of its own.
// What is first and last of a pass stands in registers: `next` depends on others' handshakes, and
// what follows from it on still more.
module passes (
    input  logic                     clk,
    input  logic                     start,        // of a command
    input  vaqf_pkg::command_t       command,
    input  logic                     next,         // to the next pass
    output logic               [3:0] plane,
    output logic               [3:0] digit,
    output logic                     first_slice,
    output logic                     last_slice,
    output logic                     first_digit,
    output logic                     last_digit,
    output logic                     first_plane,
    output logic                     last_plane,
    output logic                     last_pass,    // of its group: slice, digit and plane are last
    output logic                     last_group
);
  localparam int WORD_BITS = sizes::bits_for(vaqf_pkg::INPUT_WORDS);
  localparam int TOKEN_BITS = sizes::bits_for(vaqf_pkg::MAX_TOKENS);
  localparam logic [WORD_BITS:0] SLICE = (WORD_BITS + 1)'(vaqf_pkg::SLICE_WORDS);
  localparam logic [TOKEN_BITS:0] GROUP = (TOKEN_BITS + 1)'(vaqf_pkg::TOKENS);
  // a step ahead, as comparing takes time: inputs up to the next slice's end, in words; tokens up to
  // the next group's end
  logic [ WORD_BITS:0] words;
  logic [TOKEN_BITS:0] tokens;
  logic one_slice, one_digit, one_plane;  // as the command says
  logic slice_then, digit_then, plane_then;  // the next pass is the last of these
  assign one_slice = (WORD_BITS + 1)'(command.k_words) <= SLICE;
  assign one_digit = command.digits == 4'd1;
  assign one_plane = command.planes == 4'd1;
  always_comb begin
    slice_then = last_slice ? one_slice : words >= (WORD_BITS + 1)'(command.k_words);
    digit_then = last_digit;
    plane_then = last_plane;
    if (last_slice) digit_then = last_digit ? one_digit : digit + 4'd2 == command.digits;
    if (last_slice && last_digit) plane_then = last_plane ? one_plane : plane == 4'd1;
  end

  always_ff @(posedge clk) begin
    if (start) begin
      words       <= 2 * SLICE;
      digit       <= '0;
      plane       <= command.planes - 1'b1;
      tokens      <= 2 * GROUP;
      first_slice <= 1'b1;
      last_slice  <= one_slice;
      first_digit <= 1'b1;
      last_digit  <= one_digit;
      first_plane <= 1'b1;
      last_plane  <= one_plane;
      last_group  <= (TOKEN_BITS + 1)'(command.tokens) <= GROUP;
      last_pass   <= one_slice && one_digit && one_plane;
    end else if (next) begin
      words       <= last_slice ? 2 * SLICE : words + SLICE;
      first_slice <= last_slice;
      last_slice  <= slice_then;
      last_digit  <= digit_then;
      last_plane  <= plane_then;
      last_pass   <= slice_then && digit_then && plane_then;
      if (last_slice) begin
        digit       <= last_digit ? '0 : digit + 1'b1;
        first_digit <= last_digit;
      end
      if (last_slice && last_digit) begin
        plane       <= last_plane ? command.planes - 1'b1 : plane - 1'b1;
        first_plane <= last_plane;
      end
      if (last_pass) begin
        tokens     <= tokens + GROUP;
        last_group <= tokens >= (TOKEN_BITS + 1)'(command.tokens);
      end
    end
  end

  logic unused;
  assign unused = &{1'b0, command};
endmodule
