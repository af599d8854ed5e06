// x * mantissa >> (VALUE_BITS - FRACTION_BITS + exponent): an integer times what octave.sv gives.
//
// The exponent comes latency::SCALE_PRODUCT - 1 cycles behind x and mantissa, a cycle before it is
// needed: lanes that share it keep a copy no longer than that.
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
  localparam int PRODUCT_BITS = BITS + VALUE_BITS;
  localparam int FIXED_SHIFT = VALUE_BITS - vaqf_pkg::NORM_FRACTION_BITS;

  logic signed [47:0] product;
  multiply_add #(
      .A_BITS (BITS),
      .B_BITS (VALUE_BITS + 1),
      .PRODUCT(1'b0)
  ) u_product (
      .clk,
      .a  (x),
      .b  ({1'b0, mantissa}),
      .c  ('0),
      .sum(product)
  );

  (* keep = "true" *) logic [6:0] places;
  logic signed [PRODUCT_BITS-1:0] shifted;
  assign shifted = signed'(product[PRODUCT_BITS-1:0]) >>> places;
  always_ff @(posedge clk) begin
    places <= 7'(FIXED_SHIFT) + 7'(exponent);
    result <= shifted[OUT_BITS-1:0];
  end

  logic unused;  // sign copies: the result fits by arithmetic.md
  assign unused = &{1'b0, product, shifted};
endmodule
