// One channel of a layer norm: (dim * x - sum) / sigma, requantized to an activation.
//
// What lanes share comes when it is needed and not with x, so that no lane keeps a copy waiting:
// minus the sum 1 cycle behind x, mantissa latency::CENTRE, exponent SCALE_PRODUCT - 1 behind it, record
// CENTRE + SCALE_BY, its bias 1 behind it. dim and shift belong to the command.
module layer_norm (
    input  logic                                        clk,
    input  logic signed [  vaqf_pkg::RESIDUAL_BITS-1:0] x,
    input  logic signed [   vaqf_pkg::ROW_SUM_BITS-1:0] minus_sum,
    input  logic        [vaqf_pkg::NORM_VALUE_BITS-1:0] mantissa,
    input  logic        [                          5:0] exponent,
    input  logic        [                         15:0] dim,
    input  logic        [    vaqf_pkg::RECORD_BITS-1:0] record,
    input  logic        [                          5:0] shift,
    output logic        [       vaqf_pkg::ACT_BITS-1:0] act
);
  localparam int OPERAND_BITS = vaqf_pkg::OPERAND_BITS;
  // no channel is sqrt(MAX_DIM) = 32 deviations from the mean
  localparam int NORMAL_BITS = vaqf_pkg::NORM_FRACTION_BITS + 6;

  logic signed [47:0] centred;
  multiply_add #(
      .A_BITS(vaqf_pkg::RESIDUAL_BITS),
      .B_BITS($bits(dim) + 1)
  ) u_centred (
      .clk,
      .a  (x),
      .b  ({1'b0, dim}),
      .c  (48'(minus_sum)),
      .sum(centred)
  );

  logic signed [NORMAL_BITS-1:0] normal;
  scale_by #(
      .BITS(OPERAND_BITS),
      .OUT_BITS(NORMAL_BITS)
  ) u_scale (
      .clk,
      .x(centred[OPERAND_BITS-1:0]),
      .mantissa,
      .exponent({1'b0, exponent[4:0]}),  // at most half of VARIANCE_BITS
      .result(normal)
  );

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
      .bias(record[vaqf_pkg::RECORD_BITS-1:vaqf_pkg::MULT_BITS]),
      .shift,
      .low('0),
      .high((vaqf_pkg::ACT_BITS + 1)'(vaqf_pkg::ACT_MAX)),
      .result({sign, act})
  );

  logic unused;  // sign copies: centred fits by arithmetic.md
  assign unused = &{1'b0, sign, exponent[5], centred[47:OPERAND_BITS]};
endmodule
