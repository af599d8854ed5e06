// A third of a number that stands still, four bits at a time from the highest, a cycle each.
module third #(
    parameter int BITS = 16  // a multiple of four
) (
    input  logic            clk,
    input  logic [BITS-1:0] number,
    output logic [BITS-1:0] quotient
);
  localparam int DIGITS = BITS / 4;
  // of every number of six bits one bit of {quotient, remainder}; no quotient has more than four
  function automatic logic [63:0] by_three(input int bit_of);
    for (int n = 0; n < 64; ++n) begin
      by_three[n] = 1'((n % 3 + 4 * (n / 3)) >> bit_of);
    end
  endfunction
  logic [1:0] remainder[DIGITS];  // of a digit and those above
  for (genvar i = 0; i < DIGITS; ++i) begin : g_digit
    logic [5:0] given;
    if (i == DIGITS - 1) begin : g_highest
      assign given = 6'(number[4*i+:4]);
    end else begin : g_lower
      assign given = {remainder[i+1], number[4*i+:4]};
    end
    for (genvar b = 0; b < 6; ++b) begin : g_bit
      localparam logic [63:0] TABLE = by_three(b);  // a LUT
      always_ff @(posedge clk) begin
        if (b < 2) remainder[i][b%2] <= TABLE[given];
        else quotient[4*i+(b-2)%4] <= TABLE[given];
      end
    end
  end
endmodule
