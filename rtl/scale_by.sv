// x * mantissa >> (VALUE_BITS - FRACTION_BITS + exponent): an integer times what octave.sv gives.
module scale_by #(
    parameter int BITS = 27,
    parameter int OUT_BITS = vaqf_pkg::OPERAND_BITS
) (
    input  logic                                        clk,
    input  logic signed [                     BITS-1:0] x,
    input  logic        [vaqf_pkg::NORM_VALUE_BITS-1:0] mantissa,
    input  logic        [                          5:0] exponent,
    output logic signed [                 OUT_BITS-1:0] result
);
  localparam int VALUE_BITS = vaqf_pkg::NORM_VALUE_BITS;
  localparam int PRODUCT_BITS = BITS + VALUE_BITS + 1;
  localparam int FIXED_SHIFT = VALUE_BITS - vaqf_pkg::NORM_FRACTION_BITS;

  logic signed [BITS-1:0] x_q;
  logic signed [VALUE_BITS:0] mantissa_q;
  logic [5:0] exponent_q, exponent_qq;
  logic signed [PRODUCT_BITS-1:0] product;
  logic signed [PRODUCT_BITS-1:0] shifted;
  assign shifted = product >>> (7'(FIXED_SHIFT) + 7'(exponent_qq));

  always_ff @(posedge clk) begin
    x_q         <= x;
    mantissa_q  <= {1'b0, mantissa};
    exponent_q  <= exponent;
    product     <= x_q * mantissa_q;
    exponent_qq <= exponent_q;
    result      <= shifted[OUT_BITS-1:0];
  end

  logic unused;  // sign copies: the result fits by arithmetic.md
  assign unused = &{1'b0, shifted[PRODUCT_BITS-1:OUT_BITS]};
endmodule
