// x >= 1 as 2**exponent * 1.fraction, by halving the range where the leading one may be: a cycle for
// each halving.
//
// BITS is 2 or more.
module normalize #(
    parameter int BITS = 52,
    parameter int FRACTION_BITS = 17
) (
    input  logic                     clk,
    input  logic [         BITS-1:0] x,
    output logic [FRACTION_BITS-1:0] fraction,
    output logic [              5:0] exponent
);
  localparam int LEVELS = $clog2(BITS);
  // wide enough for the fraction, and for every level to halve evenly
  localparam int PADDED = 2 ** LEVELS > FRACTION_BITS ? 2 ** LEVELS : FRACTION_BITS + 1;

  for (genvar i = 0; i < LEVELS; ++i) begin : g_level
    localparam int HALF = 2 ** (LEVELS - 1 - i);
    // what earlier halvings left, what this one leaves
    logic [PADDED-1:0] given, left;
    logic [5:0] place_given, place_left;
    logic empty;
    if (i == 0) begin : g_first
      assign given = {x, {PADDED - BITS{1'b0}}};
      assign place_given = 6'(BITS - 1);
    end else begin : g_next
      assign given = g_level[i-1].left;
      assign place_given = g_level[i-1].place_left;
    end
    assign empty = given[PADDED-1-:HALF] == '0;
    always_ff @(posedge clk) begin
      left       <= empty ? given << HALF : given;
      place_left <= empty ? place_given - 6'(HALF) : place_given;
    end
  end

  assign fraction = g_level[LEVELS-1].left[PADDED-2-:FRACTION_BITS];
  assign exponent = g_level[LEVELS-1].place_left;

  logic unused;  // the leading one itself, and what lies behind the fraction
  assign unused = &{1'b0, g_level[LEVELS-1].left};
endmodule
