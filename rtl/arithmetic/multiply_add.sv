// a * b + c in one DSP48, with the registers of operands and of the product that it is asked for.
//
// c comes two cycles ahead of the sum, so a cycle behind a and b if both registers are there, and
// whoever shares it keeps it waiting once.
module multiply_add #(
    parameter int A_BITS   = 27,
    parameter int B_BITS   = 18,
    parameter bit OPERANDS = 1'b1,
    parameter bit PRODUCT  = 1'b1
) (
    input  logic                     clk,
    input  logic signed [A_BITS-1:0] a,
    input  logic signed [B_BITS-1:0] b,
    input  logic signed [      47:0] c,
    output logic signed [      47:0] sum
);
  logic [47:0] total, below;  // below: nobody's
  assign sum = signed'(total);
  logic unused;
  assign unused = &{1'b0, below};
  dsp48 #(
      .A_BITS  (A_BITS),
      .B_BITS  (B_BITS),
      .OPERANDS(OPERANDS),
      .PRODUCT (PRODUCT)
  ) u_dsp (
      .clk,
      .a,
      .b,
      .c,
      .d(1'b0),
      .load_a(1'b1),
      .load_d(1'b0),
      .swap(1'b0),
      .above('0),
      .sum(total),
      .below
  );
endmodule
