// Counts the passes of a matmul: by token group, plane from the highest, digit and K slice.
//
// Several processes go through the same passes at their own pace; each has a counter of its own.
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
    output logic                     last_group
);
  localparam int WORD_BITS = sizes::bits_for(vaqf_pkg::INPUT_WORDS);
  localparam int TOKEN_BITS = sizes::bits_for(vaqf_pkg::MAX_TOKENS);
  localparam logic [WORD_BITS-1:0] SLICE = WORD_BITS'(vaqf_pkg::SLICE_WORDS);
  localparam logic [TOKEN_BITS-1:0] GROUP = TOKEN_BITS'(vaqf_pkg::TOKENS);
  logic [ WORD_BITS-1:0] words;  // inputs up to this slice's end, in words
  logic [TOKEN_BITS-1:0] tokens;  // up to this group's end
  assign first_slice = words == SLICE;
  assign last_slice  = words >= WORD_BITS'(command.k_words);
  assign first_digit = digit == '0;
  assign last_digit  = digit == command.digits - 1'b1;
  assign first_plane = plane == command.planes - 1'b1;
  assign last_plane  = plane == '0;
  assign last_group  = tokens >= TOKEN_BITS'(command.tokens);

  always_ff @(posedge clk) begin
    if (start) begin
      words  <= SLICE;
      digit  <= '0;
      plane  <= command.planes - 1'b1;
      tokens <= GROUP;
    end else if (next) begin
      words <= last_slice ? SLICE : words + SLICE;
      if (last_slice) digit <= last_digit ? '0 : digit + 1'b1;
      if (last_slice && last_digit) plane <= last_plane ? command.planes - 1'b1 : plane - 1'b1;
      if (last_slice && last_digit && last_plane) tokens <= tokens + GROUP;
    end
  end

  logic unused;
  assign unused = &{1'b0, command};
endmodule
