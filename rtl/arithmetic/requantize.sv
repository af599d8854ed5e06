// clamp((value * mult + bias) >> shift, low, high): accumulator -> integer of the next layer.
//
// The bias holds the rounding half, and comes a cycle behind value and mult. One result per cycle;
// shift and limits belong to the command and stand still while results of it are on their way. Of
// the shift every lane has its own copy, as it has many loads in each.
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
  logic signed [BIAS_BITS-1:0] sum;
  multiply_add #(
      .A_BITS(OPERAND_BITS),
      .B_BITS(MULT_BITS)
  ) u_sum (
      .clk,
      .a(value),
      .b(mult),
      .c(bias),
      .sum
  );

  // The shift in two steps of eight and of one, with a register between: KEEP bits of the first, as
  // what does not fit them is beyond every limit whatever the second is.
  localparam int KEEP = OUT_BITS + 8;
  localparam int BYTES = (BIAS_BITS - KEEP + 8) / 8;
  logic [8*BYTES-1:0] unlike;  // the top bit of KEEP and those above, where they are not the sign
  logic [  BYTES-1:0] unlike_byte;
  logic signed [KEEP-1:0] coarse, shifted;
  logic beyond, negative, beyond_q, negative_q;
  (* keep = "true" *) logic [5:0] places;
  assign unlike = (8 * BYTES)'(sum[BIAS_BITS-1:KEEP-1] ^ {BIAS_BITS - KEEP + 1{sum[BIAS_BITS-1]}});
  for (genvar i = 0; i < BYTES; ++i) begin : g_byte
    assign unlike_byte[i] = |unlike[8*i+:8];
  end

  always_ff @(posedge clk) begin
    places     <= shift;
    coarse     <= KEEP'(sum >>> {places[5:3], 3'b000});
    beyond     <= |(unlike_byte >> places[5:3]);
    negative   <= sum[BIAS_BITS-1];
    shifted    <= coarse >>> places[2:0];
    beyond_q   <= beyond;
    negative_q <= negative;
    if (beyond_q ? !negative_q : shifted > KEEP'(high)) result <= high;
    else if (beyond_q ? negative_q : shifted < KEEP'(low)) result <= low;
    else result <= shifted[OUT_BITS-1:0];
  end
endmodule
