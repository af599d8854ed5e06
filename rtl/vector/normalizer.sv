// What a token's layer norm divides by: 1 / sqrt(dim * squares - sum**2 + eps), as octave.sv has it.
//
// There is one in the accelerator; both products are wider than a multiplier, so they have two
// registers behind them that a tool may move inside.
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

  logic signed [vaqf_pkg::ROW_SUM_BITS-1:0] sum_q;
  logic [vaqf_pkg::ROW_SQUARE_BITS-1:0] squares_q;
  logic [VARIANCE_BITS-1:0] square, square_q, scaled, scaled_q, variance;

  always_ff @(posedge clk) begin
    sum_q     <= sum;
    squares_q <= squares;
    square    <= VARIANCE_BITS'(sum_q) * VARIANCE_BITS'(sum_q);
    scaled    <= VARIANCE_BITS'(squares_q) * VARIANCE_BITS'(dim);
    square_q  <= square;
    scaled_q  <= scaled + VARIANCE_BITS'(eps);
    variance  <= scaled_q - square_q;
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
