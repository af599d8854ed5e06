// What a token's layer norm divides by: 1 / sqrt(dim * squares - sum**2 + eps), as octave.sv has it.
//
// There is one in the accelerator. Both products are wider than a multiplier: they are sums of
// products of their parts, each in one multiplier and with a register of its own.
module normalizer (
    input  logic                                        clk,
    input  logic signed [   vaqf_pkg::ROW_SUM_BITS-1:0] sum,
    input  logic        [vaqf_pkg::ROW_SQUARE_BITS-1:0] squares,
    input  logic        [                         15:0] dim,
    input  logic        [      vaqf_pkg::BIAS_BITS-1:0] eps,
    output logic        [vaqf_pkg::NORM_VALUE_BITS-1:0] mantissa,
    output logic        [                          5:0] exponent
);
  localparam int VARIANCE_BITS = vaqf_pkg::VARIANCE_BITS;

  localparam int SUM_BITS = vaqf_pkg::ROW_SUM_BITS;
  localparam int SQUARE_BITS = vaqf_pkg::ROW_SQUARE_BITS;
  localparam int HALF = SUM_BITS / 2;  // bits of the lower part of a sum
  localparam int HIGH_BITS = VARIANCE_BITS - 2 * HALF;  // of the square of its higher part
  localparam int LOW = vaqf_pkg::MULT_BITS - 1;  // of the lower part of a sum of squares
  localparam int LOW_BITS = LOW + $bits(dim);
  localparam int REST_BITS = VARIANCE_BITS - LOW;  // of its higher part times dim
  logic signed [SUM_BITS-1:0] sum_q;
  logic [SQUARE_BITS-1:0] squares_q;
  logic signed [HIGH_BITS-1:0] sum_high, high_square;
  logic [2*HALF-1:0] sum_low, low_square;
  logic signed [SUM_BITS-1:0] mixed;
  logic [REST_BITS-1:0] scaled_high;
  logic [LOW_BITS-1:0] scaled_low;
  logic [VARIANCE_BITS-1:0] square_q, scaled_q, variance;
  assign sum_high = HIGH_BITS'(signed'(sum_q[SUM_BITS-1:HALF]));
  assign sum_low  = (2 * HALF)'(sum_q[HALF-1:0]);

  always_ff @(posedge clk) begin
    sum_q       <= sum;
    squares_q   <= squares;
    high_square <= sum_high * sum_high;
    low_square  <= sum_low * sum_low;
    mixed       <= SUM_BITS'(sum_high) * SUM_BITS'(signed'({1'b0, sum_low}));
    scaled_high <= REST_BITS'(squares_q[SQUARE_BITS-1:LOW]) * REST_BITS'(dim);
    scaled_low  <= LOW_BITS'(squares_q[LOW-1:0]) * LOW_BITS'(dim);
    square_q    <= {high_square, low_square} + (VARIANCE_BITS'(mixed) << (HALF + 1));
    scaled_q    <= {scaled_high, LOW'(0)} + VARIANCE_BITS'(scaled_low) + VARIANCE_BITS'(eps);
    variance    <= scaled_q - square_q;
  end

  octave #(
      .BITS(VARIANCE_BITS),
      .ROOT(1'b1)
  ) u_octave (
      .clk,
      .x(variance),
      .mantissa,
      .exponent
  );
endmodule
