// One channel of a layer norm: (dim * x - sum) / sigma, requantized to an activation.
//
// What lanes share comes when it is needed and not with x, so that no lane keeps a copy waiting:
// sum 1 cycle behind x, mantissa and exponent latency::CENTRE, record CENTRE + SCALE_BY. dim and
// shift belong to the command.
module layer_norm (
    input  logic                                        clk,
    input  logic signed [  vaqf_pkg::RESIDUAL_BITS-1:0] x,
    input  logic signed [   vaqf_pkg::ROW_SUM_BITS-1:0] sum,
    input  logic        [vaqf_pkg::NORM_VALUE_BITS-1:0] mantissa,
    input  logic        [                          5:0] exponent,
    input  logic        [                         15:0] dim,
    input  logic        [    vaqf_pkg::RECORD_BITS-1:0] record,
    input  logic        [                          5:0] shift,
    output logic        [       vaqf_pkg::ACT_BITS-1:0] act
);
  localparam int OPERAND_BITS = vaqf_pkg::OPERAND_BITS;
  localparam int PRODUCT_BITS = vaqf_pkg::RESIDUAL_BITS + 17;
  // no channel is sqrt(MAX_DIM) = 32 deviations from the mean
  localparam int NORMAL_BITS = vaqf_pkg::NORM_FRACTION_BITS + 6;

  // as a DSP48 has them: operand, product and sum registers
  logic signed [vaqf_pkg::RESIDUAL_BITS-1:0] x_q;
  logic signed [16:0] dim_q;
  logic signed [PRODUCT_BITS-1:0] product;
  logic signed [vaqf_pkg::ROW_SUM_BITS-1:0] sum_q;
  logic signed [OPERAND_BITS-1:0] centred;

  always_ff @(posedge clk) begin
    x_q     <= x;
    dim_q   <= {1'b0, dim};
    product <= x_q * dim_q;
    sum_q   <= sum;
    centred <= OPERAND_BITS'(product) - OPERAND_BITS'(sum_q);
  end

  logic signed [NORMAL_BITS-1:0] normal;
  scale_by #(
      .BITS(OPERAND_BITS),
      .OUT_BITS(NORMAL_BITS)
  ) u_scale (
      .clk,
      .x(centred),
      .mantissa,
      .exponent({1'b0, exponent[4:0]}),  // at most half of VARIANCE_BITS
      .result(normal)
  );

  logic [vaqf_pkg::BIAS_BITS-1:0] bias;
  always_ff @(posedge clk) bias <= record[vaqf_pkg::RECORD_BITS-1:vaqf_pkg::MULT_BITS];

  logic sign;  // never set: the lower limit is 0
  requantize #(
      .OPERAND_BITS(NORMAL_BITS),
      .MULT_BITS(vaqf_pkg::MULT_BITS),
      .BIAS_BITS(vaqf_pkg::BIAS_BITS),
      .OUT_BITS(vaqf_pkg::ACT_BITS + 1)
  ) u_requantize (
      .clk,
      .value(normal),
      .mult(record[vaqf_pkg::MULT_BITS-1:0]),
      .bias,
      .shift,
      .low('0),
      .high((vaqf_pkg::ACT_BITS + 1)'(vaqf_pkg::ACT_MAX)),
      .result({sign, act})
  );

  logic unused;  // sign copies: centred fits by arithmetic.md
  assign unused = &{1'b0, sign, exponent[5], product[PRODUCT_BITS-1:OPERAND_BITS]};
endmodule
