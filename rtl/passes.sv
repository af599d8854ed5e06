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
  logic [15:0] words;  // inputs up to this slice's end, in words
  logic [15:0] tokens;  // up to this group's end
  assign first_slice = words == 16'(vaqf_pkg::SLICE_WORDS);
  assign last_slice  = words >= command.k_words;
  assign first_digit = digit == '0;
  assign last_digit  = digit == command.digits - 1'b1;
  assign first_plane = plane == command.planes - 1'b1;
  assign last_plane  = plane == '0;
  assign last_group  = tokens >= command.tokens;

  always_ff @(posedge clk) begin
    if (start) begin
      words  <= 16'(vaqf_pkg::SLICE_WORDS);
      digit  <= '0;
      plane  <= command.planes - 1'b1;
      tokens <= 16'(vaqf_pkg::TOKENS);
    end else if (next) begin
      words <= last_slice ? 16'(vaqf_pkg::SLICE_WORDS) : words + 16'(vaqf_pkg::SLICE_WORDS);
      if (last_slice) digit <= last_digit ? '0 : digit + 1'b1;
      if (last_slice && last_digit) plane <= last_plane ? command.planes - 1'b1 : plane - 1'b1;
      if (last_slice && last_digit && last_plane) tokens <= tokens + 16'(vaqf_pkg::TOKENS);
    end
  end

  logic unused;
  assign unused = &{1'b0, command};
endmodule
