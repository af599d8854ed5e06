// 1 / x, or 1 / sqrt(x) with ROOT, of an integer x >= 1: mantissa * 2**-(NORM_VALUE_BITS + exponent).
//
// A table on [1, 2) with linear interpolation; the root halves the exponent, and its parity chooses
// one of two tables.
module octave #(
    parameter int BITS = 52,
    parameter bit ROOT = 1'b1
) (
    input  logic                                 clk,
    input  logic [                     BITS-1:0] x,
    output logic [vaqf_pkg::NORM_VALUE_BITS-1:0] mantissa,
    output logic [                          5:0] exponent
);
  localparam int INDEX_BITS = vaqf_pkg::NORM_INDEX_BITS;
  localparam int OFFSET_BITS = vaqf_pkg::NORM_OFFSET_BITS;
  localparam int VALUE_BITS = vaqf_pkg::NORM_VALUE_BITS;
  localparam int FRACTION_BITS = INDEX_BITS + OFFSET_BITS;
  localparam int ENTRY_BITS = vaqf_pkg::ENTRY_BITS;
  localparam int ENTRIES = 2 * vaqf_pkg::NORM_ENTRIES;  // even and odd exponents
  localparam logic [ENTRIES*ENTRY_BITS-1:0] VALUES =
      ROOT ? {vaqf_pkg::RSQRT_ODD_VALUE, vaqf_pkg::RSQRT_EVEN_VALUE} :
             {2{vaqf_pkg::RECIPROCAL_VALUE}};
  localparam logic [ENTRIES*ENTRY_BITS-1:0] SLOPES =
      ROOT ? {vaqf_pkg::RSQRT_ODD_SLOPE, vaqf_pkg::RSQRT_EVEN_SLOPE} :
             {2{vaqf_pkg::RECIPROCAL_SLOPE}};

  logic [FRACTION_BITS-1:0] fraction;
  logic [5:0] place;
  normalize #(
      .BITS(BITS),
      .FRACTION_BITS(FRACTION_BITS)
  ) u_normalize (
      .clk,
      .x,
      .fraction,
      .exponent(place)
  );

  logic [ENTRY_BITS-1:0] values[ENTRIES];
  logic [ENTRY_BITS-1:0] slopes[ENTRIES];
  initial begin
    for (int i = 0; i < ENTRIES; ++i) begin
      values[i] = VALUES[i*ENTRY_BITS+:ENTRY_BITS];
      slopes[i] = SLOPES[i*ENTRY_BITS+:ENTRY_BITS];
    end
  end

  logic [INDEX_BITS:0] index;
  // of a table that may be a block RAM, and its output register
  logic [ENTRY_BITS-1:0] value, slope, value_q, slope_q;
  logic [OFFSET_BITS-1:0] offset, offset_q;
  logic [VALUE_BITS-1:0] base;
  logic [ENTRY_BITS+OFFSET_BITS-1:0] drop;
  logic [5:0] exponent_q, exponent_qq, exponent_qqq;
  assign index = {place[0] & ROOT, fraction[FRACTION_BITS-1-:INDEX_BITS]};

  always_ff @(posedge clk) begin
    value        <= values[index];
    slope        <= slopes[index];
    offset       <= fraction[OFFSET_BITS-1:0];
    exponent_q   <= ROOT ? place >> 1 : place;
    value_q      <= value;
    slope_q      <= slope;
    offset_q     <= offset;
    exponent_qq  <= exponent_q;
    base         <= value_q[VALUE_BITS-1:0];
    drop         <= slope_q * offset_q;
    exponent_qqq <= exponent_qq;
    mantissa     <= base - VALUE_BITS'(drop >> OFFSET_BITS);
    exponent     <= exponent_qqq;
  end
endmodule
