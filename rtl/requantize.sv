// clamp((value * mult + bias) >> shift, low, high): accumulator -> integer of the next layer.
//
// The bias holds the rounding half. One result per cycle; shift and limits belong to the command
// and stand still while results of it are on their way.
module requantize #(
    parameter int OPERAND_BITS = 27,
    parameter int MULT_BITS = 18,
    parameter int BIAS_BITS = 48,
    parameter int OUT_BITS = 24
) (
    input  logic                           clk,
    input  logic signed [OPERAND_BITS-1:0] value,
    input  logic signed [   MULT_BITS-1:0] mult,
    input  logic signed [   BIAS_BITS-1:0] bias,
    input  logic        [             5:0] shift,
    input  logic signed [    OUT_BITS-1:0] low,
    input  logic signed [    OUT_BITS-1:0] high,
    output logic signed [    OUT_BITS-1:0] result
);
  localparam int PRODUCT_BITS = OPERAND_BITS + MULT_BITS;

  // as a DSP48 has them: operand, product and sum registers
  logic signed [OPERAND_BITS-1:0] value_q;
  logic signed [MULT_BITS-1:0] mult_q;
  logic signed [BIAS_BITS-1:0] bias_q, bias_qq;
  logic signed [PRODUCT_BITS-1:0] product;
  logic signed [BIAS_BITS-1:0] sum;

  always_ff @(posedge clk) begin
    value_q <= value;
    mult_q  <= mult;
    bias_q  <= bias;
    bias_qq <= bias_q;
    product <= value_q * mult_q;
    sum     <= BIAS_BITS'(product) + bias_qq;
  end

  // the shift in two steps of eight and of one, with a register between
  logic signed [BIAS_BITS-1:0] coarse;
  logic [2:0] fine_shift;
  logic signed [BIAS_BITS-1:0] shifted;
  assign shifted = coarse >>> fine_shift;

  always_ff @(posedge clk) begin
    coarse     <= sum >>> {shift[5:3], 3'b000};
    fine_shift <= shift[2:0];
    if (shifted > BIAS_BITS'(high)) result <= high;
    else if (shifted < BIAS_BITS'(low)) result <= low;
    else result <= shifted[OUT_BITS-1:0];
  end
endmodule
